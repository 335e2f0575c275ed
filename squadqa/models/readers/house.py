"""The house's own reader: fully-aware fusion between layers of simple recurrent units.

Reference: Wu, Wang, Weinberger, Artzi and others, 2019, FastFusionNet: New State-of-the-Art for
DAWNBench SQuAD (arXiv 1902.11291), after Huang et al., 2018, FusionNet (arXiv 1711.07341).

It reads in five steps, each a function below:

1. *Embedding.* A word is its vectors and characters, projected; optionally the TR gate (Salant and
   Berant, 2018, arXiv 1712.03609) lets its neighbours revise it. A context token also has the
   question's words most like it, and DrQA's features.
2. *Reading.* RNNs read each text; the outputs of all layers are kept.
3. *Fusion.* A context token attends to the question three times, by its history [embedding;
   reading]: to the reading layers' outputs, one by one, and to what another RNN makes of them. An
   RNN, the understanding layer, reads what it finds.
4. *Self-boost.* It attends in the same form to the other tokens of the context, by its history,
   which is longer now. More RNN layers read that.
5. *Pointing.* The question, pooled, scores the starts; a GRU moves it to where the start may be,
   and its new state scores the ends.

Departs from FastFusionNet: the character encoder is ours, and so are the projection of embeddings,
the TR gate, layer dropout, and the dropout of whole word forms, each of which can be left out. What
attention finds is projected to an RNN's own width and normalised before the RNN reads it: the one
is most of the speed, and without the other a few hundred steps let the scores grow beyond all
bounds (see `squadqa.nn.fusion`). There are fewer layers and smaller widths.

Letters: B batch, C context tokens, Q question tokens, D embedding width, F token features, H
`hidden_size`, N reading layers.
"""

from functools import partial

import torch
from torch import Tensor, nn

from squadqa.batch import Sizes, SpanBatch
from squadqa.errors import require_range
from squadqa.models.base import SpanLogits, SpanReader
from squadqa.models.embedder import Embedder
from squadqa.models.token_features import TokenFeatures
from squadqa.nn.attention import AlignedQuestion, AttentionPooling
from squadqa.nn.char_cnn import CharCNN
from squadqa.nn.contextual_gate import ContextualGate
from squadqa.nn.dropout import SequenceDropout
from squadqa.nn.fusion import FullyAwareFusion
from squadqa.nn.no_answer import NoAnswerHead
from squadqa.nn.pointer import RecurrentPointer
from squadqa.nn.rnn import Cell, StackedBiRNN


