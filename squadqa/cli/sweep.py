"""`squadqa sweep`: train with many values of some options, and say which were best."""

from pathlib import Path

from squadqa.cli.options import natural, positive, positive_number
from squadqa.cli.parser import CommandParser
from squadqa.cli.training_options import data_overrides, require_config, split_overrides
from squadqa.package_files import locate

HELP = "look for the best values of a configuration, without an account"


def main(arguments: list[str]) -> int:
    """Run the command.

    Args:
        arguments: The words after the command's name.

    Returns:
        The exit code: 0, or 1 if a signal stopped it.

    Raises:
        SquadQAError: The sweep's file or an option cannot be used, or Optuna is not installed.
    """
    parser = _parser()
    given, overrides = split_overrides(arguments, parser)
    options = parser.parse_args(given)
    require_config(Path(options.sweep))

    from squadqa.training.sweep import Sweep, read_ranges, require_optuna

    require_optuna()
    ranges, words = read_ranges(locate(options.sweep))
    line = [word for word in words if not word.startswith(("--wandb", "--run"))]
    if options.config:
        line = [word for word in line if not word.startswith("--config")]
        line += [f"--config={config}" for config in options.config]
    line += data_overrides(options.data, options.test)
    for key, value in (
        ("--trainer.max_epochs", options.epochs),
        ("--budget_minutes", options.minutes),
        ("--trainer.accelerator", options.device and options.device.replace("cuda", "gpu")),
    ):
        if value is not None:
            line += [key, str(value)]
    line += [*overrides, "--wandb=off"]

    from squadqa.cli.sweeping import sweep

    folder = Path(options.output or Path("sweeps", Path(options.sweep).stem))
    new = Sweep(tuple(line), ranges, options.seed)
    return sweep(new, folder, trials=options.trials, also_known=parser.options)


def _parser() -> CommandParser:
    parser = CommandParser(
        "sweep",
        "Look for the best values of a configuration: train with values from the ranges of a\n"
        "sweep file, chosen by what was best so far (Optuna), and compare the F1 on held-out\n"
        "articles. The same command again goes on. Any value of the configuration can be set, as\n"
        "for squadqa train.",
        usage="SWEEP [options]",
        examples=[
            ("20 trainings on the sample", "squadqa sweep configs/sweep.yaml --trials 20"),
            (
                "short ones, into another folder",
                "squadqa sweep configs/sweep.yaml --trials 3 --minutes 0.1 --output sweeps/short",
            ),
        ],
    )
    add = parser.add_argument
    add("sweep", metavar="SWEEP", help="file of ranges, in the form of a W&B sweep")
    add("--trials", metavar="N", type=positive, default=20, help="trainings in all (default: 20)")
    add("--config", metavar="FILE", action="append", help="configuration instead of the file's")
    add("--data", metavar="SOURCE", help="sample, squad, a folder, a pack, or a file")
    add("--test", metavar="SOURCE", help="test questions, if --data is a single file")
    add("--epochs", metavar="N", type=positive, help="passes of each training")
    add("--minutes", metavar="N", type=positive_number, help="time of each training")
    add("--device", choices=("auto", "cpu", "cuda"), help="where to train (default: auto)")
    add("--seed", metavar="N", type=natural, default=1, help="seed of the choices (default: 1)")
    add("--output", metavar="FOLDER", help="the sweep's folder (default: sweeps/NAME)")
    return parser
