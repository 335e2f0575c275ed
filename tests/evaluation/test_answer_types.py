"""Types of answers: by hand, against the rules one answer at a time, and on real SQuAD."""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from squadqa.data.annotation import DEPENDENCIES, ENTITIES, TAGS
from squadqa.data.prepare import PreparedData
from squadqa.errors import DataError
from squadqa.evaluation.answer_types import ANSWER_TYPES, TIME_UNITS, YEAR, answer_types
from tests.support.parsed import Question, Text, prepared, random_data

NUMERIC = {"CARDINAL", "DATE", "MONEY", "ORDINAL", "PERCENT", "QUANTITY", "TIME"}


def types_of(data: PreparedData) -> list[str]:
    return [ANSWER_TYPES[number] for number in answer_types(data)]


def type_of(words: str, entity: str = "") -> str:
    """Find the type of an answer that is a whole sentence.

    Args:
        words: Tokens with part of speech, head and dependency label, such as "Ida/NNP/1/compound".
            A token without a head is a child of the root, the token whose label is ROOT.
        entity: Entity type of the whole answer.
    """
    rows = [(*token.split("/"), "", "")[:4] for token in words.split()]
    (root,) = [place for place, row in enumerate(rows) if row[3] == "ROOT"] or [0]
    text = Text(
        [[(word, int(head) if head else root) for word, _, head, _ in rows]],
        tags={word: tag for word, tag, _, _ in rows},
        labels={word: label for word, _, _, label in rows},
        entities=[(0, len(rows) - 1, entity)] if entity else [],
    )
    question = Question(Text([[("What", 0)]]), 0, (0, len(rows) - 1))
    (found,) = types_of(prepared([text], [question]))
    return found


@pytest.mark.parametrize(
    ("words", "entity", "expected"),
    [
        # Dates: by entity, or by a number that looks like a year.
        ("May/NNP//ROOT 1902/CD", "DATE", "date"),
        ("since/IN//ROOT Monday/NNP/0/pobj", "DATE", "date"),
        ("1902/CD", "", "date"),
        ("the/DT 1950/CD s/NN//ROOT", "", "date"),
        # Lengths of time are numbers, and so are amounts and ranks.
        ("31/CD years/NNS//ROOT", "DATE", "other number"),
        ("several/JJ years/NNS//ROOT", "DATE", "other number"),
        ("31/CD", "", "other number"),
        ("1902/CD", "MONEY", "other number"),
        ("about/RB half/NN//ROOT", "CARDINAL", "other number"),
        ("second/RB", "ORDINAL", "other number"),
        ("two/CD old/JJ boats/NNS//ROOT", "", "other number"),
        ("of/IN//ROOT two/CD/2/nummod boats/NNS/0/pobj", "", "other number"),
        # A number after a noun does not make it a number, nor a name or a sentence.
        ("stage/NN//ROOT 2/CD", "", "common noun phrase"),
        ("5/CD Live/NNP//ROOT", "", "other entity"),
        ("sold/VBD//ROOT two/CD/2/nummod boats/NNS", "", "verb phrase"),
        # Names, by type of entity; a name that is not an entity is an "other entity".
        ("Ida/NNP Moss/NNP//ROOT", "PERSON", "person"),
        ("Norway/NNP", "GPE", "location"),
        ("the/DT Alps/NNPS//ROOT", "LOC", "location"),
        ("Brack/NNP Point/NNP//ROOT", "FAC", "other entity"),
        ("Brack/NNP Point/NNP//ROOT", "", "other entity"),
        # An entity that is not a proper noun is typed by its part of speech.
        ("Norwegian/JJ", "NORP", "adjective phrase"),
        # Phrases
        ("the/DT old/JJ boat/NN//ROOT", "", "common noun phrase"),
        ("oil/NN//ROOT from/IN Norway/NNP/1/pobj", "", "common noun phrase"),
        ("very/RB old/JJ//ROOT", "", "adjective phrase"),
        ("older/JJR", "", "adjective phrase"),
        ("sold/VBD//ROOT the/DT/2/det boat/NN", "", "verb phrase"),
        ("selling/VBG//ROOT boats/NNS", "", "verb phrase"),
        # Clauses: the subject or conjunction must be a child of the verb itself.
        ("Tom/NNP//nsubj sold/VBD//ROOT it/PRP", "", "clause"),
        ("to/TO//aux sell/VB//ROOT it/PRP", "", "clause"),
        ("because/IN//mark burned/VBD//ROOT", "", "clause"),
        ("who/WP//dobj sold/VBD//ROOT", "", "clause"),
        ("sold/VBD//ROOT what/WP/2/nsubj burned/VBD//ccomp", "", "verb phrase"),
        # The rest
        ("in/IN//ROOT harbours/NNS/0/pobj", "", "other"),
        ("in/IN//ROOT Norway/NNP/0/pobj", "", "other"),
        ("by/IN//ROOT selling/VBG/0/pcomp boats/NNS/1/dobj", "", "other"),
        ("quickly/RB", "", "other"),
        # Articles and punctuation at the ends do not count.
        ("the/DT ,/, sold/VBD//ROOT ,/,", "", "verb phrase"),
        ("“/`` in/IN//ROOT harbours/NNS/1/pobj", "", "other"),
    ],
)  # fmt: skip
def test_worked_by_hand(words: str, entity: str, expected: str) -> None:
    assert type_of(words, entity) == expected


