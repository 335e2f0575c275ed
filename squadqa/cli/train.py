"""`squadqa train`: the usual options, and any value of a configuration."""

from pathlib import Path

from squadqa.cli.options import add_trust_option, natural, positive, positive_number
from squadqa.cli.parser import CommandParser
from squadqa.cli.reading_options import add_language_option, add_reading_options
from squadqa.cli.training_options import (
    data_overrides,
    given_words,
    language_overrides,
    require_configs,
    require_trusted,
    split_overrides,
    training_words,
)
from squadqa.errors import CheckpointError, ConfigError, did_you_mean
from squadqa.run_files import CHECKPOINTS, CONFIG, MODEL

WHOLE = "configs/bidaf.yaml"
"""A whole configuration to which every part that comes with squadqa adds something."""

HELP = "train a model from a configuration and score it"


def main(arguments: list[str]) -> int:
    """Run the command.

    Args:
        arguments: The command line after `squadqa train`.

    Returns:
        The exit code.
    """
    parser = _parser()
    given, overrides = split_overrides(arguments, parser)
    options = parser.parse_args(given)
    if bool(options.config) == bool(options.resume):
        raise ConfigError(
            "train needs a configuration, or a run to resume",
            next_step="For example: squadqa train --config configs/drqa.yaml --data sample",
        )
    if options.resume and options.warm_start:
        raise ConfigError(
            f'a resumed run has its own weights: "{options.resume}" cannot begin with '
            f'those of "{options.warm_start}"',
            next_step="Start a new run with --config and --warm-start.",
        )
    if options.resume and options.teacher:
        raise ConfigError(
            f'a resumed run keeps its teacher: "{options.resume}" cannot have another, '
            f'"{options.teacher}"',
            next_step="Leave out --teacher, or start a new run with --config and --teacher.",
        )
    line: list[str] = ["fit"]
    if options.resume:
        run = Path(options.resume)
        _require_run(run)
        line += ["--config", str(run / CONFIG), "--run_folder", str(run), "--resume", "true"]
    require_configs(options.config or [], usage="squadqa train --config", whole=WHOLE)
    for config in options.config or []:
        line += ["--config", config]
    if not options.resume:  # as the configuration of a run that was resumed may say
        line += ["--resume", "false"]
    line += data_overrides(options.data, options.test)
    line += training_words(options)
    line += given_words(
        [
            ("--until_f1", options.until_f1),
            ("--data.columns", options.columns),
            ("--data.find_answers", options.find_answers),
            ("--teacher", options.teacher),
            ("--wandb", options.wandb),
            ("--results", options.results),
        ]
    )
    line += language_overrides(options.language) + overrides
    if options.resume:
        require_trusted(line, trust=options.trust)
    from squadqa.cli.lightning import run as run_lightning

    return run_lightning(
        line,
        trust=options.trust,
        command=parser.command_line(arguments, without=("--run", "--results", "--wandb")),
        also_known=parser.options,
    )


def _parser() -> CommandParser:
    parser = CommandParser(
        "train",
        "Train a model, choose its best checkpoint on held-out articles, and score it on the test "
        "questions.\nAny value of the configuration can be set by --NAME VALUE or --SECTION.NAME "
        "VALUE, such as\n"
        "  --model.decay none|linear|cosine|plateau, --model.warmup_steps 500,\n"
        "  --model.ema_decay 0.999 (average of weights), --model.word_dropout 0.05,\n"
        "  --save-every 100 (steps). All: squadqa lightning fit --help.",
        examples=[
            ("the bundled sample", "squadqa train --config configs/drqa.yaml --data sample"),
            (
                "SQuAD, half an hour, another learning rate",
                "squadqa train --config configs/drqa.yaml --minutes 30 "
                "--model.optimizer.init_args.lr 0.002",
            ),
            ("resume a stopped run", "squadqa train --resume runs/drqa"),
        ],
    )
    add = parser.add_argument
    add("--config", metavar="FILE", action="append", help="configuration; a later one adds to it")
    add("--resume", metavar="RUN_FOLDER", help="resume a run where it stopped")
    add(
        "--data",
        metavar="SOURCE",
        help="sample, squad, a folder, a pack, a file, or a `datasets` name",
    )
    add("--test", metavar="SOURCE", help="test questions, if --data is a single file")
    add_reading_options(parser, default=None)
    add_language_option(parser)
    add("--run", metavar="RUN_FOLDER", help="folder to make (default: runs/CONFIG_NAME)")
    add("--epochs", metavar="N", type=positive, help="passes over the training questions")
    add(
        "--minutes",
        metavar="N",
        type=positive_number,
        help="training time, without evaluation",
    )
    add(
        "--patience",
        metavar="N",
        type=positive,
        help="stop after N evaluations without a better F1 (default: 3)",
    )
    add(
        "--until-f1",
        metavar="N",
        type=positive_number,
        help="stop at this F1 on the test questions",
    )
    add(
        "--warm-start",
        metavar="RUN_FOLDER",
        help="begin with the weights of a run that fit",
    )
    add(
        "--teacher",
        metavar="RUN_FOLDER",
        help="run or ensemble to learn from, beside the gold answers",
    )
    add("--char-cnn", metavar="CLASS", help="such as ResNetCharCNN; null leaves characters out")
    add("--batch-size", metavar="N", type=positive, help="questions in a batch")
    add("--device", choices=("auto", "cpu", "cuda"), help="where to train (default: auto)")
    add("--precision", metavar="P", help="32-true or bf16-mixed; on a GPU also 16-mixed")
    add("--seed", metavar="N", type=natural, help="random seed of weights, order and dropout")
    add("--wandb", choices=("offline", "online", "off"), help="Weights & Biases (default: offline)")
    add("--results", metavar="FOLDER", help="also write the scores to FOLDER/NAME.json")
    add_trust_option(parser)
    return parser


def _require_run(folder: Path) -> None:
    if (folder / MODEL).is_file() and not (folder / CHECKPOINTS).is_dir():
        raise CheckpointError(
            f'"{folder}" is a model folder, which has no training to resume',
            next_step=f"Start a new run with --config FILE --warm-start {folder}.",
        )
    if (folder / CONFIG).is_file():
        return
    near = [str(file.parent) for file in folder.parent.glob(f"*/{CONFIG}")]
    raise CheckpointError(
        f'"{folder}" is not a run folder: it has no "{CONFIG}"',
        hint=did_you_mean(str(folder), near) if near else "",
        next_step="Start a run with squadqa train --config FILE.",
    )
