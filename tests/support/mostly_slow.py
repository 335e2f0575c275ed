"""Parameters of tests that take long: a few are tried by default, all others by the slow tests."""

from collections.abc import Collection, Mapping
from typing import Any

import pytest


def mostly_slow(values: Mapping[str, Any], *, usual: Collection[str], seconds: int) -> list[Any]:
    """Return the parameters of a test, most of them marked as slow.

    Args:
        values: All parameters by their ids.
        usual: The ids of those that are tried by default.
        seconds: The limit of each of the others.
    """
    assert values.keys() >= {*usual}
    slow = pytest.mark.slow(seconds=seconds)
    return [
        pytest.param(value, id=name, marks=() if name in usual else slow)
        for name, value in values.items()
    ]
