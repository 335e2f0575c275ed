"""Prepared data with a parse that is made up: by hand, or at random."""

import random
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pyarrow as pa

from squadqa.batch import CandidateBatch
from squadqa.data.alignment import Alignment
from squadqa.data.annotation import DEPENDENCIES, ENTITIES, TAGS, Annotation
from squadqa.data.candidates.dataset import CandidateDataset
from squadqa.data.candidates.inputs import CandidateInputs
from squadqa.data.prepare import PreparedData
from squadqa.data.tokenization import Tokens

WORDS = ("the", "a", ",", "(", "“", "ann", "Ann", "apple", "apples", "red", "1990", "what", "Who")
_TAGS = ("NN", "NNP", "DT", "VBD", ",", "CD")
_LABELS = ("det", "nsubj", "dobj", "punct", "conj", "prep", "pobj")


@dataclass
class Text:
    """A text's sentences, each a list of (word, head in the sentence; a root's head is itself).

    Args:
        sentences: Words with heads.
        tags: Part of speech by word; others are "NN".
        labels: Dependency label by word; others are "dep".
        entities: (first token, last token, type).
    """

    sentences: list[list[tuple[str, int]]]
    tags: dict[str, str] = field(default_factory=dict)
    labels: dict[str, str] = field(default_factory=dict)
    entities: list[tuple[int, int, str]] = field(default_factory=list)

    @property
    def words(self) -> list[str]:
        return [word for sentence in self.sentences for word, _ in sentence]


@dataclass
class Question:
    """A question and the tokens of its answer, inclusive; None if it has none."""

    text: Text
    paragraph: int
    answer: tuple[int, int] | None = None


def prepared(
    contexts: Sequence[Text], questions: Sequence[Question], *, parse: bool = True
) -> PreparedData:
    """Prepare made-up texts; a lemma is the lower-cased word without its last "s"."""
    texts = [*contexts, *(question.text for question in questions)]
    words = [word for text in texts for word in text.words]
    lexicon = sorted(set(words))
    lower = sorted({form.lower() for form in lexicon})
    offsets = []
    for text in texts:
        start = 0
        for word in text.words:
            offsets.append((start, start + len(word)))
            start += len(word) + 1
    bounds = np.concatenate([[0], np.cumsum([len(text.words) for text in texts])]).astype(np.int64)
    offset_mapping = np.array(offsets, np.int32).reshape(-1, 2)
    strings = [" ".join(text.words) for text in texts]
    answers = [
        None
        if q.answer is None
        else tuple(int(offset_mapping[bounds[q.paragraph] + t, i]) for i, t in enumerate(q.answer))
        for q in questions
    ]
    span = np.array([(-1, -1) if q.answer is None else q.answer for q in questions], np.int32)
    return PreparedData(
        source="made up",
        titles=pa.array([f"article {i}" for i in range(len(contexts))]),
        contexts=pa.array(strings[: len(contexts)]),
        ids=pa.array([f"q{i}" for i in range(len(questions))]),
        questions=pa.array(strings[len(contexts) :]),
        paragraphs=np.array([q.paragraph for q in questions], np.int32),
        answer_texts=pa.array(
            [
                [] if a is None else [strings[q.paragraph][a[0] : a[1]]]
                for q, a in zip(questions, answers, strict=True)
            ],
            pa.list_(pa.string()),
        ),
        answer_starts=pa.array(
            [[] if a is None else [a[0]] for a in answers], pa.list_(pa.int32())
        ),
        start_positions=span.reshape(-1, 2)[:, 0],
        end_positions=span.reshape(-1, 2)[:, 1],
        alignment=np.array(
            [Alignment.NONE if a is None else Alignment.EXACT for a in answers], np.uint8
        ),
        tokens=Tokens(
            bounds=bounds,
            forms=np.array([lexicon.index(word) for word in words], np.int32),
            offset_mapping=offset_mapping,
            lexicon=lexicon,
        ),
        lower=np.array([lower.index(form.lower()) for form in lexicon], np.int32),
        annotation=_annotation(texts) if parse else None,
        vectors=None,
        vectors_found=None,
        skipped={},
    )


