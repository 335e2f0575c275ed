"""Part of speech, entity, lemma and dependency parse of tokens, from a spaCy pipeline.

Texts keep the tokens they have (spaCy does not tokenize again) and are annotated by worker
processes or in this one. The annotation of a text depends only on that text, never on other texts
annotated with it. Labels are numbers from a fixed inventory, so that they mean the same in every
file and every run; 0 means none, or a label that is not in the inventory, such as most tags of
languages other than English.
"""

import os
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass, fields
from functools import cache, partial
from itertools import pairwise
from multiprocessing import get_context
from typing import Any

import numpy as np
from numpy.typing import NDArray

from squadqa.batch import NUM_ENTITIES, NUM_TAGS
from squadqa.data.pipelines import find_pipeline, loaded_pipeline
from squadqa.data.tokenization import Tokens
from squadqa.provenance import usable_cores

# fmt: off
TAGS = (
    "", "$", "''", ",", "-LRB-", "-RRB-", ".", ":", "ADD", "AFX", "CC", "CD", "DT", "EX", "FW",
    "HYPH", "IN", "JJ", "JJR", "JJS", "LS", "MD", "NFP", "NN", "NNP", "NNPS", "NNS", "PDT", "POS",
    "PRP", "PRP$", "RB", "RBR", "RBS", "RP", "SYM", "TO", "UH", "VB", "VBD", "VBG", "VBN", "VBP",
    "VBZ", "WDT", "WP", "WP$", "WRB", "XX", "``",
)
"""Penn Treebank part-of-speech tags, as spaCy's English pipelines give them."""

ENTITIES = (
    "", "CARDINAL", "DATE", "EVENT", "FAC", "GPE", "LANGUAGE", "LAW", "LOC", "MONEY", "NORP",
    "ORDINAL", "ORG", "PERCENT", "PERSON", "PRODUCT", "QUANTITY", "TIME", "WORK_OF_ART",
)
"""OntoNotes 5 entity types."""

DEPENDENCIES = (
    "", "ROOT", "acl", "acomp", "advcl", "advmod", "agent", "amod", "appos", "attr", "aux",
    "auxpass", "case", "cc", "ccomp", "compound", "conj", "csubj", "csubjpass", "dative", "dep",
    "det", "dobj", "expl", "intj", "mark", "meta", "neg", "nmod", "npadvmod", "nsubj", "nsubjpass",
    "nummod", "oprd", "parataxis", "pcomp", "pobj", "poss", "preconj", "predet", "prep", "prt",
    "punct", "quantmod", "relcl", "xcomp",
)
"""ClearNLP dependency labels."""
# fmt: on

assert (len(TAGS), len(ENTITIES)) == (NUM_TAGS, NUM_ENTITIES)

PARSER, ENTITY_FINDER = "parser", "ner"
"""spaCy's names of the components that parse, and that find entities."""

CHUNK_TOKENS = 20_000
"""Number of tokens that a worker gets at a time: some seconds of work, a few MB."""


@dataclass(frozen=True)
class Annotation:
    """A pipeline's annotation of each token; row t belongs to row t of the `Tokens`.

    Args:
        tags: (T,) index in `TAGS`.
        entities: (T,) index in `ENTITIES`.
        entity_begins: (T,) True on the first token of an entity.
        lemmas: (T,) index in `lemma_lexicon`.
        heads: (T,) the head's token index in the same text; the head of a root is the root itself,
            and so is that of every token without a parse.
        dependencies: (T,) index in `DEPENDENCIES`; 0 without a parse.
        sentence_begins: (T,) True on the first token of a sentence, or of the text without a parse.
        lemma_lexicon: Distinct lower-cased lemmas, sorted.
    """

    tags: NDArray[np.uint8]
    entities: NDArray[np.uint8]
    entity_begins: NDArray[np.bool_]
    lemmas: NDArray[np.int32]
    heads: NDArray[np.int32]
    dependencies: NDArray[np.uint8]
    sentence_begins: NDArray[np.bool_]
    lemma_lexicon: list[str]


ANNOTATION_COLUMNS = tuple(f.name for f in fields(Annotation) if f.name != "lemma_lexicon")


