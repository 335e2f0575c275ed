"""Plain values and the types of arguments."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any, Literal

import pytest

from squadqa.inference.plain_values import fits


@pytest.mark.parametrize(
    ("hint", "fitting", "others"),
    [
        (int, [0, -1, 2**70], [True, 1.0, "1", None, [], {}]),
        (float, [0, 0.5, -1], [True, "0.5", None, float("nan"), float("inf")]),
        (bool, [True, False], [0, 1, "yes", None]),
        (str, ["", "x"], [1, None, ["x"], b"x"]),
        (str | None, ["x", None], [1, [], False]),
        (Literal["a", 1], ["a", 1], ["b", True, None, 1.0]),
        (list[str] | str, ["x", ["x", "y"], []], [1, ["x", 1], {"x": "y"}, None]),
        (Sequence[int], [[1, 2], (1,), []], ["12", [None], 3]),
        (tuple[int, float], [[1, 2], [1, 0.5]], [[1], [1, 2, 3], ["1", 2], 5]),
        (tuple[str, ...], [["a"], []], [[1], "a"]),
        (Mapping[int, int], [{1: 2}, {}], [{"1": 2}, {1: "2"}, [1, 2], 5]),
        (dict[str, Any], [{"a": object()}], [{1: 2}, 5]),
        (Any, [1, None, "x"], []),
        (None, [1, None], []),
        (Callable[[int], int], [print], [5]),
    ],
)
def test_what_fits(hint: Any, fitting: list[Any], others: list[Any]) -> None:
    for value in fitting:
        assert fits(value, hint), (value, hint)
    for value in others:
        assert not fits(value, hint), (value, hint)
