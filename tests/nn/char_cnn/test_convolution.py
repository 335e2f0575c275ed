"""The three ways to convolve are one, and so are their gradients."""

from typing import get_args

import pytest
import torch
import torch.nn.functional as F
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor

from squadqa.errors import ConfigError
from squadqa.nn.char_cnn.convolution import (
    Activation,
    Convolution,
    Embedded,
    Initialization,
    Method,
    RowNorm,
    im2col,
    initialize,
    library,
    lookup,
)
from squadqa.nn.char_cnn.words import Words

LENGTHS = st.lists(st.integers(0, 6), min_size=1, max_size=5).filter(any)
SIZES = st.integers(1, 4)
WIDTHS = st.sampled_from([1, 3, 5, 7])
SEEDS = st.integers(0, 2**32)


def alone(rows: Tensor, weight: Tensor, bias: Tensor, lengths: list[int]) -> Tensor:
    """Each word convolved by itself, by the library."""
    text_form = [word.T[None] for word in rows.split(lengths) if len(word)]  # (1, D, length)
    return torch.cat([F.conv1d(word, weight, bias, padding="same")[0].T for word in text_form])


@settings(max_examples=50)
@given(lengths=LENGTHS, size=SIZES, filters=SIZES, width=WIDTHS, seed=SEEDS)
def test_all_ways_give_the_same_values_and_gradients(
    lengths: list[int], size: int, filters: int, width: int, seed: int
) -> None:
    random = torch.Generator().manual_seed(seed)

    def draw(*shape: int) -> Tensor:
        return torch.randn(*shape, generator=random, dtype=torch.float64)

    words, ids = Words(torch.tensor(lengths)), torch.randint(5, (sum(lengths),), generator=random)
    values = draw(5, size), draw(filters, size, width), draw(filters)
    slopes = draw(sum(lengths), filters)

    def with_gradients(way: str) -> tuple[Tensor, ...]:
        table, weight, bias = (value.clone().requires_grad_() for value in values)
        characters = Embedded(ids, table)
        convolved = {
            "lookup": lambda: lookup(characters, weight, bias, words),
            "im2col": lambda: im2col(characters.rows(), weight, bias, words),
            "library": lambda: library(characters.rows(), weight, bias, words),
            "alone": lambda: alone(characters.rows(), weight, bias, lengths),
        }[way]()
        return convolved, *torch.autograd.grad((convolved * slopes).sum(), (table, weight, bias))

    expected = with_gradients("alone")
    for way in get_args(Method):
        torch.testing.assert_close(with_gradients(way), expected)


def convolve(method: Method, rows: Tensor, weight: Tensor, lengths: list[int]) -> Tensor:
    """Convolve without bias; the look-up's table has a row for each place."""
    words = Words(torch.tensor(lengths))
    if method == "lookup":
        return lookup(Embedded(torch.arange(len(rows)), rows), weight, None, words)
    return {"im2col": im2col, "library": library}[method](rows, weight, None, words)


every_method = pytest.mark.parametrize("method", get_args(Method))


@every_method
@settings(max_examples=20)
@given(lengths=LENGTHS, size=SIZES, filters=SIZES, width=WIDTHS, seed=SEEDS)
def test_linear_in_rows_and_in_weights(
    method: Method, lengths: list[int], size: int, filters: int, width: int, seed: int
) -> None:
    random = torch.Generator().manual_seed(seed)
    one, other = torch.randn(2, sum(lengths), size, generator=random, dtype=torch.float64)
    kernel, second = torch.randn(2, filters, size, width, generator=random, dtype=torch.float64)
    of_one = convolve(method, one, kernel, lengths)
    torch.testing.assert_close(
        convolve(method, 2 * one - 3 * other, kernel, lengths),
        2 * of_one - 3 * convolve(method, other, kernel, lengths),
    )
    torch.testing.assert_close(
        convolve(method, one, 2 * kernel - 3 * second, lengths),
        2 * of_one - 3 * convolve(method, one, second, lengths),
    )


