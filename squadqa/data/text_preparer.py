"""Preparation of new texts one after another: pipelines and vectors stay open, texts are cached."""

from collections import OrderedDict
from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any

from squadqa.data.annotation import (
    ENTITY_FINDER,
    PARSER,
    Annotation,
    annotate_each,
    join_annotations,
)
from squadqa.data.languages import ENGLISH
from squadqa.data.pipelines import find_pipeline, loaded_pipeline, require_language_of
from squadqa.data.prepared import PreparedData, put_together
from squadqa.data.squad import SquadData
from squadqa.data.tokenization import Tokens, join_tokens, tokenize
from squadqa.data.vectors import VectorStore, VectorTable, lookup


@dataclass(frozen=True)
class _Text:
    """The tokens and annotation of one text."""

    tokens: Tokens
    annotation: Annotation | None


class TextPreparer:
    """Prepares questions about new texts, in this process and without the cache on disk.

    A recently prepared text, such as the context of the last question, is not tokenized and
    annotated again. Nothing is opened before it is needed. Only one thread at a time may use it.

    Args:
        language: The texts' language, by spaCy's code.
        pipeline: spaCy pipeline that annotates; None leaves annotation out.
        parse: Parse too; see `squadqa.data.annotation.annotate`.
        vectors: Sources of word vectors, concatenated; an empty list leaves vectors out. Named
            sources are read at each call, while a store stays open: use a store for more than one
            call.
        keep: How many texts' tokens and annotation are kept; those used last.
    """

    def __init__(
        self,
        *,
        language: str = ENGLISH,
        pipeline: str | None = None,
        parse: bool = True,
        vectors: Sequence[str] | VectorStore = (),
        keep: int = 64,
    ) -> None:
        self.language = language
        self.pipeline = pipeline
        self.parse = parse
        self.vectors = vectors
        self.keep = keep
        self._texts: OrderedDict[tuple[str, bool], _Text] = OrderedDict()

    def prepare(self, data: SquadData) -> PreparedData:
        """Prepare questions.

        Args:
            data: Paragraphs and questions.

        Raises:
            VectorsError: A vector source cannot be read.
            ConfigError: The pipeline is not installed.
        """
        texts = self._read(data.contexts, is_context=True)
        texts += self._read(data.questions, is_context=False)
        prepared = put_together(data, join_tokens([text.tokens for text in texts]))
        annotations = [text.annotation for text in texts if text.annotation is not None]
        table = self._look_up(prepared.tokens.lexicon)
        return replace(
            prepared,
            annotation=join_annotations(annotations) if self.pipeline is not None else None,
            vectors=table.vectors if table else None,
            vectors_found=table.found if table else None,
        )

    def _read(self, texts: list[str], *, is_context: bool) -> list[_Text]:
        """Tokenize and annotate the texts that are not kept, all at once.

        Questions are annotated without entities: no model reads those.
        """
        kept = self._texts
        known = {text: kept[text, is_context] for text in texts if (text, is_context) in kept}
        fresh = [text for text in dict.fromkeys(texts) if text not in known]
        tokens = [tokenize([text], language=self.language) for text in fresh]
        annotations: Sequence[Annotation | None] = [None] * len(fresh)
        if self.pipeline is not None and fresh:
            skip = [] if is_context else [ENTITY_FINDER]
            skip += [] if self.parse else [PARSER]
            annotations = annotate_each(tokens, pipeline=self._opened_pipeline, skip=skip)
        for text, its_tokens, annotation in zip(fresh, tokens, annotations, strict=True):
            known[text] = _Text(its_tokens, annotation)
        for text in dict.fromkeys(texts):
            self._texts[text, is_context] = known[text]
            self._texts.move_to_end((text, is_context))
        while len(self._texts) > self.keep:
            self._texts.popitem(last=False)
        return [known[text] for text in texts]

    @cached_property
    def _opened_pipeline(self) -> Any:
        assert self.pipeline is not None
        require_language_of(self.pipeline, self.language)
        return loaded_pipeline(str(find_pipeline(self.pipeline)))

    def _look_up(self, lexicon: list[str]) -> VectorTable | None:
        if isinstance(self.vectors, VectorStore):
            return self.vectors.lookup(lexicon) if self.vectors.sources else None
        return lookup(self.vectors, lexicon) if self.vectors else None
