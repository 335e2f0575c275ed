import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from squadqa.nn.hashing import cross, table_rows

HASHES = st.integers(-(2**63), 2**63 - 1)


def signed(value: int) -> int:
    return (value + 2**63) % 2**64 - 2**63


@given(HASHES, HASHES)
def test_cross_is_arithmetic_of_64_bits(left: int, right: int) -> None:
    crossed = cross(torch.tensor([left]), torch.tensor([right]))
    mixed = left ^ signed(right * 0x9E3779B97F4A7C15)
    assert crossed.tolist() == [signed(mixed * 0xBF58476D1CE4E5B9)]


@given(HASHES, st.integers(1, 63))
def test_rows_are_the_highest_bits(value: int, bits: int) -> None:
    (row,) = table_rows(torch.tensor([value]), bits=bits).tolist()
    assert row == (value * 0xBF58476D1CE4E5B9) % 2**64 >> (64 - bits)


def test_pairs_are_crossed_apart_and_in_order() -> None:
    generator = torch.Generator().manual_seed(0)
    hashes = torch.randint(-(2**63), 2**63 - 1, (200,), generator=generator)
    crossed = cross(hashes[:, None], hashes[None, :])
    assert len(crossed.unique()) == 200 * 200


@pytest.mark.parametrize("bits", [4, 8])
def test_rows_are_used_evenly(bits: int) -> None:
    generator = torch.Generator().manual_seed(0)
    hashes = torch.randint(-(2**63), 2**63 - 1, (64 << bits,), generator=generator)
    for some in (hashes, cross(hashes, hashes[:1])):
        counts = table_rows(some, bits=bits).bincount(minlength=1 << bits)
        assert len(counts) == 1 << bits
        assert counts.min() > 32
        assert counts.max() < 112
