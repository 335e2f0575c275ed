import pytest
import torch
from torch import Tensor

from squadqa.nn import pairs
from squadqa.nn.fusion import FullyAwareFusion
from tests.support import equations
from tests.support.kernels import ragged

LENGTHS, MEMORY_LENGTHS = [4, 1, 6], [3, 5, 2]


def layer(*level_sizes: int) -> FullyAwareFusion:
    torch.manual_seed(0)
    made = FullyAwareFusion(7, 3, level_sizes=level_sizes, hidden_size=4, output_size=6)
    torch.nn.init.normal_(made.importance)
    return made


def texts(lengths: list[int], *widths: int) -> list[Tensor]:
    return [torch.randn(len(lengths), max(lengths), width) for width in widths]


def test_equals_the_equations() -> None:
    fused = layer(3, 3, 5)
    history, encoded = texts(LENGTHS, 7, 3)
    memory_history, *levels = texts(MEMORY_LENGTHS, 7, 3, 3, 5)
    output = fused(history, encoded, memory_history, levels, ragged(MEMORY_LENGTHS))
    assert output.shape == (3, 6, 6)
    for row, (length, known) in enumerate(zip(LENGTHS, MEMORY_LENGTHS, strict=True)):
        expected = equations.fully_aware_fusion(
            fused,
            history[row, :length],
            encoded[row, :length],
            memory_history[row, :known],
            [level[row, :known] for level in levels],
        )
        torch.testing.assert_close(output[row, :length], expected)


def test_a_text_attends_to_its_other_tokens() -> None:
    boost = layer(3)
    history, encoded = texts(LENGTHS, 7, 3)
    output = boost(history, encoded, history, [encoded], ragged(LENGTHS))
    for row, length in enumerate(LENGTHS):
        known, levels = history[row, :length], [encoded[row, :length]]
        expected = equations.fully_aware_fusion(
            boost, known, levels[0], known, levels, to_itself=True
        )
        torch.testing.assert_close(output[row, :length], expected)


def test_a_token_alone_finds_nothing() -> None:
    boost = layer(3)
    history, encoded = texts([1], 7, 3)
    output = boost(history, encoded, history, [encoded], ragged([1]))
    own, _ = boost.joined.weight.split(3, dim=1)
    assert output.allclose(boost.normalization(encoded @ own.t() + boost.joined.bias), atol=1e-6)


@pytest.mark.parametrize("to_itself", [False, True])
def test_pairs_of_long_texts_come_in_parts(
    to_itself: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    fused = layer(3)
    history, encoded = texts(LENGTHS, 7, 3)
    memory = history if to_itself else texts(LENGTHS, 7)[0]
    inputs = (history, encoded, memory, [encoded], ragged(LENGTHS))
    whole = fused(*inputs)
    monkeypatch.setattr(pairs, "PAIRS_AT_ONCE", 2 * 3 * 6)  # two tokens at a time
    assert fused(*inputs).allclose(whole, atol=1e-6)


def test_a_text_without_tokens_is_finite() -> None:
    fused = layer(3)
    history, encoded = texts([2, 2], 7, 3)
    output = fused(history, encoded, *texts([3, 3], 7), texts([3, 3], 3), ragged([3, 0]))
    assert output.isfinite().all()


def test_outputs_of_every_token_have_variance_1() -> None:
    fused = layer(3)
    history, encoded = texts(LENGTHS, 7, 3)
    output = fused(history, 100 * encoded, history, [encoded], ragged(LENGTHS))
    assert output.mean(dim=2).allclose(torch.zeros(()), atol=1e-5)
    assert output.var(dim=2, unbiased=False).allclose(torch.ones(()), atol=1e-3)
