"""`squadqa prepare`: tokens, annotation and vectors of data, made once and kept."""

import argparse
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

from squadqa.cli.console import ProgressLines, facts, print_json
from squadqa.cli.options import (
    DEFAULT_PIPELINE,
    DEFAULT_VECTORS,
    add_cache_options,
    add_json_option,
    default_bad_answers,
)
from squadqa.cli.parser import CommandParser

if TYPE_CHECKING:
    from squadqa.data.squad import Source
    from squadqa.data.summary import Summary
    from squadqa.data.vectors.coverage import Coverage

HELP = "tokenize, annotate and look vectors up once, ahead of training"

SHOWN_FORMS = 10
"""Word forms without a vector to show."""


def main(arguments: list[str]) -> int:
    """Run the command.

    Args:
        arguments: The words after the command's name.

    Returns:
        The exit code.

    Raises:
        SquadQAError: The data, vectors, pipeline or options cannot be used.
    """
    options = _parser().parse_args(arguments)

    from squadqa.data.prepare import default_cache_dir, prepare
    from squadqa.data.summary import summarize

    cache_dir = Path(options.cache_dir) if options.cache_dir else default_cache_dir()
    summaries = []
    for source in [source for name in options.data for source in _sources(name)]:
        data = prepare(
            source,
            cache_dir=cache_dir,
            bad_answers=options.bad_answers or default_bad_answers(source),
            pipeline=DEFAULT_PIPELINE if options.annotate else None,
            parse=options.parse,
            vectors=options.vectors,
            workers=options.workers,
            progress=ProgressLines(),
        )
        summaries.append(summarize(data, vectors=options.vectors))
        if not options.json:
            print(_text(summaries[-1]) + "\n")
    if options.json:
        print_json({"cache_dir": str(cache_dir), "sources": list(map(_json, summaries))})
    else:
        print(f"prepared data: {cache_dir}")
    return 0


def _parser() -> CommandParser:
    parser = CommandParser(
        "prepare",
        "Tokenize, annotate and look vectors up once, ahead of training, and count what there is.",
        usage="DATA [DATA ...] [options]",
        examples=[
            ("both parts of SQuAD", "squadqa prepare squad"),
            ("files, for DrQA, which reads no parse", "squadqa prepare train.json --no-parse"),
            ("for readers of words alone", "squadqa prepare train.json --no-annotate"),
            (
                "more vectors side by side",
                "squadqa prepare squad --vectors glove-6b-50d spacy:en_core_web_md",
            ),
        ],
    )
    parser.add_argument(
        "data",
        metavar="DATA",
        nargs="+",
        help=".json, .json.gz or .jsonl file; squad, a folder or a `datasets` name for both parts",
    )
    parser.add_argument(
        "--annotate",
        action=argparse.BooleanOptionalAction,
        default=True,
        help=f"parts of speech, entities and lemmas, by {DEFAULT_PIPELINE} (default: yes)",
    )
    parser.add_argument(
        "--parse",
        action=argparse.BooleanOptionalAction,
        default=True,
        help="dependency parses too, which the baselines read (default: yes)",
    )
    parser.add_argument(
        "--vectors",
        metavar="SOURCE",
        nargs="*",
        default=list(DEFAULT_VECTORS),
        help="word vectors: a file, spacy:NAME, gensim:NAME "
        f"(default: {' '.join(DEFAULT_VECTORS)})",
    )
    parser.add_argument(
        "--bad-answers",
        choices=("error", "skip", "keep"),
        help='what to do with unusable answers (default: error for names with "train" in them, '
        "otherwise keep)",
    )
    add_cache_options(parser)
    add_json_option(parser)
    return parser


def _sources(name: str) -> "list[Source]":
    """Find a file, or both parts of what holds both."""
    from squadqa.data.squad import find_source

    found = [find_source(name, part="train"), find_source(name, part="dev")]
    return found[:1] if found[0] == found[1] else found


def _shares(covered: "Coverage") -> dict[str, dict[str, float]]:
    """Percent of the word forms and of the tokens that each source of vectors has, by its name."""
    columns = zip(covered.sources, covered.by_form, covered.by_token, strict=True)
    return {name: {"by_form": form, "by_token": token} for name, form, token in columns}


def _json(summary: "Summary") -> dict[str, Any]:
    covered = summary.vectors
    vectors = covered and {
        "sources": _shares(covered),
        "by_form": covered.together_by_form,
        "by_token": covered.together_by_token,
        "missing": dict(covered.missing),
    }
    return {**asdict(summary), "vectors": vectors}


def _text(summary: "Summary") -> str:
    """Lay a summary out for reading."""
    answers = ", ".join(
        f"{summary.alignment[kind]:,} {said}"
        for kind, said in (
            ("exact", "exact"),
            ("expanded", "expanded to whole tokens"),
            ("lost", "lost"),
            ("misplaced", "not at their answer_start"),
            ("none", "without"),
        )
        if summary.alignment[kind] or kind not in ("misplaced", "none")
    )
    pairs = [
        ("source", summary.source),
        ("articles", f"{summary.articles:,}"),
        ("paragraphs", f"{summary.paragraphs:,}"),
        ("questions", f"{summary.questions:,}"),
        ("first answers", answers),
        *(("skipped", f"{count:,}: {reason}") for reason, count in summary.skipped.items()),
        ("tokens", f"{summary.tokens:,}"),
        ("word forms", f"{summary.forms:,}"),
        ("annotated", "yes" if summary.annotated else "no"),
    ]
    if covered := summary.vectors:
        shares = _shares(covered)
        if len(shares) > 1:
            shares["together"] = {
                "by_form": covered.together_by_form,
                "by_token": covered.together_by_token,
            }
        pairs += [
            (
                f"vectors {name}",
                f"{one['by_form']:.2f} % of word forms, {one['by_token']:.2f} % of tokens",
            )
            for name, one in shares.items()
        ]
        missing = [f"{form} ({count:,})" for form, count in covered.missing[:SHOWN_FORMS]]
        if missing:
            pairs.append(("no vector", ", ".join(missing)))
    return facts(pairs)
