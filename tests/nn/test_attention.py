from collections.abc import Callable

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor, nn

from squadqa.nn.attention import (
    AlignedQuestion,
    AttentionPooling,
    BidirectionalAttention,
    Coattention,
    TrilinearSimilarity,
)
from tests.support import equations


def test_aligned_question_equals_the_formula() -> None:
    torch.manual_seed(0)
    aligned = AlignedQuestion(3)
    context, question = torch.randn(1, 4, 3), torch.randn(1, 2, 3)
    result = aligned(context, question, torch.ones(1, 2, dtype=torch.bool))
    for token in range(4):
        project = [aligned.projection(each).relu() for each in (context[0, token], *question[0])]
        weights = torch.stack([project[0] @ project[1], project[0] @ project[2]]).softmax(0)
        expected = weights[0] * question[0, 0] + weights[1] * question[0, 1]
        assert result[0, token].allclose(expected, atol=1e-6)


def test_aligned_question_does_not_see_padding() -> None:
    torch.manual_seed(0)
    aligned = AlignedQuestion(3)
    context, question = torch.randn(2, 4, 3), torch.randn(2, 5, 3)
    mask = torch.tensor([[True, True, False, False, False], [False] * 5])
    result = aligned(context, question, mask)
    assert result[:1].allclose(aligned(context[:1], question[:1, :2], mask[:1, :2]), atol=1e-6)
    assert not result[1].any()


def test_pooling_weighs_real_steps_alone() -> None:
    torch.manual_seed(0)
    pooling = AttentionPooling(3)
    sequence = torch.randn(3, 4, 3)
    mask = torch.tensor([[True] * 4, [True, False, False, False], [False] * 4])
    pooled = pooling(sequence, mask)
    weights = pooling.query(sequence[0]).squeeze(1).softmax(0)
    assert pooled[0].allclose(weights @ sequence[0], atol=1e-6)
    assert pooled[1].allclose(sequence[1, 0], atol=1e-6)
    assert not pooled[2].any()


def trilinear(similarity: TrilinearSimilarity, h: Tensor, u: Tensor) -> float:
    """w . [h; u; h * u], number by number."""
    products = [a.item() * b.item() for a, b in zip(h, u, strict=True)]
    joined = [*h.tolist(), *u.tolist(), *products]
    weights = similarity.weights.flatten().tolist()
    return sum(w * x for w, x in zip(weights, joined, strict=True))


def test_trilinear_similarity_equals_the_formula() -> None:
    torch.manual_seed(0)
    similarity = TrilinearSimilarity(3)
    context, question = torch.randn(2, 4, 3), torch.randn(2, 5, 3)
    result = similarity(context, question)
    assert result.shape == (2, 4, 5)
    for row in range(2):
        for t in range(4):
            for j in range(5):
                expected = trilinear(similarity, context[row, t], question[row, j])
                assert abs(result[row, t, j].item() - expected) < 1e-5


def test_trilinear_similarity_keeps_no_tensor_of_every_pair_and_feature() -> None:
    similarity = TrilinearSimilarity(20)
    context = torch.randn(2, 30, 20, requires_grad=True)
    question = torch.randn(2, 40, 20, requires_grad=True)
    kept: list[int] = []

    def keep(tensor: Tensor) -> Tensor:
        kept.append(tensor.numel())
        return tensor

    with torch.autograd.graph.saved_tensors_hooks(keep, lambda tensor: tensor):
        similarity(context, question)
    assert kept
    assert max(kept) <= 2 * 30 * 40


def attend(
    attention: BidirectionalAttention, context: list[Tensor], question: list[Tensor]
) -> list[Tensor]:
    """G of one question, token by token, as the paper's section 2.4 has it."""
    table = [[trilinear(attention.similarity, h, u) for u in question] for h in context]
    importance = torch.tensor([max(row) for row in table]).softmax(0)
    context_seen = torch.zeros_like(context[0])
    for weight, h in zip(importance, context, strict=True):
        context_seen = context_seen + weight * h
    outputs = []
    for h, row in zip(context, table, strict=True):
        question_seen = torch.zeros_like(h)
        for weight, u in zip(torch.tensor(row).softmax(0), question, strict=True):
            question_seen = question_seen + weight * u
        outputs.append(torch.cat([h, question_seen, h * question_seen, h * context_seen]))
    return outputs


