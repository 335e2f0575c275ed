"""Cutting sequences into parts whose pairs with a memory fit into memory."""

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from squadqa.nn import pairs
from squadqa.nn.pairs import in_parts


@given(st.integers(1, 20), st.integers(1, 60), st.integers(1, 3))
def test_parts_are_the_whole_and_no_larger_than_allowed(
    length: int, at_once: int, levels: int
) -> None:
    sequence, steps = torch.rand(2, length, 3), torch.arange(length)[None]
    memory_mask = torch.ones(2, 5, dtype=torch.bool)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(pairs, "PAIRS_AT_ONCE", at_once)
        parts = list(in_parts(memory_mask, sequence, steps, levels=levels))
    first, second = (torch.cat(some, dim=1) for some in zip(*parts, strict=True))
    assert first.equal(sequence) and second.equal(steps)
    most = max(1, at_once // (memory_mask.numel() * levels))
    assert max(part.shape[1] for part, _ in parts) <= most


def test_short_texts_are_one_part() -> None:
    sequence = torch.rand(2, 700, 3)
    (part,) = in_parts(torch.ones(2, 700, dtype=torch.bool), sequence)
    assert part[0].equal(sequence)
