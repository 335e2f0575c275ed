"""The dynamic coattention network.

Reference: Xiong, Zhong and Socher, 2017, Dynamic Coattention Networks for Question Answering
(arXiv 1611.01604), section 2.

Departs from the paper: characters are read in addition to the word vectors (`char_cnn`; None reads
only vectors, as in the paper). The paper does not say where the first round starts: here it starts
at the first and the last token of the context, whose encodings have read all of it. A round's end
is scored from that round's start. The paper answers with the highest start and the highest end of
the last round; here the last round's scores are used like any reader's, so that the best and next
best spans within a length are found.

In the paper the procedure halts when both estimates stay the same or the rounds are used up, and
the loss is summed over the rounds. The paper does not distinguish training from answering, so here
rounds also halt in training; without `halt_in_training` every example has all rounds. The paper
does not give a precision: here maxout's pieces are rounded to bfloat16 in training, which learns as
well and is a quarter faster; without `bfloat16_maxout` all training is in float32.

Letters: B batch, P distinct contexts, C context tokens, Q question tokens, U distinct word forms, D
embedding width, l `hidden_size`, R examples that a round reads.
"""

from dataclasses import dataclass
from functools import partial

import torch
from torch import Tensor, nn

from squadqa.batch import Sizes, SpanBatch
from squadqa.errors import require_range
from squadqa.models.base import ContextFirstReader, SpanLogits
from squadqa.models.embedder import Embedder, WordInQuestion
from squadqa.nn.attention import Coattention
from squadqa.nn.cells import next_lstm_state
from squadqa.nn.char_cnn import CharCNN
from squadqa.nn.dropout import SequenceDropout
from squadqa.nn.kernels.available import is_exporting
from squadqa.nn.losses import span_nll
from squadqa.nn.masking import mask_logits
from squadqa.nn.no_answer import NoAnswerHead
from squadqa.nn.pointer import HighwayMaxout
from squadqa.nn.rnn import Cell, StackedBiRNN

AT_ONCE = 2**24
"""Most numbers of maxout products in memory at once; a single example may have more."""


@dataclass(frozen=True)
class Round:
    """The decoder's output in one round.

    Args:
        examples: (R,) rows of the batch that had not halted yet.
        start_logits: (R, C) scores of being the first token, masked.
        end_logits: (R, C) scores of being the last token, masked.
    """

    examples: Tensor
    start_logits: Tensor
    end_logits: Tensor


@dataclass(frozen=True)
class DynamicLogits(SpanLogits):
    """The final scores of every example, and the rounds before them.

    Args:
        rounds: The decoder's rounds.
    """

    rounds: tuple[Round, ...] = ()


