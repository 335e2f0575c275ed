from collections.abc import Callable, Sequence
from typing import Any

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor

from squadqa.nn.kernels.directions import Directions
from squadqa.nn.kernels.match_lstm import (
    OPERATORS,
    MatchStates,
    MatchWeights,
    match_lstm,
    match_lstm_fast,
    match_lstm_plain,
)
from squadqa.nn.kernels.products import LAYOUT, PRODUCT, SMALLEST_BATCH
from tests.support.kernels import Remove, assert_same, draw, ragged

SIZE, HIDDEN = 3, 2
SHAPES = {
    "keys": (HIDDEN, SIZE),
    "queries": (HIDDEN, SIZE),
    "queries_bias": (HIDDEN,),
    "state_queries": (HIDDEN, HIDDEN),
    "score": (HIDDEN,),
    "inputs": (4 * HIDDEN, 2 * SIZE),
    "state": (4 * HIDDEN, HIDDEN),
    "bias": (4 * HIDDEN,),
}
Lengths = Sequence[int]
Match = Callable[[Tensor, Tensor, Tensor, Tensor, MatchWeights], Tensor]


def assert_same_states(
    match: Match,
    context_lengths: Lengths,
    question_lengths: Lengths,
    *,
    dtype: torch.dtype = torch.float64,
    tolerance: float = 1e-9,
) -> None:
    """A form of the match-LSTM has the values and gradients of the plain one, but for padding."""
    torch.manual_seed(0)
    context_mask, question_mask = ragged(context_lengths), ragged(question_lengths)
    inputs = [draw(*mask.shape, SIZE, dtype=dtype) for mask in (context_mask, question_mask)]
    inputs += [draw(*shape, dtype=dtype) for shape in SHAPES.values()]

    def by(form: Match) -> Callable[..., Tensor]:
        return lambda context, question, *weights: form(
            context,
            context_mask,
            question,
            question_mask,
            MatchWeights(**dict(zip(SHAPES, weights, strict=True))),
        )

    where = context_mask[:, :, None]
    assert_same(by(match), by(match_lstm_plain), inputs, where=where, tolerance=tolerance)


LENGTHS = st.lists(st.tuples(st.integers(0, 6), st.integers(0, 4)), min_size=1, max_size=3)


@given(LENGTHS)
@settings(max_examples=20)
def test_fast_equals_plain(lengths: list[tuple[int, int]]) -> None:
    context_lengths, question_lengths = zip(*lengths, strict=True)
    assert_same_states(match_lstm_fast, context_lengths, question_lengths)


def test_fast_equals_plain_where_products_are_convolutions() -> None:
    lengths = [1 + row % 5 for row in range(SMALLEST_BATCH)]
    assert_same_states(match_lstm_fast, lengths, lengths[::-1], dtype=torch.float32, tolerance=1e-4)


def test_fast_form_has_its_own_gradient() -> None:
    torch.manual_seed(0)
    context_mask, question_mask = ragged([4, 2]), ragged([1, 3])
    order = Directions(context_mask).order.view(2, 4, 2).permute(1, 2, 0).flatten()
    # Inputs, keys, values, weight, score.
    tensors = [draw(2, 4, 10), draw(2, 3, 2), draw(2, 3, 8), draw(10, 2), draw(2)]
    assert torch.autograd.gradcheck(MatchStates.apply, (*tensors, question_mask, order))


@pytest.mark.parametrize("missing", [*OPERATORS, MatchStates])
def test_without_an_operator_or_the_fast_form(missing: Any, remove: Remove) -> None:
    remove(missing)
    assert_same_states(match_lstm, [4, 2], [1, 3], tolerance=0)


@pytest.mark.parametrize("missing", [PRODUCT, LAYOUT])
def test_fast_form_without_a_fast_product(missing: str, remove: Remove) -> None:
    remove(missing)
    assert_same_states(match_lstm_fast, [4, 2], [1, 3], dtype=torch.float32, tolerance=1e-4)
