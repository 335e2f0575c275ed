"""`squadqa ablate`: how much each feature group of a scorer contributes."""

from pathlib import Path

from squadqa.cli.parser import CommandParser
from squadqa.cli.training_options import data_overrides, require_configs, split_overrides
from squadqa.evaluation.ablation_report import require_plots

HELP = "train a scorer without each of its feature groups, and compare"

RESULTS = "ablations"
"""The folder for the figures, in a folder of results."""


def main(arguments: list[str]) -> int:
    """Run the command.

    Args:
        arguments: The command line after `squadqa ablate`.

    Returns:
        The exit code: 0, or 1 if a signal stopped it.
    """
    parser = _parser()
    given, overrides = split_overrides(arguments, parser)
    options = parser.parse_args(given)
    require_plots()  # hours before it is needed
    line = ["fit", "--wandb", "off"]
    require_configs(options.config, usage="squadqa ablate", whole="configs/logistic.yaml")
    for config in options.config:
        line += ["--config", config]
    line += data_overrides(options.data, options.test)
    if options.device:
        line += ["--trainer.accelerator", options.device.replace("cuda", "gpu")]
    output = Path(options.output or Path("runs") / f"{Path(options.config[0]).stem}-ablation")

    from squadqa.cli.variants import ablate

    finished = ablate(
        line + overrides,
        output=output,
        without=options.without,
        results=Path(options.results) / RESULTS if options.results else None,
        also_known=parser.options,
    )
    return 0 if finished else 1


def _parser() -> CommandParser:
    parser = CommandParser(
        "ablate",
        "Train a scorer with all feature groups, without each of them, and without the two lexical "
        "groups\ntogether; score every variant on the test questions. The same command resumes a "
        "stopped\nablation. Any value of the configuration can be set by --SECTION.NAME VALUE.",
        usage="CONFIG [CONFIG ...] [options]",
        examples=[
            ("SQuAD", "squadqa ablate configs/logistic.yaml --data squad"),
            (
                "two variants, on the bundled sample",
                "squadqa ablate configs/logistic.yaml --data sample "
                "--without lengths span_words+lengths",
            ),
        ],
    )
    add = parser.add_argument
    add("config", metavar="CONFIG", nargs="+", help="configuration; a later one adds to it")
    add(
        "--data",
        metavar="SOURCE",
        help="sample, squad, a folder, a pack, a file, or a `datasets` name",
    )
    add("--test", metavar="SOURCE", help="test questions, if --data is a single file")
    add("--output", metavar="FOLDER", help="folder to write (default: runs/CONFIG_NAME-ablation)")
    add(
        "--without",
        metavar="GROUP",
        nargs="+",
        help="groups to leave out, one by one; A+B: both (default: each, and the paper's pair)",
    )
    add("--device", choices=("auto", "cpu", "cuda"), help="where to train (default: auto)")
    add("--results", metavar="FOLDER", help=f"also write the figures to FOLDER/{RESULTS}")
    return parser
