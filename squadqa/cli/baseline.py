"""`squadqa baseline`: the score of choosing candidates without learning."""

import argparse
import shlex
import time
from dataclasses import asdict
from pathlib import Path

from squadqa.cli.console import ProgressLines, facts, print_json, table
from squadqa.cli.options import (
    DEPENDENCY_RUNS,
    GENERATORS,
    MAX_CANDIDATES,
    MAX_TOKENS,
    add_cache_options,
    add_data_option,
    add_json_option,
    add_limit_options,
    annotated_data,
    make_generator,
    natural,
)
from squadqa.cli.parser import CommandParser
from squadqa.files import require_writable_file
from squadqa.scoring import Score, score

HELP = "score without learning: a random candidate, or the sliding window"

PUBLISHED = {
    "random": (1.1, 4.1),
    "sliding-window": (13.2, 20.2),
    "sliding-window-distance": (13.3, 20.2),
}
"""The baselines, with the exact match and F1 in percent that Rajpurkar et al. 2016 (arXiv
1606.05250) publish in table 5: on SQuAD dev, with constituents as candidates."""

GENERATOR = "NounChunks"
"""The default generator of candidates: with it the score of the sliding window is nearest to that
of the paper, which chooses among constituents."""

SEED = 1
"""The default seed of the random choice."""

ROWS = {"random": "random-candidate"}
"""Names of results, where they differ from the baseline's name."""


def main(arguments: list[str]) -> int:
    """Run the command.

    Args:
        arguments: The words after the command's name.

    Returns:
        The exit code.

    Raises:
        SquadQAError: The data, output or options cannot be used.
    """
    parser = _parser()
    options = parser.parse_args(arguments)
    if options.depth is not None and options.generator != DEPENDENCY_RUNS:
        parser.error(f"--depth is of {DEPENDENCY_RUNS}, not of {options.generator}")
    if options.output:
        require_writable_file(Path(options.output))
    data = annotated_data(options)

    from squadqa.data.candidates.parse import parse_paragraphs
    from squadqa.evaluation import sliding_window
    from squadqa.evaluation.predictions import write_predictions

    parse = parse_paragraphs(data)
    generator = make_generator(options.generator, options, depth=options.depth)
    candidates = generator.generate(data, parse)
    start = time.process_time()
    if options.name == "random":
        chosen = sliding_window.choose_at_random(data, candidates, seed=options.seed)
    else:
        chosen = sliding_window.choose_by_sliding_window(
            data,
            parse,
            candidates,
            distance=options.name == "sliding-window-distance",
            progress=ProgressLines(),
        )
    seconds = time.process_time() - start
    texts = sliding_window.answer_texts(data, candidates, chosen)
    scored = score(data.references, texts)
    per_paragraph = len(candidates.spans) / len(data.contexts)
    if options.output:
        write_predictions(options.output, texts)
    if options.results:
        _write_result(options, scored, per_paragraph=per_paragraph, seconds=seconds)
    published_match, published_f1 = PUBLISHED[options.name]
    if options.json:
        work = {"baseline": options.name, "candidates": len(candidates.spans), "seconds": seconds}
        published = {"exact_match": published_match, "f1": published_f1}
        print_json({**work, **asdict(scored), "published": published})
        return 0
    rows = [
        ["", "EM", "F1"],
        [options.name, f"{scored.exact_match:.1f}", f"{scored.f1:.1f}"],
        ["published, over constituents", f"{published_match:.1f}", f"{published_f1:.1f}"],
    ]
    pairs = [
        ("questions", f"{scored.total:,}"),
        ("candidates", f"{per_paragraph:,.0f} a paragraph"),
        ("core seconds", f"{seconds:.1f}"),
    ]
    if options.output:
        pairs.append(("predictions", options.output))
    print(table(rows) + "\n\n" + facts(pairs))
    return 0


def _parser() -> CommandParser:
    parser = CommandParser(
        "baseline",
        "Choose one candidate for each question without learning, at random or by the sliding\n"
        "window of MCTest with or without its distance, and print the score beside the SQuAD\n"
        "paper's. Candidates are noun chunks, entities and tokens, unless --generator is given.",
        usage="NAME --data FILE [options]",
        examples=[
            ("on SQuAD's dev part", "squadqa baseline sliding-window --data squad"),
            (
                "over runs of the dependency parse",
                "squadqa baseline sliding-window --data dev.json "
                f"--generator {DEPENDENCY_RUNS} --depth 2",
            ),
        ],
    )
    add = parser.add_argument
    add("name", metavar="NAME", choices=PUBLISHED, help=", ".join(PUBLISHED))
    add_data_option(parser, "questions with answers")
    add("--output", metavar="FILE", help="prediction file to write, as .json")
    add(
        "--generator",
        metavar="NAME",
        choices=GENERATORS,
        default=GENERATOR,
        help=f"{', '.join(GENERATORS)} (default: {GENERATOR})",
    )
    add("--depth", metavar="N", type=natural, help=f"depth of {DEPENDENCY_RUNS} (default: 0)")
    add_limit_options(parser)
    seed_help = f"of the random choice (default: {SEED})"
    add("--seed", metavar="N", type=natural, default=SEED, help=seed_help)
    add("--results", metavar="FOLDER", help="also write the scores to FOLDER")
    add_json_option(parser)
    add_cache_options(parser)
    return parser


def _write_result(
    options: argparse.Namespace, scored: Score, *, per_paragraph: float, seconds: float
) -> None:
    """Write a row for the table of results; nothing was trained."""
    from squadqa.evaluation.results import measured, write_result

    name = ROWS.get(options.name, options.name)
    line = f"squadqa baseline {options.name} --data {shlex.quote(options.data)}"
    if options.seed != SEED:
        line += f" --seed {options.seed}"
    if options.generator != GENERATOR:
        name, line = f"{name}-{options.generator}", f"{line} --generator {options.generator}"
    if options.depth:
        name, line = f"{name}-depth-{options.depth}", f"{line} --depth {options.depth}"
    for option, usual in (("max_tokens", MAX_TOKENS), ("max_candidates", MAX_CANDIDATES)):
        limit = getattr(options, option)
        if limit != usual:
            option = option.replace("_", "-")
            name, line = f"{name}-{option}-{limit}", f"{line} --{option} {limit}"
    write_result(
        options.results,
        measured(
            name,
            command=line,
            data=options.data,
            total=scored.total,
            seed=options.seed,
            device="cpu",
            parameters=0,
            exact_match=scored.exact_match,
            f1=scored.f1,
            notes=f"Nothing is learnt; {options.generator}, {per_paragraph:,.0f} candidates a "
            f"paragraph; all questions answered in {seconds:.2g} s of one core.",
        ),
    )
