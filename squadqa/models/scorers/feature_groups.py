"""Feature groups of candidate answers: each adds to a candidate's score, or to its vector.

Reference: Rajpurkar et al., 2016 (arXiv 1606.05250), table 4. Groups 1 to 9 are the paper's;
`position`, `nearby_words` and `sentence_rank` are new.

A group of width D gives each candidate D numbers: one is a score, more are an embedding. Where
possible, groups compute per token instead of per candidate: the lexicalised group and the paths
give numbers to each token that heads a span, which all candidates with that head share, and the
words of a span are summed from running sums.

One file, as all groups have the same interface and share the look-up of rows.

Letters: B batch, C context tokens, T terms of a question, N candidates, S sentences, V continuous
features, L labels, K kinds of a question, P pairs of a matched word and a head, D width.
"""

from abc import ABC, abstractmethod
from collections.abc import Callable, Sequence

import torch
from torch import Tensor, nn
from torch.nn.functional import pad

from squadqa.batch import CandidateBatch
from squadqa.data.candidates.features import QUESTION_TYPES
from squadqa.data.candidates.tree_paths import arc_hashes, path_hashes
from squadqa.data.candidates.values import VALUES, candidate_values, value_columns
from squadqa.errors import ConfigError, did_you_mean
from squadqa.nn.hashing import cross, table_rows

GROUPS = (
    "matching_words",
    "matching_bigrams",
    "root_match",
    "lengths",
    "span_words",
    "constituent_label",
    "tag_sequence",
    "lexicalized",
    "dependency_paths",
    "position",
    "nearby_words",
    "sentence_rank",
)
"""Names of the feature groups."""

MAX_ARCS = 6
"""Longest path that has its own features, in arcs on its longer side."""

MAX_TABLE_BITS = 28
"""Largest table, as a power of two: 1 GiB of weights, and as much for their optimiser."""

MAX_DISTANCE = 100
"""Most tokens between the ends of a path: limits the cost of a text without full stops."""


def check_groups(groups: Sequence[str]) -> None:
    """Check names of feature groups.

    Raises:
        ConfigError: A group does not exist, or none is named.
    """
    if not groups:
        raise ConfigError(
            "a scorer without feature groups", hint=f"There are: {', '.join(GROUPS)}."
        )
    for name in groups:
        if name not in GROUPS:
            raise ConfigError(f'no feature group "{name}"', hint=did_you_mean(name, GROUPS))


def feature_group(name: str, *, num_buckets: int, table_bits: int, width: int = 1) -> nn.Module:
    """Make a feature group by its name.

    Args:
        name: One of `GROUPS`.
        num_buckets: Buckets of a continuous feature.
        table_bits: A group of crossed features has a table of 2 ** table_bits rows.
        width: D, how many numbers a candidate gets from the group.
    """
    if name in VALUES:
        return BucketGroup(name, num_buckets, width)
    if name == "root_match":
        return RootGroup(width)
    kinds: dict[str, Callable[[int, int], TableGroup]] = {
        "constituent_label": LabelGroup,
        "tag_sequence": TagGroup,
        "lexicalized": LexicalizedGroup,
        "dependency_paths": PathGroup,
    }
    return kinds[name](table_bits, width)


class BucketGroup(nn.Module):
    """Rows for each bucket of each continuous feature, alone and combined with the question's type.

    Args:
        group: A key of `VALUES`.
        num_buckets: Buckets of a feature.
        width: D.
    """

    def __init__(self, group: str, num_buckets: int, width: int) -> None:
        super().__init__()
        self.group = group
        self.weight = nn.Parameter(torch.zeros(VALUES[group], num_buckets, width))
        self.crossed = nn.Parameter(
            torch.zeros(len(QUESTION_TYPES), VALUES[group], num_buckets, width)
        )

    def forward(self, batch: CandidateBatch) -> Tensor:
        """Return the group's (B, N, D)."""
        values = candidate_values(batch, self.group)  # (B, N, V)
        edges = batch.bucket_edges[value_columns(self.group)]  # (V, num_buckets - 1)
        columns = values.flatten(0, 1).t().contiguous()  # (V, B * N)
        buckets = torch.searchsorted(edges, columns, right=True)  # (V, B * N)
        types, features, num_buckets, width = self.crossed.shape
        places = torch.arange(features, device=buckets.device)[:, None] * num_buckets + buckets
        question = batch.question_types * (features * num_buckets)  # (B,)
        rows = places + question.repeat_interleave(values.shape[1])  # (V, B * N)
        both = (self.weight + self.crossed).view(-1, width)
        return look_up(both, rows).sum(dim=0).view(*values.shape[:2], width)


class RootGroup(nn.Module):
    """Rows for the ways in which the roots of sentence and question match."""

    def __init__(self, width: int) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.zeros(3, width))

    def forward(self, batch: CandidateBatch) -> Tensor:
        """Return the group's (B, N, D): one row for each sentence, shared by its candidates."""
        sentences = batch.sentence_roots.to(self.weight.dtype) @ self.weight  # (B, S, D)
        return at(sentences, batch.candidate_sentences)


