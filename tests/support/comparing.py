"""Prepared data as plain values, to compare by =="""

from dataclasses import fields, is_dataclass, replace
from typing import Any

import numpy as np

from squadqa.data.prepare import PreparedData


def comparable(data: PreparedData) -> dict[str, Any]:
    """Everything except the source's name: values, and the types of arrays.

    Without entities of questions: no model reads them, and `TextPreparer` does not look for them.
    """
    if data.annotation is not None:
        questions = data.tokens.bounds[len(data.contexts)]
        none = {
            name: getattr(data.annotation, name).copy() for name in ("entities", "entity_begins")
        }
        for column in none.values():
            column[questions:] = 0
        data = replace(data, annotation=replace(data.annotation, **none))
    values = _plain(data)
    del values["source"]
    return values


def _plain(value: Any) -> Any:
    if is_dataclass(value):
        return {each.name: _plain(getattr(value, each.name)) for each in fields(value)}
    if isinstance(value, np.ndarray):
        return value.dtype, value.shape, value.tolist()
    if hasattr(value, "to_pylist"):
        return value.type, value.to_pylist()
    return value
