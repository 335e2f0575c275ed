"""The feature groups against a slow extractor of plain loops, and by hand."""

import io
import math
from collections import Counter
from itertools import combinations
from typing import Any

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from squadqa.batch import CandidateBatch
from squadqa.data.candidates.dataset import Targets
from squadqa.data.candidates.inputs import CandidateInputs
from squadqa.data.candidates.statistics import UNIT, bucket_edges
from squadqa.data.candidates.values import VALUES, candidate_values
from squadqa.data.prepare import PreparedData
from squadqa.scoring import normalize_answer
from tests.support.parsed import Question, Text, fitted, prepared, random_data, whole
from tests.support.slow_candidates import SlowFeatures

SEEDS = st.integers(0, 2**32)


def tensors(batch: CandidateBatch) -> dict[str, torch.Tensor]:
    """A batch's tensors by name, including those of its tree."""
    found = {name: value for name, value in vars(batch).items() if torch.is_tensor(value)}
    return found | {f"tree.{name}": value for name, value in vars(batch.tree).items()}


def same_partition(hashes: list[Any], meanings: list[Any]) -> bool:
    """Whether equal hashes stand for equal meanings, and only for them."""
    return len(set(hashes)) == len(set(meanings)) == len(set(zip(hashes, meanings, strict=True)))


@settings(max_examples=15)
@given(SEEDS, st.booleans())
def test_values_equal_the_slow_extractor(seed: int, projective: bool) -> None:
    data = random_data(seed, projective=projective)
    batch, reference = whole(data), SlowFeatures(data)
    values = {group: candidate_values(batch, group) for group in VALUES}
    for question, candidate in batch.candidate_mask.nonzero().tolist():
        first, last = batch.candidate_spans[question, candidate].tolist()
        expected = reference.values(question, first, last)
        assert {g: v[question, candidate].tolist() for g, v in values.items()} == expected


@settings(max_examples=15)
@given(SEEDS)
def test_roots_equal_the_slow_extractor(seed: int) -> None:
    data = random_data(seed)
    batch, reference = whole(data), SlowFeatures(data)
    for question, paragraph in enumerate(data.paragraphs.tolist()):
        count = len(reference.sentence_words(paragraph))
        expected = [reference.roots(question, s) for s in range(count)]
        assert batch.sentence_roots[question, :count].tolist() == expected
        assert not batch.sentence_roots[question, count:].any()


@settings(max_examples=15)
@given(SEEDS)
def test_labels_tags_and_kinds_equal_the_slow_extractor(seed: int) -> None:
    data = random_data(seed)
    batch, reference = whole(data), SlowFeatures(data)
    assert data.annotation is not None
    labels, tags = [], []
    for question, candidate in batch.candidate_mask.nonzero().tolist():
        paragraph = int(data.paragraphs[question])
        first, last = batch.candidate_spans[question, candidate].tolist()
        labels.append(reference.labels(paragraph, first, last))
        begin = data.tokens.bounds[paragraph]
        tags.append(tuple(data.annotation.tags[begin + first : begin + last + 1].tolist()))
    for number in range(4):
        hashes = batch.candidate_constituents[:, :, number][batch.candidate_mask].tolist()
        assert same_partition(hashes, [label[number] for label in labels])
    assert same_partition(batch.candidate_tags[batch.candidate_mask].tolist(), tags)
    meanings = [reference.kinds(question) for question in range(len(data.ids))]
    for number in range(3):
        hashes = batch.question_kinds[:, number].tolist()
        assert same_partition(hashes, [kinds[number] for kinds in meanings])


@settings(max_examples=15)
@given(SEEDS, st.sampled_from(["answer", "occurrences"]))
def test_labelled_is_the_shortest_candidate_that_contains_the_answer(
    seed: int, targets: Targets
) -> None:
    data = random_data(seed)
    batch, reference = whole(data, targets=targets), SlowFeatures(data)
    for question, paragraph in enumerate(data.paragraphs.tolist()):
        spans = [tuple(s) for s in batch.candidate_spans[question].tolist()]
        spans = spans[: int(batch.candidate_mask[question].sum())]
        answer = (int(data.start_positions[question]), int(data.end_positions[question]))
        first, last = reference.paragraphs[paragraph].trim(answer) if answer[0] >= 0 else answer
        containing = [s for s in spans if answer[0] >= 0 and s[0] <= first and last <= s[1]]
        expected = set()
        if containing:
            chosen = min(containing, key=lambda s: (s[1] - s[0], s))
            words = reference.paragraphs[paragraph].words
            said = {s: [normalize_answer(w) for w in words[s[0] : s[1] + 1]] for s in spans}
            texts = {s: [word for word in said[s] if word] for s in spans}
            same = {s for s in spans if texts[s] == texts[chosen]}
            expected = {chosen} if targets == "answer" else same
        labelled = batch.candidate_labels[question].nonzero()[:, 0].tolist()
        assert {spans[i] for i in labelled} == expected


