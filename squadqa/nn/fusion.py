"""Fully-aware fusion: tokens attend by all that is known of them, at several levels of a text.

Reference: Huang, Zhu, Shen and Chen, 2018, FusionNet: Fusing via Fully-Aware Attention with
Application to Machine Comprehension (arXiv 1711.07341), section 3.

A token's history is all that has been computed of it so far: its embedding and the outputs of every
layer. Attention compares histories, but brings in the encodings of one level; so a token can be
found by its word and its meaning together. Attention of a text to itself, by the same form, is the
paper's self-boosted fusion.

Departs from the paper: what is attended to is joined by one linear layer, W [x; a_1; ...; a_K],
before an RNN reads it. As a_k is a weighted sum over a memory's steps, W_k a_k is the weighted sum
of their W_k y; so the layer multiplies the steps of a question, not those of a context. Its output
is normalised (Ba, Kiros and Hinton, 2016, Layer Normalization, arXiv 1607.06450): simple recurrent
units carry their input on, and without a bound some layers of them could let it grow on and on.

Letters: B batch, L steps of the sequence, M steps of the memory, K levels, D width of a history, E
width of an encoding, H hidden width, O width of the output. A sequence and its memory may be the
same.
"""

from collections.abc import Sequence

import torch
from torch import Tensor, nn

from squadqa.nn.initialization import keep_variance_
from squadqa.nn.kernels.products import linear
from squadqa.nn.masking import masked_softmax
from squadqa.nn.pairs import in_parts


class FullyAwareFusion(nn.Module):
    """Each step joined with what it attends to at K levels of a memory.

    The attention of level k weights the memory's steps by the softmax over y of

        relu(U_k x) . D_k relu(U_k y)

    with x and y two histories, and D_k diagonal.

    Args:
        history_size: D.
        size: E of the sequence's encodings, which attention adds to.
        level_sizes: E of each of the memory's K levels.
        hidden_size: H, the width in which histories are compared, for each level.
        output_size: O.
    """

    def __init__(
        self,
        history_size: int,
        size: int,
        *,
        level_sizes: Sequence[int],
        hidden_size: int,
        output_size: int,
    ) -> None:
        super().__init__()
        self.num_levels = len(level_sizes)
        self.level_sizes = [size, *level_sizes]
        self.compared = nn.Linear(history_size, self.num_levels * hidden_size, bias=False)  # U
        self.importance = nn.Parameter(torch.ones(self.num_levels * hidden_size))  # D
        self.joined = nn.Linear(sum(self.level_sizes), output_size)  # W
        keep_variance_(self.joined.weight)
        self.normalization = nn.LayerNorm(output_size)

    def forward(
        self,
        history: Tensor,
        encoded: Tensor,
        memory_history: Tensor,
        levels: Sequence[Tensor],
        memory_mask: Tensor,
    ) -> Tensor:
        """Attend to the memory.

        Args:
            history: (B, L, D) of the sequence.
            encoded: (B, L, E) encodings of the sequence.
            memory_history: (B, M, D). The sequence's own tensor lets it attend to itself; a step
                then attends to all steps but itself, which it would be most like.
            levels: K times (B, M, E), what to bring in of the memory.
            memory_mask: (B, M) bool, True on a step.

        Returns:
            (B, L, O), normalised; what stands on padding means nothing.
        """
        of_encoded, *of_levels = self.joined.weight.split(self.level_sizes, dim=1)
        own = linear(encoded, of_encoded, self.joined.bias)  # (B, L, O)
        values = torch.cat(
            [linear(level, weight) for level, weight in zip(levels, of_levels, strict=True)], dim=1
        )  # (B, K * M, O)
        itself = memory_history is history
        queries = self._compared(history)  # (B, L, K, H)
        keys = queries if itself else self._compared(memory_history)  # (B, M, K, H)
        keys = (keys * self.importance.view(keys.shape[2:])).permute(0, 2, 3, 1)  # (B, K, H, M)

        steps = torch.arange(queries.shape[1], device=queries.device)[None]  # (1, L)
        attended = []
        for part, its_steps in in_parts(memory_mask, queries, steps, levels=self.num_levels):
            similarity = part.transpose(1, 2) @ keys  # (B, K, rows, M)
            mask = memory_mask[:, None, None]  # (B, 1, 1, M)
            if itself:
                mask = mask & (its_steps[0, :, None] != steps)
            attention = masked_softmax(similarity, mask)  # (B, K, rows, M)
            attended.append(attention.transpose(1, 2).flatten(2) @ values)  # (B, rows, O)
        found = attended[0] if len(attended) == 1 else torch.cat(attended, dim=1)
        normalized: Tensor = self.normalization(own + found)
        return normalized

    def _compared(self, history: Tensor) -> Tensor:
        """Return relu(U x) of (B, L, D) histories at each level, (B, L, K, H)."""
        return linear(history, self.compared.weight).relu().unflatten(2, (self.num_levels, -1))
