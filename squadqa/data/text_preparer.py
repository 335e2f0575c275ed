"""Texts prepared in memory, one after the other, with pipeline and vectors kept open."""

from collections.abc import Sequence

from squadqa.data.prepare import PreparedData, prepare_data
from squadqa.data.squad import SquadData


class TextPreparer:
    """Prepares questions about texts without the cache.

    Args:
        pipeline: spaCy pipeline that annotates; None leaves annotation out.
        vectors: Sources of word vectors, side by side.
    """

    def __init__(self, *, pipeline: str | None, vectors: Sequence[str]) -> None:
        self.pipeline = pipeline
        self.vectors = vectors

    def prepare(self, data: SquadData) -> PreparedData:
        """Prepare paragraphs and questions."""
        return prepare_data(data, pipeline=self.pipeline, vectors=self.vectors)
