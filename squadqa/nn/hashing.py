"""Crossing hashed features and finding their row of a table. 64-bit arithmetic wraps around."""

from torch import Tensor

_GOLDEN = 0x9E3779B97F4A7C15 - 2**64  # odd: 2 ** 64 over the golden ratio, as a signed number
_SCATTER = 0xBF58476D1CE4E5B9 - 2**64  # odd: the first factor of splitmix64


def cross(left: Tensor, right: Tensor) -> Tensor:
    """Combine hashes of two features into one of their conjunction.

    Args:
        left: int64 hashes, scattered over all bits.
        right: int64 hashes; broadcasts with `left`.
    """
    return (left ^ (right * _GOLDEN)) * _SCATTER


def table_rows(hashes: Tensor, *, bits: int) -> Tensor:
    """Find the rows of a table with 2 ** bits rows: the hashes' highest bits after scattering.

    Args:
        hashes: int64 hashes.
        bits: 1 to 63.
    """
    return ((hashes * _SCATTER) >> (64 - bits)) & ((1 << bits) - 1)
