"""Types of answers as in the SQuAD paper: dates, names, phrases and clauses.

Reference: Rajpurkar et al. 2016 (arXiv 1606.05250), section 4.1 and table 2: numeric answers first,
with dates separate from others; then by phrase and part of speech, with proper nouns split by named
entity.

Departs from the paper: it does not publish its rules and had a constituency parse. Here the type of
the phrase comes from the answer's core: its content word that is highest in the dependency tree.
"""

import re

import numpy as np
from numpy.typing import NDArray

from squadqa.data.annotation import DEPENDENCIES, ENTITIES, TAGS
from squadqa.data.candidates.parse import parse_paragraphs, trimmed
from squadqa.data.prepare import PreparedData
from squadqa.errors import DataError

ANSWER_TYPES = (
    "date", "other number", "person", "location", "other entity", "common noun phrase",
    "adjective phrase", "verb phrase", "clause", "other",
)  # fmt: skip
"""The paper's types, in its order."""

TIME_UNITS = ("second", "minute", "hour", "day", "week", "month", "year", "decade")
"""Lemmas of units of time: "31 years" is a number, not a date."""

YEAR = re.compile(r"1\d{3}|20\d{2}")
"""Pattern of a year, for numbers that the pipeline does not label."""


def _among(inventory: tuple[str, ...], *labels: str) -> NDArray[np.bool_]:
    """(L,) True on the named labels of an inventory."""
    return np.isin(inventory, labels)


_COUNT = _among(TAGS, "CD")
_PROPER = _among(TAGS, "NNP", "NNPS")
_NOUN = _among(TAGS, "NN", "NNS", "PRP")
_ADJECTIVE = _among(TAGS, "JJ", "JJR", "JJS")
_VERB = _among(TAGS, "MD", "VB", "VBD", "VBG", "VBN", "VBP", "VBZ")
_CONTENT = _COUNT | _PROPER | _NOUN | _ADJECTIVE | _VERB
_PREPOSITION = _among(TAGS, "IN", "TO")
_OPENS_CLAUSE = _among(TAGS, "TO", "WDT", "WP", "WRB")
_SUBJECT_OR_MARK = _among(DEPENDENCIES, "csubj", "csubjpass", "expl", "mark", "nsubj", "nsubjpass")
_NUMERIC = _among(ENTITIES, "CARDINAL", "DATE", "MONEY", "ORDINAL", "PERCENT", "QUANTITY", "TIME")
_DATE = _among(ENTITIES, "DATE")
_PERSON = _among(ENTITIES, "PERSON")
_LOCATION = _among(ENTITIES, "GPE", "LOC")


def answer_types(data: PreparedData) -> NDArray[np.int64]:
    """Find the type of each question's first reference.

    Articles and punctuation at an answer's ends are ignored. Its core is the content word with the
    fewest arcs to the root; of several, the first. The first rule that holds decides:

    1. The core is a number, a noun after a number, or in an entity of a numeric type: "other
       number" if the core is a unit of time or the number of one; else "date" if the entity's type
       is DATE, or if there is no type and the number looks like a year; else "other number".
    2. The core is a verb that has a subject, a conjunction, a "to" or a wh-word: "clause".
    3. The answer begins with a preposition: "other".
    4. By the core's part of speech: "verb phrase"; for a proper noun "person", "location" (GPE,
       LOC) or "other entity" by its entity type; "common noun phrase"; "adjective phrase"; "other".

    Args:
        data: A prepared source with annotation.

    Returns:
        (N,) index in `ANSWER_TYPES`; that of "other" if no token contains the answer.

    Raises:
        DataError: The source was prepared without annotation.
    """
    annotation = data.annotation
    if annotation is None:
        raise DataError(
            f'"{data.source}" was prepared without annotation, which types of answers need',
            next_step="Prepare it with a spaCy pipeline.",
        )
    parse = parse_paragraphs(data)
    known = np.flatnonzero(data.start_positions >= 0)
    begin = parse.bounds[data.paragraphs[known]]
    first, last = trimmed(
        parse, data.start_positions[known] + begin, data.end_positions[known] + begin
    )
    # Tokens of all answers, concatenated (K): for each token, its answer and its index.
    sizes = last - first + 1
    starts = np.cumsum(sizes) - sizes
    answer = np.repeat(np.arange(len(known)), sizes)
    tokens = np.arange(len(answer)) + (first - starts)[answer]
    tags = annotation.tags[tokens]
    core = tokens[np.lexsort((parse.depths[tokens], ~_CONTENT[tags], answer))[starts]]
    tag, entity = annotation.tags[core], annotation.entities[core]
    below_core = parse.heads[tokens] == core[answer]

    def has(wanted: NDArray[np.bool_]) -> NDArray[np.bool_]:
        """Whether each answer contains a wanted token."""
        return np.bincount(answer[wanted], minlength=len(known)) > 0

    before_noun = below_core & (tokens < core[answer]) & _NOUN[tag][answer]
    counts = _COUNT[tags] & (before_noun | (tokens == core[answer]))
    is_year = np.array([bool(YEAR.fullmatch(form)) for form in data.tokens.lexicon], bool)
    is_unit = np.isin(annotation.lemma_lexicon, TIME_UNITS)
    head = parse.heads[core]
    counted = np.where(_COUNT[tag] & (head > core), head, core)  # of "31" in "31 years": "years"
    is_length = is_unit[annotation.lemmas[counted]]
    numeric = has(counts) | _NUMERIC[entity]
    dated = _DATE[entity] | (entity == 0) & has(counts & is_year[data.tokens.forms[tokens]])
    opened = (_SUBJECT_OR_MARK[annotation.dependencies[tokens]] | _OPENS_CLAUSE[tags]) & below_core
    rules = [
        ("date", numeric & dated & ~is_length),
        ("other number", numeric),
        ("clause", _VERB[tag] & has(opened)),
        ("other", _PREPOSITION[annotation.tags[first]]),
        ("verb phrase", _VERB[tag]),
        ("person", _PROPER[tag] & _PERSON[entity]),
        ("location", _PROPER[tag] & _LOCATION[entity]),
        ("other entity", _PROPER[tag]),
        ("common noun phrase", _NOUN[tag]),
        ("adjective phrase", _ADJECTIVE[tag]),
    ]
    other = ANSWER_TYPES.index("other")
    types = np.full(len(data.start_positions), other, np.int64)
    types[known] = np.select(
        [holds for _, holds in rules], [ANSWER_TYPES.index(name) for name, _ in rules], other
    )
    return types
