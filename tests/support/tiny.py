"""A SQuAD of our own that is small enough to read: two articles, three paragraphs."""

import copy
import gzip
import json
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

from squadqa.data.annotation import DEPENDENCIES, ENTITIES, TAGS, Annotation
from squadqa.data.prepare import PreparedData, prepare_data
from squadqa.data.squad import BadAnswers, SquadData, find_source, read_squad
from squadqa.data.tokenization import Tokens

Json = dict[str, Any]
Articles = dict[str, dict[str, dict[str, list[str]]]]

_ARTICLES: Articles = {
    "Lighthouse": {
        "Ida Moss kept the lighthouse at Brack Point for 31 years, from 1871–1902. Her brother Tom "
        "sold the boat and moved to Oslo.": {
            "Who kept the lighthouse?": ["Ida Moss", "Ida"],
            "For how many years did Ida Moss keep it?": ["31", "31 years"],
            "When did she leave?": ["1902"],
            "Where did Tom go? ": ["Oslo", "to Oslo"],
        },
        "The lamp burned rape oil — 12 litres a night. Storms broke it twice.": {
            "What did the lamp burn?": ["rape oil"],
            "How much oil did a night take?": ["12 litres"],
        },
    },
    "Bakery": {
        "Old Marek's bakery sells rye bread, \u200bplum cake and naïve little 🥐 on Fridays.": {
            "Whose bakery is it?": ["Marek's"],
            " When is cake sold?": ["Fridays"],
        },
    },
}


def squad() -> Json:
    """Two articles, three paragraphs and eight questions in the official nested form."""
    return nested(_ARTICLES, prefix="q")


def nested(articles: Articles, *, prefix: str) -> Json:
    """Articles in the official nested form; an answer is where its text first stands.

    Args:
        articles: Paragraphs by title, questions by context, answers by question.
        prefix: Begins the questions' ids; their number ends them.
    """
    number = iter(range(1000))
    return {
        "version": "1.1",
        "data": [
            {
                "title": title,
                "paragraphs": [
                    {
                        "context": context,
                        "qas": [
                            {
                                "id": f"{prefix}{next(number)}",
                                "question": question,
                                "answers": [
                                    {"text": text, "answer_start": context.index(text)}
                                    for text in answers
                                ],
                            }
                            for question, answers in questions.items()
                        ],
                    }
                    for context, questions in paragraphs.items()
                ],
            }
            for title, paragraphs in articles.items()
        ],
    }


def one_question(
    context: str = "The cat sat on the mat.",
    question: str = "Who sat?",
    answers: list[tuple[str, int]] | None = None,
    *,
    id: str = "only",
) -> Json:
    """A file of one question; `answers` are texts with their first characters."""
    answers = [("cat", 4)] if answers is None else answers
    listed = [{"text": text, "answer_start": start} for text, start in answers]
    qas = [{"id": id, "question": question, "answers": listed}]
    return {"data": [{"title": "T", "paragraphs": [{"context": context, "qas": qas}]}]}


def join(*files: Json) -> Json:
    """One file with the articles of several files."""
    return {"data": [article for file in files for article in copy.deepcopy(file["data"])]}


def flat_rows(file: Json) -> Iterator[Json]:
    """The rows of a nested file as in JSONL and `datasets`."""
    for article in file["data"]:
        for paragraph in article["paragraphs"]:
            for row in paragraph["qas"]:
                yield {
                    "id": row["id"],
                    "title": article["title"],
                    "context": paragraph["context"],
                    "question": row["question"],
                    "answers": {
                        "text": [answer["text"] for answer in row["answers"]],
                        "answer_start": [answer["answer_start"] for answer in row["answers"]],
                    },
                }


def write(path: Path, file: Json) -> Path:
    """Write a file in the format of its name."""
    if ".jsonl" in path.name:
        text = "".join(json.dumps(row, ensure_ascii=False) + "\n" for row in flat_rows(file))
    else:
        text = json.dumps(file, ensure_ascii=False)
    raw = text.encode()
    path.write_bytes(gzip.compress(raw) if path.suffix == ".gz" else raw)
    return path


def read(path: Path, *, bad_answers: BadAnswers = "error") -> SquadData:
    """Read a file like a training."""
    return read_squad(find_source(str(path)), bad_answers=bad_answers)


def as_data(file: Json) -> SquadData:
    """A nested file's questions in memory, unchecked."""
    data = SquadData()
    places: dict[str, int] = {}
    for row in flat_rows(file):
        if row["context"] not in places:
            places[row["context"]] = len(places)
            data.titles.append(row["title"])
            data.contexts.append(row["context"])
        data.ids.append(row["id"])
        data.questions.append(row["question"])
        data.paragraphs.append(places[row["context"]])
        data.answer_texts.append(row["answers"]["text"])
        data.answer_starts.append(row["answers"]["answer_start"])
    return data


def prepared(
    file: Json | None = None, *, vector_size: int = 6, annotated: bool = True, seed: int = 0
) -> PreparedData:
    """Prepare a nested file (default: `squad()`) with random vectors and random annotation."""
    data = prepare_data(as_data(squad() if file is None else file))
    random = np.random.default_rng(seed)
    forms = len(data.tokens.lexicon)
    return replace(
        data,
        vectors=random.normal(size=(forms, vector_size)).astype(np.float32),
        vectors_found=np.ones((forms, 1), bool),
        annotation=_annotation(data.tokens, random) if annotated else None,
    )


def _annotation(tokens: Tokens, random: np.random.Generator) -> Annotation:
    count = len(tokens.forms)
    lemma_lexicon = sorted({form.lower().rstrip("s") for form in tokens.lexicon})
    number = {lemma: index for index, lemma in enumerate(lemma_lexicon)}
    lemmas = [number[tokens.lexicon[form].lower().rstrip("s")] for form in tokens.forms]
    starts = np.repeat(tokens.bounds[:-1], np.diff(tokens.bounds))
    begins = np.zeros(count, bool)
    begins[tokens.bounds[:-1]] = True
    return Annotation(
        tags=random.integers(1, len(TAGS), count).astype(np.uint8),
        entities=random.integers(0, len(ENTITIES), count).astype(np.uint8),
        entity_begins=random.random(count) < 0.5,
        lemmas=np.array(lemmas, np.int32),
        heads=np.maximum(np.arange(count) - starts - 1, 0).astype(np.int32),
        dependencies=random.integers(1, len(DEPENDENCIES), count).astype(np.uint8),
        sentence_begins=begins,
        lemma_lexicon=lemma_lexicon,
    )
