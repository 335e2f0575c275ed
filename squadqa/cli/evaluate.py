"""`squadqa evaluate`: the official score of a prediction file, or of a trained run."""

import sys
from collections.abc import Mapping, Sequence
from dataclasses import asdict

from squadqa.cli.console import ProgressLines, facts, print_json
from squadqa.cli.parser import CommandParser, add_cache_options, add_run_options
from squadqa.errors import ConfigError, DataError
from squadqa.scoring import Score, score

HELP = "score a prediction file or a trained run"


def main(arguments: list[str]) -> int:
    """Run the command.

    Args:
        arguments: What stands behind the command's name.

    Returns:
        The exit code.

    Raises:
        SquadQAError: The data, predictions, run or options are not what they should be.
    """
    parser = CommandParser(
        "evaluate",
        "Score a prediction file or a trained run: official exact match and F1, in percent.",
        usage="(RUN_FOLDER | --predictions FILE) --data FILE [options]",
        examples=[
            (
                "the official score of any prediction file",
                "squadqa evaluate --data dev-v1.1.json --predictions predictions.json",
            ),
            (
                "a run's best checkpoint on SQuAD's dev part",
                "squadqa evaluate runs/drqa --data squad",
            ),
            (
                "for a script: one JSON object, percent at full precision",
                "squadqa evaluate runs/drqa --data dev.json --checkpoint last --json",
            ),
        ],
    )
    add_run_options(parser, run_is_optional=True)
    parser.add_argument(
        "--data",
        metavar="FILE",
        required=True,
        help="questions with answers: .json, .json.gz, .jsonl, or squad",
    )
    parser.add_argument(
        "--predictions",
        metavar="FILE",
        help='score this file instead of a run: {"question id": "text", ...}',
    )
    parser.add_argument("--json", action="store_true", help="print one JSON object, nothing else")
    add_cache_options(parser)
    options = parser.parse_args(arguments)
    if (options.run_folder is None) == (options.predictions is None):
        both = options.predictions is not None
        raise ConfigError(
            f'both a run folder "{options.run_folder}" and --predictions "{options.predictions}"'
            if both
            else "nothing to evaluate: neither a run folder nor --predictions",
            next_step="Name one of the two; examples: squadqa evaluate --help",
        )
    if options.predictions is not None:
        _show(_score_file(options.data, options.predictions), as_json=options.json)
        return 0

    from squadqa.data.squad import find_source
    from squadqa.inference.run_folder import open_run

    source = find_source(options.data)
    run = open_run(options.run_folder, checkpoint=options.checkpoint)

    from squadqa.inference.predictor import Predictor

    predictor = Predictor(run, device=options.device)
    progress = ProgressLines()
    data = predictor.prepare(
        source, cache_dir=options.cache_dir, workers=options.workers, progress=progress
    )
    references = data.references
    require_answers(references, options.data)
    answers = predictor.answers(data, progress=progress)
    scored = score(references, {name: best[0].text for name, best in answers.items()})
    _show(scored, checkpoint=str(run.checkpoint), as_json=options.json)
    return 0


def require_answers(references: Mapping[str, Sequence[str]], source: str) -> None:
    """Check that every question can be scored.

    Args:
        references: The given answers of each question id.
        source: Where they come from, for messages.

    Raises:
        DataError: A question has no answers.
    """
    without = [name for name, answers in references.items() if not answers]
    if without:
        raise DataError(
            f'"{source}": {len(without):,} of {len(references):,} questions have no answers to '
            f'score against, such as "{without[0]}"',
            next_step="Name a file in which every question has answers; `squadqa predict` needs "
            "none.",
        )


def _score_file(data: str, predictions: str) -> Score:
    from squadqa.data.squad import find_source, read_squad
    from squadqa.evaluation.predictions import read_predictions

    references = read_squad(find_source(data)).references
    require_answers(references, data)
    texts = read_predictions(predictions, known_ids=references)
    unknown = len(texts.keys() - references.keys())
    if unknown:
        sys.stderr.write(
            f'squadqa: note: {unknown:,} predictions are of no question in "{data}"; '
            "they do not count\n"
        )
    return score(references, texts)


def _show(scored: Score, *, as_json: bool, checkpoint: str = "") -> None:
    if as_json:
        print_json({**asdict(scored), **({"checkpoint": checkpoint} if checkpoint else {})})
        return
    missing = f", {scored.missing:,} without a prediction" if scored.missing else ""
    pairs = [
        ("exact match", f"{scored.exact_match:.2f} %"),
        ("F1", f"{scored.f1:.2f} %"),
        ("questions", f"{scored.total:,}{missing}"),
    ]
    print(facts([*pairs, ("checkpoint", checkpoint)] if checkpoint else pairs))
