"""Every number that a character encoder is made with: out of its range it is refused at once."""

import inspect
import math
import typing
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import pytest

from squadqa.errors import ConfigError
from squadqa.nn.char_cnn import (
    AlexNetCharCNN,
    CharCNN,
    InceptionCharCNN,
    KernelBankCharCNN,
    ResNetCharCNN,
    VGGCharCNN,
)
from tests.support.spelling import spelled

KINDS = (AlexNetCharCNN, InceptionCharCNN, KernelBankCharCNN, ResNetCharCNN, VGGCharCNN)

REFUSED: dict[Any, tuple[Any, ...]] = {
    int: (-1, 0),
    float: (-1.0, 1.0, math.nan, math.inf, -math.inf),
    Mapping: ({4: 3}, {0: 3}, {-3: 3}, {3: 0}, {3: -1}, {3: 4, 5: -2}),
    Sequence: ([], [0], [-1], [4, 0], [0, 4], [4, -1]),
}
"""Values out of their range, by the type of their option."""


def numbers(kind: type[CharCNN]) -> Iterator[tuple[str, Any]]:
    """The options that are numbers, and the type of each; those of all kinds too."""
    for made in (kind, CharCNN):
        for name, hint in typing.get_type_hints(made.__init__).items():
            types = [typing.get_origin(one) or one for one in (hint, *typing.get_args(hint))]
            found = [one for one in types if one in REFUSED]
            if found and name in inspect.signature(kind if made is kind else CharCNN).parameters:
                yield name, found[0]


CASES = {
    (kind, name): values
    for kind in KINDS
    for name, each in numbers(kind)
    for values in [REFUSED[each]]
    if not (kind is not AlexNetCharCNN and name == "output_size")  # the others' follows
}


def test_the_table_has_every_option() -> None:
    assert {name for _, name in CASES} == {
        *("output_size", "character_size", "dropout"),
        *("first_filters", "second_filters", "filters", "stages", "stage_layers", "stage_blocks"),
        *("stem_filters", "blocks", "path_filters", "pooled_filters", "reduced_size"),
    }
    assert len(CASES) == 23


@pytest.mark.parametrize(
    ("kind", "name", "value"),
    [
        pytest.param(kind, name, value, id=f"{kind.__name__}-{name}-{value}")
        for (kind, name), values in CASES.items()
        for value in values
    ],
)
def test_a_number_out_of_its_range_is_refused(kind: type[CharCNN], name: str, value: Any) -> None:
    with pytest.raises(ConfigError, match="the character encoder cannot have") as caught:
        kind(**{name: value})
    worst = min(value, default=0) if isinstance(value, Sequence) else value
    if not isinstance(value, Mapping):
        assert str(worst) in caught.value.what
    assert caught.value.next_step.startswith("Give ")


@pytest.mark.parametrize("kind", KINDS)
def test_the_smallest_numbers_work(kind: type[CharCNN]) -> None:
    smallest = {int: 1, float: 0.0, Mapping: {1: 1}, Sequence: [1]}
    options = {name: smallest[each] for name, each in numbers(kind) if (kind, name) in CASES}
    encoder = kind(**options)
    assert encoder(spelled("a", "boat")).shape == (2, encoder.output_size)
