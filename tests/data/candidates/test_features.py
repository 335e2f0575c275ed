"""The feature groups against a slow extractor of plain loops, and by hand.

One file, as all tests share the slow extractor."""

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
from squadqa.data.annotation import DEPENDENCIES, ENTITIES, TAGS
from squadqa.data.candidates.dataset import CandidateDataset, Targets
from squadqa.data.candidates.inputs import CandidateInputs
from squadqa.data.candidates.statistics import UNIT, bucket_edges
from squadqa.data.candidates.values import FAR, VALUES, WINDOWS, candidate_values
from squadqa.data.prepare import PreparedData
from squadqa.scoring import normalize_answer
from tests.data.candidates.test_generators import SILENT, Slow
from tests.support.parsed import Question, Text, prepared, random_data

SEEDS = st.integers(0, 2**32)
Words = list[str]


def fitted(data: PreparedData, **options: Any) -> CandidateDataset:
    inputs = CandidateInputs(**options)
    inputs.fit(data, np.arange(len(data.ids)))
    return inputs.dataset(data)


def whole(data: PreparedData, **options: Any) -> CandidateBatch:
    dataset = fitted(data, **options)
    return dataset.collate(range(len(dataset)))


def tensors(batch: CandidateBatch) -> dict[str, torch.Tensor]:
    """A batch's tensors by name, including those of its tree."""
    found = {name: value for name, value in vars(batch).items() if torch.is_tensor(value)}
    return found | {f"tree.{name}": value for name, value in vars(batch.tree).items()}


