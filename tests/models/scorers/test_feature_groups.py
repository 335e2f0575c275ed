"""Each feature group against plain loops over tokens, trees and questions."""

from collections.abc import Callable

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from squadqa.batch import CandidateBatch
from squadqa.data.candidates.features import QUESTION_TYPES
from squadqa.data.candidates.inputs import CandidateInputs
from squadqa.data.candidates.tree_paths import arc_hashes, path_hashes
from squadqa.data.candidates.values import VALUES, candidate_values, value_columns
from squadqa.data.prepare import PreparedData
from squadqa.errors import ConfigError
from squadqa.models.scorers.feature_groups import (
    GROUPS,
    MAX_ARCS,
    TableGroup,
    check_groups,
    feature_group,
)
from squadqa.nn.hashing import cross, table_rows
from tests.support.parsed import Question, Text, fitted, prepared, random_data, whole
from tests.support.slow_candidates import SILENT, SlowFeatures

BUCKETS, BITS, WIDTH = 4, 12, 2
SEEDS = st.integers(0, 2**32)
Expected = Callable[[int, int], torch.Tensor]


def random_group(name: str, seed: int = 0) -> torch.nn.Module:
    group = feature_group(name, num_buckets=BUCKETS, table_bits=BITS, width=WIDTH)
    generator = torch.Generator().manual_seed(seed)
    for parameter in group.parameters():
        parameter.data.normal_(generator=generator)
    return group


def check(batch: CandidateBatch, group: torch.nn.Module, expected: Expected) -> None:
    """Compare a group's numbers with `expected` of every question and candidate."""
    given_numbers = group(batch).detach()
    for question, candidate in batch.candidate_mask.nonzero().tolist():
        torch.testing.assert_close(
            given_numbers[question, candidate], expected(question, candidate), atol=1e-4, rtol=1e-4
        )


def rows_of(group: TableGroup, hashes: list[torch.Tensor]) -> torch.Tensor:
    """Sum of the table's rows of 0-dimensional hashes."""
    total = torch.zeros(WIDTH)
    for one in hashes:
        total += group.weight.detach()[table_rows(one, bits=BITS)]
    return total


class Trees:
    """A question of random data and its paragraph's tree, as plain Python values."""

    def __init__(self, data: PreparedData, batch: CandidateBatch) -> None:
        self.reference, self.data, self.batch = SlowFeatures(data), data, batch

    def heads(self, question: int) -> list[int]:
        return self.reference.paragraphs[int(self.data.paragraphs[question])].heads

    def words(self, question: int) -> list[str]:
        return self.reference.paragraphs[int(self.data.paragraphs[question])].words

    def counts(self, question: int, token: int) -> bool:
        return self.words(question)[token].lower() not in SILENT

    def near(self, question: int, head: int) -> list[tuple[str, int, int]]:
        """(relation, the word's token, the token whose label counts) of the words near a head."""
        heads = self.heads(question)
        found = []
        parent = heads[head]
        if parent != head:
            found.append(("parent", parent, head))
            if heads[parent] != parent:
                found.append(("grandparent", heads[parent], head))
        for token, its_head in enumerate(heads):
            if token == its_head or not self.counts(question, token):
                continue
            if its_head == head:
                found.append(("child", token, token))
            elif heads[its_head] == head and its_head != head:
                found.append(("grandchild", token, token))
            if parent != head and its_head == parent and token != head:
                found.append(("sibling", token, token))
        return found


@settings(max_examples=20)
@given(SEEDS, st.booleans())
def test_lexicalized_group_equals_loops_over_the_tree(seed: int, projective: bool) -> None:
    data = random_data(seed, projective=projective)
    batch, group = whole(data), random_group("lexicalized", seed)
    assert isinstance(group, TableGroup)
    trees, tree = Trees(data, batch), batch.tree
    salts = ("inside", "child", "grandchild", "sibling", "parent", "grandparent")

    def expected(question: int, candidate: int) -> torch.Tensor:
        first, last = batch.candidate_spans[question, candidate].tolist()
        words, labels = tree.words[question], tree.labels[question]
        keys = [words[t] for t in range(first, last + 1) if trees.counts(question, t)]
        head = int(batch.candidate_heads[question, candidate])
        for relation, token, labelled in trees.near(question, head):
            keys.append(cross(words[token], labels[labelled]) + salts.index(relation))
        tokens = trees.reference.tokens(len(trees.reference.paragraphs) + question)
        forms = [data.tokens.lexicon[data.tokens.forms[t]] for t in tokens]
        asked = [form for form in forms if form.lower() not in SILENT]
        terms = batch.question_terms[question][: len(asked)]
        assert int((batch.question_terms[question] != 0).sum()) == len(asked)
        return rows_of(group, [cross(key, term) for key in keys for term in terms])

    check(batch, group, expected)
    together = fitted(data)
    counts = [len(group.features(together.collate([i]))) for i in range(len(together))]
    assert len(group.features(batch)) == sum(counts)  # padding is no feature


