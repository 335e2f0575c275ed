from typing import Any

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from squadqa.batch import FormBatch
from squadqa.data.dataset import SpanDataset
from squadqa.data.lexicon import character_ids
from squadqa.data.prepare import PreparedData, prepare_data
from squadqa.errors import DataError
from tests.support import tiny

DATA = tiny.prepared()
FREQUENT = ("the", "kept", ",", "not here")


def reference(data: PreparedData, rows: list[int], items: list[int]) -> list[dict[str, Any]]:
    """The expected content of a batch for each question, by plain loops over strings."""
    examples = []
    tokens, annotation = data.tokens, data.annotation
    forms = [tokens.lexicon[form] for form in tokens.forms]
    for item in items:
        row = rows[item]
        paragraph = int(data.paragraphs[row])
        context = range(tokens.bounds[paragraph], tokens.bounds[paragraph + 1])
        text = len(data.contexts) + row
        question = range(tokens.bounds[text], tokens.bounds[text + 1])
        asked = {forms[q] for q in question}
        asked_lower = {form.lower() for form in asked}
        lower = [forms[c].lower() for c in context]
        example: dict[str, Any] = {
            "index": item,
            "context": [forms[c] for c in context],
            "question": [forms[q] for q in question],
            "same": [forms[c] in asked for c in context],
            "lower": [form in asked_lower for form in lower],
            "frequency": [lower.count(form) / len(lower) for form in lower],
            "lemma": [False for _ in context],
            "tags": [0 for _ in context],
            "entities": [0 for _ in context],
            "answer": (int(data.start_positions[row]), int(data.end_positions[row])),
        }
        if annotation is not None:
            lemmas = {annotation.lemmas[q] for q in question}
            example["lemma"] = [annotation.lemmas[c] in lemmas for c in context]
            example["tags"] = [int(annotation.tags[c]) for c in context]
            example["entities"] = [int(annotation.entities[c]) for c in context]
        examples.append(example)
    return examples


def form_names(data: PreparedData, forms: FormBatch) -> list[str]:
    """The word form of each row, found by its vector; "" if that is zero."""
    assert data.vectors is not None
    rows = data.vectors.tolist()
    known = {tuple(row): form for row, form in zip(rows, data.tokens.lexicon, strict=True)}
    return [known.get(tuple(row), "") for row in forms.vectors.tolist()]


def said(dataset: SpanDataset, items: list[int]) -> list[dict[str, Any]]:
    """The content of a batch for each question, without its padding, which must be zero."""
    batch = dataset.collate(items)
    names = form_names(dataset.data, batch.forms)
    examples = []
    for b in range(len(items)):
        length, asked = int(batch.context_mask[b].sum()), int(batch.question_mask[b].sum())
        assert batch.context_mask[b, :length].all()
        assert batch.question_mask[b, :asked].all()
        for padded in (
            batch.context_ids[b, length:],
            batch.question_ids[b, asked:],
            batch.context_matches[b, length:],
            batch.context_term_frequency[b, length:],
            batch.context_tags[b, length:],
            batch.context_entities[b, length:],
        ):
            assert not padded.any()
        examples.append(
            {
                "index": int(batch.index[b]),
                "context": [names[i] for i in batch.context_ids[b, :length]],
                "question": [names[i] for i in batch.question_ids[b, :asked]],
                "same": (batch.context_matches[b, :length, 0] == 1).tolist(),
                "lower": (batch.context_matches[b, :length, 1] == 1).tolist(),
                "lemma": (batch.context_matches[b, :length, 2] == 1).tolist(),
                "frequency": pytest.approx(batch.context_term_frequency[b, :length].tolist()),
                "tags": batch.context_tags[b, :length].tolist(),
                "entities": batch.context_entities[b, :length].tolist(),
                "answer": (int(batch.start_positions[b]), int(batch.end_positions[b])),
            }
        )
    return examples


@pytest.mark.parametrize("annotated", [True, False])
@given(data=st.data())
def test_batch_equals_plain_loops(annotated: bool, data: st.DataObject) -> None:
    prepared = DATA if annotated else UNANNOTATED
    rows = data.draw(st.lists(st.integers(0, 7), min_size=1, max_size=8))
    items = data.draw(st.lists(st.integers(0, len(rows) - 1), min_size=1, max_size=8))
    dataset = SpanDataset(prepared, rows=np.array(rows))
    assert said(dataset, items) == reference(prepared, rows, items)


UNANNOTATED = tiny.prepared(annotated=False)


@given(items=st.lists(st.integers(0, 7), min_size=1, max_size=12))
def test_batch_knows_its_distinct_contexts(items: list[int]) -> None:
    dataset = SpanDataset(DATA)
    batch = dataset.collate(items)
    assert batch.paragraphs is not None
    assert batch.paragraph_rows is not None
    contexts = dataset.paragraphs[items]
    assert len(batch.paragraph_rows) == len(set(contexts.tolist()))
    rows, places = batch.paragraph_rows.numpy(), batch.paragraphs.numpy()
    assert contexts[rows][places].tolist() == contexts.tolist()


