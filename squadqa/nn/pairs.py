"""Pairs of the steps of two texts: attention over long texts in parts that fit into memory.

Letters: B batch, L steps of a sequence, M steps of the memory.
"""

from collections.abc import Iterator

from torch import Tensor

from squadqa.nn.kernels.available import is_exporting

PAIRS_AT_ONCE = 2**24
"""Pairs of steps that attention holds at once: 64 MiB of scores, however long a text is."""


def in_parts(
    memory_mask: Tensor, *sequences: Tensor, levels: int = 1
) -> Iterator[tuple[Tensor, ...]]:
    """Cut sequences into parts, each with so many steps as attend to the memory at once.

    Args:
        memory_mask: (B, M).
        sequences: (B, L, ...) or (1, L, ...) each.
        levels: Scores of each pair.

    Yields:
        The parts of all sequences, (B, rows, ...) each. Models are written as ONNX in one part.
    """
    if is_exporting():
        yield sequences
        return
    rows = max(1, PAIRS_AT_ONCE // (memory_mask.numel() * levels))
    yield from zip(*(sequence.split(rows, dim=1) for sequence in sequences), strict=True)
