"""A scorer that reads both texts by recurrent networks, and scores candidates by their two ends.

Reference: Lee, Salant, Kwiatkowski, Parikh, Das and Berant, 2016, Learning Recurrent Span
Representations for Extractive Question Answering (RaSoR, arXiv 1611.01436), section 3.

It stands between the two families. Like a reader it encodes the context, each token together with
the question's words most like it (the passage-aligned question) and with the question as a whole
(the passage-independent one). Like a scorer it chooses among candidates: a network of one hidden
layer scores each by the encodings of its first and its last token.

Departs from the paper: candidates come from the data, where the paper takes all spans of up to 30
tokens. The hidden layer is computed for tokens and added up for candidates, as it is linear in the
two ends before its activation. Characters are read too, a token is told whether the question holds
it, and vectors and characters are projected to a narrow embedding; the cell is a simple recurrent
unit unless another is named.

Letters: B batch, C context tokens, Q question tokens, N candidates, U distinct word forms, D
embedding width, H `hidden_size`, S `score_size`.
"""

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from squadqa.batch import CandidateBatch, Sizes
from squadqa.errors import require_range
from squadqa.models.base import CandidateLoss, CandidateScorer, Choose
from squadqa.models.scorers.feature_groups import at
from squadqa.models.scorers.no_answer import NoAnswerCandidate
from squadqa.models.token_encoder import TokenEncoder
from squadqa.nn.attention import AlignedQuestion, AttentionPooling
from squadqa.nn.char_cnn import CharCNN
from squadqa.nn.dropout import SequenceDropout
from squadqa.nn.kernels.products import linear
from squadqa.nn.masking import mask_logits
from squadqa.nn.rnn import Cell, StackedBiRNN

NUM_MARKS = 2
"""Marks of a token: being a word of the question, and being one that is no article or punctuation.
"""


class RaSoRScorer(CandidateScorer):
    """Scores candidates by the encodings of their first and last tokens.

    Args:
        sizes: The sizes of the data.
        char_cnn: Character encoder; None leaves characters out.
        embedding_size: D, the width that a word's vector and characters are projected to.
        hidden_size: H, the width of an RNN direction.
        num_layers: RNN layers over each text.
        score_size: S, the width of the hidden layer that scores candidates.
        cell: Cell of the RNNs: "sru", or "lstm" as in the paper, or "gru".
        word_in_question: Tell the context's encoder which words the question holds.
        embedding_dropout: Share of word embeddings dropped in training.
        dropout: Share of each RNN layer's input and of the encodings dropped in training.
        loss: "softmax" over the paragraph's candidates, or "binary": each candidate is a separate
            sample, right or wrong.
        choose: "probable" takes the most probable candidate, "expected_f1" the one of the highest
            expected F1.

    Raises:
        ConfigError: The data has no word vectors, or a number is out of its range.
    """

    def __init__(
        self,
        sizes: Sizes,
        *,
        char_cnn: CharCNN | None = None,
        embedding_size: int = 128,
        hidden_size: int = 128,
        num_layers: int = 2,
        score_size: int = 128,
        cell: Cell = "sru",
        word_in_question: bool = True,
        embedding_dropout: float = 0.2,
        dropout: float = 0.2,
        loss: CandidateLoss = "softmax",
        choose: Choose = "probable",
    ) -> None:
        super().__init__(loss=loss, choose=choose)
        require_range(1, embedding_size=embedding_size, hidden_size=hidden_size)
        require_range(1, num_layers=num_layers, score_size=score_size)
        self.word_in_question = word_in_question
        self.words = TokenEncoder(sizes, char_cnn=char_cnn, output_size=embedding_size)
        self.embedding_dropout = SequenceDropout(embedding_dropout, variational=True)
        self.aligned_question = AlignedQuestion(embedding_size)

        def rnn(input_size: int) -> StackedBiRNN:
            return StackedBiRNN(
                input_size,
                hidden_size,
                num_layers=num_layers,
                cell=cell,
                dropout=dropout,
                variational=True,
            )

        self.question_rnn = rnn(embedding_size)
        encoded = self.question_rnn.output_size
        self.question_pooling = AttentionPooling(encoded)
        described = 2 * embedding_size + NUM_MARKS * word_in_question
        # One layer over [token; aligned question; question], whose last part is that of all tokens.
        self.described = nn.Linear(described, embedding_size)
        self.asked = nn.Linear(encoded, embedding_size, bias=False)
        self.context_rnn = rnn(embedding_size)
        self.dropout = SequenceDropout(dropout, variational=True)
        self.ends = nn.Linear(encoded, 2 * score_size)
        self.output = nn.Linear(score_size, 1)
        self.no_answer = NoAnswerCandidate() if sizes.abstains else None

    def forward(self, batch: CandidateBatch) -> Tensor:
        """Return the (B, N) `candidate_logits`; padded candidates are masked."""
        encoded = self.encode(batch)  # (B, C, 2H)
        ends = linear(encoded, self.ends.weight, self.ends.bias)  # (B, C, 2S)
        as_first, as_last = ends.chunk(2, dim=2)  # (B, C, S) each
        first, last = batch.candidate_spans.unbind(2)  # (B, N)
        hidden = (at(as_first, first) + at(as_last, last)).relu()  # (B, N, S)
        return mask_logits(self.output(hidden).squeeze(2), batch.candidate_mask)

    def encode(self, batch: CandidateBatch) -> Tensor:
        """Encode each context token as its question sees it, (B, C, 2H)."""
        assert batch.words is not None
        words = self.words(batch.words.forms)  # (U, D)
        context = self.embedding_dropout(F.embedding(batch.words.context_ids, words))  # (B, C, D)
        question = self.embedding_dropout(F.embedding(batch.words.question_ids, words))  # (B, Q, D)
        question_mask = batch.words.question_ids > 0
        parts = [context, self.aligned_question(context, question, question_mask)]
        if self.word_in_question:
            matched = batch.matched_places >= 0  # (B, C)
            marks = torch.stack([matched, matched & batch.tree.counted], dim=2)
            parts.append(marks.to(words.dtype))
        asked = self.question_pooling(
            self.question_rnn(question, question_mask), question_mask
        )  # (B, 2H)
        token = linear(torch.cat(parts, dim=2), self.described.weight, self.described.bias)
        read = self.context_rnn(token + self.asked(asked)[:, None, :], batch.tree.mask)
        encoded: Tensor = self.dropout(read)
        return encoded