@settings(max_examples=20)
@given(SEEDS)
def test_path_group_equals_loops_over_matched_words(seed: int) -> None:
    data = random_data(seed)
    batch, group = whole(data), random_group("dependency_paths", seed)
    assert isinstance(group, TableGroup)
    trees, tree, reference = Trees(data, batch), batch.tree, SlowFeatures(data)

    def expected(question: int, candidate: int) -> torch.Tensor:
        paragraph = int(data.paragraphs[question])
        slow, lemmas = reference.paragraphs[paragraph], reference.lemmas(paragraph)
        asked = reference.lemmas(len(reference.paragraphs) + question)
        head = int(batch.candidate_heads[question, candidate])
        hashes = []
        for token, lemma in enumerate(lemmas):
            same_sentence = slow.sentences[token] == slow.sentences[head]
            if lemma in asked and same_sentence and trees.counts(question, token):
                path = path_hashes(
                    arc_hashes(tree.labels[question], tree.tags[question]),
                    tree.tags[question],
                    tree.heads[question],
                    tree.depths[question],
                    start=torch.tensor([token]),
                    end=torch.tensor([head]),
                    max_arcs=MAX_ARCS,
                )[0]
                in_question = batch.question_paths[question, asked.index(lemma)]
                hashes += [path, cross(path, in_question)]
        return rows_of(group, hashes)

    check(batch, group, expected)


@settings(max_examples=20)
@given(SEEDS, st.sampled_from(sorted(VALUES)))
def test_bucket_groups_add_rows_alone_and_with_the_questions_type(seed: int, name: str) -> None:
    batch, group = whole(random_data(seed), num_buckets=BUCKETS), random_group(name, seed)
    values, edges = candidate_values(batch, name), batch.bucket_edges[value_columns(name)]

    def expected(question: int, candidate: int) -> torch.Tensor:
        kind = int(batch.question_types[question])
        total = torch.zeros(WIDTH)
        for feature, value in enumerate(values[question, candidate].tolist()):
            bucket = sum(value >= edge for edge in edges[feature].tolist())
            total += group.weight[feature, bucket].detach()
            total += group.crossed[kind, feature, bucket].detach()  # type: ignore[index]
        return total

    check(batch, group, expected)


@settings(max_examples=20)
@given(SEEDS)
def test_label_tag_and_root_groups_equal_loops(seed: int) -> None:
    batch = whole(random_data(seed))
    for name, labels in (
        ("constituent_label", batch.candidate_constituents),
        ("tag_sequence", batch.candidate_tags[:, :, None]),
    ):
        group = random_group(name, seed)
        assert isinstance(group, TableGroup)

        def expected(
            question: int, candidate: int, labels: torch.Tensor = labels, group: TableGroup = group
        ) -> torch.Tensor:
            kinds = batch.question_kinds[question]
            own = labels[question, candidate]
            crossed = [cross(label, kind) for label in own for kind in kinds]
            return rows_of(group, [*own, *crossed])

        check(batch, group, expected)
        number = int(batch.candidate_mask.sum()) * labels.shape[2]
        assert len(group.features(batch)) == number * (1 + batch.question_kinds.shape[1])
    root = random_group("root_match", seed)

    def of_roots(question: int, candidate: int) -> torch.Tensor:
        sentence = int(batch.candidate_sentences[question, candidate])
        return root.weight[batch.sentence_roots[question, sentence]].detach().sum(dim=0)  # type: ignore[index]

    check(batch, root, of_roots)


@pytest.mark.parametrize("name", GROUPS)
@settings(max_examples=10)
@given(seed=SEEDS, parse=st.booleans())
def test_padding_and_other_questions_change_nothing(name: str, seed: int, parse: bool) -> None:
    dataset = fitted(random_data(seed, parse=parse), num_buckets=BUCKETS)
    group = random_group(name)
    together = group(dataset.collate(range(len(dataset))))
    for item in range(len(dataset)):
        alone = group(dataset.collate([item]))[0]
        torch.testing.assert_close(together[item, : len(alone)], alone, atol=1e-5, rtol=1e-5)


def test_the_lexicalized_group_by_hand() -> None:
    # "Ann ate red apples": the head of "apples" is "ate", and its only child is "red".
    sentence = [("Ann", 1), ("ate", 1), ("red", 3), ("apples", 1)]
    question = Question(Text([[("Who", 0)]]), 0)
    batch = whole(prepared([Text([sentence])], [question]))
    group = random_group("lexicalized")
    tokens = group.of_tokens(batch)  # type: ignore[operator]
    place = batch.candidate_spans[0].tolist().index([3, 3])
    expected = (
        tokens["inside"][0, 3]
        + tokens["parent"][0, 3]  # ate
        + tokens["child"][0, 2]  # red
        + tokens["sibling"][0, 0]  # Ann
    )
    torch.testing.assert_close(group(batch)[0, place], expected)
    assert not tokens["grandparent"][0, 3].any()  # "ate" is the root


def test_question_types_by_hand() -> None:
    tags = {"many": "JJ", "did": "VBD"}
    asked = [["Who", "ate"], ["how", "many", "ate"], ["how", "did", "it"], ["name", "it"]]
    asked += [
        ["ate", "how"],
        ["many", "ate"],
    ]  # the next question's words do not count for this one
    questions = [Question(Text([[(w, 0) for w in words]], tags=tags), 0) for words in asked]
    batch = whole(prepared([Text([[("Ann", 0)]])], questions))
    types = [QUESTION_TYPES[number] for number in batch.question_types.tolist()]
    assert types == ["who", "how much", "how", "", "how", ""]


def test_mistakes_are_reported() -> None:
    with pytest.raises(ConfigError, match="table_bits cannot be 70"):
        feature_group("lexicalized", num_buckets=4, table_bits=70)
    with pytest.raises(ConfigError, match="without feature groups"):
        check_groups([])
    with pytest.raises(ConfigError, match="num_buckets cannot be 1"):
        CandidateInputs(num_buckets=1)
