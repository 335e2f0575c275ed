"""`squadqa predict`: a trained run's answers to every question of a file."""

import tempfile
from pathlib import Path

from squadqa.cli.console import ProgressLines, facts
from squadqa.cli.parser import CommandParser, add_cache_options, add_run_options, positive
from squadqa.errors import OutputError
from squadqa.files import output_error

HELP = "answer every question of a file with a trained run"


def main(arguments: list[str]) -> int:
    """Run the command.

    Args:
        arguments: What stands behind the command's name.

    Returns:
        The exit code.

    Raises:
        SquadQAError: The data, run, output or options are not what they should be.
    """
    parser = CommandParser(
        "predict",
        "Answer every question of a file with a trained run, in the official format.",
        usage="RUN_FOLDER --data FILE --output FILE [options]",
        examples=[
            (
                "predictions in the official format",
                "squadqa predict runs/drqa --data dev-v1.1.json --output predictions.json",
            ),
            (
                "and beside them, in predictions.n_best.json, the 20 best with probabilities",
                "squadqa predict runs/drqa --data squad --output predictions.json --n-best 20",
            ),
        ],
    )
    add_run_options(parser)
    parser.add_argument(
        "--data",
        metavar="FILE",
        required=True,
        help="questions, with or without answers: .json, .json.gz, .jsonl, or squad",
    )
    parser.add_argument(
        "--output", metavar="FILE", required=True, help="prediction file to write, as .json"
    )
    parser.add_argument(
        "--n-best",
        metavar="N",
        type=positive,
        help="write the N best spans of each question, with probability and characters, too",
    )
    add_cache_options(parser)
    options = parser.parse_args(arguments)
    output = Path(options.output)
    require_writable_file(output)

    from squadqa.data.squad import find_source
    from squadqa.inference.run_folder import open_run

    source = find_source(options.data)
    run = open_run(options.run_folder, checkpoint=options.checkpoint)

    from squadqa.evaluation.predictions import write_n_best, write_predictions
    from squadqa.inference.predictor import Predictor

    predictor = Predictor(run, device=options.device)
    progress = ProgressLines()
    data = predictor.prepare(
        source, cache_dir=options.cache_dir, workers=options.workers, progress=progress
    )
    answers = predictor.answers(data, n_best=options.n_best or 1, progress=progress)
    told = [("questions", f"{len(answers):,}"), ("checkpoint", str(run.checkpoint))]
    if options.n_best:
        n_best_path = output.with_name(f"{output.stem}.n_best.json")
        write_n_best(n_best_path, answers)
        told.append(("n-best", str(n_best_path)))
    write_predictions(output, {name: best[0].text for name, best in answers.items()})
    print(facts([*told, ("predictions", str(output))]))
    return 0


def require_writable_file(path: Path) -> None:
    """Find out before the work is done whether its result can be written.

    Args:
        path: The file to write.

    Raises:
        OutputError: It cannot.
    """
    if path.is_dir():
        raise OutputError(
            f'cannot write "{path}": it is a folder',
            next_step=f'Name a file in it: --output "{path / "predictions.json"}"',
        )
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        tempfile.TemporaryFile(dir=path.parent).close()
    except OSError as error:
        raise output_error(path, error) from error
