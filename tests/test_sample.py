"""The bundled sample data: its format, its variety, and that it cannot be guessed."""

import json
import re
import subprocess
import sys
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from squadqa.scoring import f1
from tests.support.bounds import BOUNDS, PIPELINES, guesses, load_pipeline

SAMPLE = Path(__file__).parent.parent / "data" / "sample"
SPLITS = ("train", "dev")
GUESSED_AT_MOST = 45.0  # percent F1

# Kinds of question: their pattern, and their smallest numbers in train and dev.
KINDS = {
    "who": (r"\bwho(m|se)?\b", 300, 60),
    "when": (r"\bwhen\b|\bwhich year\b", 200, 40),
    "where": (r"\bwhere\b", 100, 20),
    "how many": (r"\bhow many\b", 150, 30),
    "how much": (r"\bhow much\b", 60, 10),
    "which": (r"\bwhich\b", 200, 40),
    "what": (r"\bwhat\b", 150, 25),
    "why": (r"\bwhy\b", 100, 20),
}


@pytest.fixture(scope="module")
def squad() -> dict[str, Any]:
    return {split: json.loads((SAMPLE / f"{split}.json").read_text("utf-8")) for split in SPLITS}


@pytest.fixture
def generator(monkeypatch: pytest.MonkeyPatch) -> Iterator[Any]:
    """The generator's module, which is in no package."""
    before = set(sys.modules)
    monkeypatch.syspath_prepend(SAMPLE)
    import generate

    yield generate
    for name in set(sys.modules) - before:
        if str(SAMPLE) in str(getattr(sys.modules[name], "__file__", "")):
            del sys.modules[name]


def paragraphs(squad: dict[str, Any], split: str) -> list[dict[str, Any]]:
    return [paragraph for article in squad[split]["data"] for paragraph in article["paragraphs"]]


def questions(squad: dict[str, Any], split: str) -> list[dict[str, Any]]:
    return [qa for paragraph in paragraphs(squad, split) for qa in paragraph["qas"]]


def names_and_numbers(text: str) -> set[str]:
    """Words with a capital, except the first of a sentence, and whole numbers."""
    names = re.findall(r"(?<=[^.!?:] )[^\W\d_a-z][\w’]+", text)
    return {*names, *re.findall(r"\d(?:[\d,]*\d)?", text)}


@pytest.mark.parametrize("split", SPLITS)
def test_has_the_shape_of_the_official_files(squad: dict[str, Any], split: str) -> None:
    assert squad[split]["version"] == "1.1"
    for article in squad[split]["data"]:
        assert article.keys() == {"title", "paragraphs"}
        for paragraph in article["paragraphs"]:
            assert paragraph.keys() == {"context", "qas"}
            for qa in paragraph["qas"]:
                assert qa.keys() == {"id", "question", "answers"}
                assert qa["question"] == qa["question"].strip()
                assert qa["question"].endswith("?")


@pytest.mark.parametrize("split", SPLITS)
def test_every_answer_is_at_its_start(squad: dict[str, Any], split: str) -> None:
    for paragraph in paragraphs(squad, split):
        for qa in paragraph["qas"]:
            for answer in qa["answers"]:
                start, text = answer["answer_start"], answer["text"]
                assert text, qa["id"]
                assert paragraph["context"][start : start + len(text)] == text, qa["id"]


def test_train_has_one_answer_and_dev_up_to_three(squad: dict[str, Any]) -> None:
    assert {len(qa["answers"]) for qa in questions(squad, "train")} == {1}
    assert {len(qa["answers"]) for qa in questions(squad, "dev")} == {1, 2, 3}


def test_ids_are_unique(squad: dict[str, Any]) -> None:
    ids = Counter(qa["id"] for split in SPLITS for qa in questions(squad, split))
    assert max(ids.values()) == 1


@pytest.mark.parametrize(("split", "least"), [("train", 1500), ("dev", 300)])
def test_has_enough_questions(squad: dict[str, Any], split: str, least: int) -> None:
    assert len(questions(squad, split)) >= least
    for paragraph in paragraphs(squad, split):
        asked = [qa["question"] for qa in paragraph["qas"]]
        assert 4 <= len(asked) == len(set(asked)) <= 6
        assert 60 <= len(paragraph["context"].split()) <= 160


@pytest.mark.parametrize("kind", KINDS)
def test_has_questions_of_every_kind(squad: dict[str, Any], kind: str) -> None:
    pattern, *least = KINDS[kind]
    for split, at_least in zip(SPLITS, least, strict=True):
        asked = [qa["question"].lower() for qa in questions(squad, split)]
        assert sum(bool(re.search(pattern, question)) for question in asked) >= at_least


