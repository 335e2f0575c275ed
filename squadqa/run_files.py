"""Names of files and folders in run folders, model folders and the folders of ensembles."""

RUNS_FOLDER = "runs"
"""Folder of runs, unless the user names another."""

CONFIG = "config.yaml"
"""The whole configuration. A folder that has it is a run."""

ORIGIN = "origin.json"
"""The command, the code and the machine of the training."""

CHECKPOINTS = "checkpoints"
"""Folder of `BEST` and `LAST`."""

BEST = "best.ckpt"
LAST = "last.ckpt"

LOGS = "logs"
"""Folder of the scores during training, as CSV."""

CURVES = "curves.svg"
"""The course of the training as a picture, made of its logs."""

WANDB = "wandb"
"""Folder of Weights & Biases."""

WANDB_RUN_ID = "run_id"
"""The file in that folder with the id of the W&B run, in which a resumed training goes on."""

RESULTS = "results.json"
"""The scores of the best checkpoint."""

PREDICTIONS = "predictions.json"
"""The answers of the best checkpoint."""

ENSEMBLE = "ensemble.json"
"""The file that an ensemble's folder has instead of a configuration."""

MEMBERS = "members"
"""Folder of an ensemble's members, each a run folder."""

MEMBER_SCORES = "members.json"
"""The weights and scores of an ensemble's members."""

CARD = "card.md"
"""The model card: data, training, scores, limits."""

MODEL = "model.safetensors"
"""The weights, and what else opening needs, in a model folder. It has no `CHECKPOINTS`."""

README = "README.md"
"""The model card of a model folder."""
