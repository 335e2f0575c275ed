"""Match-LSTM with an answer pointer, in the boundary form.

Reference: Wang and Jiang, 2017, Machine Comprehension Using Match-LSTM and Answer Pointer (arXiv
1608.07905), section 2.

Departs from the paper: characters are read in addition to the word vectors (`char_cnn`; None reads
only vectors, as in the paper), and both are projected to the width of the LSTMs once for each
distinct word form (`embedding_size`; None leaves this out). The encoder's LSTM has an output gate,
and each direction of a bidirectional one has its own weights. The pointer's first state is learned;
the authors' code has zeros, to which the weights of the LSTM could not be applied. A bidirectional
pointer's two scores of a token are added. Dropout is as in the authors' code.

Letters: B batch, P distinct contexts, C context tokens, Q question tokens, U distinct word forms, D
embedding width, l `hidden_size`, E width of the encodings: l, or 2l if the encoder is
bidirectional.
"""

import torch
from torch import Tensor, nn

from squadqa.batch import Sizes, SpanBatch
from squadqa.errors import ConfigError, require_range
from squadqa.models.base import ContextFirstReader, SpanLogits
from squadqa.models.embedder import Embedder, WordInQuestion
from squadqa.nn.char_cnn import CharCNN
from squadqa.nn.match import MatchLSTMLayer
from squadqa.nn.no_answer import NoAnswerHead
from squadqa.nn.pointer import AnswerPointer
from squadqa.nn.rnn import Cell, StackedBiRNN


class MatchLSTM(ContextFirstReader):
    """An LSTM that attends to the question at every token, and a pointer to start, then end.

    Args:
        sizes: The sizes of the data.
        char_cnn: Character encoder; None leaves characters out.
        embedding_size: Width that vectors and characters are projected to; None: no projection.
        hidden_size: l, width of every RNN direction and of all attention.
        cell: Cell of a bidirectional encoder: "lstm" as in the paper, "gru" or "sru". The
            match-LSTM and the pointers stay LSTMs.
        bidirectional_encoder: Encode both texts in both directions instead of only forwards.
        bidirectional_pointer: Also point in the other order, at the end before the start.
        tuned_words: How many of the most frequent word forms have trainable vectors.
        word_in_question: Add a feature: whether a context token occurs in the question; "before"
            (or true) the context's encoder, or "after" it, to what compares the texts.
        embedding_dropout: Share of word embeddings dropped in training.
        dropout: Share of the pointer's input dropped in training.
        variational: Drop the same features at every step of a sequence.
        max_span_length: Longest answer to predict, in tokens.
    """

    def __init__(
        self,
        sizes: Sizes,
        *,
        char_cnn: CharCNN | None = None,
        embedding_size: int | None = 150,
        hidden_size: int = 150,
        cell: Cell = "lstm",
        bidirectional_encoder: bool = False,
        bidirectional_pointer: bool = False,
        tuned_words: int = 0,
        word_in_question: WordInQuestion = False,
        embedding_dropout: float = 0.4,
        dropout: float = 0.2,
        variational: bool = False,
        max_span_length: int = 17,
    ) -> None:
        super().__init__(max_span_length=max_span_length)
        require_range(1, hidden_size=hidden_size)
        if cell != "lstm" and not bidirectional_encoder:
            raise ConfigError(
                f'cell cannot be "{cell}" without a bidirectional encoder',
                next_step="Set bidirectional_encoder: true, or leave cell out.",
            )
        self.embedder = Embedder(
            sizes,
            char_cnn=char_cnn,
            embedding_size=embedding_size,
            tuned_words=tuned_words,
            word_in_question=word_in_question,
            dropout=embedding_dropout,
            variational=variational,
        )
        embedded = self.embedder.output_size
        self.encoder: StackedBiRNN | nn.LSTM
        if bidirectional_encoder:
            self.encoder = StackedBiRNN(embedded, hidden_size, num_layers=1, cell=cell)
            encoded = self.encoder.output_size
        else:
            self.encoder = nn.LSTM(embedded, hidden_size, batch_first=True)
            encoded = hidden_size
        self.match = MatchLSTMLayer(encoded + self.embedder.num_marks, hidden_size)
        self.pointers = nn.ModuleList(
            AnswerPointer(
                self.match.output_size,
                hidden_size,
                hidden_size=hidden_size,
                cell="lstm",
                dropout=dropout,
            )
            for _ in range(1 + bidirectional_pointer)
        )
        self.pointer_states = nn.Parameter(torch.empty(len(self.pointers), hidden_size))
        nn.init.uniform_(self.pointer_states, -(hidden_size**-0.5), hidden_size**-0.5)
        self.no_answer = NoAnswerHead(self.match.output_size) if sizes.abstains else None

    def encode(self, context: Tensor, context_mask: Tensor) -> Tensor:
        """Encode embedded texts, (P, C, D), to (P, C, E): contexts, and questions likewise."""
        if isinstance(self.encoder, StackedBiRNN):
            return self.encoder(context, context_mask)
        return self.encoder(context)[0]

    def forward(self, batch: SpanBatch, context_encoded: Tensor | None = None) -> SpanLogits:
        """Score every context token as start and as end; padded tokens are masked."""
        context_encoded, question = self.read_texts(batch, context_encoded)  # (B, C, E): H^p
        question_encoded = self.encode(question, batch.question_mask)  # (B, Q, E): H^q
        question_encoded = self.embedder.mark_question(question_encoded, batch)
        matched = self.match(
            context_encoded, batch.context_mask, question_encoded, batch.question_mask
        )  # (B, C, 2l): H^r

        states = self.pointer_states[:, None].expand(-1, matched.shape[0], -1)  # (1 or 2, B, l)
        start_logits, end_logits = self.pointers[0](matched, batch.context_mask, states[0])
        for pointer, state in zip(self.pointers[1:], states[1:], strict=True):
            more_end, more_start = pointer(matched, batch.context_mask, state)  # (B, C)
            start_logits, end_logits = start_logits + more_start, end_logits + more_end
        no_answer_logits = self.score_no_answer(matched, start_logits, end_logits)
        return SpanLogits(start_logits, end_logits, no_answer_logits)