class HouseReader(SpanReader):
    """Reading, fusion with the question, self-boost, and two pointers joined by a GRU.

    Args:
        sizes: The sizes of the data.
        char_cnn: Character encoder; None leaves characters out.
        embedding_size: Width that vectors and characters are projected to; None: no projection.
        hidden_size: Width of an RNN direction.
        attention_size: Width in which histories are compared, for each attention.
        num_reading_layers: RNN layers over each text, before it sees anything of the other.
        num_understanding_layers: RNN layers over what the fusion found, and over the question.
        num_final_layers: RNN layers over what the self-boost found.
        self_boost: Whether context tokens attend to each other.
        cell: Cell of the RNNs: "sru", or "lstm" or "gru".
        tuned_words: How many of the most frequent word forms have trainable vectors.
        use_annotation: Read part of speech, entity type and lemma match of context tokens.
        tr_layers: RNN layers of the TR gate; 0 leaves it out.
        embedding_dropout: Share of word embeddings dropped in training.
        type_dropout: Share of a batch's word forms whose whole embedding is dropped in training.
        dropout: Share of each RNN layer's input, of histories and of encodings dropped in training.
        layer_dropout: Share of questions that pass by an RNN layer in training, where it keeps
            their width.
        max_span_length: Longest answer to predict, in tokens.
    """

    def __init__(
        self,
        sizes: Sizes,
        *,
        char_cnn: CharCNN | None = None,
        embedding_size: int | None = 128,
        hidden_size: int = 100,
        attention_size: int = 100,
        num_reading_layers: int = 2,
        num_understanding_layers: int = 1,
        num_final_layers: int = 2,
        self_boost: bool = True,
        cell: Cell = "sru",
        tuned_words: int = 1000,
        use_annotation: bool = True,
        tr_layers: int = 0,
        embedding_dropout: float = 0.3,
        type_dropout: float = 0.0,
        dropout: float = 0.2,
        layer_dropout: float = 0.0,
        max_span_length: int = 17,
    ) -> None:
        super().__init__(max_span_length=max_span_length)
        require_range(1, hidden_size=hidden_size, attention_size=attention_size)
        require_range(1, num_reading_layers=num_reading_layers)
        require_range(1, num_understanding_layers=num_understanding_layers)
        require_range(1, num_final_layers=num_final_layers)
        require_range(0, tr_layers=tr_layers)
        self.embedder = Embedder(
            sizes,
            char_cnn=char_cnn,
            embedding_size=embedding_size,
            tuned_words=tuned_words,
            type_dropout=type_dropout,
            dropout=embedding_dropout,
            variational=True,
        )
        embedded, encoded = self.embedder.output_size, 2 * hidden_size
        self.gate = None
        if tr_layers:
            self.gate = ContextualGate(
                embedded,
                hidden_size,
                num_layers=tr_layers,
                cell=cell,
                dropout=dropout,
                variational=True,
            )
        self.aligned_question = AlignedQuestion(embedded)
        self.features = TokenFeatures(use_annotation=use_annotation)

        rnn = partial(
            StackedBiRNN,
            hidden_size=hidden_size,
            cell=cell,
            dropout=dropout,
            variational=True,
            layer_dropout=layer_dropout,
        )
        reading = partial(rnn, num_layers=num_reading_layers, concat_layers=True)
        self.context_reading = reading(2 * embedded + self.features.output_size)
        self.question_reading = reading(embedded)
        read = num_reading_layers * encoded
        self.question_understanding = rnn(read, num_layers=num_understanding_layers)

        fusion = partial(FullyAwareFusion, hidden_size=attention_size, output_size=encoded)
        levels = [encoded] * (num_reading_layers + 1)
        self.fusion = fusion(embedded + read, read, level_sizes=levels)
        self.understanding = rnn(encoded, num_layers=num_understanding_layers)
        self.boost = (
            fusion(embedded + read + 2 * encoded, encoded, level_sizes=[encoded])
            if self_boost
            else None
        )
        self.final = rnn(encoded, num_layers=num_final_layers)

        self.normalization = nn.LayerNorm(encoded)
        self.dropout = SequenceDropout(dropout, variational=True)
        self.question_pooling = AttentionPooling(encoded)
        self.pointer = RecurrentPointer(
            encoded, encoded, keeps_variance=self.understanding.keeps_variance
        )
        self.no_answer = NoAnswerHead(encoded) if sizes.abstains else None

    def forward(self, batch: SpanBatch) -> SpanLogits:
        """Score every context token as start and as end; padded tokens are masked."""
        context, question = self.embed(batch)  # (B, C, D), (B, Q, D)
        context_read, question_read = self.read(batch, context, question)  # (B, C or Q, N * 2H)
        question_understood = self.question_understanding(
            question_read, batch.question_mask
        )  # (B, Q, 2H)
        context_history = [context, context_read]
        levels = [*question_read.chunk(self.fusion.num_levels - 1, dim=2), question_understood]
        fused = self.fusion(
            self.joined(context_history),
            context_read,
            self.joined([question, question_read]),
            levels,
            batch.question_mask,
        )  # (B, C, 2H)
        understood = self.understanding(fused, batch.context_mask)  # (B, C, 2H)
        modeled = self.boosted(batch, [*context_history, fused, understood])  # (B, C, 2H)

        pooled = self.question_pooling(
            self.dropout(question_understood), batch.question_mask
        )  # (B, 2H)
        modeled = self.dropout(self.normalization(modeled))
        start_logits, end_logits = self.pointer(modeled, batch.context_mask, pooled)
        no_answer_logits = self.score_no_answer(modeled, start_logits, end_logits)
        return SpanLogits(start_logits, end_logits, no_answer_logits)

    def embed(self, batch: SpanBatch) -> tuple[Tensor, Tensor]:
        """Embed the words of both texts, (B, C, D) and (B, Q, D)."""
        context, question = self.embedder(batch)
        if self.gate is None:
            return context, question
        return self.gate(context, batch.context_mask), self.gate(question, batch.question_mask)

    def read(self, batch: SpanBatch, context: Tensor, question: Tensor) -> tuple[Tensor, Tensor]:
        """Read each text with its features: (B, C, N * 2H), (B, Q, N * 2H), all layers joined."""
        aligned = self.aligned_question(context, question, batch.question_mask)  # (B, C, D)
        described = torch.cat([context, aligned, self.features(batch)], dim=2)  # (B, C, 2D + F)
        context_read = self.context_reading(described, batch.context_mask)
        return context_read, self.question_reading(question, batch.question_mask)

    def boosted(self, batch: SpanBatch, history: list[Tensor]) -> Tensor:
        """Join each context token with others by its history, and read it again: (B, C, 2H)."""
        understood = history[-1]  # (B, C, 2H)
        if self.boost is not None:
            whole = self.joined(history)  # (B, C, D + (N + 2) * 2H)
            understood = self.boost(whole, understood, whole, [understood], batch.context_mask)
        modeled: Tensor = self.final(understood, batch.context_mask)
        return modeled

    def joined(self, history: list[Tensor]) -> Tensor:
        """Join the parts of a text's history, some of whose features are dropped in training."""
        dropped: Tensor = self.dropout(torch.cat(history, dim=2))
        return dropped
