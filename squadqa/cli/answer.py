"""`squadqa answer`: one question, one text, from a trained run."""

from squadqa.cli.console import bold, facts, marked, one_line, print_json
from squadqa.cli.options import (
    add_choose_option,
    add_context_option,
    add_json_option,
    add_run_options,
    open_answerer,
    positive,
    read_context,
    require_question,
)
from squadqa.cli.parser import CommandParser

HELP = "answer one question about a text with a trained run"

NONE = "(no answer)"
"""Stands for the answer that there is none."""

SHOWN_CHARACTERS = 40
"""Characters of the context to show on each side of the answer."""


def main(arguments: list[str]) -> int:
    """Run the command.

    Args:
        arguments: The words after the command's name.

    Returns:
        The exit code.

    Raises:
        SquadQAError: The context, question, run or options cannot be used.
    """
    options = _parser().parse_args(arguments)
    context = read_context(options.context)
    require_question(options.question)

    run = open_answerer(options, choose=options.choose)
    answers = run.answer(
        context, options.question, n_best=options.n_best, always=options.always_answer
    )
    if options.json:
        listed = [answer.values() for answer in answers]
        print_json({"question": options.question, "answers": listed, "checkpoint": run.description})
        return 0
    best = answers[0]
    print(bold(best.text or NONE))
    pairs = [("probability", f"{best.probability:.3f}")]
    if best.text:
        pairs.append(("characters", f"{best.start:,} to {best.end:,}"))
        pairs.append(("in", _in_context(context, best.start, best.end)))
    if best.text and best.no_answer_probability is not None:
        pairs.append((NONE, f"{best.no_answer_probability:.3f}"))
    print(facts([*pairs, ("checkpoint", run.description)]))
    if len(answers) > 1:
        print()
        for answer in answers:
            print(f"{answer.probability:.3f}  {one_line(answer.text or NONE)}")
    return 0


def _parser() -> CommandParser:
    parser = CommandParser(
        "answer",
        "Answer one question about a text with a trained run.",
        usage='RUN_FOLDER --context FILE --question "TEXT" [options]',
        examples=[
            (
                "a question about a text file",
                'squadqa answer runs/drqa --context article.txt --question "Who built the mill?"',
            ),
            (
                "the text from a pipe, the three best answers",
                'squadqa answer runs/drqa --context - --question "When?" --n-best 3 < article.txt',
            ),
        ],
    )
    add_run_options(parser)
    add_choose_option(parser)
    add_context_option(parser)
    parser.add_argument("--question", metavar="TEXT", required=True, help="the question")
    parser.add_argument(
        "--n-best", metavar="N", type=positive, default=1, help="how many answers (default: 1)"
    )
    parser.add_argument(
        "--always-answer",
        action="store_true",
        help="answer also where a run that may abstain would not",
    )
    add_json_option(parser)
    return parser


def _in_context(context: str, start: int, end: int) -> str:
    """Show an answer with the text around it, on one line."""
    before, after = context[:start], context[end:]
    shown = (
        ("…" if len(before) > SHOWN_CHARACTERS else "")
        + before[-SHOWN_CHARACTERS:]
        + marked(context[start:end])
        + after[:SHOWN_CHARACTERS]
        + ("…" if len(after) > SHOWN_CHARACTERS else "")
    )
    return one_line(shown)
