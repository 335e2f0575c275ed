import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor, nn

from squadqa.nn.match import MatchLSTMLayer
from tests.support import equations

SIZE, HIDDEN = 4, 3


def made(*, std: float = 0.8) -> MatchLSTMLayer:
    """A layer whose weights are large enough that each of them tells."""
    torch.manual_seed(0)
    layer = MatchLSTMLayer(SIZE, HIDDEN)
    for parameter in layer.parameters():
        nn.init.normal_(parameter, std=std)
    return layer


def texts(lengths: list[int]) -> tuple[Tensor, Tensor]:
    """Sequences of these lengths, and their mask."""
    torch.manual_seed(len(lengths))
    mask = torch.arange(max(lengths)) < torch.tensor(lengths)[:, None]
    return torch.randn(*mask.shape, SIZE), mask


LENGTHS = st.lists(st.tuples(st.integers(1, 6), st.integers(1, 4)), min_size=1, max_size=3)


@given(LENGTHS)
@settings(max_examples=20, deadline=None)
def test_equals_the_equations(lengths: list[tuple[int, int]]) -> None:
    layer = made()
    context, context_mask = texts([each for each, _ in lengths])
    question, question_mask = texts([each for _, each in lengths])
    with torch.no_grad():
        matched = layer(context, context_mask, question, question_mask)
        assert matched.shape == (*context_mask.shape, layer.output_size)
        for row in range(len(lengths)):
            expected = equations.match_lstm(
                layer,
                list(context[row, context_mask[row]]),
                list(question[row, question_mask[row]]),
            )
            assert matched[row, context_mask[row]].allclose(torch.stack(expected), atol=1e-5)


def test_with_a_question_of_one_token_it_is_the_lstm_of_torch() -> None:
    layer = made()
    context, context_mask = texts([5])
    question, question_mask = texts([1])
    joined = torch.cat([context, question.expand(-1, 5, -1)], dim=2)
    ahead, back = layer(context, context_mask, question, question_mask).chunk(2, dim=2)
    assert ahead[0].allclose(layer.rnn(joined[0])[0], atol=1e-5)
    assert back[0].allclose(layer.rnn(joined[0].flip(0))[0].flip(0), atol=1e-5)


def test_what_stands_on_padding_changes_nothing() -> None:
    layer = made()
    context, context_mask = texts([2, 5])
    question, question_mask = texts([3, 1])
    matched = layer(context, context_mask, question, question_mask)
    other = layer(
        context.where(context_mask[:, :, None], 50.0),
        context_mask,
        question.where(question_mask[:, :, None], 50.0),
        question_mask,
    )
    assert matched[context_mask].equal(other[context_mask])


def test_an_empty_question_is_finite_and_changes_no_other() -> None:
    layer = made()
    context, context_mask = texts([3, 5])
    question, question_mask = texts([2, 4])
    expected = layer(context, context_mask, question, question_mask)[1]
    question_mask[0] = False
    matched = layer(context, context_mask, question, question_mask)
    assert matched[1].equal(expected)
    matched[1].sum().backward()
    for value in (matched, *(parameter.grad for parameter in layer.parameters())):
        assert value is not None
        assert value.isfinite().all()


@pytest.mark.parametrize("sign", [1.0, -1.0])
def test_large_values_saturate(sign: float) -> None:
    layer = made(std=8.0)
    context, context_mask = texts([4])
    question, question_mask = texts([3])
    context.requires_grad_()
    matched = layer(context * sign * 50, context_mask, question * 50, question_mask)
    assert matched.isfinite().all()
    matched.sum().backward()
    assert context.grad is not None
    assert context.grad.isfinite().all()