def test_only_the_answers_own_words_count() -> None:
    """ "Tom sold two boats in 1902": subjects and numbers outside the answer do not count."""
    text = Text(
        [[("Tom", 1), ("sold", 1), ("two", 3), ("boats", 1), ("in", 1), ("1902", 4)]],
        tags={"Tom": "NNP", "sold": "VBD", "two": "CD", "in": "IN", "1902": "CD", "boats": "NNS"},
        labels={"Tom": "nsubj", "two": "nummod", "boats": "dobj"},
    )
    what = Text([[("What", 0)]])
    answers = [(0, 5), (1, 5), (3, 3), (2, 3), (4, 5), None]
    data = prepared([text, text], [Question(what, 1, answer) for answer in answers])
    assert types_of(data) == [
        "clause", "verb phrase", "common noun phrase", "other number", "date", "other",
    ]  # fmt: skip


def test_a_number_of_years_is_not_a_date() -> None:
    """The answer may be a part of the entity "31 years"; a year may come after its "year"."""
    tags = {"31": "CD", "years": "NNS", "year": "NN", "1902": "CD"}
    for_years = Text([[("31", 1), ("years", 1)]], tags=tags, entities=[(0, 1, "DATE")])
    the_year = Text([[("year", 0), ("1902", 0)]], tags=tags, entities=[(0, 1, "DATE")])
    what = Text([[("What", 0)]])
    questions = [Question(what, 0, (0, 0)), Question(what, 0, (0, 1)), Question(what, 1, (1, 1))]
    data = prepared([for_years, the_year], questions)
    assert types_of(data) == ["other number", "other number", "date"]


def one_by_one(data: PreparedData, row: int) -> str:
    """Find the type of one answer by the rules as they are written."""
    annotation = data.annotation
    assert annotation is not None
    begin = int(data.tokens.bounds[data.paragraphs[row]])
    if data.start_positions[row] < 0:
        return "other"
    first, last = int(data.start_positions[row]), int(data.end_positions[row])

    def word(token: int) -> str:
        return data.tokens.lexicon[data.tokens.forms[begin + token]]

    def tag(token: int) -> str:
        return TAGS[annotation.tags[begin + token]]

    def head(token: int) -> int:
        return int(annotation.heads[begin + token])

    def lemma(token: int) -> str:
        return annotation.lemma_lexicon[annotation.lemmas[begin + token]]

    def depth(token: int) -> int:
        return 0 if head(token) == token else 1 + depth(head(token))

    silent = [
        word(token).lower() in ("the", "a", ",", "(", "“") for token in range(first, last + 1)
    ]
    if not all(silent):
        first, last = first + silent.index(False), last - silent[::-1].index(False)
    answer = list(range(first, last + 1))
    content = [t for t in answer if tag(t)[:2] in ("CD", "NN", "JJ", "VB", "PR", "MD")]
    core = min(content or answer, key=depth)
    entity = ENTITIES[annotation.entities[begin + core]]
    children = [t for t in answer if head(t) == core and t != core]
    numbers = [t for t in children if t < core and tag(core) in ("NN", "NNS", "PRP")] + [core]
    counts = [t for t in numbers if tag(t) == "CD"]
    counted = head(core) if tag(core) == "CD" and head(core) > core else core
    if counts or entity in NUMERIC:
        dated = entity == "DATE" or not entity and any(YEAR.fullmatch(word(t)) for t in counts)
        return "date" if dated and lemma(counted) not in TIME_UNITS else "other number"
    if tag(core)[:2] in ("VB", "MD"):
        labels = [DEPENDENCIES[annotation.dependencies[begin + t]] for t in children]
        if {"nsubj", "nsubjpass", "csubj", "csubjpass", "expl", "mark"} & set(labels):
            return "clause"
        if {"TO", "WP", "WDT", "WRB"} & {tag(t) for t in children}:
            return "clause"
    if tag(first) in ("IN", "TO"):
        return "other"
    if tag(core).startswith("NNP"):
        return {"PERSON": "person", "GPE": "location", "LOC": "location"}.get(
            entity, "other entity"
        )
    kinds = {"VB": "verb phrase", "MD": "verb phrase", "NN": "common noun phrase",
             "PR": "common noun phrase", "JJ": "adjective phrase"}  # fmt: skip
    return kinds.get(tag(core)[:2], "other")


@given(seed=st.integers(0, 2**32), projective=st.booleans())
def test_all_together_equal_one_by_one(seed: int, projective: bool) -> None:
    data = random_data(seed, projective=projective)
    assert types_of(data) == [one_by_one(data, row) for row in range(len(data.ids))]


def test_without_any_answer() -> None:
    data = prepared([Text([[("Rain", 0)]])], [Question(Text([[("What", 0)]]), 0)])
    assert types_of(data) == ["other"]


def test_without_annotation() -> None:
    with pytest.raises(DataError, match='"made up" was prepared without annotation'):
        answer_types(replace(random_data(1), annotation=None))


def test_shares_on_squad(annotated_dev: PreparedData) -> None:
    """The shares are near those of the paper for train and dev together (its table 2)."""
    published = np.array([8.9, 10.9, 12.9, 4.4, 15.3, 31.8, 3.9, 5.5, 3.7, 2.7])
    counts = np.bincount(answer_types(annotated_dev), minlength=len(ANSWER_TYPES))
    assert np.abs(100 * counts / counts.sum() - published).max() < 3.5