def join_annotations(parts: Sequence[Annotation]) -> Annotation:
    """Concatenate the annotations of texts.

    Args:
        parts: The annotation of each text.

    Returns:
        The annotation of all texts, in the same order.
    """
    lexicon = sorted({lemma for part in parts for lemma in part.lemma_lexicon})
    number = {lemma: index for index, lemma in enumerate(lexicon)}

    def column(name: str) -> NDArray[Any]:
        return np.concatenate([getattr(_NO_ROWS, name), *(getattr(part, name) for part in parts)])

    columns = {name: column(name) for name in ANNOTATION_COLUMNS if name != "lemmas"}
    lemmas = [
        np.array([number[lemma] for lemma in part.lemma_lexicon], np.int32)[part.lemmas]
        for part in parts
    ]
    return Annotation(
        **columns, lemmas=np.concatenate([_NO_ROWS.lemmas, *lemmas]), lemma_lexicon=lexicon
    )


def annotate(
    tokens: Tokens,
    *,
    pipeline: str,
    num_contexts: int | None = None,
    parse: bool = True,
    workers: int = 0,
    progress: Callable[[int, int], None] | None = None,
) -> Annotation:
    """Annotate tokenized texts, many of them in worker processes.

    Args:
        tokens: The tokens of the texts.
        num_contexts: How many of the texts, the first ones, are contexts. The others are questions,
            in which no entities are looked for: no model reads those, and they take half of the
            time. None: all are contexts.
        pipeline: Official name of a spaCy pipeline, or its folder.
        parse: Parse too: a quarter of the time. Without it an entity may cross the start of a
            sentence, and a few lemmas differ (in 4 of 2,000 questions).
        workers: Number of processes; 0 takes one for each core, but stays in this process for up to
            `CHUNK_TOKENS`, as a worker takes longer to start; 1 stays in this process.
        progress: Called after each chunk with the number of tokens done and the number of all
            tokens.

    Returns:
        The annotation of every token.

    Raises:
        ConfigError: The pipeline is not installed.
    """
    folder = str(find_pipeline(pipeline))
    workers = workers or (usable_cores() if len(tokens.forms) > CHUNK_TOKENS else 1)
    jobs = list(_jobs(tokens, len(tokens.bounds) - 1 if num_contexts is None else num_contexts))
    parts: list[Annotation] = []
    done = 0
    skip = () if parse else (PARSER,)
    for part in _run(jobs, folder, skip, min(workers, len(jobs))):
        parts.append(part)
        done += len(part.tags)
        if progress:
            progress(done, len(tokens.forms))
    return join_annotations(parts)


def annotate_each(
    texts: Sequence[Tokens], *, pipeline: Any, skip: Sequence[str] = ()
) -> list[Annotation]:
    """Annotate texts in this process, and return one annotation for each text.

    Args:
        texts: The tokens of each text.
        pipeline: A loaded spaCy pipeline.
        skip: Names of its components to leave out, such as `ENTITY_FINDER`.
    """
    words = [text for tokens in texts for text in _words_and_spaces(tokens)]
    strings = pipeline.vocab.strings
    return [_from_spacy(rows, strings) for rows in _rows_of_texts(words, pipeline, skip=skip)]


_Text = tuple[list[str], list[bool]]
"""The words of a text, and whether white space follows each word."""


@dataclass(frozen=True)
class _Job:
    """Some texts that are annotated together, either contexts or questions."""

    texts: list[_Text]
    are_contexts: bool


def _words_and_spaces(tokens: Tokens) -> Iterator[_Text]:
    spaces = np.ones(len(tokens.forms), bool)
    spaces[:-1] = tokens.offset_mapping[1:, 0] != tokens.offset_mapping[:-1, 1]
    # The annotation of a text's last token must not depend on the text that follows.
    spaces[tokens.bounds[1:][np.diff(tokens.bounds) > 0] - 1] = True
    for start, end in pairwise(tokens.bounds.tolist()):
        words = [tokens.lexicon[form] for form in tokens.forms[start:end].tolist()]
        yield words, spaces[start:end].tolist()


def _jobs(tokens: Tokens, num_contexts: int) -> Iterator[_Job]:
    """Cut texts into jobs of about `CHUNK_TOKENS` tokens; contexts come before questions."""
    texts: list[_Text] = []
    size = 0
    last = len(tokens.bounds) - 1
    for number, text in enumerate(_words_and_spaces(tokens), start=1):
        texts.append(text)
        size += len(text[0])
        if size >= CHUNK_TOKENS or number in (num_contexts, last):
            yield _Job(texts, are_contexts=number <= num_contexts)
            texts, size = [], 0