class DCN(ContextFirstReader):
    """Coattention of context and question, and a decoder that points again until nothing changes.

    Args:
        sizes: The sizes of the data.
        char_cnn: Character encoder; None leaves characters out.
        embedding_size: Width that vectors and characters are projected to; None: no projection.
        hidden_size: l, the width of every RNN direction and of every maxout layer.
        cell: Cell of the RNN that reads the coattention: "lstm" as in the paper, "gru" or "sru".
            The encoder, which reads in one direction, and the decoder stay LSTMs.
        max_rounds: Most rounds of the decoder.
        pool_size: Pieces of a maxout unit.
        halt_in_training: End an example's rounds also in training when nothing changes, as in the
            paper. Without it training is slower: every example has `max_rounds` rounds.
        bfloat16_maxout: Compute the pieces of the maxout layers in bfloat16 in training, as mixed
            precision does, if the processor is fast at it. Otherwise, and in every evaluation, they
            are computed in float32 like everything else.
        tuned_words: How many of the most frequent word forms have trainable vectors.
        word_in_question: Add a feature: whether a context token occurs in the question; "before"
            (or true) the context's encoder, or "after" it, to what compares the texts.
        embedding_dropout: Share of word embeddings dropped in training.
        dropout: Share of the fusion BiLSTM's input and output dropped in training.
        variational: Drop the same features at every step of a sequence.
        max_span_length: Longest answer to predict, in tokens.
    """

    def __init__(
        self,
        sizes: Sizes,
        *,
        char_cnn: CharCNN | None = None,
        embedding_size: int | None = None,
        hidden_size: int = 200,
        cell: Cell = "lstm",
        max_rounds: int = 4,
        pool_size: int = 16,
        halt_in_training: bool = True,
        bfloat16_maxout: bool = True,
        tuned_words: int = 0,
        word_in_question: WordInQuestion = False,
        embedding_dropout: float = 0.2,
        dropout: float = 0.2,
        variational: bool = False,
        max_span_length: int = 17,
    ) -> None:
        super().__init__(max_span_length=max_span_length)
        require_range(1, hidden_size=hidden_size)
        require_range(1, pool_size=pool_size, max_rounds=max_rounds)
        self.halt_in_training = halt_in_training
        self.embedder = Embedder(
            sizes,
            char_cnn=char_cnn,
            embedding_size=embedding_size,
            tuned_words=tuned_words,
            word_in_question=word_in_question,
            dropout=embedding_dropout,
            variational=variational,
        )
        self.encoder = nn.LSTM(self.embedder.output_size, hidden_size, batch_first=True)
        encoded = hidden_size + self.embedder.num_marks
        self.coattention = Coattention(encoded)
        self.fusion_rnn = StackedBiRNN(
            encoded + self.coattention.output_size,
            hidden_size,
            num_layers=1,
            cell=cell,
            dropout=dropout,
            variational=variational,
        )
        self.encoding_dropout = SequenceDropout(dropout, variational=variational)
        self.decoder = DynamicDecoder(
            self.fusion_rnn.output_size,
            hidden_size,
            max_rounds=max_rounds,
            pool_size=pool_size,
            bfloat16=bfloat16_maxout,
        )
        self.no_answer = NoAnswerHead(self.fusion_rnn.output_size) if sizes.abstains else None

    def encode(self, context: Tensor, context_mask: Tensor) -> Tensor:
        """Encode embedded contexts, (P, C, D), to (P, C, l)."""
        encoded: Tensor = self.encoder(context)[0]
        return encoded

    def forward(self, batch: SpanBatch, context_encoded: Tensor | None = None) -> SpanLogits:
        """Score every context token as start and as end; padded tokens are masked.

        In training the result is `DynamicLogits`, whose rounds `loss` sums over.
        """
        context_encoded, question = self.read_texts(batch, context_encoded)  # (B, C, l), (B, Q, D)
        question_encoded, _ = self.encoder(question)  # (B, Q, l)
        question_encoded = self.embedder.mark_question(question_encoded, batch)
        seen = self.coattention(
            context_encoded, question_encoded, batch.context_mask, batch.question_mask
        )  # (B, C, 2l)
        fused = self.fusion_rnn(torch.cat([context_encoded, seen], dim=2), batch.context_mask)
        fused = self.encoding_dropout(fused)  # (B, C, 2l): U

        halts = self.halt_in_training or not self.training
        rounds = self.decoder(fused, batch.context_mask, halts=halts)
        start_logits, end_logits = rounds[0].start_logits, rounds[0].end_logits  # (R, C)
        if len(rounds) > 1:
            start_logits = end_logits = start_logits.new_zeros(batch.context_mask.shape)  # (B, C)
            for each in rounds:
                start_logits = start_logits.index_copy(0, each.examples, each.start_logits)
                end_logits = end_logits.index_copy(0, each.examples, each.end_logits)
        no_answer_logits = self.score_no_answer(fused, start_logits, end_logits)
        if self.training:
            return DynamicLogits(start_logits, end_logits, no_answer_logits, tuple(rounds))
        return SpanLogits(start_logits, end_logits, no_answer_logits)

    def span_loss(self, output: SpanLogits, batch: SpanBatch) -> Tensor:
        """Return each question's (B,) -log P(start) - log P(end), 0 if no answer is known.

        In training it is the sum over the rounds, in evaluation only the last round's.
        """
        if not isinstance(output, DynamicLogits):
            return super().span_loss(output, batch)
        losses = output.start_logits.new_zeros(len(batch), dtype=torch.float32)
        for each in output.rounds:
            starts = batch.start_positions[each.examples]
            ends = batch.end_positions[each.examples]
            nll = span_nll(each.start_logits, each.end_logits, starts, ends)  # (R,)
            losses = losses.index_add(0, each.examples, nll)
        return losses


