"""`squadqa debug-data`: what is in a file of questions, and what is wrong with it."""

from dataclasses import asdict
from typing import TYPE_CHECKING

from squadqa.cli.console import ProgressLines, facts, one_line, print_json, table
from squadqa.cli.options import (
    DEFAULT_VECTORS,
    add_cache_options,
    add_json_option,
    default_pipeline,
)
from squadqa.cli.parser import CommandParser
from squadqa.cli.reading_options import add_reading_options, reading_of

if TYPE_CHECKING:
    from squadqa.evaluation.data_check import DataCheck

HELP = "check a file of questions before training: lengths, limits, alignment, overlap"

SHOWN_FORMS = 10
"""Commonest words without a vector that are told."""


def main(arguments: list[str]) -> int:
    """Run the command.

    Args:
        arguments: The words after the command's name.

    Returns:
        The exit code.

    Raises:
        SquadQAError: The data, vectors or options cannot be used.
    """
    options = _parser().parse_args(arguments)

    from squadqa.data.prepare import prepare
    from squadqa.data.squad import find_source
    from squadqa.evaluation.data_check import check_data

    reading = reading_of(options)
    source = find_source(options.data, part="train", reading=reading)
    other = None if options.against is None else find_source(options.against, reading=reading)
    vectors = list(DEFAULT_VECTORS) if options.vectors is None else options.vectors
    if source.part is not None and source.path is not None and options.vectors is None:
        from squadqa.data.pack.read import notes_of

        vectors = [one.source for one in notes_of(source.path).vectors]
    how = {"cache_dir": options.cache_dir, "workers": options.workers, "progress": ProgressLines()}
    generator, pipeline = None, None
    if options.candidates:
        from squadqa.data.candidates.generators import DependencyRuns

        generator, pipeline = DependencyRuns(), default_pipeline(source)
    check = check_data(
        prepare(source, vectors=vectors, pipeline=pipeline, **how),
        vectors=vectors,
        against=None if other is None else prepare(other, **how),
        generator=generator,
    )
    if options.json:
        print_json({**asdict(check), "advice": check.advice})
    else:
        print(_text(check))
    return 0


def _parser() -> CommandParser:
    parser = CommandParser(
        "debug-data",
        "Check a file of questions before training: counts, duplicates, lengths and what limits\n"
        "would lose, answers that are not at their place, words without vectors, and advice.",
        usage="FILE [--against FILE] [options]",
        examples=[
            ("the sample's train part", "squadqa debug-data sample"),
            (
                "also the paragraphs that train and dev share",
                "squadqa debug-data train.json --against dev.json",
            ),
            ("for a script: one JSON object", "squadqa debug-data dev.json --json"),
        ],
    )
    parser.add_argument(
        "data",
        metavar="FILE",
        help=".json, .jsonl, .csv or .tsv (also .gz), a pack, sample, squad, or squad:dev",
    )
    parser.add_argument("--against", metavar="FILE", help="another part, such as dev")
    parser.add_argument(
        "--vectors",
        metavar="SOURCE",
        nargs="*",
        help=f"word vectors to look words up in (default: {' '.join(DEFAULT_VECTORS)})",
    )
    parser.add_argument(
        "--candidates",
        action="store_true",
        help="also the best score among a baseline's candidates, which takes a parse",
    )
    add_reading_options(parser)
    add_json_option(parser)
    add_cache_options(parser)
    return parser


def _text(check: "DataCheck") -> str:
    counts = check.counts
    alignment = counts.alignment
    unplaced = alignment["unplaced"]
    pairs = [
        ("source", counts.source),
        ("articles", f"{counts.articles:,}"),
        ("paragraphs", f"{counts.paragraphs:,}{_also(check.repeated_paragraphs, 'repeated')}"),
        ("questions", f"{counts.questions:,}{_also(check.repeated_questions, 'repeated')}"),
        ("without answers", f"{check.without_answers:,}"),
        ("several answers", f"{check.several_answers:,} questions have different given answers"),
        (
            "first answers",
            f"{alignment['exact']:,} are exactly some tokens, {alignment['expanded']:,} nearly, "
            f"{alignment['lost']:,} not at all; {alignment['misplaced']:,} are not at their "
            f"answer_start{_also(unplaced, 'have none')}",
        ),
    ]
    if shared := check.overlap:
        pairs.append(
            (
                "overlap",
                f"{shared.paragraphs:,} paragraphs ({shared.questions:,} questions) are in "
                f"{shared.other} too; {shared.same:,} questions are the same",
            )
        )
    if covered := counts.vectors:
        pairs.append(
            (
                "vectors",
                f"{covered.together_by_form:.1f} % of {covered.forms:,} word forms, "
                f"{covered.together_by_token:.1f} % of {covered.tokens:,} tokens",
            )
        )
        words = [f"{form} ({count:,})" for form, count in covered.missing[:SHOWN_FORMS]]
        if words:
            pairs.append(("no vector", ", ".join(words)))
    if reach := check.candidates:
        pairs.append(
            (
                "candidates",
                f"the best of a baseline's reach EM {reach.exact_match:.1f}, F1 {reach.f1:.1f}",
            )
        )
    parts = [facts(pairs)]
    first = check.lengths[0].percentiles
    heads = ["tokens", *("longest" if one == 100 else f"{one} %" for one in first)]
    rows = [[one.name, *(f"{n:,}" for n in one.percentiles.values())] for one in check.lengths]
    parts.append(table([heads, *rows]))
    limits = [["limit", "tokens", "questions lost", "", "best exact match"]]
    for one in check.limits:
        known = one.name == "answer" and not unplaced
        most = check.best_exact_match.get(one.tokens) if known else None
        shown = "" if most is None else f"{most:.1f} %"
        limits.append([one.name, f"{one.tokens:,}", f"{one.lost:,}", f"{one.share:.2f} %", shown])
    parts.append(table(limits))
    if check.misaligned:
        lines = [
            f'  {one.id}: "{one_line(one.answer)}" is {one.kind}: "{one_line(one.found)}"'
            for one in check.misaligned
        ]
        parts.append("\n".join(["answers that are not exactly some tokens", *lines]))
    return "\n\n".join([*parts, "\n".join(check.advice)])


def _also(count: int, what: str) -> str:
    return f", {count:,} {what}" if count else ""
