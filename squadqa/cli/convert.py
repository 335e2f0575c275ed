"""`squadqa convert`: questions in another format."""

from dataclasses import asdict
from pathlib import Path

from squadqa.cli.console import counted, facts, print_json
from squadqa.cli.options import add_json_option
from squadqa.cli.parser import CommandParser
from squadqa.cli.reading_options import add_reading_options, reading_of
from squadqa.files import require_writable_file

HELP = "write questions in another format"


def main(arguments: list[str]) -> int:
    """Run the command.

    Args:
        arguments: The words after the command's name.

    Returns:
        The exit code.

    Raises:
        SquadQAError: The data, output or options cannot be used.
    """
    options = _parser().parse_args(arguments)

    from squadqa.data.squad import find_source
    from squadqa.data.squad.convert import convert, format_of

    path = Path(options.output)
    format_of(path, options.to)
    require_writable_file(path)
    source = find_source(options.data, reading=reading_of(options))
    done = convert(source, path, to=options.to)
    if options.json:
        print_json({**asdict(done), "path": str(path), "source": str(source)})
        return 0
    without = f", {done.without_answers:,} without answers" if done.without_answers else ""
    pairs = [
        ("source", str(source)),
        ("contexts", f"{done.contexts:,}"),
        ("questions", f"{done.questions:,}{without}"),
        *([("looked up", counted(done.found))] if done.found else []),
        (f"as {done.format}", str(path)),
    ]
    print(facts(pairs))
    return 0


def _parser() -> CommandParser:
    parser = CommandParser(
        "convert",
        "Read questions in any format and write them in another one, named by OUT's ending:\n"
        ".json (SQuAD v1.1, or v2.0 where questions say whether they are impossible), .jsonl,\n"
        ".csv or .tsv, each also packed, as .jsonl.gz.",
        usage="IN OUT [options]",
        examples=[
            ("a table as SQuAD's JSON", "squadqa convert dev.csv dev.json --find-answers first"),
            ("columns of other names", "squadqa convert dev.tsv dev.json --columns question=q"),
            ("MRQA's format", "squadqa convert dev.json dev.jsonl.gz --to mrqa"),
        ],
    )
    parser.add_argument(
        "data", metavar="IN", help="questions: a file, -, a pack, sample, squad, or squad:train"
    )
    parser.add_argument("output", metavar="OUT", help="file to write")
    parser.add_argument(
        "--to",
        choices=("squad", "jsonl", "mrqa", "csv", "tsv"),
        help="format to write, where OUT's ending is not to say it",
    )
    add_reading_options(parser)
    add_json_option(parser)
    return parser
