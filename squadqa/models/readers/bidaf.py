"""Bidirectional attention flow.

Reference: Seo, Kembhavi, Farhadi and Hajishirzi, 2017, Bidirectional Attention Flow for Machine
Comprehension (arXiv 1611.01603), section 2.

Departs from the paper: word vectors and characters are projected to d before the highway
(`embedding_size`; None keeps their joined width), and both stand once for each distinct word form.
One BiLSTM reads both texts, as in the authors' code; the end's BiLSTM reads M alone, as the paper
says and that code does not.

Letters: B batch, C context tokens, Q question tokens, U distinct word forms, D embedding width,
d `hidden_size`.
"""

import torch.nn.functional as F
from torch import nn

from squadqa.batch import SpanBatch
from squadqa.models.base import SpanLogits, SpanReader
from squadqa.models.token_encoder import TokenEncoder
from squadqa.models.word_in_question import WordInQuestion
from squadqa.nn.attention import BidirectionalAttention
from squadqa.nn.char_cnn import CharCNN
from squadqa.nn.dropout import SequenceDropout
from squadqa.nn.highway import Highway
from squadqa.nn.masking import mask_logits
from squadqa.nn.rnn import StackedBiRNN


class BiDAF(SpanReader):
    """Context and question attend to each other; what they find runs through two more BiLSTMs.

    Args:
        vector_size: Width of the pretrained word vectors.
        char_cnn: Character encoder; None leaves characters out.
        embedding_size: Width that vectors and characters are projected to; None keeps them.
        hidden_size: d, the width of an LSTM direction.
        num_highway_layers: Highway layers over a word's embedding.
        num_modeling_layers: BiLSTM layers over what attention gave.
        tuned_words: How many of the most frequent word forms have vectors that are trained on.
        word_in_question: Tell the reader which context tokens the question holds.
        dropout: Share dropped in training of the character encoder's output, of each LSTM layer's
            input and of what is scored.
        variational: Drop the same features at every step of a sequence.
    """

    def __init__(
        self,
        vector_size: int,
        *,
        char_cnn: CharCNN | None = None,
        embedding_size: int | None = 100,
        hidden_size: int = 100,
        num_highway_layers: int = 2,
        num_modeling_layers: int = 2,
        tuned_words: int = 0,
        word_in_question: bool = False,
        dropout: float = 0.2,
        variational: bool = False,
    ) -> None:
        super().__init__()
        self.words = TokenEncoder(
            vector_size,
            char_cnn=char_cnn,
            output_size=embedding_size,
            tuned_words=tuned_words,
            char_dropout=dropout,
        )
        embedded = self.words.output_size
        self.matches = WordInQuestion(word_in_question)
        self.highway = Highway(embedded, num_layers=num_highway_layers)

        def rnn(input_size: int, num_layers: int = 1) -> StackedBiRNN:
            return StackedBiRNN(
                input_size,
                hidden_size,
                num_layers=num_layers,
                dropout=dropout,
                variational=variational,
            )

        self.contextual_rnn = rnn(embedded + self.matches.size)
        encoded = self.contextual_rnn.output_size
        self.attention = BidirectionalAttention(encoded)
        attended = self.attention.output_size
        self.modeling_rnn = rnn(attended, num_modeling_layers)
        self.end_rnn = rnn(encoded)
        self.dropout = SequenceDropout(dropout, variational=variational)
        # The weights of [G; M] and of [G; M2], apart: start and end read G together.
        self.attended_scores = nn.Linear(attended, 2, bias=False)
        self.start_scores = nn.Linear(encoded, 1, bias=False)
        self.end_scores = nn.Linear(encoded, 1, bias=False)

    def forward(self, batch: SpanBatch) -> SpanLogits:
        """Score every context token as start and as end; padded tokens are masked."""
        context_mask, question_mask = batch.context_mask, batch.question_mask
        words = self.highway(self.words(batch.forms))  # (U, D)
        context_embedded = F.embedding(batch.context_ids, words)  # (B, C, D)
        question_embedded = F.embedding(batch.question_ids, words)  # (B, Q, D)
        context_embedded, question_embedded = self.matches(
            batch, context_embedded, question_embedded
        )

        context_encoded = self.contextual_rnn(context_embedded, context_mask)  # (B, C, 2d): H
        question_encoded = self.contextual_rnn(question_embedded, question_mask)  # (B, Q, 2d): U
        attended = self.attention(
            context_encoded, question_encoded, context_mask, question_mask
        )  # (B, C, 8d): G
        context_modeled = self.modeling_rnn(attended, context_mask)  # (B, C, 2d): M
        end_modeled = self.end_rnn(context_modeled, context_mask)  # (B, C, 2d): M2

        start_attended, end_attended = self.attended_scores(self.dropout(attended)).unbind(2)
        start_logits = start_attended + self.start_scores(self.dropout(context_modeled)).squeeze(2)
        end_logits = end_attended + self.end_scores(self.dropout(end_modeled)).squeeze(2)
        return SpanLogits(
            start_logits=mask_logits(start_logits, context_mask),
            end_logits=mask_logits(end_logits, context_mask),
        )
