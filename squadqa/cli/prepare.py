"""`squadqa prepare`: tokens, annotation and vectors of data, made once and kept.

One file, as it is one command: its options, what they choose, and the counts that it shows.
"""

import argparse
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

from squadqa.cli.console import ProgressLines, counted, facts, print_json
from squadqa.cli.options import (
    DEFAULT_PIPELINE,
    DEFAULT_VECTORS,
    add_cache_options,
    add_json_option,
    default_bad_answers,
)
from squadqa.cli.parser import CommandParser
from squadqa.cli.reading_options import add_language_option, add_reading_options, reading_of
from squadqa.errors import ConfigError
from squadqa.files import require_writable_file

if TYPE_CHECKING:
    from squadqa.data.squad import Reading, Source
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

    reading = reading_of(options)
    sources = [source for name in options.data for source in _sources(name, reading)]
    names = _part_names(sources, Path(options.pack)) if options.pack else []

    from squadqa.data.pack.write import Part, write_pack
    from squadqa.data.prepare import default_cache_dir, prepare
    from squadqa.data.summary import summarize

    cache_dir = Path(options.cache_dir) if options.cache_dir else default_cache_dir()
    summaries, parts = [], []
    for source in sources:
        language, pipeline, parse, vectors = _inputs(options, source)
        bad_answers = options.bad_answers or default_bad_answers(source)
        data = prepare(
            source,
            cache_dir=cache_dir,
            bad_answers=bad_answers,
            unanswerable=options.unanswerable,
            language=language,
            pipeline=pipeline,
            parse=parse,
            vectors=vectors,
            workers=options.workers,
            progress=ProgressLines(),
        )
        summaries.append(summarize(data, vectors=vectors))
        parts.append(Part(data, bad_answers, options.unanswerable))
        if not options.json:
            print(_text(summaries[-1]) + "\n")
    told: dict[str, Any] = {"cache_dir": str(cache_dir)}
    lines = [("prepared data", str(cache_dir))]
    if options.pack:
        path = Path(options.pack)
        write_pack(
            path,
            dict(zip(names, parts, strict=True)),
            language=language,
            pipeline=pipeline,
            parse=parse,
            vectors=vectors,
            progress=ProgressLines(),
        )
        size = path.stat().st_size
        told["pack"] = {"path": str(path), "bytes": size, "parts": names}
        lines.append(("pack", f"{path}, {size / 1e6:,.1f} MB: {', '.join(names)}"))
    if options.json:
        print_json({**told, "sources": list(map(_json, summaries))})
    else:
        print("\n".join(f"{name}: {value}" for name, value in lines))
    return 0


def _parser() -> CommandParser:
    parser = CommandParser(
        "prepare",
        "Tokenize, annotate and look vectors up once, ahead of training, and count what there is.",
        usage="DATA [DATA ...] [options]",
        examples=[
            ("both parts of SQuAD", "squadqa prepare squad"),
            ("files, for DrQA, which reads no parse", "squadqa prepare train.json --no-parse"),
            (
                "more vectors side by side",
                "squadqa prepare squad --vectors glove-6b-50d spacy:en_core_web_md",
            ),
            (
                "one file to train from on a machine without spaCy, vectors or network",
                "squadqa prepare squad --pack squad.pack",
            ),
        ],
    )
    parser.add_argument(
        "data",
        metavar="DATA",
        nargs="+",
        help="a file, - (standard input); squad, a folder, a pack or a `datasets` name for all "
        "parts",
    )
    parser.add_argument(
        "--annotate",
        action=argparse.BooleanOptionalAction,
        help="parts of speech, entities and lemmas (default: yes)",
    )
    parser.add_argument(
        "--parse",
        action=argparse.BooleanOptionalAction,
        help="dependency parses too, which the baselines read (default: yes)",
    )
    parser.add_argument(
        "--pipeline",
        metavar="NAME",
        help=f"spaCy pipeline that annotates (default: {DEFAULT_PIPELINE})",
    )
    add_language_option(parser)
    parser.add_argument(
        "--vectors",
        metavar="SOURCE",
        nargs="*",
        help="word vectors: a file, spacy:NAME, gensim:NAME "
        f"(default: {' '.join(DEFAULT_VECTORS)})",
    )
    parser.add_argument(
        "--bad-answers",
        choices=("error", "skip", "keep"),
        help='what to do with unusable answers (default: error for names with "train" in them, '
        "otherwise keep)",
    )
    parser.add_argument(
        "--unanswerable",
        choices=("error", "keep", "skip"),
        default="error",
        help="what to do with questions without any answers (default: error where bad answers are)",
    )
    parser.add_argument(
        "--pack",
        metavar="FILE",
        help="also write all of it into one file, which other commands take as --data",
    )
    add_reading_options(parser)
    add_cache_options(parser)
    add_json_option(parser)
    return parser


