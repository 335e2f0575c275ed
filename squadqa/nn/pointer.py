"""Heads that point at the start and the end of an answer.

Letters: B batch, C context tokens, L length, D width, H hidden width.
"""

import math
from functools import partial
from typing import Literal

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from squadqa.nn.cells import next_gru_state, next_lstm_state
from squadqa.nn.dropout import SequenceDropout
from squadqa.nn.masking import mask_logits, masked_softmax
from squadqa.nn.maxout import Maxout


class BilinearPointer(nn.Module):
    """A score of every context token against one question vector: x^T (W q + b).

    Args:
        context_size: D of the context encodings.
        question_size: D' of the question vector.
        keeps_variance: Whether the encodings vary as much as an RNN's input, as an SRU's do; others
            are a tenth as large. Smaller first weights then keep the first scores near 0.
    """

    def __init__(
        self, context_size: int, question_size: int, *, keeps_variance: bool = False
    ) -> None:
        super().__init__()
        self.projection = nn.Linear(question_size, context_size)
        if keeps_variance:
            bound = math.sqrt(3 / (context_size * question_size))
            nn.init.uniform_(self.projection.weight, -bound, bound)

    def forward(self, context: Tensor, question: Tensor) -> Tensor:
        """Score (B, C, D) against (B, D'), giving (B, C); padding is scored too, mask it."""
        return (context @ self.projection(question)[:, :, None]).squeeze(2)


class HighwayMaxout(nn.Module):
    """A score of every context token in a given state, by three maxout layers.

    Reference: Xiong et al., 2017 (DCN), section 2.3, equations 9 to 13. The first layer reads
    [u_t; r], a token and the state: its product with u_t is computed once for all states, by
    `product`, and the one with r once for all tokens.

    Args:
        context_size: D of the context encodings u.
        state_size: Width of the state.
        hidden_size: Units of a layer.
        pool_size: Pieces of a unit.
        bfloat16: As `Maxout`'s, for the first two layers, which are most of the work.
    """

    def __init__(
        self,
        context_size: int,
        state_size: int,
        hidden_size: int,
        *,
        pool_size: int,
        bfloat16: bool = False,
    ) -> None:
        super().__init__()
        make_layer = partial(Maxout, pool_size=pool_size, bfloat16=bfloat16)
        self.state = nn.Linear(state_size, hidden_size, bias=False)
        self.first = make_layer(context_size, hidden_size)
        self.first_state = nn.Linear(hidden_size, pool_size * hidden_size, bias=False)
        self.second = make_layer(hidden_size, hidden_size)
        self.scores = nn.Linear(2 * hidden_size, pool_size)

    def product(self, context: Tensor) -> Tensor:
        """Compute the first layer's product with (B, C, D) contexts, which all states share."""
        return self.first.product(context)

    def forward(
        self, context: Tensor, product: Tensor, state: Tensor, *, rows: Tensor | None = None
    ) -> Tensor:
        """Score every token.

        Args:
            context: (B, C, D) encodings.
            product: `product` of these contexts, or of more.
            state: (B, state_size) what the scores depend on.
            rows: (B,) which of the contexts that `product` was given each one is; None if they are
                the same.

        Returns:
            (B, C); padding is scored too, mask it.
        """
        shift = self.first_state(self.state(state).tanh())  # (B, pool_size * hidden_size)
        first = self.first(context, shift=shift, product=product, rows=rows)  # (B, C, hidden_size)
        second = self.second(first)  # (B, C, hidden_size)
        # [m1; m2] is not joined: the product with its halves is enough.
        of_first, of_second = self.scores.weight.chunk(2, dim=1)
        pieces = F.linear(first, of_first, self.scores.bias) + F.linear(second, of_second)
        return pieces.amax(dim=2)


class AdditivePooling(nn.Module):
    """A sequence as one vector: its steps weighted by the softmax of v . tanh(W x + b).

    Reference: Wang et al., 2017 (R-Net), section 3.4, equation 11; b is its W_v^Q V_r^Q, a product
    of two parameters that nothing else reads.

    Args:
        size: D.
        hidden_size: Width that scores are made in.
    """

    def __init__(self, size: int, *, hidden_size: int) -> None:
        super().__init__()
        self.keys = nn.Linear(size, hidden_size)
        self.score = nn.Linear(hidden_size, 1, bias=False)

    def forward(self, sequence: Tensor, mask: Tensor) -> Tensor:
        """Pool (B, L, D) over the steps where `mask` (B, L) is True, to (B, D)."""
        scores = self.score(self.keys(sequence).tanh()).squeeze(2)  # (B, L)
        return (masked_softmax(scores, mask)[:, None, :] @ sequence).squeeze(1)