@every_method
@settings(max_examples=20)
@given(length=st.integers(1, 6), shift=st.integers(1, 4), width=WIDTHS, seed=SEEDS)
def test_shifted_rows_give_what_they_gave_shifted(
    method: Method, length: int, shift: int, width: int, seed: int
) -> None:
    random = torch.Generator().manual_seed(seed)
    rows = torch.randn(length, 3, generator=random, dtype=torch.float64)
    kernel = torch.randn(2, 3, width, generator=random, dtype=torch.float64)
    reach = width // 2  # zeros on both sides, so that nothing is cut off
    there = convolve(method, F.pad(rows, (0, 0, reach, reach + shift)), kernel, [
        length + 2 * reach + shift
    ])  # fmt: skip
    shifted = convolve(method, F.pad(rows, (0, 0, reach + shift, reach)), kernel, [len(there)])
    torch.testing.assert_close(shifted[shift:], there[:-shift])
    assert not shifted[:shift].any() and not there[-shift:].any()


@every_method
@settings(max_examples=20)
@given(lengths=LENGTHS, width=WIDTHS, seed=SEEDS)
def test_order_of_words_is_nothing_to_it(
    method: Method, lengths: list[int], width: int, seed: int
) -> None:
    random = torch.Generator().manual_seed(seed)
    rows = torch.randn(sum(lengths), 3, generator=random, dtype=torch.float64)
    kernel = torch.randn(2, 3, width, generator=random, dtype=torch.float64)
    backwards = convolve(method, torch.cat(rows.split(lengths)[::-1]), kernel, lengths[::-1])
    forwards = torch.cat(backwards.split(lengths[::-1])[::-1])
    torch.testing.assert_close(forwards, convolve(method, rows, kernel, lengths))


@every_method
def test_works_in_half_precision(method: Method) -> None:
    torch.manual_seed(0)
    words, ids = Words(torch.tensor([3, 1, 5])), torch.tensor([1, 2, 3, 4, 2, 1, 1, 4, 3])
    layers = [Convolution(3, 4, 3, method=method), Convolution(4, 2, 3, method=method)]
    table = torch.randn(5, 3, requires_grad=True)

    def convolved() -> Tensor:
        return layers[1](layers[0](Embedded(ids, table), words), words)

    exact = convolved()
    with torch.autocast("cpu", torch.bfloat16):
        rough = convolved()
    assert rough.dtype == torch.bfloat16
    torch.testing.assert_close(rough.float(), exact, atol=0.1, rtol=0.1)
    rough.float().sum().backward()
    assert table.grad is not None and table.grad.isfinite().all()


@pytest.mark.parametrize(("how", "spread"), [("xavier", 2 / (30 * 5 + 50 * 5)), ("he", 2 / 150)])
def test_first_weights_have_the_published_variance(how: Initialization, spread: float) -> None:
    torch.manual_seed(0)
    weight = torch.empty(50, 30, 5)
    initialize(weight, how)
    assert abs(float(weight.var()) / spread - 1) < 0.05


@pytest.mark.parametrize("activation", get_args(Activation))
def test_activation_comes_last(activation: Activation) -> None:
    torch.manual_seed(0)
    function = {
        "relu": F.relu,
        "leaky_relu": F.leaky_relu,
        "elu": F.elu,
        "gelu": F.gelu,
        "tanh": torch.tanh,
    }[activation]
    words, rows = Words(torch.tensor([4, 2])), torch.randn(6, 3)
    layer = Convolution(3, 5, 3, activation=activation, batch_norm=True)
    scores = im2col(rows, layer.weight, None, words)
    spread, mean = torch.var_mean(scores, 0, correction=0)
    torch.testing.assert_close(
        layer(rows, words), function((scores - mean) / (spread + 1e-5).sqrt())
    )
    assert layer.bias is None


def test_a_single_row_is_normalised_by_what_was_seen_before() -> None:
    norm = RowNorm(2)
    rows = torch.tensor([[1.0, 2.0]])
    norm(torch.randn(10, 2))
    seen = {name: value.clone() for name, value in norm.state_dict().items()}
    normalised = norm(rows)
    assert normalised.equal(norm.eval()(rows))
    assert all(value.equal(seen[name]) for name, value in norm.state_dict().items())


@pytest.mark.parametrize(("width", "filters"), [(4, 10), (0, 10), (-3, 10), (3, 0)])
def test_impossible_filters(width: int, filters: int) -> None:
    with pytest.raises(ConfigError, match=f"cannot have {filters} filters of width {width}"):
        Convolution(3, filters, width)
