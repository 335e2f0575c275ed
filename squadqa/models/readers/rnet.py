"""R-Net: gated attention over the question, then of the context over itself, and a pointer network.

Reference: Wang, Yang, Wei, Chang and Zhou, 2017, R-Net: Machine Reading Comprehension with
Self-Matching Networks (Microsoft Research Asia), section 3.

Departs from the paper: the default is a variant that reaches the published score (71.1 exact match,
79.5 F1). In it scaled dot products of ReLU projections compare texts before an RNN reads the result
(`attention`), while the paper's RNN attends by its current state; one encoder reads both texts
(`shared_encoder`); the outputs of all its layers are joined (`concat_layers`); dropout is 0.3
instead of 0.2. The paper's own form has attention: additive, shared_encoder: false, concat_layers:
false, dropout: 0.2. In both forms dropout is variational, a character CNN replaces the paper's RNN
over characters, and a bias replaces V_r^Q.

Letters: B batch, P distinct contexts, C context tokens, Q question tokens, D embedding width, E
width of the encodings, H hidden width.
"""

from torch import Tensor, nn

from squadqa.batch import Sizes, SpanBatch
from squadqa.errors import require_range
from squadqa.models.base import ContextFirstReader, SpanLogits
from squadqa.models.embedder import Embedder, WordInQuestion
from squadqa.nn.char_cnn import CharCNN
from squadqa.nn.gated_attention import GatedMatch
from squadqa.nn.gated_attention_rnn import GatedAttentionRNN
from squadqa.nn.no_answer import NoAnswerHead
from squadqa.nn.pointer import AdditivePooling, AnswerPointer
from squadqa.nn.rnn import Cell, StackedBiRNN
from squadqa.nn.similarity import Similarity


class RNet(ContextFirstReader):
    """BiGRUs over context and question, two gated matchings, a pointer that starts at the question.

    Args:
        sizes: The sizes of the data.
        char_cnn: Character encoder; None leaves characters out.
        embedding_size: Width that vectors and characters are projected to; None: no projection.
        hidden_size: H, width of an RNN direction and of all attention.
        num_layers: RNN layers of the encoder.
        cell: Cell of the RNNs: "gru" as in the paper, "lstm" or "sru". An RNN that attends by its
            own state (`attention`) and the pointer stay GRUs.
        attention: "dot": scaled dot products, before the RNN; "additive": as in the paper, where
            attention over the question reads the RNN's state and goes token by token.
        shared_encoder: One encoder for both texts; otherwise one for each.
        concat_layers: Join the outputs of all layers of the encoder; otherwise take the last
            layer's.
        tuned_words: How many of the most frequent word forms have trainable vectors.
        word_in_question: Add a feature: whether a context token occurs in the question; "before"
            (or true) the context's encoder, or "after" it, to what compares the texts.
        dropout: Share of each layer's input dropped in training, the same at every token.
        max_span_length: Longest answer to predict, in tokens.
    """

    def __init__(
        self,
        sizes: Sizes,
        *,
        char_cnn: CharCNN | None = None,
        embedding_size: int | None = None,
        hidden_size: int = 75,
        num_layers: int = 3,
        cell: Cell = "gru",
        attention: Similarity = "dot",
        shared_encoder: bool = True,
        concat_layers: bool = True,
        tuned_words: int = 0,
        word_in_question: WordInQuestion = False,
        dropout: float = 0.3,
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
                variational=True,
                concat_layers=concat_layers,
            )

        self.encoder = encoder()
        self.question_encoder = None if shared_encoder else encoder()
        encoded = self.encoder.output_size
        self.question_match: nn.Module
        marked = encoded + self.embedder.num_marks
        if attention == "dot":
            self.question_match = GatedMatch(
                marked, encoded, hidden_size=hidden_size, cell=cell, dropout=dropout
            )
        else:
            self.question_match = GatedAttentionRNN(
                marked, encoded, hidden_size=hidden_size, dropout=dropout
            )
        matched = 2 * hidden_size
        self.self_match = GatedMatch(
            matched,
            matched,
            hidden_size=hidden_size,
            similarity=attention,
            cell=cell,
            dropout=dropout,
        )
        self.question_pooling = AdditivePooling(matched, hidden_size=hidden_size)
        self.pointer = AnswerPointer(
            matched, matched, hidden_size=hidden_size, cell="gru", dropout=dropout
        )
        self.no_answer = NoAnswerHead(matched) if sizes.abstains else None

    def encode(self, context: Tensor, context_mask: Tensor) -> Tensor:
        """Encode embedded contexts, (P, C, D), to (P, C, E)."""
        encoded: Tensor = self.encoder(context, context_mask)
        return encoded

    def forward(self, batch: SpanBatch, context_encoded: Tensor | None = None) -> SpanLogits:
        """Score every context token as start and as end; padded tokens are masked."""
        context_mask, question_mask = batch.context_mask, batch.question_mask
        encode_question = self.encoder if self.question_encoder is None else self.question_encoder
        context_encoded, question = self.read_texts(batch, context_encoded)  # (B, C, E), (B, Q, D)
        question_encoded = encode_question(question, question_mask)  # (B, Q, E)

        matched = self.question_match(
            context_encoded, context_mask, question_encoded, question_mask
        )  # (B, C, 2H)
        context_modeled = self.self_match(matched, context_mask, matched, context_mask)

        last_layer = question_encoded[:, :, -matched.shape[2] :]  # (B, Q, 2H)
        pooled = self.question_pooling(last_layer, question_mask)  # (B, 2H)
        start_logits, end_logits = self.pointer(context_modeled, context_mask, pooled)  # (B, C)
        no_answer_logits = self.score_no_answer(context_modeled, start_logits, end_logits)
        return SpanLogits(start_logits, end_logits, no_answer_logits)
