"""`squadqa prepare`: tokens, annotation and vectors of data, made once and kept."""

import argparse
from pathlib import Path
from typing import TYPE_CHECKING, Any

from squadqa.cli.console import ProgressLines, facts, print_json
from squadqa.cli.parser import CommandParser, add_cache_options

if TYPE_CHECKING:
    from squadqa.data.prepare import PreparedData
    from squadqa.data.squad import BadAnswers, Source

HELP = "tokenize, annotate and look vectors up once, ahead of training"
PIPELINE = "en_core_web_sm"
VECTORS = ("glove-6b-50d",)


def main(arguments: list[str]) -> int:
    """Run the command.

    Args:
        arguments: What stands behind the command's name.

    Returns:
        The exit code.

    Raises:
        SquadQAError: The data, vectors, pipeline or options are not what they should be.
    """
    parser = CommandParser(
        "prepare",
        "Tokenize, annotate and look vectors up once, ahead of training, and count what there is.",
        usage="DATA [DATA ...] [options]",
        examples=[
            ("both parts of SQuAD", "squadqa prepare squad"),
            ("files, without the parser", "squadqa prepare train.json dev.json --no-annotate"),
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
        help=f"parts of speech, entities, lemmas and parses, by {PIPELINE} (default: yes)",
    )
    parser.add_argument(
        "--vectors",
        metavar="SOURCE",
        nargs="*",
        default=list(VECTORS),
        help=f"word vectors: a file, spacy:NAME, gensim:NAME (default: {' '.join(VECTORS)})",
    )
    parser.add_argument(
        "--bad-answers",
        choices=("error", "skip", "keep"),
        help='what to do with unusable answers (default: error for what is named "train", '
        "keep for the rest)",
    )
    add_cache_options(parser)
    parser.add_argument("--json", action="store_true", help="print one JSON object, nothing else")
    options = parser.parse_args(arguments)

    from squadqa.data.prepare import default_cache_dir, prepare

    cache_dir = Path(options.cache_dir) if options.cache_dir else default_cache_dir()
    reports = []
    for source in [source for name in options.data for source in _sources(name)]:
        data = prepare(
            source,
            cache_dir=cache_dir,
            bad_answers=options.bad_answers or default_bad_answers(source),
            pipeline=PIPELINE if options.annotate else None,
            vectors=options.vectors,
            workers=options.workers,
            progress=ProgressLines(),
        )
        reports.append(_report(data, options.vectors))
        if not options.json:
            print(_text(reports[-1]) + "\n")
    if options.json:
        print_json({"cache_dir": str(cache_dir), "sources": reports})
    else:
        print(f"prepared data: {cache_dir}")
    return 0


def default_bad_answers(source: "Source") -> "BadAnswers":
    """Choose what training does with unusable answers where a source is named "train".

    Args:
        source: A file or data set.
    """
    return "error" if "train" in (source.split or source.name.rpartition("/")[2]) else "keep"


def _sources(name: str) -> "list[Source]":
    """Find a file, or both parts of what holds both."""
    from squadqa.data.squad import find_source

    found = [find_source(name, part="train"), find_source(name, part="dev")]
    return found[:1] if found[0] == found[1] else found


def _report(data: "PreparedData", vectors: list[str]) -> dict[str, Any]:
    """Count what a prepared source holds, as plain values."""
    import numpy as np

    from squadqa.data.alignment import Alignment
    from squadqa.data.vectors import coverage

    tokens = data.tokens
    report: dict[str, Any] = {
        "source": data.source,
        "articles": len(set(data.titles.to_pylist())),
        "paragraphs": len(data.contexts),
        "questions": len(data.ids),
        "tokens": len(tokens.forms),
        "forms": len(tokens.lexicon),
        "annotated": data.annotation is not None,
        "alignment": {kind.name.lower(): int((data.alignment == kind).sum()) for kind in Alignment},
        "skipped": data.skipped,
        "vectors": None,
    }
    if data.vectors_found is not None:
        counts = np.bincount(tokens.forms, minlength=len(tokens.lexicon))
        covered = coverage(data.vectors_found, counts, tokens.lexicon, sources=vectors)
        report["vectors"] = {
            "sources": {
                name: {"by_form": by_form, "by_token": by_token}
                for name, by_form, by_token in zip(
                    covered.sources, covered.by_form, covered.by_token, strict=True
                )
            },
            "by_form": covered.together_by_form,
            "by_token": covered.together_by_token,
            "missing": dict(covered.missing),
        }
    return report


def _text(report: dict[str, Any]) -> str:
    """Lay a report out for reading."""
    alignment, skipped, vectors = report["alignment"], report["skipped"], report["vectors"]
    answers = ", ".join(
        f"{alignment[kind]:,} {said}"
        for kind, said in (
            ("exact", "exact"),
            ("expanded", "expanded to whole tokens"),
            ("lost", "lost"),
            ("none", "without"),
        )
        if alignment[kind] or kind != "none"
    )
    pairs = [
        ("source", report["source"]),
        ("articles", f"{report['articles']:,}"),
        ("paragraphs", f"{report['paragraphs']:,}"),
        ("questions", f"{report['questions']:,}"),
        ("first answers", answers),
        *(("skipped", f"{count:,}: {reason}") for reason, count in skipped.items()),
        ("tokens", f"{report['tokens']:,}"),
        ("word forms", f"{report['forms']:,}"),
        ("annotated", "yes" if report["annotated"] else "no"),
    ]
    if vectors:
        shares = {**vectors["sources"]}
        if len(shares) > 1:
            shares["together"] = vectors
        pairs += [
            (
                f"vectors {name}",
                f"{one['by_form']:.2f} % of word forms, {one['by_token']:.2f} % of tokens",
            )
            for name, one in shares.items()
        ]
        missing = [f"{form} ({count:,})" for form, count in list(vectors["missing"].items())[:10]]
        if missing:
            pairs.append(("no vector", ", ".join(missing)))
    return facts(pairs)
