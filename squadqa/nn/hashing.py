"""Crossing hashed features and finding their row of a table. 64-bit arithmetic wraps around."""

from torch import Tensor

_FACTORS = (-0x61C8864680B583EB, -0x40A7B892E31B1A47)  # odd: 2 ** 64 over the golden ratio, 2 ** 63 over pi-like noise


def cross(left: Tensor, right: Tensor) -> Tensor:
    """Combine hashes of two features into one of their conjunction.

    Args:
        left: int64 hashes, scattered over all bits.
        right: int64 hashes; broadcasts with `left`.
    """
    return (left ^ (right * _FACTORS[0])) * _FACTORS[1]


def table_rows(hashes: Tensor, *, bits: int) -> Tensor:
    """Give the rows of a table with 2 ** bits rows: the hashes' highest bits after scattering.

    Args:
        hashes: int64 hashes.
        bits: 1 to 63.
    """
    return ((hashes * _FACTORS[1]) >> (64 - bits)) & ((1 << bits) - 1)
