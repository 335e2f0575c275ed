"""`squadqa export`: a trained run in a form to share, or to answer without torch."""

from argparse import Namespace
from pathlib import Path

from squadqa.cli.console import facts
from squadqa.cli.options import add_trust_option
from squadqa.cli.parser import CommandParser
from squadqa.errors import ConfigError
from squadqa.run_files import MEMBERS, MODEL

HELP = "write a trained model as a small folder to share, or as ONNX"


def main(arguments: list[str]) -> int:
    """Run the command.

    Args:
        arguments: The words after the command's name.

    Returns:
        The exit code.

    Raises:
        SquadQAError: The run or the options cannot be used, or a file or folder cannot be written.
    """
    options = _parser().parse_args(arguments)
    _require_sense(options)

    from squadqa.cli.run_folders import require_writable
    from squadqa.inference.ensemble_folder import is_ensemble
    from squadqa.inference.model_folder import require_new_folder, write_model_folder
    from squadqa.inference.run_folder import open_run

    if is_ensemble(options.run_folder):
        members = Path(options.run_folder) / MEMBERS
        raise ConfigError(
            f'"{options.run_folder}" is an ensemble, and what is exported is one model',
            hint="A model folder can be a member: squadqa ensemble FOLDER FOLDER --run RUN.",
            next_step=f'Export its members, which are the folders in "{members}".',
        )
    folder = None if options.model is None else Path(options.model)
    if folder is not None:
        require_new_folder(folder)
    run = open_run(options.run_folder, checkpoint=options.checkpoint, trust=options.trust)
    if folder is not None:
        require_writable(folder)
    pairs = [("from", str(run.checkpoint))]
    if options.onnx is not None:
        from squadqa.inference.onnx_export import export_onnx

        path = Path(options.onnx)
        export_onnx(run, path)
        pairs.append(("ONNX", f"{path} ({path.stat().st_size / 1e6:.1f} MB)"))
    if folder is not None:
        from squadqa.cli.cards import card_of

        parameters = run.model.num_parameters  # first of all, as it refuses weights that do not fit
        write_model_folder(folder, run, card=card_of(run, half=options.half), half=options.half)
        pairs += [
            ("weights", f"{parameters:,}, float{16 if options.half else 32}"),
            ("model", f"{folder} ({(folder / MODEL).stat().st_size / 1e6:.1f} MB)"),
        ]
    print(facts(pairs))
    return 0


def _require_sense(options: Namespace) -> None:
    """Check that there is something to write, and that no option is without an effect.

    Raises:
        ConfigError: There is not, or one is.
    """
    if options.model is None and options.onnx is None:
        raise ConfigError(
            "nothing to write: neither --model nor --onnx",
            next_step="Name a new folder with --model FOLDER, or a file with --onnx FILE.",
        )
    if options.half and options.model is None:
        raise ConfigError(
            "--half is for a model folder: ONNX is written in float32",
            next_step="Leave --half out, or name a folder with --model FOLDER.",
        )


def _parser() -> CommandParser:
    parser = CommandParser(
        "export",
        "Write a trained run as a model folder: its weights (safetensors), what is needed to open\n"
        "it, and a model card, README.md. Every command that takes a run takes such a folder.\n"
        "Or write a reader as ONNX, which other programs run without torch.",
        usage="RUN_FOLDER [--model FOLDER] [--onnx FILE] [options]",
        examples=[
            ("a folder to share", "squadqa export runs/drqa --model drqa-squad"),
            ("half as large", "squadqa export runs/drqa --model drqa-small --half"),
            (
                "a file for onnxruntime (see docs/examples/onnx_answer.py)",
                "squadqa export runs/drqa --onnx drqa.onnx",
            ),
        ],
    )
    add = parser.add_argument
    add("run_folder", metavar="RUN_FOLDER", help="folder of a trained run, such as runs/drqa")
    add("--model", metavar="FOLDER", help="model folder to make")
    add("--half", action="store_true", help="store its weights as float16 (computed in float32)")
    add("--onnx", metavar="FILE", help="ONNX file to write: the scores of starts and ends")
    add(
        "--checkpoint",
        choices=("best", "last"),
        help="which checkpoint to take (default: best, or last where there is no best yet)",
    )
    add_trust_option(parser)
    return parser