LENGTHS = st.tuples(st.integers(1, 5), st.integers(1, 4))


@settings(max_examples=25, deadline=None)
@given(st.lists(LENGTHS, min_size=1, max_size=3), st.integers(0, 99))
def test_bidirectional_attention_equals_the_equations(
    lengths: list[tuple[int, int]], seed: int
) -> None:
    torch.manual_seed(seed)
    attention = BidirectionalAttention(3)
    context, question = torch.randn(len(lengths), 6, 3), torch.randn(len(lengths), 5, 3)
    context_length, question_length = torch.tensor(lengths).unbind(1)
    context_mask = torch.arange(6) < context_length[:, None]
    question_mask = torch.arange(5) < question_length[:, None]
    result = attention(context, question, context_mask, question_mask)
    assert result.shape == (len(lengths), 6, attention.output_size)
    for row, (tokens, words) in enumerate(lengths):
        expected = attend(attention, [*context[row, :tokens]], [*question[row, :words]])
        assert result[row, :tokens].allclose(torch.stack(expected), atol=1e-5)


@pytest.mark.parametrize("make", [BidirectionalAttention, Coattention])
def test_is_finite_where_nothing_is_real(make: Callable[[int], nn.Module]) -> None:
    torch.manual_seed(0)
    attention = make(3)
    context = torch.randn(2, 4, 3, requires_grad=True)
    mask = torch.tensor([[True] * 4, [False] * 4])
    result = attention(context, torch.randn(2, 4, 3), mask, mask)
    result.sum().backward()
    assert result.isfinite().all()
    assert context.grad is not None
    assert context.grad.isfinite().all()


@settings(max_examples=25, deadline=None)
@given(st.lists(LENGTHS, min_size=1, max_size=3), st.integers(0, 99))
def test_coattention_equals_the_equations(lengths: list[tuple[int, int]], seed: int) -> None:
    torch.manual_seed(seed)
    attention = Coattention(3)
    nn.init.normal_(attention.context_sentinel)
    nn.init.normal_(attention.question_sentinel)
    context, question = torch.randn(len(lengths), 6, 3), torch.randn(len(lengths), 5, 3)
    context_length, question_length = torch.tensor(lengths).unbind(1)
    context_mask = torch.arange(6) < context_length[:, None]
    question_mask = torch.arange(5) < question_length[:, None]
    result = attention(context, question, context_mask, question_mask)
    assert result.shape == (len(lengths), 6, attention.output_size)
    for row, (tokens, words) in enumerate(lengths):
        expected = equations.coattention(
            attention, [*context[row, :tokens]], [*question[row, :words]]
        )
        assert result[row, :tokens].allclose(torch.stack(expected), atol=1e-5)


def test_coattention_can_fall_on_the_sentinels_alone() -> None:
    attention = Coattention(2)
    attention.projection.weight.data = torch.eye(2)
    attention.projection.bias.data.zero_()
    attention.context_sentinel.data = torch.tensor([0.0, 200.0])
    attention.question_sentinel.data = torch.tensor([200.0, 0.0])
    mask = torch.ones(1, 2, dtype=torch.bool)
    context, question = torch.tensor([[[90.0, 0.0], [80.0, 0.0]]]), torch.zeros(1, 2, 2)
    seen = attention(context, question, mask, mask)
    # Both tokens find the question's sentinel, whose own softmax falls on the first of them.
    assert seen.allclose(torch.tensor([1.0, 0.0, 90.0, 0.0]).expand(1, 2, 4), atol=1e-3)
    # One like the context's sentinel's direction finds that sentinel.
    question = torch.tensor([[[0.0, 9.0], [0.0, 9.0]]])
    seen = attention(torch.tensor([[[0.0, 90.0], [0.0, 80.0]]]), question, mask, mask)
    assert seen.allclose(torch.tensor([0.0, 1.0, 0.0, 200.0]).expand(1, 2, 4), atol=1e-3)
