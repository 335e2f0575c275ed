"""`squadqa answer`: one question, one text, from a trained run."""

import sys
from dataclasses import asdict
from pathlib import Path

from squadqa.cli.console import bold, facts, marked, print_json
from squadqa.cli.parser import CommandParser, add_run_options, positive
from squadqa.errors import DataError

HELP = "answer one question about a text with a trained run"
SHOWN_CHARACTERS = 40
"""Characters of the context that are shown on each side of the answer."""


def main(arguments: list[str]) -> int:
    """Run the command.

    Args:
        arguments: What stands behind the command's name.

    Returns:
        The exit code.

    Raises:
        SquadQAError: The context, question, run or options are not what they should be.
    """
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
    parser.add_argument(
        "--context", metavar="FILE", required=True, help="text file to find the answer in; - reads "
        "standard input",
    )  # fmt: skip
    parser.add_argument("--question", metavar="TEXT", required=True, help="the question")
    parser.add_argument(
        "--n-best", metavar="N", type=positive, default=1, help="how many answers (default: 1)"
    )
    parser.add_argument("--json", action="store_true", help="print one JSON object, nothing else")
    options = parser.parse_args(arguments)
    context = read_context(options.context)
    if not options.question.strip():
        raise DataError("the question is empty", next_step='Ask with --question "...".')

    from squadqa.inference.run_folder import open_run

    run = open_run(options.run_folder, checkpoint=options.checkpoint)

    from squadqa.inference.predictor import Predictor

    answers = Predictor(run, device=options.device).answer(
        context, options.question, n_best=options.n_best
    )
    if options.json:
        listed = [asdict(answer) for answer in answers]
        print_json(
            {"question": options.question, "answers": listed, "checkpoint": str(run.checkpoint)}
        )
        return 0
    best = answers[0]
    print(bold(best.text))
    told = [
        ("probability", f"{best.probability:.3f}"),
        ("characters", f"{best.start:,} to {best.end:,}"),
        ("in", _shown(context, best.start, best.end)),
        ("checkpoint", str(run.checkpoint)),
    ]
    print(facts(told))
    if len(answers) > 1:
        print()
        for answer in answers:
            print(f"{answer.probability:.3f}  {_one_line(answer.text)}")
    return 0


def read_context(name: str) -> str:
    """Read the text as it is, so that characters count as they do in the file.

    Args:
        name: A file, or - for standard input.

    Raises:
        DataError: It cannot be read, is not UTF-8, or is empty.
    """
    where = "standard input" if name == "-" else f'"{name}"'
    try:
        raw = sys.stdin.buffer.read() if name == "-" else Path(name).read_bytes()
        context = raw.decode("utf-8-sig")
    except OSError as error:
        raise DataError(
            f"cannot read the context {where}: {error.strerror}",
            next_step="Name a text file, or - for standard input.",
        ) from error
    except UnicodeDecodeError as error:
        raise DataError(
            f"the context {where} is not UTF-8 text (byte {error.start})",
            next_step="Save it as UTF-8.",
        ) from error
    if not context.strip():
        raise DataError(f"the context {where} is empty", next_step="Give it a text to read.")
    return context


def _shown(context: str, start: int, end: int) -> str:
    """Show an answer where it stands, on one line."""
    before, after = context[:start], context[end:]
    shown = (
        ("…" if len(before) > SHOWN_CHARACTERS else "")
        + before[-SHOWN_CHARACTERS:]
        + marked(context[start:end])
        + after[:SHOWN_CHARACTERS]
        + ("…" if len(after) > SHOWN_CHARACTERS else "")
    )
    return _one_line(shown)


def _one_line(text: str) -> str:
    return " ".join(text.split())