def people(answer: tuple[int, int] | None = (4, 4)) -> PreparedData:
    """One question about one of two paragraphs; "likes" is a root in all."""
    who = [("Who", 1), ("likes", 1), ("red", 3), ("pears", 1)]
    ann = [("Ann", 1), ("likes", 1), ("apples", 1)]
    bob = [("Bob", 1), ("likes", 1), ("red", 3), ("pears", 1)]
    tags = {"Ann": "NNP", "Bob": "NNP", "red": "JJ", "likes": "VBZ", "Who": "WP"}
    entities = [(0, 0, "PERSON"), (3, 3, "PERSON")]
    context = Text([ann, bob], tags=tags, entities=entities, labels={"Bob": "nsubj"})
    other = Text([[("Ann", 1), ("ate", 1), ("red", 1)]], tags=tags)
    question = Question(Text([who], tags=tags), 0, answer)
    return prepared([context, other], [question, Question(Text([who], tags=tags), 1)])


def at(data: PreparedData, first: int, last: int, **options: Any) -> tuple[CandidateBatch, int]:
    batch = whole(data, **options)
    place = batch.candidate_spans[0].tolist().index([first, last])
    return batch, place


def test_groups_1_2_4_and_5_by_hand() -> None:
    batch, bob = at(people(), 3, 3)
    rare = round(UNIT * math.log(2))  # in one paragraph of two; "red" and "Ann" are in both
    values = {group: candidate_values(batch, group)[0, bob].tolist() for group in VALUES}
    # "who like red pear" contains three of "bob like red pear", and weights like and pear.
    assert values["matching_words"] == [0, 0, 2 * rare, 2 * rare]
    # "like red": 2 * 1 / 1², "red pear": the same; both words of each meet in one paragraph.
    assert values["matching_bigrams"] == [0, 0, 2 * rare, 2 * rare]
    assert values["lengths"] == [0, 1, 3, 4]
    assert values["span_words"] == [rare]


def test_a_bigram_over_the_candidates_edge_counts_in_the_sentence_only() -> None:
    batch, red_pears = at(people(), 5, 6)
    rare = round(UNIT * math.log(2))
    matching = candidate_values(batch, "matching_bigrams")[0, red_pears].tolist()
    assert matching == [0, rare, 0, 2 * rare]


def test_words_together_by_chance_have_a_low_weight() -> None:
    # One bigram "a b", but both words in each of two paragraphs: log(2 * 1 / 2²) < 0.
    texts = [[("red", 0), ("ann", 0)], [("ann", 0), ("red", 0)]]
    questions = [Question(Text([texts[0]]), p) for p in (0, 1)]
    batch = whole(prepared([Text([t]) for t in texts], questions))
    assert batch.bigram_matches.tolist() == [[0, 0], [0, 0]]


def test_group_3_by_hand() -> None:
    batch = whole(people())
    assert batch.sentence_roots[0].tolist() == [[True, True, True], [True, True, True]]
    assert batch.sentence_roots[1].tolist() == [[False, False, False], [False] * 3]


def test_a_question_without_a_wh_word_has_its_own_kind() -> None:
    texts = [[("name", 0), ("Ann", 0)], [("who", 0), ("name", 0)], [("Who", 0), ("ate", 0)]]
    questions = [Question(Text([text]), 0) for text in texts]
    batch = whole(prepared([Text([[("Ann", 0)]])], questions))
    named, who, capital = batch.question_kinds[:, 0].tolist()
    assert named == 0 != who
    assert who == capital


