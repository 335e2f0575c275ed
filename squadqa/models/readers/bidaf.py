"""Bidirectional attention flow.

Reference: Seo, Kembhavi, Farhadi and Hajishirzi, 2017, Bidirectional Attention Flow for Machine
Comprehension (arXiv 1611.01603), section 2.

Departs from the paper: word vectors and characters are projected to d before the highway
(`embedding_size`; None keeps their joined width), and both are computed once for each distinct word
form. One BiLSTM reads both texts, as in the authors' code. The end's BiLSTM reads only M, as in the
paper but not in that code.

Letters: B batch, P distinct contexts, C context tokens, Q question tokens, U distinct word forms, D
embedding width, d `hidden_size`.
"""

from torch import Tensor, nn

from squadqa.batch import Sizes, SpanBatch
from squadqa.errors import require_range
from squadqa.models.base import ContextFirstReader, SpanLogits
from squadqa.models.embedder import Embedder, WordInQuestion
from squadqa.nn.attention import BidirectionalAttention
from squadqa.nn.char_cnn import CharCNN
from squadqa.nn.dropout import SequenceDropout
from squadqa.nn.masking import mask_logits
from squadqa.nn.no_answer import NoAnswerHead
from squadqa.nn.rnn import Cell, StackedBiRNN


class BiDAF(ContextFirstReader):
    """Attention between context and question in both directions, then two more BiLSTMs.

    Args:
        sizes: The sizes of the data.
        char_cnn: Character encoder; None leaves characters out.
        embedding_size: Width that vectors and characters are projected to; None: no projection.
        hidden_size: d, the width of an RNN direction.
        num_highway_layers: Highway layers over a word's embedding.
        num_modeling_layers: RNN layers over the output of attention.
        cell: Cell of the RNNs: "lstm" as in the paper, "gru" or "sru".
        tuned_words: How many of the most frequent word forms have trainable vectors.
        word_in_question: Add a feature: whether a context token occurs in the question; "before"
            (or true) the context's encoder, or "after" it, to what compares the texts.
        dropout: Share dropped in training of the character encoder's output, of each RNN layer's
            input and of the input of the final scores.
        variational: Drop the same features at every step of a sequence.
        max_span_length: Longest answer to predict, in tokens.
    """

    def __init__(
        self,
        sizes: Sizes,
        *,
        char_cnn: CharCNN | None = None,
        embedding_size: int | None = 100,
        hidden_size: int = 100,
        num_highway_layers: int = 2,
        num_modeling_layers: int = 2,
        cell: Cell = "lstm",
        tuned_words: int = 0,
        word_in_question: WordInQuestion = False,
        dropout: float = 0.2,
        variational: bool = False,
        max_span_length: int = 17,
    ) -> None:
        super().__init__(max_span_length=max_span_length)
        require_range(1, hidden_size=hidden_size)
        require_range(0, num_highway_layers=num_highway_layers)
        require_range(1, num_modeling_layers=num_modeling_layers)
        self.embedder = Embedder(
            sizes,
            char_cnn=char_cnn,
            embedding_size=embedding_size,
            tuned_words=tuned_words,
            word_in_question=word_in_question,
            num_highway_layers=num_highway_layers,
            char_dropout=dropout,
        )

        def rnn(input_size: int, num_layers: int = 1) -> StackedBiRNN:
            return StackedBiRNN(
                input_size,
                hidden_size,
                num_layers=num_layers,
                cell=cell,
                dropout=dropout,
                variational=variational,
            )

        self.contextual_rnn = rnn(self.embedder.output_size)
        encoded = self.contextual_rnn.output_size
        self.attention = BidirectionalAttention(encoded + self.embedder.num_marks)
        attended = self.attention.output_size
        self.modeling_rnn = rnn(attended, num_modeling_layers)
        self.end_rnn = rnn(encoded)
        self.dropout = SequenceDropout(dropout, variational=variational)
        # The weights of [G; M] and of [G; M2] are split, so that G is read once for start and end.
        self.attended_scores = nn.Linear(attended, 2, bias=False)
        self.start_scores = nn.Linear(encoded, 1, bias=False)
        self.end_scores = nn.Linear(encoded, 1, bias=False)
        self.no_answer = NoAnswerHead(encoded) if sizes.abstains else None

    def encode(self, context: Tensor, context_mask: Tensor) -> Tensor:
        """Encode embedded contexts, (P, C, D), to (P, C, 2d)."""
        encoded: Tensor = self.contextual_rnn(context, context_mask)
        return encoded

    def forward(self, batch: SpanBatch, context_encoded: Tensor | None = None) -> SpanLogits:
        """Score every context token as start and as end; padded tokens are masked."""
        context_mask, question_mask = batch.context_mask, batch.question_mask
        context_encoded, question = self.read_texts(batch, context_encoded)  # (B, C, 2d): H
        question_encoded = self.contextual_rnn(question, question_mask)  # (B, Q, 2d): U
        question_encoded = self.embedder.mark_question(question_encoded, batch)
        attended = self.attention(
            context_encoded, question_encoded, context_mask, question_mask
        )  # (B, C, 8d): G
        context_modeled = self.modeling_rnn(attended, context_mask)  # (B, C, 2d): M
        end_modeled = self.end_rnn(context_modeled, context_mask)  # (B, C, 2d): M2

        start_attended, end_attended = self.attended_scores(self.dropout(attended)).unbind(2)
        start_logits = start_attended + self.start_scores(self.dropout(context_modeled)).squeeze(2)
        end_logits = end_attended + self.end_scores(self.dropout(end_modeled)).squeeze(2)
        start_logits = mask_logits(start_logits, context_mask)
        end_logits = mask_logits(end_logits, context_mask)
        no_answer_logits = self.score_no_answer(context_modeled, start_logits, end_logits)
        return SpanLogits(start_logits, end_logits, no_answer_logits)
