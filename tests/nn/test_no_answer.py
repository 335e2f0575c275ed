"""The score of "no answer", and the softmax that it shares with all spans."""

import torch
from hypothesis import given
from hypothesis import strategies as st

from squadqa.nn.losses import no_answer_nll
from squadqa.nn.masking import mask_logits
from squadqa.nn.no_answer import NoAnswerHead, log_odds_of, with_no_answer

SCORES = st.lists(st.floats(-20, 20), min_size=1, max_size=6)


@given(SCORES, st.floats(-20, 20) | st.none())
def test_probabilities_of_spans_and_of_none_sum_to_one(
    scores: list[float], no_answer: float | None
) -> None:
    start = torch.tensor([scores])
    end = start.flip(1) / 2
    score = None if no_answer is None else torch.tensor([no_answer])
    log_odds = log_odds_of(score, start, end)
    pairs = start.log_softmax(1)[:, :, None] + end.log_softmax(1)[:, None, :]
    spans = with_no_answer(pairs.flatten(1), log_odds).exp()
    torch.testing.assert_close(spans.sum(dim=1) + log_odds.sigmoid(), torch.ones(1))
    # It is one softmax: over the score of each pair, and that of "no answer", 0 by default.
    joint = torch.cat([(start[:, :, None] + end[:, None, :]).flatten(1),
                       torch.tensor([[no_answer or 0.0]])], dim=1)  # fmt: skip
    torch.testing.assert_close(spans[0], joint.softmax(1)[0, :-1], rtol=1e-4, atol=1e-6)


def test_without_it_nothing_changes() -> None:
    log_probabilities = torch.randn(2, 3)
    assert with_no_answer(log_probabilities, None) is log_probabilities


def test_the_loss_is_that_of_the_joint_softmax() -> None:
    log_odds = torch.tensor([0.5, -2.0, 3.0, 1.0])
    unanswerable = torch.tensor([True, False, False, False])
    known = torch.tensor([False, True, True, False])
    losses = no_answer_nll(log_odds, unanswerable, known)
    probability = log_odds.sigmoid()
    expected = [-probability[0].log(), -(1 - probability[1]).log(), -(1 - probability[2]).log(), 0]
    torch.testing.assert_close(losses, torch.tensor(expected))


def test_padding_changes_no_score_and_all_weights_learn() -> None:
    torch.manual_seed(0)
    head = NoAnswerHead(3)
    context, mask = torch.randn(2, 5, 3), torch.tensor([[True] * 3 + [False] * 2, [True] * 5])
    start, end = (mask_logits(torch.randn(2, 5), mask) for _ in range(2))
    scores = head(context, start, end)
    assert scores.shape == (2,)
    torch.testing.assert_close(head(context[:1, :3], start[:1, :3], end[:1, :3]), scores[:1])
    scores.sum().backward()
    assert all(bool(each.grad.abs().any()) for each in head.parameters())  # type: ignore[union-attr]


def test_a_context_without_tokens_has_a_finite_score() -> None:
    none = mask_logits(torch.zeros(1, 4), torch.zeros(1, 4, dtype=torch.bool))
    assert NoAnswerHead(3)(torch.zeros(1, 4, 3), none, none).isfinite().all()
