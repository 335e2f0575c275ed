"""The embedder that every reader begins with: context and question as vectors.

Each distinct word form of a batch is encoded once, from its word vector and its characters, and
looked up wherever it occurs. Optionally, features that say which words occur in both texts are
joined to it, or to what an encoder makes of it.

Without these features a reader can at first only learn which kinds of words are answers; its
attention has to discover that equal words are equal. On SQuAD that takes the readers of this
package most of a pass. Only DrQA's paper has such features.

Letters: B batch, P distinct contexts, C context tokens, Q question tokens, U distinct word forms,
D width, H width of encodings.
"""

from typing import Literal

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from squadqa.batch import Sizes, SpanBatch
from squadqa.errors import ConfigError, require_range
from squadqa.models.token_encoder import TokenEncoder
from squadqa.nn.char_cnn import CharCNN
from squadqa.nn.dropout import SequenceDropout, TypeDropout
from squadqa.nn.highway import Highway

NUM_FORM_MATCHES = 2
"""Number of matches used, the first of a batch's: of the form itself, and in lower case."""

WordInQuestion = bool | Literal["none", "before", "after"]
"""Where a reader is told which words the question holds: nowhere ("none", False), before it encodes
contexts ("before", True), or after that, so that a context's encoding depends on no question."""


class Embedder(nn.Module):
    """Encodes word forms once and looks them up for both texts.

    Reference: Weissenborn, Wiese and Seiffe, 2017, Making Neural QA as Simple as Possible but not
    Simpler (arXiv 1703.04816), the binary word-in-question feature. There it compares lemmas.

    Args:
        sizes: The sizes of the data.
        char_cnn: Character encoder; None leaves characters out.
        embedding_size: Width that vectors and characters are projected to; None: no projection.
        tuned_words: How many of the most frequent word forms have trainable vectors.
        word_in_question: Join whether a token occurs in the question, as it is and in lower case;
            always true for question tokens. "before" or true joins it to each embedding, "after" to
            the encodings that `mark_context` and `mark_question` get.
        num_highway_layers: Highway layers over a word form's embedding.
        char_dropout: Share of the character encoder's output dropped in training.
        type_dropout: Share of a batch's word forms whose whole embedding is dropped in training,
            wherever they occur (Gal and Ghahramani, 2016, arXiv 1512.05287, section 4.2).
        dropout: Share of embeddings dropped in training.
        variational: Drop the same features at every token of a text.

    Raises:
        ConfigError: A value is out of its range.
    """

    def __init__(
        self,
        sizes: Sizes,
        *,
        char_cnn: CharCNN | None,
        embedding_size: int | None,
        tuned_words: int,
        word_in_question: WordInQuestion = False,
        num_highway_layers: int = 0,
        char_dropout: float = 0.0,
        type_dropout: float = 0.0,
        dropout: float = 0.0,
        variational: bool = False,
    ) -> None:
        super().__init__()
        require_range(1, embedding_size=embedding_size)
        self.words = TokenEncoder(
            sizes,
            char_cnn=char_cnn,
            output_size=embedding_size,
            tuned_words=tuned_words,
            char_dropout=char_dropout,
        )
        self.word_size = self.words.output_size
        self.highway = Highway(self.word_size, num_layers=num_highway_layers)
        self.type_dropout = TypeDropout(type_dropout)
        self.dropout = SequenceDropout(dropout, variational=variational)
        self.word_in_question = _place(word_in_question)
        self.output_size = self.word_size + NUM_FORM_MATCHES * (self.word_in_question == "before")
        self.num_marks = NUM_FORM_MATCHES if self.word_in_question == "after" else 0

    def forward(self, batch: SpanBatch, *, rows: Tensor | None = None) -> tuple[Tensor, Tensor]:
        """Embed both texts.

        Args:
            batch: The batch.
            rows: (P,) rows whose contexts to embed; None: all. They cannot be chosen if each
                embedding says which words the question holds.

        Returns:
            The contexts, (B, C, D) or (P, C, D), and the questions, (B, Q, D).
        """
        words = self.type_dropout(self.highway(self.words(batch.forms)))  # (U, D)
        context_ids = batch.context_ids if rows is None else batch.context_ids[rows]
        context = self.dropout(F.embedding(context_ids, words))  # (B or P, C, D)
        question = self.dropout(F.embedding(batch.question_ids, words))  # (B, Q, D)
        if self.word_in_question != "before":
            return context, question
        assert rows is None, "an embedding that depends on the question serves no other question"
        return _mark_context(context, batch), _mark_question(question, batch)

    def embed_question(self, batch: SpanBatch) -> Tensor:
        """Embed only the question, (B, Q, D), without encoding the context's word forms."""
        used, ids = batch.question_ids.unique(return_inverse=True)  # padding is the smallest
        if used[0] != 0:
            used, ids = F.pad(used, (1, 0)), ids + 1
        words = self.type_dropout(self.highway(self.words(batch.forms.select(used))))  # (U, D)
        question = self.dropout(F.embedding(ids, words))  # (B, Q, D)
        return _mark_question(question, batch) if self.word_in_question == "before" else question

    def mark_context(self, encoded: Tensor, batch: SpanBatch) -> Tensor:
        """Join (B, C, H) encodings with the matches if these come after: (B, C, H + num_marks)."""
        return _mark_context(encoded, batch) if self.num_marks else encoded

    def mark_question(self, encoded: Tensor, batch: SpanBatch) -> Tensor:
        """Join (B, Q, H) encodings with their matches, as `mark_context`: (B, Q, H + num_marks)."""
        return _mark_question(encoded, batch) if self.num_marks else encoded


def _place(value: WordInQuestion) -> str:
    """Return "none", "before" or "after"."""
    if isinstance(value, bool):
        return "before" if value else "none"
    if value not in ("none", "before", "after"):
        raise ConfigError(
            f'word_in_question cannot be "{value}"',
            hint='It is "none" (or false), "before" (or true) or "after".',
        )
    return value


def _mark_context(context: Tensor, batch: SpanBatch) -> Tensor:
    """Join (B, C, D) with which tokens the question holds: (B, C, D + 2)."""
    held = batch.context_matches[:, :, :NUM_FORM_MATCHES]  # (B, C, 2)
    return torch.cat([context, held], dim=2)


def _mark_question(question: Tensor, batch: SpanBatch) -> Tensor:
    """Join (B, Q, D) with its matches, which are true at every token: (B, Q, D + 2)."""
    own = batch.question_mask[:, :, None].expand(-1, -1, NUM_FORM_MATCHES)  # (B, Q, 2)
    return torch.cat([question, own.float()], dim=2)