class TableGroup(nn.Module, ABC):
    """A table of rows that hashed features share.

    Args:
        table_bits: The table has 2 ** table_bits rows.
        width: D.

    Raises:
        ConfigError: The size is out of its range.
    """

    def __init__(self, table_bits: int, width: int) -> None:
        super().__init__()
        if not 1 <= table_bits <= MAX_TABLE_BITS:
            raise ConfigError(
                f"table_bits cannot be {table_bits}",
                hint=f"A table has 2 ** table_bits rows: 1 to {MAX_TABLE_BITS}.",
            )
        self.table_bits = table_bits
        self.weight = nn.Parameter(torch.zeros(1 << table_bits, width))

    @abstractmethod
    def features(self, batch: CandidateBatch) -> Tensor:
        """Return the (F,) hashes of all features that the batch looks up, with repeats."""

    def look_up(self, hashes: Tensor) -> Tensor:
        """Return the (..., D) rows of features by their (...) hashes."""
        return look_up(self.weight, table_rows(hashes, bits=self.table_bits))


class KindsGroup(TableGroup):
    """Rows for labels of spans, alone and combined with each kind of the question."""

    @abstractmethod
    def labels(self, batch: CandidateBatch) -> Tensor:
        """Return the (B, N, L) hashes of the candidates' labels."""

    def forward(self, batch: CandidateBatch) -> Tensor:
        """Return the group's (B, N, D)."""
        return self.look_up(self._hashes(batch)).sum(dim=2)

    def features(self, batch: CandidateBatch) -> Tensor:
        """Return the (F,) hashes of all features that the batch looks up, with repeats."""
        return self._hashes(batch)[batch.candidate_mask].flatten()

    def _hashes(self, batch: CandidateBatch) -> Tensor:
        labels = self.labels(batch)[:, :, :, None]  # (B, N, L, 1)
        crossed = cross(labels, batch.question_kinds[:, None, None, :])  # (B, N, L, K)
        return torch.cat([labels, crossed], dim=3).flatten(2)  # (B, N, L * (1 + K))


class LabelGroup(KindsGroup):
    """Rows for constituent labels, alone and combined with the question's kinds."""

    def labels(self, batch: CandidateBatch) -> Tensor:
        """Return the (B, N, L) hashes of the candidates' labels."""
        return batch.candidate_constituents


class TagGroup(KindsGroup):
    """Rows for sequences of parts of speech, alone and combined with the question's kinds."""

    def labels(self, batch: CandidateBatch) -> Tensor:
        """Return the (B, N, 1) hashes of the candidates' sequences."""
        return batch.candidate_tags[:, :, None]


class LexicalizedGroup(TableGroup):
    """Rows for each word of the question combined with words in the span and near its head.

    Near words are the head's parent, grandparent, children, siblings and grandchildren, each by its
    relation and by the label of its arc. Articles and punctuation are left out.
    """

    RELATIONS = ("inside", "child", "grandchild", "sibling", "parent", "grandparent")

    def forward(self, batch: CandidateBatch) -> Tensor:
        """Return the group's (B, N, D)."""
        heads, tokens = batch.tree.heads, self.of_tokens(batch)
        near = tokens["parent"] + tokens["grandparent"] + sum_at(tokens["child"], heads)
        near = near + sum_at(sum_at(tokens["grandchild"], heads), heads)
        siblings = at(sum_at(tokens["sibling"], heads), heads) - tokens["sibling"]
        near = near + siblings.masked_fill(_is_root(heads)[:, :, None], 0.0)  # (B, C, D)
        inside = pad(tokens["inside"].cumsum(1), (0, 0, 1, 0))  # (B, C + 1, D)
        first, last = batch.candidate_spans.unbind(2)  # (B, N)
        return at(inside, last + 1) - at(inside, first) + at(near, batch.candidate_heads)

    def features(self, batch: CandidateBatch) -> Tensor:
        """Return the (F,) hashes of all features that the batch looks up, with repeats."""
        hashes, moved, asked = self._hashes(batch)
        return hashes[moved[:, :, :, None] & asked[:, None, None, :]]

    def of_tokens(self, batch: CandidateBatch) -> dict[str, Tensor]:
        """Return (B, C, D) sums of the question's rows with each token, for each of `RELATIONS`.

        A token's rows as child, grandchild and sibling are collected by other tokens, to which it
        has that relation. Its rows for parent and grandparent are its own.
        """
        hashes, real, asked = self._hashes(batch)
        rows = self.look_up(hashes) * asked[:, None, None, :, None]  # (B, C, 6, T, D)
        rows = rows.sum(dim=3) * real[:, :, :, None]  # (B, C, 6, D)
        return dict(zip(self.RELATIONS, rows.unbind(2), strict=True))

    def _hashes(self, batch: CandidateBatch) -> tuple[Tensor, Tensor, Tensor]:
        """(B, C, 6, T) hashes; (B, C, 6) where a token has the relation; (B, T) real terms."""
        tree, heads, labels = batch.tree, batch.tree.heads, batch.tree.labels
        is_root = _is_root(heads)  # (B, C)
        moved = tree.mask & ~is_root
        far = moved & ~is_root.gather(1, heads)  # nor the root's child
        counted = tree.mask & tree.counted
        hung = cross(tree.words, labels)
        above = heads.gather(1, heads)
        relations = {  # hash, and where the relation exists
            "inside": (tree.words, counted),
            "child": (hung, counted & moved),
            "grandchild": (hung, counted & far),
            "sibling": (hung, counted & moved),
            "parent": (cross(tree.words.gather(1, heads), labels), moved),
            "grandparent": (cross(tree.words.gather(1, above), labels), far),
        }
        keys = torch.stack([relations[name][0] for name in self.RELATIONS], dim=2)
        keys = keys + torch.arange(len(self.RELATIONS), device=keys.device)  # (B, C, 6)
        # All in one look-up: each look-up would make a gradient as large as the table.
        hashes = cross(keys[:, :, :, None], batch.question_terms[:, None, None, :])
        real = torch.stack([relations[name][1] for name in self.RELATIONS], dim=2)
        return hashes, real, batch.question_terms != 0


