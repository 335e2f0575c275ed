from collections.abc import Callable, Sequence
from typing import Any

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor

from squadqa.nn.kernels.gated_attention import (
    OPERATORS,
    GatedAttentionStates,
    GatedAttentionWeights,
    gated_attention_rnn,
    gated_attention_rnn_plain,
)
from squadqa.nn.kernels.products import SMALLEST_BATCH
from tests.support.kernels import Remove, assert_same, draw, ragged

SIZE, MEMORY_SIZE, HIDDEN = 2, 3, 2
BOTH = SIZE + MEMORY_SIZE
SHAPES = {
    "keys": (2, HIDDEN, MEMORY_SIZE),
    "queries": (2, HIDDEN, SIZE),
    "state_queries": (2, HIDDEN, HIDDEN),
    "score": (2, 1, HIDDEN),
    "gate": (2, BOTH, BOTH),
    "inputs": (2, 3 * HIDDEN, BOTH),
    "inputs_bias": (2, 3 * HIDDEN),
    "state": (2, 3 * HIDDEN, HIDDEN),
    "state_bias": (2, 3 * HIDDEN),
}
Match = Callable[[Tensor, Tensor, Tensor, Tensor, GatedAttentionWeights], Tensor]


def assert_same_states(
    lengths: Sequence[int], memory_lengths: Sequence[int], *, tolerance: float = 1e-9
) -> None:
    """The states have the values and gradients of the plain form, but for padding."""
    torch.manual_seed(0)
    mask, memory_mask = ragged(lengths), ragged(memory_lengths)
    inputs = [draw(*mask.shape, SIZE), draw(*memory_mask.shape, MEMORY_SIZE)]
    inputs += [draw(*shape) for shape in SHAPES.values()]

    def by(form: Match) -> Callable[..., Tensor]:
        return lambda sequence, memory, *weights: form(
            sequence,
            mask,
            memory * memory_mask[:, :, None],
            memory_mask,
            GatedAttentionWeights(**dict(zip(SHAPES, weights, strict=True))),
        )

    assert_same(
        by(gated_attention_rnn),
        by(gated_attention_rnn_plain),
        inputs,
        where=mask[:, :, None],
        tolerance=tolerance,
    )


LENGTHS = st.lists(st.tuples(st.integers(0, 5), st.integers(0, 4)), min_size=1, max_size=3)


@given(LENGTHS)
@settings(max_examples=20)
def test_fast_equals_plain(lengths: list[tuple[int, int]]) -> None:
    assert_same_states(*zip(*lengths, strict=True))


def test_fast_equals_plain_where_products_are_convolutions() -> None:
    lengths = [1 + row % 5 for row in range(SMALLEST_BATCH)]
    assert_same_states(lengths, lengths[::-1])


def test_fast_form_has_its_own_gradient() -> None:
    torch.manual_seed(0)
    length, batch, memory_length = 3, 2, 3
    tensors = [
        draw(2, length, batch, SIZE),
        draw(2, length, batch, HIDDEN),
        draw(2, length, batch, BOTH),
        draw(2, batch, memory_length, HIDDEN),
        draw(2, batch, memory_length, MEMORY_SIZE + BOTH),
        ragged([3, 1]),
        draw(2, HIDDEN, 1),
        draw(2, HIDDEN, HIDDEN),
        draw(2, BOTH, 3 * HIDDEN),
        draw(2, 1, 3 * HIDDEN),
        draw(2, HIDDEN, 3 * HIDDEN),
        draw(2, 1, 3 * HIDDEN),
    ]
    assert torch.autograd.gradcheck(GatedAttentionStates.apply, tensors)


@pytest.mark.parametrize("missing", [*OPERATORS, GatedAttentionStates])
def test_without_an_operator_or_the_fast_form(missing: Any, remove: Remove) -> None:
    remove(missing)
    assert_same_states([4, 2, 0], [1, 3, 0], tolerance=0)