def test_occurrences_of_the_answer_elsewhere_are_labelled_too() -> None:
    context = Text([[("Ann", 1), ("ate", 1), ("the", 3), ("Apples", 1)], [("apples", 0)]])
    data = prepared([context], [Question(Text([[("what", 0)]]), 0, (2, 3))])
    assert whole(data, targets="answer").candidate_labels.sum() == 1
    batch = whole(data, targets="occurrences")
    assert batch.candidate_spans[batch.candidate_labels].tolist() == [[3, 3], [4, 4]]


def test_an_answer_across_sentences_labels_nothing() -> None:
    data = people(answer=(2, 3))
    assert not whole(data).candidate_labels.any()
    assert fitted(data).count_without_target() == 2  # the other question has no answer
    assert fitted(people()).count_without_target() == 1


def test_buckets_are_one_for_zero_and_equally_full_others() -> None:
    values = np.array([[0, 7]] * 50 + [[v, 7] for v in range(1, 91)])
    edges = bucket_edges(values, num_buckets=10)
    assert edges[0].tolist() == [1, 11, 21, 31, 41, 51, 61, 71, 81]
    counts = Counter(np.searchsorted(edges[0], values[:, 0], side="right").tolist())
    assert counts == {0: 50} | dict.fromkeys(range(1, 10), 10)
    assert edges[1].tolist() == [1, 7, 7, 7, 7, 7, 7, 7, 7]  # a constant has one bucket


def test_statistics_come_from_the_rows_that_are_fitted_on() -> None:
    data = people()
    inputs = CandidateInputs()
    inputs.fit(data, np.array([0]))
    assert inputs.dataset(data).collate([0]).word_weights[0].tolist() == [0] * 7  # one paragraph
    assert inputs.words.unseen == 0


@settings(max_examples=15)
@given(SEEDS)
def test_state_can_be_saved_in_a_weights_only_checkpoint(seed: int) -> None:
    data = random_data(seed)
    inputs, again = CandidateInputs(), CandidateInputs()
    inputs.fit(data, np.arange(len(data.ids)))
    file = io.BytesIO()
    torch.save(inputs.state_dict(), file)
    file.seek(0)
    again.load_state_dict(torch.load(file, weights_only=True))
    other = random_data(seed + 1)
    batches = [i.dataset(other).collate(range(len(other.ids))) for i in (inputs, again)]
    one, two = (tensors(batch) for batch in batches)
    for name, tensor in one.items():
        assert torch.equal(tensor, two[name]), name


@pytest.mark.parametrize("parse", [True, False])
@settings(max_examples=15)
@given(seed=SEEDS)
def test_a_question_is_the_same_alone_and_in_a_batch(parse: bool, seed: int) -> None:
    dataset = fitted(random_data(seed, parse=parse))
    together = dataset.collate(range(len(dataset)))
    for item in range(len(dataset)):
        alone = dataset.collate([item])
        every = tensors(together)
        for name, one in tensors(alone).items():
            many = every[name]
            if name in ("bucket_edges", "value_means", "value_deviations"):
                assert torch.equal(one, many)
                continue
            mine = many[item][tuple(slice(size) for size in one.shape[1:])]
            assert torch.equal(one[0], mine), name
            if name not in ("candidate_constituents", "candidate_tags", "matched_places"):
                assert many[item].count_nonzero() == one.count_nonzero(), name


def test_without_a_parse_every_group_still_has_values() -> None:
    batch = whole(random_data(1, parse=False))
    assert not batch.sentence_roots.any()
    assert batch.candidate_mask.any(dim=1).all()
    assert all(candidate_values(batch, group).shape[2] == VALUES[group] for group in VALUES)


def test_hashes_of_different_spans_differ() -> None:
    words = [(word, 0) for word in ("Ann", "red", "apple", "Ann", "red")]
    tags = {"Ann": "NNP", "red": "JJ", "apple": "NN"}
    batch = whole(prepared([Text([words], tags=tags)], [Question(Text([words[:1]]), 0)]))
    spans = batch.candidate_spans[0].tolist()
    tag = dict(zip(map(tuple, spans), batch.candidate_tags[0].tolist(), strict=True))
    assert tag[0, 1] == tag[3, 4]  # the same sequence elsewhere
    distinct = [hash_ for span, hash_ in tag.items() if span not in ((3, 3), (4, 4), (3, 4))]
    assert all(a != b for a, b in combinations(distinct, 2))