def lemma(word: str) -> str:
    """Return the lemma that `prepared` gives a word."""
    return word.lower().rstrip("s") or word.lower()


def _annotation(texts: Sequence[Text]) -> Annotation:
    lemmas = sorted({lemma(word) for text in texts for word in text.words})
    columns: dict[str, list[int]] = {name: [] for name in Annotation.__dataclass_fields__}
    for text in texts:
        begin = 0
        for sentence in text.sentences:
            for place, (word, head) in enumerate(sentence):
                label = "ROOT" if head == place else text.labels.get(word, "dep")
                columns["tags"].append(TAGS.index(text.tags.get(word, "NN")))
                columns["lemmas"].append(lemmas.index(lemma(word)))
                columns["heads"].append(begin + head)
                columns["dependencies"].append(DEPENDENCIES.index(label))
                columns["sentence_begins"].append(place == 0)
            begin += len(sentence)
        entities, begins = [0] * begin, [0] * begin
        for first, last, kind in text.entities:
            begins[first] = 1
            entities[first : last + 1] = [ENTITIES.index(kind)] * (last + 1 - first)
        columns["entities"] += entities
        columns["entity_begins"] += begins
    types = {"heads": np.int32, "lemmas": np.int32, "entity_begins": bool, "sentence_begins": bool}
    del columns["lemma_lexicon"]
    arrays = {name: np.array(c, types.get(name, np.uint8)) for name, c in columns.items()}
    return Annotation(**arrays, lemma_lexicon=lemmas)


def random_data(seed: int, *, projective: bool = True, parse: bool = True) -> PreparedData:
    """Prepare one to three random paragraphs, each with up to two random questions."""
    chance = random.Random(seed)
    contexts = [
        _random_text(chance, chance.randint(1, 3), projective) for _ in range(chance.randint(1, 3))
    ]
    questions = []
    for number, context in enumerate(contexts):
        for _ in range(chance.randint(1, 2)):
            first = chance.randrange(len(context.words))
            last = min(len(context.words) - 1, first + chance.randint(0, 3))
            answer = (first, last) if chance.random() < 0.9 else None
            text = _random_text(chance, chance.randint(1, 2), projective)
            questions.append(Question(text, number, answer))
    return prepared(contexts, questions, parse=parse)


def _random_text(chance: random.Random, sentences: int, projective: bool) -> Text:
    made: list[list[tuple[str, int]]] = []
    for _ in range(sentences):
        size = chance.randint(1, 8)
        heads = [0] * size
        _grow(heads, 0, size, None, chance)
        if not projective:  # any token of lower rank may be a head: still a tree
            order = list(range(size))
            chance.shuffle(order)
            for rank, token in enumerate(order):
                heads[token] = order[chance.randrange(rank)] if rank else token
        made.append([(chance.choice(WORDS), head) for head in heads])
    text = Text(
        made,
        tags={word: chance.choice(_TAGS) for word in WORDS},
        labels={word: chance.choice(_LABELS) for word in WORDS},
    )
    place = 0
    for sentence in made:
        first = place + chance.randrange(len(sentence))
        last = min(place + len(sentence) - 1, first + chance.randint(0, 2))
        if chance.random() < 0.6:
            text.entities.append((first, last, chance.choice(["PERSON", "DATE"])))
        place += len(sentence)
    return text


def _grow(heads: list[int], low: int, high: int, head: int | None, chance: random.Random) -> None:
    """Make a random projective tree over the tokens low <= t < high, below `head`."""
    if low == high:
        return
    root = chance.randrange(low, high)
    heads[root] = root if head is None else head
    for begin, end in ((low, root), (root + 1, high)):
        while begin < end:
            stop = chance.randint(begin + 1, end)
            _grow(heads, begin, stop, root, chance)
            begin = stop


def fitted(data: PreparedData, **options: Any) -> CandidateDataset:
    """Every question with its candidates; statistics come from the same questions."""
    inputs = CandidateInputs(**options)
    inputs.fit(data, np.arange(len(data.ids)))
    return inputs.dataset(data)


def whole(data: PreparedData, **options: Any) -> CandidateBatch:
    """Every question in one batch."""
    dataset = fitted(data, **options)
    return dataset.collate(range(len(dataset)))