class PathGroup(TableGroup):
    """Rows for the paths to the span's head from words of its sentence that are in the question.

    Alone, and combined with the path from the wh-word to that word in the question. Paths are
    labels and parts of speech of the dependency tree. Articles and punctuation are left out.
    """

    def forward(self, batch: CandidateBatch) -> Tensor:
        """Return the group's (B, N, D)."""
        hashes, heads = self._hashes(batch)
        rows = self.look_up(hashes).sum(dim=1)  # (P, D)
        batch_size, length = batch.tree.heads.shape
        scores = rows.new_zeros(batch_size * length, rows.shape[1]).index_add(0, heads, rows)
        return at(scores.view(batch_size, length, -1), batch.candidate_heads)

    def features(self, batch: CandidateBatch) -> Tensor:
        """Return the (F,) hashes of all features that the batch looks up, with repeats."""
        return self._hashes(batch)[0].flatten()

    def _hashes(self, batch: CandidateBatch) -> tuple[Tensor, Tensor]:
        """(P, 2) hashes of paths, alone and joined; (P,) the heads they end at, of B * C."""
        tree = batch.tree
        batch_size, length = tree.heads.shape
        matched = (batch.matched_places >= 0) & tree.counted & tree.mask
        question, word = matched.nonzero(as_tuple=True)
        begin, end = batch.sentence_spans[question, tree.sentences[question, word]].unbind(1)
        begin, end = begin.maximum(word - MAX_DISTANCE), end.minimum(word + MAX_DISTANCE)
        counts = end - begin + 1  # heads of each matched word's sentence
        of_word = torch.repeat_interleave(counts)  # (P,)
        pairs = torch.arange(len(of_word), device=counts.device)
        offset = question * length
        heads = pairs + (offset + begin - (counts.cumsum(0) - counts))[of_word]  # (P,)
        rows = torch.arange(batch_size, device=counts.device)[:, None]
        paths = path_hashes(
            arc_hashes(tree.labels, tree.tags).flatten(),
            tree.tags.flatten(),
            (tree.heads + rows * length).flatten(),
            tree.depths.flatten(),
            start=(offset + word)[of_word],
            end=heads,
            max_arcs=MAX_ARCS,
        )  # (P,)
        asked = batch.question_paths[question, batch.matched_places[question, word]][of_word]
        return torch.stack([paths, cross(paths, asked)], dim=1), heads


def _is_root(heads: Tensor) -> Tensor:
    return heads == torch.arange(heads.shape[1], device=heads.device)


def look_up(weight: Tensor, rows: Tensor) -> Tensor:
    """Return the (..., D) rows of a (R, D) table by their (...) numbers."""
    if weight.shape[1] > 1:
        return nn.functional.embedding(rows, weight)
    # By gather: its backward is four times as fast as an embedding's.
    return weight.view(-1).gather(0, rows.flatten()).view(*rows.shape, 1)


def at(values: Tensor, places: Tensor) -> Tensor:
    """Return the (B, N, D) rows of (B, L, D) values at (B, N) places."""
    return values.gather(1, places[:, :, None].expand(-1, -1, values.shape[2]))


def sum_at(values: Tensor, places: Tensor) -> Tensor:
    """Sum (B, L, D) values by their (B, L) places: (B, L, D)."""
    index = places[:, :, None].expand_as(values)
    return torch.zeros_like(values).scatter_add(1, index, values)
