from typing import Literal

import pytest
import torch

from squadqa.nn.pointer import (
    AdditivePooling,
    AnswerPointer,
    BilinearPointer,
    HighwayMaxout,
    RecurrentPointer,
)
from tests.support import equations


def test_scores_are_bilinear() -> None:
    torch.manual_seed(0)
    pointer = BilinearPointer(3, 5)
    context, question = torch.randn(2, 4, 3), torch.randn(2, 5)
    scores = pointer(context, question)
    weight, bias = pointer.projection.weight, pointer.projection.bias
    expected = torch.einsum("bcd,de,be->bc", context, weight, question) + context @ bias
    assert scores.shape == (2, 4)
    assert scores.allclose(expected, atol=1e-5)


def test_first_scores_of_encodings_that_keep_their_variance_are_near_0() -> None:
    torch.manual_seed(0)
    context, question = torch.randn(8, 50, 256), torch.randn(8, 256)
    with torch.no_grad():
        usual = BilinearPointer(256, 256)(context, question)
        scores = BilinearPointer(256, 256, keeps_variance=True)(context, question)
    assert 0.5 < scores.std() < 2
    assert usual.std() > 5


def test_highway_maxout_equals_the_equations() -> None:
    torch.manual_seed(0)
    pointer = HighwayMaxout(6, 7, 4, pool_size=3)
    context = torch.randn(2, 5, 6)
    product = pointer.product(context)  # once for both states
    for state in torch.randn(2, 2, 7):
        scores = pointer(context, product, state)
        assert scores.shape == (2, 5)
        for row in range(2):
            for token in range(5):
                expected = equations.highway_maxout(pointer, context[row, token], state[row])
                assert abs(scores[row, token].item() - expected) < 1e-5


def test_highway_maxout_has_the_sizes_of_the_paper() -> None:
    pointer = HighwayMaxout(400, 1000, 200, pool_size=16)
    assert pointer.state.weight.shape == (200, 5 * 200)
    assert pointer.first.pieces.weight.shape == (16 * 200, 2 * 200)
    assert pointer.first_state.weight.shape == (16 * 200, 200)
    assert pointer.second.pieces.weight.shape == (16 * 200, 200)
    assert pointer.scores.weight.shape == (16, 2 * 200)


def test_additive_pooling_equals_the_equation() -> None:
    torch.manual_seed(0)
    pooling = AdditivePooling(3, hidden_size=4)
    sequence, mask = torch.randn(3, 5, 3), torch.arange(5) < torch.tensor([5, 2, 0])[:, None]
    pooled = pooling(sequence, mask)
    for row in range(2):
        expected = equations.additive_pooling(pooling, list(sequence[row, mask[row]]))
        assert pooled[row].allclose(expected, atol=1e-6)
    assert not pooled[2].any()


@pytest.mark.parametrize("cell", ["gru", "lstm"])
def test_answer_pointer_equals_the_equations(cell: Literal["gru", "lstm"]) -> None:
    torch.manual_seed(0)
    pointer = AnswerPointer(3, 4, hidden_size=5, cell=cell)
    context, state = torch.randn(3, 6, 3), torch.randn(3, 4)
    mask = torch.arange(6) < torch.tensor([6, 1, 0])[:, None]
    logits = pointer(context, mask, state)
    for row in range(2):
        expected = equations.answer_pointer(pointer, list(context[row, mask[row]]), state[row])
        for scores, right in zip(logits, expected, strict=True):
            assert scores[row, mask[row]].allclose(torch.stack(right), atol=1e-6)
    for scores in logits:
        assert scores.isfinite().all()
        assert (scores[~mask] < -1e30).all()


def test_answer_pointer_drops_the_same_features_everywhere() -> None:
    torch.manual_seed(0)
    pointer = AnswerPointer(3, 4, hidden_size=5, cell="gru", dropout=0.5)
    context, mask, state = torch.ones(2, 6, 3), torch.ones(2, 6, dtype=torch.bool), torch.ones(2, 4)
    start, end = pointer(context, mask, state)
    for scores in (start, end):
        assert scores[:, :1].expand_as(scores).allclose(scores)
    assert not pointer(context, mask, state)[0].equal(start)
    pointer.eval()
    assert pointer(context, mask, state)[0].equal(pointer(context, mask, state)[0])


def test_recurrent_pointer_equals_the_equations() -> None:
    torch.manual_seed(0)
    pointer = RecurrentPointer(3, 4)
    context, question = torch.randn(3, 6, 3), torch.randn(3, 4)
    mask = torch.arange(6) < torch.tensor([6, 1, 0])[:, None]
    logits = pointer(context, mask, question)
    for row in range(2):
        tokens = context[row, mask[row]]
        start = pointer.start(tokens[None], question[row, None])[0]
        state = pointer.cell(start.softmax(0) @ tokens, question[row])
        end = pointer.end(tokens[None], state[None])[0]
        for scores, expected in zip(logits, (start, end), strict=True):
            assert scores[row, mask[row]].allclose(expected, atol=1e-6)
    for scores in logits:
        assert scores.isfinite().all()
        assert (scores[~mask] < -1e30).all()
