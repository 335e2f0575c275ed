"""Prediction files: the official format (question id to text), and n-best lists."""

import json
from collections.abc import Collection, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from squadqa.errors import DataError, shown
from squadqa.files import write_atomic

_FORMAT = 'A prediction file is one JSON object: {"question id": "predicted text", ...}.'
_JSON_KINDS = {list: "a list", dict: "an object", str: "a text", bool: "true or false"}


@dataclass(frozen=True)
class Answer:
    """One of several predicted answers of a question.

    Args:
        text: The predicted text, as it is in the context.
        probability: Its probability, 0 to 1.
        start: Its first character in the context.
        end: The character after its last one.
    """

    text: str
    probability: float
    start: int
    end: int


def read_predictions(
    path: str | Path, *, known_ids: Collection[str] | None = None
) -> dict[str, str]:
    """Read a prediction file in the official format.

    Args:
        path: The file.
        known_ids: The ids of the data that it was made for; at least one of them must be in the
            file.

    Returns:
        The predicted text by question id, including unknown ids.

    Raises:
        DataError: The file cannot be read, is not JSON or not an object, contains an id twice or a
            value that is not a text, or predicts none of the known ids.
    """
    path = Path(path)
    try:
        predictions = json.loads(path.read_bytes(), object_pairs_hook=_unrepeated)
    except OSError as error:
        raise DataError(
            f'cannot read predictions "{path}": {error.strerror or error}',
            next_step="Name a prediction file that exists and that you may read.",
        ) from error
    except _RepeatedIdError as error:
        raise DataError(
            f'predictions "{path}" contain the id "{error}" more than once',
            next_step="Keep one of them.",
        ) from error
    except (ValueError, RecursionError) as error:
        raise DataError(f'predictions "{path}" are not JSON: {error}', hint=_FORMAT) from error
    if not isinstance(predictions, dict):
        raise DataError(f'predictions "{path}" are {_kind(predictions)}', hint=_FORMAT)
    for question_id, text in predictions.items():
        if not isinstance(text, str):
            raise DataError(
                f'predictions "{path}": question "{question_id}" has {_kind(text)}, not a text',
                hint=_FORMAT,
            )
    if known_ids is not None and predictions.keys().isdisjoint(known_ids):
        example = next(iter(predictions), None)
        raise DataError(
            f'predictions "{path}" contain no question of the data: {len(predictions):,} ids'
            + (f', such as "{example}"' if example is not None else ""),
            hint=f'An id of the data: "{next(iter(known_ids))}".' if known_ids else "",
            next_step="Name the data that these predictions were made for.",
        )
    return predictions


def write_predictions(path: str | Path, predictions: Mapping[str, str]) -> None:
    """Write predictions in the official format.

    Args:
        path: The file to write.
        predictions: The predicted text by question id.

    Raises:
        OutputError: The file cannot be written.
    """
    _write_json(path, dict(predictions))


def n_best_path(output: Path) -> Path:
    """Return where the several answers of a prediction file are written, beside it."""
    return output.with_name(f"{output.stem}.n_best.json")


def write_n_best(path: str | Path, n_best: Mapping[str, Sequence[Answer]]) -> None:
    """Write several answers of each question, with probabilities and character offsets.

    Args:
        path: The file to write.
        n_best: The answers by question id, the best first.

    Raises:
        OutputError: The file cannot be written.
    """
    _write_json(
        path, {question_id: [asdict(one) for one in some] for question_id, some in n_best.items()}
    )


def read_n_best(path: str | Path) -> dict[str, list[Answer]]:
    """Read several answers of each question, as `write_n_best` wrote them.

    Args:
        path: The file.

    Raises:
        DataError: It cannot be read, or is not such a file.
    """
    path = Path(path)
    try:
        values = json.loads(path.read_bytes())
        return {name: [_answer(one) for one in some] for name, some in values.items()}
    except OSError as error:
        raise DataError(
            f'cannot read answers "{path}": {error.strerror or error}',
            next_step="Name a file that you may read.",
        ) from error
    except (ValueError, TypeError, KeyError, AttributeError, RecursionError) as error:
        raise DataError(
            f'"{path}" does not hold the best answers of each question: {error}',
            hint='They are {"question id": [{"text", "probability", "start", "end"}, ...], ...}.',
            next_step="Let `squadqa predict --n-best N` write it again, or remove it.",
        ) from error


def _answer(value: dict[str, Any]) -> Answer:
    text, start, end = value["text"], value["start"], value["end"]
    probability = value["probability"]
    is_text, are_places = isinstance(text, str), isinstance(start, int) and isinstance(end, int)
    is_number = isinstance(probability, int | float) and 0 <= probability <= 1.001
    if not (is_text and are_places and is_number):
        raise ValueError(f"an answer is {shown(value)}")
    return Answer(text, float(probability), start, end)


class _RepeatedIdError(Exception):
    """A JSON object has a key twice, which Python's reader would ignore."""


def _unrepeated(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for key, value in pairs:
        if key in found:
            raise _RepeatedIdError(key)
        found[key] = value
    return found


def _kind(value: object) -> str:
    return "null" if value is None else _JSON_KINDS.get(type(value), "a number")


def _write_json(path: str | Path, value: object) -> None:
    with write_atomic(path) as file:
        json.dump(value, file, indent=1, allow_nan=False)
        file.write("\n")
