"""Making of model folders: the small form of a run, to be shared.

A model folder holds `config.yaml`, with what opening needs and nothing else; `model.safetensors`;
and `README.md`, the model card. `squadqa.inference.run_folder` opens it like a run.
"""

from pathlib import Path
from typing import Any

from squadqa.errors import OutputError
from squadqa.files import write_atomic, write_folder_atomic
from squadqa.inference.model_file import model_bytes
from squadqa.inference.run_folder import FAMILIES, Run, read_config
from squadqa.provenance import without_folders
from squadqa.run_files import CONFIG, MODEL, README

HELD_OUT = ("val_share", "bad_answers", "unanswerable", "negatives", "columns", "find_answers")
"""Keys in the section `data` that say, beside the source, which questions were held out."""

HEAD = "# A model folder of squadqa: what opening needs of the configuration of its training.\n"


def require_new_folder(folder: Path) -> None:
    """Check that a model folder can be made.

    Args:
        folder: The folder.

    Raises:
        OutputError: There is something of that name already.
    """
    if folder.exists() or folder.is_symlink():
        raise OutputError(f'"{folder}" exists', next_step="Name a new folder with --model FOLDER.")


def write_model_folder(folder: Path, run: Run, *, card: str, half: bool = False) -> None:
    """Write a run as a model folder, which appears whole or not at all.

    Args:
        folder: The folder to make.
        run: The run, whose weights fit its model.
        card: The model card, as Markdown.
        half: Whether weights are stored as float16; they are always computed in float32.

    Raises:
        ConfigError: The inputs learned something that the file cannot hold.
        OutputError: The folder exists or cannot be written.
    """
    import yaml

    require_new_folder(folder)
    config = opening_config(read_config(run.folder / CONFIG))
    weights = model_bytes(run.checkpoint, half=half)
    with write_folder_atomic(folder) as made:
        with write_atomic(made / MODEL, mode="wb") as file:
            file.write(weights)
        with write_atomic(made / README) as file:
            file.write(card)
        with write_atomic(made / CONFIG) as file:
            file.write(HEAD)
            yaml.safe_dump(config, file, sort_keys=False, allow_unicode=True)


def opening_config(config: dict[str, Any]) -> dict[str, Any]:
    """Keep of a run's configuration what opening needs.

    Args:
        config: The whole configuration, as `read_config` returns it.

    Returns:
        The model without its training, the inputs, and what names the held-out questions. Of an
        absolute path only the last part is left.
    """
    model, data = config["model"], config["data"]
    source = "val" if data.get("val") else "train"
    kept = {
        "model": {
            **{key: model[key] for key in ("class_path",) if key in model},
            "init_args": {
                family: spec for family, spec in model["init_args"].items() if family in FAMILIES
            },
        },
        "data": {key: data[key] for key in ("inputs", source, *HELD_OUT) if key in data},
    }
    slim: dict[str, Any] = without_folders(kept)
    return slim
