"""`squadqa export`: a trained run in a form to share."""

from pathlib import Path

from squadqa.cli.console import facts
from squadqa.cli.options import add_trust_option
from squadqa.cli.parser import CommandParser
from squadqa.errors import ConfigError
from squadqa.run_files import MEMBERS, MODEL

HELP = "write a trained model as a small folder to share"


def main(arguments: list[str]) -> int:
    """Run the command.

    Args:
        arguments: The words after the command's name.

    Returns:
        The exit code.

    Raises:
        SquadQAError: The run or the options cannot be used, or the folder cannot be written.
    """
    options = _parser().parse_args(arguments)
    if options.model is None:
        raise ConfigError(
            "nothing to write: no --model", next_step="Name a new folder with --model FOLDER."
        )
    folder = Path(options.model)

    from squadqa.cli.run_folders import require_writable
    from squadqa.inference.ensemble_folder import is_ensemble
    from squadqa.inference.model_folder import require_new_folder, write_model_folder
    from squadqa.inference.run_folder import open_run

    if is_ensemble(options.run_folder):
        members = Path(options.run_folder) / MEMBERS
        raise ConfigError(
            f'"{options.run_folder}" is an ensemble, and a model folder holds one model',
            hint="A model folder can be a member: squadqa ensemble FOLDER FOLDER --run RUN.",
            next_step=f'Export its members, which are the folders in "{members}".',
        )
    require_new_folder(folder)
    run = open_run(options.run_folder, checkpoint=options.checkpoint, trust=options.trust)
    require_writable(folder)

    from squadqa.cli.cards import card_of

    parameters = run.model.num_parameters  # first of all, as it refuses weights that do not fit
    write_model_folder(folder, run, card=card_of(run, half=options.half), half=options.half)
    pairs = [
        ("from", str(run.checkpoint)),
        ("weights", f"{parameters:,}, float{16 if options.half else 32}"),
        ("model", f"{folder} ({(folder / MODEL).stat().st_size / 1e6:.1f} MB)"),
    ]
    print(facts(pairs))
    return 0


def _parser() -> CommandParser:
    parser = CommandParser(
        "export",
        "Write a trained run as a model folder: its weights (safetensors), what is needed to open\n"
        "it, and a model card, README.md. Every command that takes a run takes such a folder.",
        usage="RUN_FOLDER --model FOLDER [options]",
        examples=[
            ("a folder to share", "squadqa export runs/drqa --model drqa-squad"),
            ("half as large", "squadqa export runs/drqa --model drqa-small --half"),
        ],
    )
    add = parser.add_argument
    add("run_folder", metavar="RUN_FOLDER", help="folder of a trained run, such as runs/drqa")
    add("--model", metavar="FOLDER", help="model folder to make")
    add("--half", action="store_true", help="store weights as float16 (computed in float32)")
    add(
        "--checkpoint",
        choices=("best", "last"),
        help="which checkpoint to take (default: best, or last where there is no best yet)",
    )
    add_trust_option(parser)
    return parser
