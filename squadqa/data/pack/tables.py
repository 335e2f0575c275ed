"""Word vectors of a pack: the distinct rows of each source, as few bytes that pack well.

GloVe's and spaCy's tables were written with five significant digits. Such values are whole numbers
over powers of ten: 17 bits and a small exponent, where the 23 bits of a float32's fraction look
random. So a table is stored as decimals where that gives its values back exactly, and otherwise as
it is. Either way, equal bytes of all values lie together, as those are alike.

Shape letters: U word forms, R distinct rows, E values of a row.
"""

from collections.abc import Mapping, Sequence
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

Stored = Literal["decimals", "float32"]
"""How a table's values are stored: as decimals, or as they are."""

DTYPES: dict[str, Any] = {"decimals": np.uint32, "float32": np.float32}
"""The type of the values that are stored, for each `Stored`."""

MOST_DECIMALS = 12
"""Most digits after the point that are tried."""

POWERS = 10.0 ** np.arange(MOST_DECIMALS + 1)

DIGITS = "digits"
"""The array of the number of digits after the point."""


def distinct_rows(
    parts: Sequence[NDArray[np.float32]], found: Sequence[NDArray[np.bool_]]
) -> tuple[NDArray[np.float32], list[NDArray[np.int64]]]:
    """Return the distinct rows of tables, and where each form's row is among them.

    Args:
        parts: For each part, the (U, E) rows of its word forms.
        found: For each part, (U,) whether the source has the form.

    Returns:
        (R, E) the distinct rows of forms that were found, in the order of their first form; and for
        each part (U,) 1 + the form's row, or 0 for a form that was not found.
    """
    rows = np.concatenate([table[has] for table, has in zip(parts, found, strict=True)])
    whole = np.ascontiguousarray(rows).view(np.dtype((np.void, rows.itemsize * rows.shape[1])))
    _, first, inverse = np.unique(whole, return_index=True, return_inverse=True)
    order = np.argsort(first)
    rank = np.empty(len(order), np.int64)
    rank[order] = np.arange(len(order))
    numbers = rank[inverse.reshape(-1)] + 1
    places, done = [], 0
    for has in found:
        place = np.zeros(len(has), np.int64)
        place[has] = numbers[done : done + int(has.sum())]
        done += int(has.sum())
        places.append(place)
    return rows[first[order]], places


def table_columns(rows: NDArray[np.float32]) -> tuple[Stored, dict[str, NDArray[np.uint8]]]:
    """Return how (R, E) the rows of a table are stored, and the arrays that they are stored as."""
    digits = _digits(rows)
    if digits is None:
        return "float32", _bytes(rows)
    scaled = np.rint(rows * POWERS[digits]).astype(np.int64)
    unsigned = np.where(scaled < 0, -2 * scaled - 1, 2 * scaled).astype(np.uint32)
    return "decimals", {DIGITS: np.ascontiguousarray(digits.T), **_bytes(unsigned)}


def names_of(stored: Stored) -> list[str]:
    """Return the names of the arrays that a table is stored as."""
    digits = [DIGITS] if stored == "decimals" else []
    return digits + [f"bytes_{place}" for place in range(np.dtype(DTYPES[stored]).itemsize)]


def rows_of(columns: Mapping[str, NDArray[Any]], stored: Stored) -> NDArray[np.float32]:
    """Make the rows of a table from its arrays.

    Args:
        columns: What `table_columns` returned.
        stored: How the table is stored.

    Returns:
        (R, E) the rows.

    Raises:
        ValueError: The arrays do not fit each other, or hold values that are no numbers.
    """
    arrays = [columns[name] for name in names_of(stored)]
    if any(array.dtype != np.uint8 or array.shape != arrays[0].shape for array in arrays):
        raise ValueError("the bytes of the values do not fit each other")
    planes = arrays[1:] if stored == "decimals" else arrays
    values: NDArray[Any] = np.stack([plane.T for plane in planes], axis=2)
    values = values.view(DTYPES[stored])[:, :, 0]
    if stored == "decimals":
        digits = columns[DIGITS].T
        if digits.max(initial=0) > MOST_DECIMALS:
            raise ValueError("a value has too many digits after the point")
        halves = (values >> 1).astype(np.int64)
        signed = np.where(values & 1, -1 - halves, halves)
        rows = (signed / POWERS[digits]).astype(np.float32)
    else:
        rows = np.ascontiguousarray(values, np.float32)
    if not np.isfinite(rows).all():
        raise ValueError("a value is not a number")
    return rows


def _digits(rows: NDArray[np.float32]) -> NDArray[np.uint8] | None:
    """(R, E) least digits after the point of each value; None if some are no short decimals."""
    values = rows.reshape(-1)
    least = np.zeros(len(values), np.uint8)
    left = np.arange(len(values))
    for number in range(MOST_DECIMALS + 1):
        tried = values[left]
        scaled = np.rint(tried * POWERS[number])
        fits = (np.abs(scaled) < 2**31) & ((scaled / POWERS[number]).astype(np.float32) == tried)
        least[left[fits]] = number
        left = left[~fits]
    return None if len(left) else least.reshape(rows.shape)


def _bytes(values: NDArray[Any]) -> dict[str, NDArray[np.uint8]]:
    """(E, R) for each byte of a value, the lowest first."""
    planes = np.ascontiguousarray(values)[:, :, None].view(np.uint8).transpose(2, 1, 0)
    return {f"bytes_{place}": np.ascontiguousarray(plane) for place, plane in enumerate(planes)}