class AnswerPointer(nn.Module):
    """Attends to the context twice: the scores are first those of the start, then of the end.

    A recurrent cell reads what the first attention found; its new state is what the second attends
    by.

    Reference: Wang and Jiang, 2017 (Match-LSTM), section 2.3, the boundary model, with an LSTM;
    Wang et al., 2017 (R-Net), section 3.4, with a GRU. Both after Vinyals et al., 2015, Pointer
    Networks.

    Args:
        context_size: D of the context encodings.
        state_size: Width of the state.
        hidden_size: Width that scores are made in.
        cell: "gru" or "lstm".
        dropout: Share of the context's and the state's features that is dropped in training, the
            same at every token and in both attentions.
    """

    def __init__(
        self,
        context_size: int,
        state_size: int,
        *,
        hidden_size: int,
        cell: Literal["gru", "lstm"],
        dropout: float = 0.0,
    ) -> None:
        super().__init__()
        self.keys = nn.Linear(context_size, hidden_size)
        self.query = nn.Linear(state_size, hidden_size, bias=False)
        self.score = nn.Linear(hidden_size, 1, bias=False)
        for layer in (self.keys, self.query, self.score):
            # Xavier's: from torch's own, which are smaller, training more often stops improving
            # where the pointer knows an answer's tokens but not which of them is the first.
            nn.init.xavier_uniform_(layer.weight)
        self.cell = {"gru": nn.GRUCell, "lstm": nn.LSTMCell}[cell](context_size, state_size)
        self.dropout = SequenceDropout(dropout, variational=True)

    def forward(self, context: Tensor, mask: Tensor, state: Tensor) -> tuple[Tensor, Tensor]:
        """Point at start and end.

        Args:
            context: (B, C, D) encodings.
            mask: (B, C) bool, True on a token.
            state: (B, state_size) of the cell before the first attention.

        Returns:
            The (B, C) scores of the start and of the end, masked.
        """
        context = self.dropout(context)
        kept = self.dropout(torch.ones_like(state)[:, None, :]).squeeze(1)  # (B, state_size)
        keys = self.keys(context)  # (B, C, H)
        start_logits = self._scores(keys, mask, state * kept)  # (B, C)
        seen = (masked_softmax(start_logits, mask)[:, None, :] @ context).squeeze(1)  # (B, D)
        if isinstance(self.cell, nn.LSTMCell):
            state, _ = next_lstm_state(self.cell, seen, (state, torch.zeros_like(state)))
        else:
            assert isinstance(self.cell, nn.GRUCell)
            state = next_gru_state(self.cell, seen, state)
        return start_logits, self._scores(keys, mask, state * kept)

    def _scores(self, keys: Tensor, mask: Tensor, state: Tensor) -> Tensor:
        scores = self.score((keys + self.query(state)[:, None, :]).tanh()).squeeze(2)  # (B, C)
        return mask_logits(scores, mask)


class RecurrentPointer(nn.Module):
    """Points at the start by a question's vector, and at the end by what the start makes of it.

    A GRU reads the context where the start may be; its new state scores the ends. Both scores are
    bilinear.

    Reference: Huang et al., 2018 (FusionNet, arXiv 1711.07341), section 3, the output layer.

    Args:
        context_size: D of the context encodings.
        question_size: D' of the question vector.
        keeps_variance: As `BilinearPointer`'s.
    """

    def __init__(
        self, context_size: int, question_size: int, *, keeps_variance: bool = False
    ) -> None:
        super().__init__()
        make = partial(BilinearPointer, context_size, question_size, keeps_variance=keeps_variance)
        self.start, self.end = make(), make()
        self.cell = nn.GRUCell(context_size, question_size)

    def forward(self, context: Tensor, mask: Tensor, question: Tensor) -> tuple[Tensor, Tensor]:
        """Point at start and end.

        Args:
            context: (B, C, D) encodings.
            mask: (B, C) bool, True on a token.
            question: (B, D') the question's vector.

        Returns:
            The (B, C) scores of the start and of the end, masked.
        """
        start_logits = mask_logits(self.start(context, question), mask)  # (B, C)
        seen = (masked_softmax(start_logits, mask)[:, None, :] @ context).squeeze(1)  # (B, D)
        state = next_gru_state(self.cell, seen, question)  # (B, D')
        return start_logits, mask_logits(self.end(context, state), mask)
