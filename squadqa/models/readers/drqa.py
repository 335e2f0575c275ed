"""The DrQA document reader.

Reference: Chen, Fisch, Weston and Bordes, 2017, Reading Wikipedia to Answer Open-Domain Questions
(arXiv 1704.00051), section 3.2.

Departs from the paper: word vectors and characters are projected to one narrow embedding first
(`embedding_size`; None leaves this out), at a fifth of the cost of the paper's first layer. The
character encoder is ours. The pointers' products with the question have a bias.

Letters: B batch, C context tokens, Q question tokens, D embedding width, F token features.
"""

import torch
import torch.nn.functional as F
from torch import Tensor

from squadqa.batch import NUM_ENTITIES, NUM_TAGS, Sizes, SpanBatch
from squadqa.errors import require_range
from squadqa.models.base import SpanLogits, SpanReader
from squadqa.models.embedder import NUM_FORM_MATCHES, Embedder
from squadqa.nn.attention import AlignedQuestion, AttentionPooling
from squadqa.nn.char_cnn import CharCNN
from squadqa.nn.dropout import SequenceDropout
from squadqa.nn.masking import mask_logits
from squadqa.nn.no_answer import NoAnswerHead
from squadqa.nn.pointer import BilinearPointer
from squadqa.nn.rnn import Cell, StackedBiRNN

NUM_MATCHES = 3
"""Exact, lower-case and lemma match with the question."""


class DrQAReader(SpanReader):
    """Stacked BiLSTMs over context features and question, joined by two bilinear pointers.

    Args:
        sizes: The sizes of the data.
        char_cnn: Character encoder; None leaves characters out.
        embedding_size: Width that vectors and characters are projected to; None: no projection.
        hidden_size: Width of an RNN direction.
        num_layers: RNN layers of each of the two encoders.
        cell: Cell of the RNNs: "lstm" as in the paper, "gru" or "sru".
        tuned_words: How many of the most frequent word forms have trainable vectors.
        use_annotation: Read part of speech, entity type and lemma match of context tokens.
        embedding_dropout: Share of word embeddings dropped in training.
        dropout: Share of each RNN layer's input, and of the encodings, dropped in training.
        variational: Drop the same features at every step of a sequence.
        max_span_length: Longest answer to predict, in tokens.
    """

    def __init__(
        self,
        sizes: Sizes,
        *,
        char_cnn: CharCNN | None = None,
        embedding_size: int | None = 128,
        hidden_size: int = 128,
        num_layers: int = 3,
        cell: Cell = "lstm",
        tuned_words: int = 1000,
        use_annotation: bool = True,
        embedding_dropout: float = 0.3,
        dropout: float = 0.3,
        variational: bool = False,
        max_span_length: int = 17,
    ) -> None:
        super().__init__(max_span_length=max_span_length)
        require_range(1, hidden_size=hidden_size)
        require_range(1, num_layers=num_layers)
        self.use_annotation = use_annotation
        self.embedder = Embedder(
            sizes,
            char_cnn=char_cnn,
            embedding_size=embedding_size,
            tuned_words=tuned_words,
            dropout=embedding_dropout,
            variational=variational,
        )
        embedded = self.embedder.output_size
        self.aligned_question = AlignedQuestion(embedded)
        features = NUM_MATCHES + 1 + NUM_TAGS + NUM_ENTITIES if use_annotation else NUM_MATCHES
        self.context_rnn = StackedBiRNN(
            2 * embedded + features,
            hidden_size,
            num_layers=num_layers,
            cell=cell,
            dropout=dropout,
            variational=variational,
            concat_layers=True,
        )
        self.question_rnn = StackedBiRNN(
            embedded,
            hidden_size,
            num_layers=num_layers,
            cell=cell,
            dropout=dropout,
            variational=variational,
            concat_layers=True,
        )
        encoded = self.context_rnn.output_size
        self.encoding_dropout = SequenceDropout(dropout, variational=variational)
        self.question_pooling = AttentionPooling(encoded)
        keeps = self.context_rnn.keeps_variance
        self.start_pointer = BilinearPointer(encoded, encoded, keeps_variance=keeps)
        self.end_pointer = BilinearPointer(encoded, encoded, keeps_variance=keeps)
        self.no_answer = NoAnswerHead(encoded) if sizes.abstains else None

    def forward(self, batch: SpanBatch) -> SpanLogits:
        """Score every context token as start and as end; padded tokens are masked."""
        context, question = self.embedder(batch)  # (B, C, D), (B, Q, D)
        aligned = self.aligned_question(context, question, batch.question_mask)  # (B, C, D)
        context_input = torch.cat([context, aligned, self._features(batch)], dim=2)

        context_encoded = self.context_rnn(context_input, batch.context_mask)  # (B, C, 2HL)
        question_encoded = self.question_rnn(question, batch.question_mask)  # (B, Q, 2HL)
        context_encoded = self.encoding_dropout(context_encoded)
        question_encoded = self.encoding_dropout(question_encoded)
        pooled = self.question_pooling(question_encoded, batch.question_mask)  # (B, 2HL)

        start_logits = self.start_pointer(context_encoded, pooled)  # (B, C)
        end_logits = self.end_pointer(context_encoded, pooled)  # (B, C)
        start_logits = mask_logits(start_logits, batch.context_mask)
        end_logits = mask_logits(end_logits, batch.context_mask)
        no_answer_logits = self.score_no_answer(context_encoded, start_logits, end_logits)
        return SpanLogits(start_logits, end_logits, no_answer_logits)

    def _features(self, batch: SpanBatch) -> Tensor:
        """Token features of the context, (B, C, F)."""
        frequency = batch.context_term_frequency[:, :, None]
        if not self.use_annotation:
            return torch.cat([batch.context_matches[:, :, :NUM_FORM_MATCHES], frequency], dim=2)
        return torch.cat(
            [
                batch.context_matches,
                frequency,
                F.one_hot(batch.context_tags, NUM_TAGS),
                F.one_hot(batch.context_entities, NUM_ENTITIES),
            ],
            dim=2,
        )