class DynamicDecoder(nn.Module):
    """Points at a start and an end in several rounds, each from where the last one pointed.

    Args:
        context_size: Width of the context encodings.
        hidden_size: l.
        max_rounds: Most rounds.
        pool_size: Pieces of a maxout unit.
        bfloat16: Compute maxout pieces in bfloat16 in training.
    """

    def __init__(
        self,
        context_size: int,
        hidden_size: int,
        *,
        max_rounds: int,
        pool_size: int,
        bfloat16: bool,
    ) -> None:
        super().__init__()
        self.max_rounds = max_rounds
        self.cell = nn.LSTMCell(2 * context_size, hidden_size)
        state_size = hidden_size + 2 * context_size
        make_scores = partial(HighwayMaxout, pool_size=pool_size, bfloat16=bfloat16)
        self.start_scores = make_scores(context_size, state_size, hidden_size)
        self.end_scores = make_scores(context_size, state_size, hidden_size)

    def forward(self, context: Tensor, mask: Tensor, *, halts: bool) -> list[Round]:
        """Point until nothing changes.

        Args:
            context: (B, C, 2l) encodings.
            mask: (B, C) bool, True on a token.
            halts: Stop reading an example when its start and its end both stay the same.

        Returns:
            The rounds; for each example in their order.
        """
        examples = torch.arange(context.shape[0], device=context.device)
        if is_exporting():
            return self._rounds(examples, context, mask, halts=False)[-1:]
        pieces = context.shape[1] * self.start_scores.first.pieces.out_features
        return [
            each
            for part in examples.split(max(1, AT_ONCE // pieces))
            for each in self._rounds(
                part, context.index_select(0, part), mask.index_select(0, part), halts=halts
            )
        ]

    def _rounds(
        self, examples: Tensor, context: Tensor, mask: Tensor, *, halts: bool
    ) -> list[Round]:
        """Return the rounds of some examples: (R,), (R, C, 2l) and (R, C)."""
        start_product = self.start_scores.product(context)  # (R, C, pool * l)
        end_product = self.end_scores.product(context)  # (R, C, pool * l)
        start = torch.zeros_like(examples)  # (R,)
        end = (mask.sum(dim=1) - 1).clamp(min=0)  # (R,)
        rows = torch.arange(examples.shape[0], device=examples.device)  # (R,) of the products
        hidden = memory = context.new_zeros(examples.shape[0], self.cell.hidden_size)  # (R, l)
        at_start, at_end = _at(context, start), _at(context, end)  # (R, 2l)
        rounds: list[Round] = []
        goes_on = torch.ones_like(mask[:, :1])  # (R, 1)
        while len(rounds) < self.max_rounds:
            pointed = torch.cat([at_start, at_end], dim=1)  # (R, 4l)
            hidden, memory = next_lstm_state(self.cell, pointed, (hidden, memory))
            state = torch.cat([hidden, at_start, at_end], dim=1)  # (R, 5l)
            start_logits = self.start_scores(context, start_product, state, rows=rows)
            start_logits = mask_logits(start_logits, mask)  # (R, C)
            new_start = start_logits.argmax(dim=1)
            at_start = _at(context, new_start)
            state = torch.cat([hidden, at_start, at_end], dim=1)  # (R, 5l)
            end_logits = self.end_scores(context, end_product, state, rows=rows)
            end_logits = mask_logits(end_logits, mask)  # (R, C)
            new_end = end_logits.argmax(dim=1)
            at_end = _at(context, new_end)
            moved = (new_start != start) | (new_end != end)  # (R,)
            start, end = new_start, new_end
            if is_exporting():  # all examples have all rounds, but scores stay after a halt
                before = rounds[-1] if rounds else Round(examples, start_logits, end_logits)
                start_logits = start_logits.where(goes_on, before.start_logits)
                end_logits = end_logits.where(goes_on, before.end_logits)
                goes_on = goes_on & moved[:, None]
            rounds.append(Round(examples, start_logits, end_logits))

            if halts and not moved.all():
                (going,) = moved.nonzero(as_tuple=True)
                if not len(going):
                    break
                examples, rows, start, end = (
                    each.index_select(0, going) for each in (examples, rows, start, end)
                )
                context, mask, hidden, memory, at_start, at_end = (
                    each.index_select(0, going)
                    for each in (context, mask, hidden, memory, at_start, at_end)
                )
        return rounds


def _at(context: Tensor, positions: Tensor) -> Tensor:
    """Return the (B, D) encodings of (B, C, D) at (B,) positions."""
    index = positions[:, None, None].expand(-1, 1, context.shape[2])
    return context.gather(1, index).squeeze(1)