class Reference:
    """The slow extractor: a source's features, with words instead of hashes."""

    def __init__(self, data: PreparedData) -> None:
        self.data = data
        self.paragraphs = [Slow(data, p) for p in range(len(data.contexts))]
        self.known = sorted(set(data.paragraphs.tolist()))
        self.bags = [self.sentence_words(p) for p in self.known]

    def tokens(self, text: int) -> range:
        return range(*self.data.tokens.bounds[text : text + 2].tolist())

    def lemmas(self, text: int) -> Words:
        annotation = self.data.annotation
        assert annotation is not None
        return [annotation.lemma_lexicon[annotation.lemmas[t]] for t in self.tokens(text)]

    def sentence_words(self, paragraph: int) -> list[Words]:
        slow, words = self.paragraphs[paragraph], self.lemmas(paragraph)
        return [
            [w for w, s in zip(words, slow.sentences, strict=True) if s == sentence]
            for sentence in sorted(set(slow.sentences))
        ]

    def word_weight(self, word: str) -> int:
        frequency = sum(any(word in s for s in bag) for bag in self.bags)
        return round(UNIT * math.log(len(self.bags) / max(frequency, 1)))

    def bigram_weight(self, pair: tuple[str, str]) -> int:
        frequency = sum(any(pair in bigrams(s) for s in bag) for bag in self.bags)
        both = sum(all(any(word in s for s in bag) for word in pair) for bag in self.bags)
        if not frequency:
            return round(UNIT * math.log(len(self.bags)))
        return round(UNIT * max(0.0, math.log(len(self.bags) * frequency / both**2)))

    def matching(self, question: int) -> list[int]:
        """Weight of each context token whose word is in the question, else 0."""
        paragraph = int(self.data.paragraphs[question])
        asked = self.lemmas(len(self.paragraphs) + question)
        return [self.word_weight(w) if w in asked else 0 for w in self.lemmas(paragraph)]

    def nearby(self, question: int, first: int, last: int) -> list[int]:
        matching = self.matching(question)
        found: list[int] = []
        for window in WINDOWS:
            found.append(sum(matching[max(0, first - window) : first]))
            found.append(sum(matching[last + 1 : last + 1 + window]))
        words = self.paragraphs[int(self.data.paragraphs[question])].words
        said = [t for t, m in enumerate(matching) if m and words[t].lower() not in SILENT]
        before, after = [t for t in said if t < first], [t for t in said if t > last]
        found.append(min(first - before[-1], FAR) if before else FAR)
        found.append(min(after[0] - last, FAR) if after else FAR)
        return found

    def rank(self, question: int, first: int) -> list[int]:
        sentences = self.paragraphs[int(self.data.paragraphs[question])].sentences
        totals = [0] * (max(sentences) + 1)
        for sentence, weight in zip(sentences, self.matching(question), strict=True):
            totals[sentence] += weight
        shares = [total * UNIT // max(1, *totals) for total in totals[1:]]
        own = sentences[first] - 1
        before = shares[own - 1] if own else 0
        after = shares[own + 1] if own + 1 < len(shares) else 0
        better = sum(total > totals[own + 1] for total in totals[1:])
        return [shares[own], before, after, better]

    def values(self, question: int, first: int, last: int) -> dict[str, list[int]]:
        paragraph = int(self.data.paragraphs[question])
        slow, words = self.paragraphs[paragraph], self.lemmas(paragraph)
        asked = self.lemmas(len(self.paragraphs) + question)
        sentence = [t for t, s in enumerate(slow.sentences) if s == slow.sentences[first]]
        parts = [
            [words[t] for t in sentence if t < first],
            words[first : last + 1],
            [words[t] for t in sentence if t > last],
            [words[t] for t in sentence],
        ]
        matching = [sum(self.word_weight(w) for w in part if w in asked) for part in parts]
        return {
            "matching_words": matching,
            "matching_bigrams": [
                sum(self.bigram_weight(b) for b in bigrams(part) if b in bigrams(asked))
                for part in parts
            ],
            "lengths": [len(part) for part in parts],
            "span_words": [sum(self.word_weight(w) for w in parts[1])],
            "position": [first * UNIT // len(words), slow.sentences[first] - 1],
            "nearby_words": self.nearby(question, first, last),
            "sentence_rank": self.rank(question, first),
        }

    def root(self, text: int, tokens: range) -> str:
        annotation = self.data.annotation
        assert annotation is not None
        begin = self.tokens(text).start
        place = next(t for t in tokens if annotation.heads[t] == t - begin)
        return annotation.lemma_lexicon[annotation.lemmas[place]]

    def roots(self, question: int, sentence: int) -> list[bool]:
        paragraph, text = int(self.data.paragraphs[question]), len(self.paragraphs) + question
        begin, slow = self.tokens(paragraph).start, self.paragraphs[paragraph]
        tokens = [begin + t for t, s in enumerate(slow.sentences) if s == sentence + 1]
        root = self.root(paragraph, range(tokens[0], tokens[-1] + 1))
        question_root = self.root(text, self.tokens(text))
        words = self.sentence_words(paragraph)[sentence]
        return [root == question_root, question_root in words, root in self.lemmas(text)]

    def labels(self, paragraph: int, first: int, last: int) -> list[tuple[Any, ...]]:
        slow, annotation = self.paragraphs[paragraph], self.data.annotation
        assert annotation is not None
        head = slow.head((first, last))
        token = self.tokens(paragraph).start + head
        dependency = DEPENDENCIES[annotation.dependencies[token]]
        subtree = slow.trim(slow.subtree(head))
        above = self.lemmas(paragraph)[slow.heads[head]]
        entity: tuple[Any, ...] = ()
        for span in sorted(slow.entity_spans()):
            begin, end = slow.trim(span)
            if begin <= head <= end:
                kind = "all" if (begin, end) == (first, last) else "more"
                if kind == "more" and begin <= first and last <= end:
                    kind = "part"
                entity = (ENTITIES[slow.entities[span[0]]], kind)
        return [
            (dependency, TAGS[annotation.tags[token]]),
            (dependency, subtree[0] == first, subtree[1] == last),
            entity,
            (dependency, above if dependency == "pobj" else ""),
        ]

    def kinds(self, question: int) -> list[tuple[str, ...]]:
        text = len(self.paragraphs) + question
        tokens, lemmas = self.tokens(text), self.lemmas(text)
        annotation = self.data.annotation
        assert annotation is not None
        forms = [self.data.tokens.lexicon[self.data.tokens.forms[t]].lower() for t in tokens]
        asks = [i for i, form in enumerate(forms) if form in ("what", "who")]
        wh = lemmas[asks[0]] if asks else ""
        after = asks[0] + 1 if asks else 0
        nouns = [i for i in range(after, len(forms))
                 if TAGS[annotation.tags[tokens[i]]].startswith("NN")]  # fmt: skip
        following = lemmas[after] if after < len(forms) else ""
        return [(wh,), (wh, following), (wh, lemmas[nouns[0]] if nouns else "", "noun")]


def bigrams(words: Words) -> list[tuple[str, str]]:
    return list(zip(words, words[1:], strict=False))


def same_partition(hashes: list[Any], meanings: list[Any]) -> bool:
    """Whether equal hashes stand for equal meanings, and only for them."""
    return len(set(hashes)) == len(set(meanings)) == len(set(zip(hashes, meanings, strict=True)))


@settings(max_examples=30)
@given(SEEDS, st.booleans())
def test_values_equal_the_slow_extractor(seed: int, projective: bool) -> None:
    data = random_data(seed, projective=projective)
    batch, reference = whole(data), Reference(data)
    values = {group: candidate_values(batch, group) for group in VALUES}
    for question, candidate in batch.candidate_mask.nonzero().tolist():
        first, last = batch.candidate_spans[question, candidate].tolist()
        expected = reference.values(question, first, last)
        assert {g: v[question, candidate].tolist() for g, v in values.items()} == expected


@settings(max_examples=30)
@given(SEEDS)
def test_roots_equal_the_slow_extractor(seed: int) -> None:
    data = random_data(seed)
    batch, reference = whole(data), Reference(data)
    for question, paragraph in enumerate(data.paragraphs.tolist()):
        count = len(reference.sentence_words(paragraph))
        expected = [reference.roots(question, s) for s in range(count)]
        assert batch.sentence_roots[question, :count].tolist() == expected
        assert not batch.sentence_roots[question, count:].any()


@settings(max_examples=30)
@given(SEEDS)
def test_labels_tags_and_kinds_equal_the_slow_extractor(seed: int) -> None:
    data = random_data(seed)
    batch, reference = whole(data), Reference(data)
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


@settings(max_examples=30)
@given(SEEDS, st.sampled_from(["answer", "occurrences"]))
def test_labelled_is_the_shortest_candidate_that_contains_the_answer(
    seed: int, targets: Targets
) -> None:
    data = random_data(seed)
    batch, reference = whole(data, targets=targets), Reference(data)
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


@settings(max_examples=30)
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
@settings(max_examples=30)
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
