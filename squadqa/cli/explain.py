"""`squadqa explain`: why a run of the feature-based family chose its answer."""

from dataclasses import asdict
from typing import TYPE_CHECKING

from squadqa.cli.console import facts, marked, one_line, print_json, table
from squadqa.cli.options import (
    add_context_option,
    add_data_option,
    add_json_option,
    add_run_options,
    open_one_run,
    read_context,
    require_question,
)
from squadqa.cli.parser import CommandParser
from squadqa.cli.reading_options import source_of
from squadqa.errors import ConfigError

if TYPE_CHECKING:
    from squadqa.inference.explanation import ExplainedSpan, Explanation

HELP = "show what each feature group adds to an answer's score"


def main(arguments: list[str]) -> int:
    """Run the command.

    Args:
        arguments: The words after the command's name.

    Returns:
        The exit code.

    Raises:
        SquadQAError: The data, context, question, run or options cannot be used.
    """
    options = _parser().parse_args(arguments)
    names = ("data", "id", "context", "question")
    given = [f"--{name}" for name in names if getattr(options, name) is not None]
    if given not in (["--data", "--id"], ["--context", "--question"]):
        raise ConfigError(
            f"cannot tell which question to explain: given {' and '.join(given) or 'none'}",
            hint="It takes --data and --id, or --context and --question.",
            next_step="Examples: squadqa explain --help",
        )
    context = None if options.context is None else read_context(options.context)
    if options.question is not None:
        require_question(options.question)

    from squadqa.data.squad import read_squad

    run = open_one_run(options)
    source = None if options.data is None else source_of(options)

    from squadqa.inference.explanation import explain, question_with_id
    from squadqa.inference.new_texts import new_questions

    if source is None:
        assert context is not None
        asked = new_questions(context, [options.question])
    else:
        asked = question_with_id(read_squad(source), options.id)
    explanation = explain(run, asked, device=options.device)
    if options.json:
        print_json({**asdict(explanation), "checkpoint": str(run.checkpoint)})
    else:
        print(_text(explanation, str(run.checkpoint)))
    return 0


def _parser() -> CommandParser:
    parser = CommandParser(
        "explain",
        "Show what each feature group of a baseline adds to the score of the chosen span, of the\n"
        "runner-up (the best span with another text), and of the gold answer.",
        usage="RUN_FOLDER (--data FILE --id ID | --context FILE --question TEXT) [options]",
        examples=[
            (
                "a question of SQuAD's dev part",
                "squadqa explain runs/logistic --data squad --id 56be4db0acb8001400a502ec",
            ),
            (
                "a question about a text file",
                'squadqa explain runs/logistic --context mill.txt --question "Who built it?"',
            ),
        ],
    )
    add_run_options(parser)
    add_data_option(parser, "questions", required=False)
    parser.add_argument("--id", metavar="ID", help="identifier of the question in it")
    add_context_option(parser, required=False)
    parser.add_argument("--question", metavar="TEXT", help="the question about it")
    add_json_option(parser)
    return parser


def _text(explanation: "Explanation", checkpoint: str) -> str:
    pairs = [("question", one_line(explanation.question))]
    columns: dict[str, ExplainedSpan] = {}
    named = {
        "chosen": explanation.chosen,
        "runner-up": explanation.runner_up,
        "gold": explanation.gold,
    }
    for name, span in named.items():
        twin = next((other for other, one in columns.items() if one == span), None)
        if twin:
            pairs.append((name, f"the {twin} span"))
        elif span:
            pairs.append((name, _in_sentence(span)))
            columns[name] = span
    if explanation.references:
        if not explanation.gold:
            pairs.append(("gold", "no candidate holds the first answer"))
        texts = dict.fromkeys(map(one_line, explanation.references))
        pairs.append(("answers", ", ".join(f'"{text}"' for text in texts)))
    pairs.append(("checkpoint", checkpoint))

    spans, separations = columns.values(), explanation.separations
    rows = [
        ["", *columns],
        ["probability", *(f"{span.probability:.3f}" for span in spans)],
        ["score", *(f"{span.score:.3f}" for span in spans)],
        *([name, *(f"{span.groups[name]:+.3f}" for span in spans)] for name in separations),
    ]
    if rival := explanation.rival:
        name = next(name for name, span in columns.items() if span == rival)
        ahead = [explanation.chosen.score - rival.score, *separations.values()]
        cells = [f"chosen - {name}", "", *(f"{value:+.3f}" for value in ahead)]
        rows = [[*row, cell] for row, cell in zip(rows, cells, strict=True)]
    return f"{facts(pairs)}\n\n{table(rows)}"


def _in_sentence(span: "ExplainedSpan") -> str:
    """Show a span with its sentence around it, on one line."""
    start, end = span.start - span.sentence_start, span.end - span.sentence_start
    return one_line(span.sentence[:start] + marked(span.text) + span.sentence[end:])
