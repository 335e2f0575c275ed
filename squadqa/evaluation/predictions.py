"""Prediction files: the official format (question id to text), and n-best lists."""

import json
import math
from collections.abc import Collection, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from squadqa.errors import DataError, shown
from squadqa.files import write_atomic

_FORMAT = 'A prediction file is one JSON object: {"question id": "predicted text", ...}.'
_NA_FORMAT = 'A file of probabilities is one JSON object: {"question id": 0.25, ...}.'
_JSON_KINDS = {list: "a list", dict: "an object", str: "a text", bool: "true or false"}


@dataclass(frozen=True)
class Answer:
    """One of several predicted answers of a question.

    A run that may abstain also predicts that there is no answer: its text is empty, it begins and
    ends at 0, and its probability is `no_answer_probability`.

    Args:
        text: The predicted text, as it is in the context; empty if there is no answer.
        probability: Its probability, 0 to 1.
        start: Its first character in the context.
        end: The character after its last one.
        no_answer_probability: The probability that the question has no answer, which is the same
            for all answers of a question; None from a run that always answers.
        context: The number of its context, from 0, if it was picked over several.
    """

    text: str
    probability: float
    start: int
    end: int
    no_answer_probability: float | None = None
    context: int | None = None

    def values(self) -> dict[str, Any]:
        """Return the fields as plain values, without those that are None."""
        return {name: value for name, value in asdict(self).items() if value is not None}


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
    predictions = _read_object(path, "predictions", _FORMAT)
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


def read_no_answer_probabilities(
    path: str | Path, *, predictions: Collection[str]
) -> dict[str, float]:
    """Read the official file of probabilities of "no answer".

    Args:
        path: The file.
        predictions: The ids of the predictions that it belongs to.

    Returns:
        The probability by question id, including unknown ids, in the file's order.

    Raises:
        DataError: The file cannot be read, is not JSON or not an object, contains an id twice or a
            value that is not a finite number, or lacks one of the predictions.
    """
    probabilities = _read_object(path, "probabilities", _NA_FORMAT)
    for question_id, value in probabilities.items():
        is_number = isinstance(value, (int, float)) and not isinstance(value, bool)
        if not is_number or not math.isfinite(value):
            what = value if is_number else _kind(value)
            raise DataError(
                f'probabilities "{path}": question "{question_id}" has {what}, not a finite number',
                hint=_NA_FORMAT,
            )
    missing = [name for name in predictions if name not in probabilities]
    if missing:
        raise DataError(
            f'probabilities "{path}" lack {len(missing):,} of {len(predictions):,} predictions, '
            f'such as "{missing[0]}"',
            next_step="Name the file that was made with these predictions.",
        )
    return probabilities


def write_no_answer_probabilities(
    path: str | Path, answers: Mapping[str, Sequence[Answer]]
) -> None:
    """Write the official file of probabilities of "no answer", beside the predictions.

    Args:
        path: The file to write.
        answers: The answers by question id, the best first.

    Raises:
        OutputError: The file cannot be written.
    """
    _write_json(path, {name: best[0].no_answer_probability for name, best in answers.items()})


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
        path, {question_id: [one.values() for one in some] for question_id, some in n_best.items()}
    )


def _read_object(path: str | Path, what: str, expected: str) -> dict[str, Any]:
    """Read a file that is one JSON object without repeated keys."""
    path = Path(path)
    try:
        found = json.loads(path.read_bytes(), object_pairs_hook=_unrepeated)
    except OSError as error:
        raise DataError(
            f'cannot read {what} "{path}": {error.strerror or error}',
            next_step="Name a file that exists and that you may read.",
        ) from error
    except _RepeatedIdError as error:
        raise DataError(
            f'{what} "{path}" contain the id "{error}" more than once',
            next_step="Keep one of them.",
        ) from error
    except (ValueError, RecursionError) as error:
        raise DataError(f'{what} "{path}" are not JSON: {error}', hint=expected) from error
    if not isinstance(found, dict):
        raise DataError(f'{what} "{path}" are {_kind(found)}', hint=expected)
    return found


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
