"""`squadqa predict`: a trained run's answers to every question of a file."""

from pathlib import Path

from squadqa.cli.console import ProgressLines, facts
from squadqa.cli.options import (
    add_cache_options,
    add_choose_option,
    add_data_option,
    add_run_options,
    open_answerer,
    positive,
)
from squadqa.cli.parser import CommandParser
from squadqa.cli.reading_options import source_of
from squadqa.files import require_writable_file

HELP = "answer every question of a file with a trained run"


def main(arguments: list[str]) -> int:
    """Run the command.

    Args:
        arguments: The words after the command's name.

    Returns:
        The exit code.

    Raises:
        SquadQAError: The data, run, output or options cannot be used.
    """
    options = _parser().parse_args(arguments)

    from squadqa.evaluation.predictions import (
        n_best_path,
        write_n_best,
        write_no_answer_probabilities,
        write_predictions,
    )

    output = Path(options.output)
    n_best = n_best_path(output)
    no_answer = [Path(options.na_prob)] if options.na_prob else []
    for path in (output, *([n_best] if options.n_best else []), *no_answer):
        require_writable_file(path)

    source = source_of(options)
    run = open_answerer(options, choose=options.choose)
    if no_answer:
        run.require_abstaining()

    from squadqa.inference.answered import Preparation

    answered = run.answer_file(
        source,
        n_best=options.n_best or 1,
        always=options.always_answer,
        preparation=Preparation(options.cache_dir, options.workers, ProgressLines()),
    )
    pairs = [("questions", f"{len(answered.answers):,}"), ("checkpoint", run.description)]
    if options.n_best:
        write_n_best(n_best, answered.answers)
        pairs.append(("n-best", str(n_best)))
    if no_answer:
        write_no_answer_probabilities(no_answer[0], answered.answers)
        pairs.append(("no answer", str(no_answer[0])))
    write_predictions(output, answered.texts)
    print(facts([*pairs, ("predictions", str(output))]))
    return 0


def _parser() -> CommandParser:
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
                "also the 20 best answers with probabilities, in predictions.n_best.json",
                "squadqa predict runs/drqa --data squad --output predictions.json --n-best 20",
            ),
            (
                "both files of SQuAD v2.0, from a run that may abstain",
                "squadqa predict runs/drqa --data dev-v2.0.json --output predictions.json "
                "--na-prob na_prob.json",
            ),
            (
                "questions about a plain text, one a line of questions.txt",
                "squadqa predict runs/drqa --data article.txt --questions questions.txt "
                "--output predictions.json",
            ),
        ],
    )
    add_run_options(parser)
    add_choose_option(parser)
    add_data_option(parser, "questions, with or without answers")
    parser.add_argument(
        "--questions",
        metavar="FILE",
        help="questions, one a line, about --data, which is then a plain text",
    )
    parser.add_argument(
        "--output", metavar="FILE", required=True, help="prediction file to write, as .json"
    )
    parser.add_argument(
        "--n-best",
        metavar="N",
        type=positive,
        help="also write the N best spans of each question, with probabilities and characters",
    )
    parser.add_argument(
        "--na-prob",
        metavar="FILE",
        help='also write the probabilities of "no answer", of a run that may abstain',
    )
    parser.add_argument(
        "--always-answer",
        action="store_true",
        help="answer also where a run that may abstain would not",
    )
    add_cache_options(parser)
    return parser