def test_batch_reads_each_context_by_itself_if_asked_to() -> None:
    dataset = SpanDataset(DATA)
    dataset.shares_contexts = False
    batch = dataset.collate(range(8))
    assert batch.paragraphs is batch.paragraph_rows is None


def test_forms_are_distinct_and_row_0_is_zero() -> None:
    forms = SpanDataset(DATA, frequent=FREQUENT).collate(range(8)).forms
    names = form_names(DATA, forms)
    assert names[0] == ""
    assert len(set(names)) == len(names)
    assert set(names[1:]) == set(DATA.tokens.lexicon)
    for tensor in (forms.characters, forms.vectors, forms.frequent):
        assert not tensor[0].any()
    spelled = character_ids(names, max_characters=16)
    assert forms.characters.tolist() == spelled.tolist()
    ranks = [FREQUENT.index(name) + 1 if name in FREQUENT else 0 for name in names]
    assert forms.frequent.tolist() == ranks
    assert sorted(set(ranks)) == [0, 1, 2, 3]


def test_padded_to_the_longest_only() -> None:
    dataset = SpanDataset(DATA)
    lengths = dataset.context_lengths
    for items in ([0], [4], [0, 4], [6, 5]):
        batch = dataset.collate(items)
        assert batch.context_ids.shape == (len(items), lengths[items].max())
        widest = (batch.forms.characters != 0).sum(dim=1).max()
        assert batch.forms.characters.shape[1] == widest


def test_types() -> None:
    batch = SpanDataset(DATA).collate([0, 5])
    floats = {"context_matches", "context_term_frequency"}
    masks = {"context_mask", "question_mask"}
    for name, value in vars(batch).items():
        if name not in ("forms", "unanswerable"):
            expected = torch.float32 if name in floats else torch.int64
            assert value.dtype == (torch.bool if name in masks else expected), name
    assert batch.unanswerable is None
    known = SpanDataset(DATA, abstains=True).collate([0, 5]).unanswerable
    assert known is not None
    assert known.tolist() == [False, False]
    assert batch.forms.vectors.dtype == torch.float32
    assert batch.forms.characters.dtype == batch.forms.frequent.dtype == torch.int64


def test_long_and_short_texts_in_one_batch() -> None:
    long = "one two " * 2500
    file = tiny.join(
        tiny.one_question(long, "two?", [("two", 4)], id="long"),
        tiny.one_question("x", "x", [("x", 0)], id="short"),
    )
    data = tiny.prepared(file)
    dataset = SpanDataset(data)
    assert dataset.context_lengths.tolist() == [5000, 1]
    batch = dataset.collate([0, 1])
    assert batch.context_mask.sum(dim=1).tolist() == [5000, 1]
    assert batch.context_term_frequency[0, 0] == pytest.approx(0.5)
    assert batch.context_term_frequency[1, 0] == 1
    assert said(dataset, [0, 1]) == reference(data, [0, 1], [0, 1])


def test_characters_outside_the_alphabet() -> None:
    context = "中文 🥐\u0301 \U0010ffff a\x00b " + "w" * 100
    data = tiny.prepared(tiny.one_question(context, "🥐?", []))
    dataset = SpanDataset(data, max_characters=7)
    forms = dataset.collate([0]).forms
    assert forms.characters.shape[1] == 7
    assert (forms.characters[1:, 0] > 0).all()
    assert said(dataset, [0]) == reference(data, [0], [0])


def test_unknown_answers_are_minus_one() -> None:
    data = tiny.prepared(tiny.one_question(answers=[]))
    batch = SpanDataset(data).collate([0])
    assert (batch.start_positions.tolist(), batch.end_positions.tolist()) == ([-1], [-1])


def test_rows_are_the_questions_of_this_data_set() -> None:
    dataset = SpanDataset(DATA, rows=np.array([7, 2]))
    assert len(dataset) == 2
    assert [dataset[0], dataset[1]] == [0, 1]
    assert [dataset.id_of(0), dataset.id_of(1)] == ["q7", "q2"]
    assert dataset.question_of(0) == " When is cake sold?"
    assert dataset.references_of(1) == ["1902"]
    assert dataset.context_lengths.tolist() == [
        DATA.tokens.bounds[3] - DATA.tokens.bounds[2],
        DATA.tokens.bounds[1] - DATA.tokens.bounds[0],
    ]


def test_spans_are_cut_from_the_context_itself() -> None:
    dataset = SpanDataset(DATA)
    for item, (first, last) in enumerate(
        zip(DATA.start_positions.tolist(), DATA.end_positions.tolist(), strict=True)
    ):
        text = dataset.text_of(item, first, last)
        assert text == dataset.references_of(item)[0]
        context = DATA.contexts[int(DATA.paragraphs[item])].as_py()
        start, end = dataset.characters_of(item, first, last)
        assert context[start:end] == text


def test_vectors_are_required() -> None:
    with pytest.raises(DataError, match="prepared without word vectors"):
        SpanDataset(prepare_data(tiny.as_data(tiny.squad())))


def test_width_of_vectors() -> None:
    forms = SpanDataset(tiny.prepared(vector_size=11)).collate([0]).forms
    assert forms.vectors.shape == (len(forms.characters), 11)
