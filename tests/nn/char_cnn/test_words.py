import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor

from squadqa.nn.char_cnn.words import Words

LENGTHS = st.lists(st.integers(0, 7), min_size=1, max_size=6).filter(any)
SEEDS = st.integers(0, 2**32)


def rows_for(lengths: list[int], size: int, seed: int) -> tuple[Tensor, list[Tensor]]:
    """Random rows, equal ones among them, and the same word by word."""
    random = torch.Generator().manual_seed(seed)
    rows = torch.randint(-3, 4, (sum(lengths), size), generator=random).double()
    return rows, list(rows.split(lengths))


@given(lengths=LENGTHS, width=st.sampled_from([1, 3, 5, 7]))
def test_windows_stay_in_their_words(lengths: list[int], width: int) -> None:
    found = Words(torch.tensor(lengths)).windows(width).tolist()
    expected, start, outside = [], 0, sum(lengths)
    for length in lengths:
        for center in range(length):
            places = range(center - width // 2, center + width // 2 + 1)
            expected.append([start + i if 0 <= i < length else outside for i in places])
        start += length
    assert found == expected


@settings(max_examples=50)
@given(lengths=LENGTHS, seed=SEEDS)
def test_pools_word_by_word(lengths: list[int], seed: int) -> None:
    rows, split = rows_for(lengths, 2, seed)
    words = Words(torch.tensor(lengths))
    halved, places = words.halved(rows)
    pairs = [word[i : i + 2].amax(dim=0) for word in split for i in range(0, len(word), 2)]
    assert halved.equal(torch.stack(pairs))
    assert places.lengths.tolist() == [(length + 1) // 2 for length in lengths]
    threes = [word[max(0, i - 1) : i + 2].amax(dim=0) for word in split for i in range(len(word))]
    assert words.neighbours(rows).equal(torch.stack(threes))


@settings(max_examples=50)
@given(lengths=LENGTHS, seed=SEEDS)
def test_maximum_and_mean_are_those_of_each_word(lengths: list[int], seed: int) -> None:
    rows, split = rows_for(lengths, 3, seed)
    words = Words(torch.tensor(lengths))
    nothing = torch.zeros(3, dtype=torch.float64)
    largest = torch.stack([word.amax(dim=0) if len(word) else nothing for word in split])
    average = torch.stack([word.mean(dim=0) if len(word) else nothing for word in split])
    assert words.maximum(rows).equal(largest)
    torch.testing.assert_close(words.mean(rows), average)


@settings(max_examples=50)
@given(lengths=LENGTHS, seed=SEEDS)
def test_rows_that_share_the_maximum_share_its_gradient(lengths: list[int], seed: int) -> None:
    rows, _ = rows_for(lengths, 3, seed)
    slopes = torch.randn(len(lengths), 3, dtype=torch.float64)
    ours, theirs = rows.clone().requires_grad_(), rows.clone().requires_grad_()
    (Words(torch.tensor(lengths)).maximum(ours) * slopes).sum().backward()
    for word, slope in zip(theirs.split(lengths), slopes, strict=True):
        if len(word):
            (word.amax(dim=0) * slope).sum().backward(retain_graph=True)
    torch.testing.assert_close(ours.grad, theirs.grad)


def test_gradients_by_differences() -> None:
    rows = torch.randn(9, 2, dtype=torch.float64, requires_grad=True)
    words = Words(torch.tensor([4, 0, 1, 4]))
    assert torch.autograd.gradcheck(words.maximum, rows)
    assert torch.autograd.gradcheck(words.mean, rows)
    assert torch.autograd.gradcheck(words.neighbours, rows)
    assert torch.autograd.gradcheck(lambda some: words.halved(some)[0], rows)
