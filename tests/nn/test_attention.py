import torch

from squadqa.nn.attention import AlignedQuestion, AttentionPooling


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