def _inputs(
    options: argparse.Namespace, source: "Source"
) -> tuple[str, str | None, bool, list[str]]:
    """Choose language, pipeline, parse and word vectors: a pack's own, unless others are named.

    Raises:
        ConfigError: There is no such language, or a pipeline is named, and there is to be no
            annotation.
    """
    from squadqa.data.languages import ENGLISH, language_and_pipeline

    if options.pipeline is not None and options.annotate is False:
        raise ConfigError(
            f'--pipeline "{options.pipeline}" annotates, and --no-annotate forbids it',
            next_step="Leave out one of the two.",
        )
    language, parse, vectors = ENGLISH, True, list(DEFAULT_VECTORS)
    pipeline: str | None = DEFAULT_PIPELINE
    if source.part is not None and source.path is not None:
        from squadqa.data.pack.read import notes_of

        notes = notes_of(source.path)
        language, vectors = notes.language, [one.source for one in notes.vectors]
        if notes.annotation is not None:
            pipeline, parse = notes.annotation.pipeline, notes.annotation.parse
        elif not options.annotate:
            pipeline = None
    if options.language is not None:
        language, named = language_and_pipeline(options.language)
        if named is not None or language != ENGLISH:
            pipeline = named
    pipeline = options.pipeline or pipeline
    if options.annotate and pipeline is None:
        raise ConfigError(
            f'--annotate needs a pipeline for the language "{language}"',
            next_step="Name one with --pipeline, or leave --annotate out.",
        )
    return (
        language,
        None if options.annotate is False else pipeline,
        parse if options.parse is None else options.parse,
        vectors if options.vectors is None else options.vectors,
    )


def _part_names(sources: "list[Source]", path: Path) -> list[str]:
    """Name the parts of a pack: "train" for train-v1.1.json, and so on.

    Raises:
        ConfigError: Two would have the same name, or are packed already.
        OutputError: The pack cannot be written.
    """
    from squadqa.data.pack.manifest import name_of_part

    names: list[str] = []
    for source in sources:
        if source.part is not None:
            raise ConfigError(
                f'"{source}" is a part of a pack already',
                next_step="Copy that file, or pack the data that it was made from.",
            )
        name = name_of_part(source.split or Path(source.name).name)
        if name in names:
            raise ConfigError(
                f'"{sources[names.index(name)]}" and "{source}" would both be the part "{name}"',
                next_step="Rename one of them; files called train.json and dev.json are the parts "
                "train and dev.",
            )
        names.append(name)
    require_writable_file(path)
    return names


def _sources(name: str, reading: "Reading") -> "list[Source]":
    """Find a file, or all parts of what holds several."""
    from squadqa.data.squad.source import find_source, is_pack

    if is_pack(Path(name)):
        from squadqa.data.pack.read import notes_of

        return [find_source(f"{name}:{part}") for part in notes_of(Path(name)).parts]
    found = [
        find_source(name, part="train", reading=reading),
        find_source(name, part="dev", reading=reading),
    ]
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
            ("unplaced", "texts without a place"),
            ("none", "without"),
        )
        if summary.alignment[kind] or kind not in ("misplaced", "unplaced", "none")
    )
    pairs = [
        ("source", summary.source),
        ("articles", f"{summary.articles:,}"),
        ("paragraphs", f"{summary.paragraphs:,}"),
        ("questions", f"{summary.questions:,}"),
        ("first answers", answers),
        *([("looked up", counted(summary.found))] if summary.found else []),
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