def test_has_paragraphs_written_by_hand_in_both_splits(
    squad: dict[str, Any], generator: Any
) -> None:
    by_hand = {
        split: [p.context for article in generator.read_articles(split) for p in article.paragraphs]
        for split in SPLITS
    }
    assert sum(map(len, by_hand.values())) >= 30
    for split in SPLITS:
        contexts = [paragraph["context"] for paragraph in paragraphs(squad, split)]
        assert len(by_hand[split]) >= 5
        assert set(by_hand[split]) <= set(contexts)


def test_some_answers_are_glued_to_others(squad: dict[str, Any]) -> None:
    """No token boundary separates such an answer from its neighbour, so it has to be expanded."""
    for split in SPLITS:
        glued = 0
        for paragraph in paragraphs(squad, split):
            for qa in paragraph["qas"]:
                answer = qa["answers"][0]
                end = answer["answer_start"] + len(answer["text"])
                beside = (
                    paragraph["context"][answer["answer_start"] - 1] + paragraph["context"][end]
                )
                glued += "–" in beside
        assert 1 <= glued <= 0.03 * len(questions(squad, split))


def test_splits_share_no_paragraph_and_no_sentence(squad: dict[str, Any]) -> None:
    sentences = {
        split: {
            sentence
            for paragraph in paragraphs(squad, split)
            for sentence in re.split(r"(?<=[.;!?]) ", paragraph["context"])
        }
        for split in SPLITS
    }
    assert not sentences["train"] & sentences["dev"]


def test_splits_share_no_name_and_no_number(squad: dict[str, Any], generator: Any) -> None:
    kinds = [kind for sort in generator.read_templates() for kind in sort.get("kinds", [])]
    common = {kind.title() for kind in kinds} | {"The"}  # as in "the Orrford Bridge"
    found = {}
    for split in SPLITS:
        texts = [paragraph["context"] for paragraph in paragraphs(squad, split)]
        texts += [qa["question"] for qa in questions(squad, split)]
        found[split] = set().union(*map(names_and_numbers, texts)) - common
        assert len(found[split]) > 300
    assert not found["train"] & found["dev"]


def test_splits_share_no_answer_of_the_generated_paragraphs(generator: Any) -> None:
    """Goods and reasons have no capitals, so they are compared here."""
    values = {
        split: {
            value
            for article in generator.make_articles(split)
            for paragraph in article.paragraphs
            for of_type in paragraph.entities.values()
            for value in of_type
        }
        for split in SPLITS
    }
    assert not values["train"] & values["dev"]


@pytest.mark.parametrize("split", SPLITS)
def test_every_generated_answer_has_others_of_its_type_in_its_paragraph(
    generator: Any, split: str
) -> None:
    from paragraphs import DISTRACTORS

    for article in generator.make_articles(split):
        for paragraph in article.paragraphs:
            for question in paragraph.questions:
                others = set(paragraph.entities[question.type]) - {question.answers[0].text}
                assert len(others) >= DISTRACTORS[question.type] >= 1, question.text
                context = paragraph.context.lower()
                assert all(other.lower() in context for other in others)


@pytest.mark.parametrize("split", SPLITS)
def test_handwritten_paragraphs_have_other_names_and_numbers_than_their_answers(
    generator: Any, split: str
) -> None:
    for article in generator.read_articles(split):
        for paragraph in article.paragraphs:
            present = names_and_numbers(paragraph.context)
            for question in paragraph.questions:
                words = set(question.answers[0].text.split())
                for of_type in (str.isdigit, str.istitle):
                    if any(map(of_type, words & present)):
                        assert any(map(of_type, present - words)), question.text


def test_generating_again_gives_the_same_bytes(tmp_path: Path) -> None:
    command = [sys.executable, SAMPLE / "generate.py", "--output", tmp_path]
    subprocess.run(command, check=True)
    for split in SPLITS:
        name = f"{split}.json"
        assert (tmp_path / name).read_bytes() == (SAMPLE / name).read_bytes()


@pytest.fixture(scope="module")
def guessed(squad: dict[str, Any]) -> list[tuple[list[str], dict[str, str]]]:
    nlp = load_pipeline()
    if nlp is None:
        pytest.skip(f"the bounds need one of spaCy's pipelines: {' or '.join(PIPELINES)}")
    return list(guesses(nlp, squad["dev"]))


@pytest.mark.slow(seconds=200)  # the whole sample is parsed
@pytest.mark.parametrize("bound", BOUNDS)
def test_dev_cannot_be_guessed(guessed: list[tuple[list[str], dict[str, str]]], bound: str) -> None:
    scores = [f1(guess[bound], answers) for answers, guess in guessed]
    reached = 100 * sum(scores) / len(scores)
    # A score far below would mean that the guess itself is broken.
    assert 10 < reached < GUESSED_AT_MOST