def _run(jobs: list[_Job], folder: str, skip: Sequence[str], workers: int) -> Iterator[Annotation]:
    annotate_job = partial(_annotate_job, folder=folder, skip=skip)
    if workers <= 1:
        yield from map(annotate_job, jobs)
        return
    one_thread = {"OMP_NUM_THREADS": "1", "BLIS_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1"}
    before = {name: os.environ.get(name) for name in one_thread}
    os.environ.update(one_thread)  # inherited by the workers, which slow down with more
    try:
        with ProcessPoolExecutor(workers, mp_context=get_context("spawn")) as pool:
            try:
                yield from pool.map(annotate_job, jobs)
            except BaseException:
                pool.shutdown(wait=False, cancel_futures=True)
                raise
    finally:
        for name, value in before.items():
            os.environ.pop(name) if value is None else os.environ.update({name: value})


def _annotate_job(job: _Job, *, folder: str, skip: Sequence[str]) -> Annotation:
    pipeline = loaded_pipeline(folder)
    skip = skip if job.are_contexts else (*skip, ENTITY_FINDER)
    rows = np.concatenate(_rows_of_texts(job.texts, pipeline, skip=skip))
    return _from_spacy(rows, pipeline.vocab.strings)


def _rows_of_texts(
    texts: Sequence[_Text], pipeline: Any, *, skip: Sequence[str] = ()
) -> list[NDArray[np.uint64]]:
    """SpaCy's annotation of each text: (T, 8) codes and hashes, in the order of `_from_spacy`."""
    from spacy import attrs
    from spacy.tokens import Doc

    names = [
        attrs.TAG, attrs.ENT_TYPE, attrs.ENT_IOB, attrs.LEMMA, attrs.DEP, attrs.SENT_START,
        attrs.HEAD, attrs.LOWER,
    ]  # fmt: skip
    docs: Iterable[Any] = (
        Doc(pipeline.vocab, words=words, spaces=spaces) for words, spaces in texts
    )
    for name, component in pipeline.pipeline:
        # For a single question, `pipeline.pipe` takes longer than all components together.
        if name not in skip:
            pipe = getattr(component, "pipe", None)
            docs = pipe(docs, batch_size=64) if pipe else map(component, docs)
    has_lemmas = any("lemmatizer" in name for name in pipeline.pipe_names)
    arrays = []
    for doc in docs:
        array = doc.to_array(names)
        if not (has_lemmas or array[:, 3].any()):
            array[:, 3] = array[:, 7]
        array[:, 6] += np.arange(len(doc), dtype=np.uint64)  # spaCy's heads are relative, and wrap
        arrays.append(array)
    return arrays


def _from_spacy(rows: NDArray[np.uint64], strings: Any) -> Annotation:
    lemma_hashes, inverse = np.unique(rows[:, 3], return_inverse=True)
    lemmas = [strings[key].lower() for key in lemma_hashes.tolist()]
    lexicon = sorted(set(lemmas))
    number = {lemma: index for index, lemma in enumerate(lexicon)}
    return Annotation(
        tags=_numbered(rows[:, 0], TAGS),
        entities=_numbered(rows[:, 1], ENTITIES),
        entity_begins=rows[:, 2] == 3,  # spaCy's code for B
        lemmas=np.array([number[lemma] for lemma in lemmas], np.int32)[inverse.reshape(-1)],
        heads=rows[:, 6].astype(np.int32),
        dependencies=_numbered(rows[:, 4], DEPENDENCIES),
        sentence_begins=rows[:, 5] == 1,
        lemma_lexicon=lexicon,
    )


def _numbered(hashes: NDArray[np.uint64], inventory: tuple[str, ...]) -> NDArray[np.uint8]:
    distinct, inverse = np.unique(hashes, return_inverse=True)
    numbers = _numbers_of_hashes(inventory)
    known = [numbers.get(value, 0) for value in distinct.tolist()]
    return np.array(known, np.uint8)[inverse.reshape(-1)]


@cache
def _numbers_of_hashes(inventory: tuple[str, ...]) -> dict[int, int]:
    from spacy.strings import StringStore

    hash_of = StringStore().__getitem__  # hashes are the same in every pipeline
    return {hash_of(label): number for number, label in enumerate(inventory)}


_NO_ROWS = Annotation(
    tags=np.empty(0, np.uint8),
    entities=np.empty(0, np.uint8),
    entity_begins=np.empty(0, bool),
    lemmas=np.empty(0, np.int32),
    heads=np.empty(0, np.int32),
    dependencies=np.empty(0, np.uint8),
    sentence_begins=np.empty(0, bool),
    lemma_lexicon=[],
)
