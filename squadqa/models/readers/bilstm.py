"""The plain pointer: BiLSTMs over both texts, and a bilinear score of each context token.

The form that lectures teach first: represent the context, represent the question, and design a
score f(W_a, Q) of a context token W_a for the question Q. The texts are compared nowhere else, so
contexts can be encoded before any question is known, unless the encoder is told which words the
question holds (`word_in_question: before`).

Letters: B batch, P distinct contexts, C context tokens, Q question tokens, U distinct word forms, D
embedding width, H encoding width.
"""

from torch import Tensor

from squadqa.batch import Sizes, SpanBatch
from squadqa.errors import require_range
from squadqa.models.base import ContextFirstReader, SpanLogits
from squadqa.models.embedder import Embedder, WordInQuestion
from squadqa.nn.attention import AttentionPooling
from squadqa.nn.char_cnn import CharCNN
from squadqa.nn.dropout import SequenceDropout
from squadqa.nn.masking import mask_logits
from squadqa.nn.no_answer import NoAnswerHead
from squadqa.nn.pointer import BilinearPointer
from squadqa.nn.rnn import Cell, StackedBiRNN


class BiLSTMReader(ContextFirstReader):
    """BiLSTMs over context and question, compared only by two bilinear pointers.

    Args:
        sizes: The sizes of the data.
        char_cnn: Character encoder; None leaves characters out.
        embedding_size: Width that vectors and characters are projected to; None: no projection.
        hidden_size: Width of an RNN direction.
        num_layers: RNN layers of each encoder.
        cell: Cell of the RNNs: "lstm", "gru" or "sru".
        shared_encoder: Encode context and question by the same RNN instead of by one for each.
        tuned_words: How many of the most frequent word forms have trainable vectors.
        word_in_question: Add a feature: whether a context token occurs in the question; "before"
            (or true) the context's encoder, or "after" it, to the pointers.
        dropout: Share of each RNN layer's input, and of the encodings, dropped in training.
        variational: Drop the same features at every step of a sequence.
        max_span_length: Longest answer to predict, in tokens.
    """

    def __init__(
        self,
        sizes: Sizes,
        *,
        char_cnn: CharCNN | None = None,
        embedding_size: int | None = None,
        hidden_size: int = 128,
        num_layers: int = 2,
        cell: Cell = "lstm",
        shared_encoder: bool = True,
        tuned_words: int = 0,
        word_in_question: WordInQuestion = False,
        dropout: float = 0.2,
        variational: bool = False,
        max_span_length: int = 17,
    ) -> None:
        super().__init__(max_span_length=max_span_length)
        require_range(1, hidden_size=hidden_size)
        require_range(1, num_layers=num_layers)
        self.embedder = Embedder(
            sizes,
            char_cnn=char_cnn,
            embedding_size=embedding_size,
            tuned_words=tuned_words,
            word_in_question=word_in_question,
        )

        def encoder() -> StackedBiRNN:
            return StackedBiRNN(
                self.embedder.output_size,
                hidden_size,
                num_layers=num_layers,
                cell=cell,
                dropout=dropout,
                variational=variational,
            )

        self.context_rnn = encoder()
        self.question_rnn = self.context_rnn if shared_encoder else encoder()
        encoded = self.context_rnn.output_size
        self.dropout = SequenceDropout(dropout, variational=variational)
        self.question_pooling = AttentionPooling(encoded)
        keeps = self.context_rnn.keeps_variance
        context_size = encoded + self.embedder.num_marks
        self.start_pointer = BilinearPointer(context_size, encoded, keeps_variance=keeps)
        self.end_pointer = BilinearPointer(context_size, encoded, keeps_variance=keeps)
        self.no_answer = NoAnswerHead(context_size) if sizes.abstains else None

    def encode(self, context: Tensor, context_mask: Tensor) -> Tensor:
        """Encode embedded contexts, (P, C, D), to (P, C, H)."""
        encoded: Tensor = self.context_rnn(context, context_mask)
        return encoded

    def forward(self, batch: SpanBatch, context_encoded: Tensor | None = None) -> SpanLogits:
        """Score every context token as start and as end; padded tokens are masked."""
        context_encoded, question = self.read_texts(batch, context_encoded)  # (B, C, H), (B, Q, D)
        question_encoded = self.question_rnn(question, batch.question_mask)  # (B, Q, H)
        context_encoded = self.dropout(context_encoded)
        question_encoded = self.dropout(question_encoded)
        pooled = self.question_pooling(question_encoded, batch.question_mask)  # (B, H)

        start_logits = self.start_pointer(context_encoded, pooled)  # (B, C)
        end_logits = self.end_pointer(context_encoded, pooled)  # (B, C)
        start_logits = mask_logits(start_logits, batch.context_mask)
        end_logits = mask_logits(end_logits, batch.context_mask)
        no_answer_logits = self.score_no_answer(context_encoded, start_logits, end_logits)
        return SpanLogits(start_logits, end_logits, no_answer_logits)
