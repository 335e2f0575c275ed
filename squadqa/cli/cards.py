"""Model cards of runs: made at the end of a training, or when a run is exported."""

import sys
from pathlib import Path
from typing import TYPE_CHECKING

from squadqa.cli.console import ProgressLines
from squadqa.errors import SquadQAError
from squadqa.files import input_error, write_atomic
from squadqa.run_files import CARD, CHECKPOINTS, CONFIG, LAST, PREDICTIONS, README, RESULTS

if TYPE_CHECKING:
    from squadqa.data.inputs import Inputs
    from squadqa.evaluation.results import Result
    from squadqa.inference.run_folder import Run
    from squadqa.models.base import QAModel
    from squadqa.report.card import CardModel, CardScores

IN_HALF = """
## Precision

Weights are stored as float16, and computed in float32; they were scored before they were rounded.
"""
"""What the card of a model in float16 says at its end."""


def card_model(name: str, model: "QAModel", inputs: "Inputs") -> "CardModel":
    """Say about a trained model what its card needs.

    Args:
        name: The run's name.
        model: The model.
        inputs: Its inputs.
    """
    from squadqa.report.card import CardModel

    return CardModel(
        name=name,
        kind=type(model).__name__,
        parameters=model.num_parameters,
        language=inputs.language,
        vectors=tuple(inputs.vectors),
        pipeline=inputs.pipeline,
        longest=getattr(model, "max_span_length", None),
        abstains=inputs.abstains,
    )


def write_card(folder: Path, card: str) -> None:
    """Write a model card into a run folder.

    Raises:
        OutputError: It cannot be written.
    """
    with write_atomic(folder / CARD) as file:
        file.write(card)


def card_of(run: "Run", *, half: bool) -> str:
    """Return the card of a run to export: the run's own, or one that is made anew.

    The scores in a run folder are those of its best checkpoint, so a card for the last one has
    none where there is a best one too.

    Args:
        run: The run.
        half: Whether its weights are exported as float16.

    Raises:
        DataError: The run's card or result cannot be read.
    """
    is_scored = run.checkpoint.path.name != LAST
    kept = run.folder / (CARD if (run.folder / CHECKPOINTS).is_dir() else README)
    text = _read(kept) if is_scored and kept.is_file() else _made(run, is_scored=is_scored)
    return text + IN_HALF if half and IN_HALF not in text else text


def _read(path: Path) -> str:
    from squadqa.errors import DataError

    try:
        return path.read_text(encoding="utf-8")
    except UnicodeDecodeError as error:
        raise DataError(
            f'the card "{path}" is not UTF-8 text (byte {error.start})',
            next_step="Save it as UTF-8, or remove it to have it made anew.",
        ) from error
    except OSError as error:
        raise input_error(path, error) from error


def _made(run: "Run", *, is_scored: bool) -> str:
    """Make a card from what a training left: its result and its predictions."""
    from squadqa.evaluation.results import read_result
    from squadqa.report.card import model_card

    model = card_model(run.folder.resolve().name, run.model, run.inputs)
    path = run.folder / RESULTS
    if not is_scored or not path.is_file():
        return model_card(model)
    result = read_result(path)
    try:
        scores = _scores(run, result)
    except SquadQAError as error:
        sys.stderr.write(f"the card has no intervals and no slices: {error.what}\n")
        scores = None
    return model_card(model, result, scores)


def _scores(run: "Run", result: "Result") -> "CardScores":
    """Score a run's predictions again, on the test questions that its configuration names."""
    from squadqa.data.squad import find_source
    from squadqa.evaluation.predictions import read_predictions
    from squadqa.inference.answered import Preparation
    from squadqa.inference.predictor import Predictor
    from squadqa.inference.run_folder import read_config
    from squadqa.inference.trusted import require_source
    from squadqa.report.card import card_scores

    config = run.folder / CONFIG
    named = str(read_config(config)["data"].get("test"))
    source = find_source(named, part="dev", reading=run.held_out.reading)
    require_source(source, "data.test", config, trust=run.trust)
    predictions = read_predictions(run.folder / PREDICTIONS)
    data = Predictor(run, device="cpu").prepare(
        source,
        Preparation(progress=ProgressLines()),
        unanswerable="error" if not result.v2 else run.held_out.unanswerable,
    )
    return card_scores(data, predictions, by_v2=bool(result.v2))
