"""The logistic-regression baseline of SQuAD: a sum of feature groups' scores.

Reference: Rajpurkar, Zhang, Lopyrev and Liang, 2016, SQuAD: 100,000+ Questions for Machine
Comprehension of Text (arXiv 1606.05250), section 5 and table 4.

Departs from the paper: candidates come from a dependency parse, and so do the labels that stand
for constituent labels (`squadqa.data.candidates`, `squadqa.data.candidate_features`); labels and
tags are crossed not with the wh-word alone, but also with the word and with the noun behind it;
crossed features share the rows of a hash table.

Letters: B batch, N candidates, V continuous features, L labels, K kinds of a question.
"""

from collections.abc import Sequence

import torch
from torch import Tensor, nn

from squadqa.batch import CandidateBatch
from squadqa.data.candidate_values import VALUES, candidate_values, value_columns
from squadqa.errors import ConfigError, did_you_mean
from squadqa.models.base import CandidateScorer
from squadqa.nn.hashing import cross, table_rows
from squadqa.nn.masking import mask_logits

GROUPS = (*VALUES, "root_match", "constituent_label", "tag_sequence")
"""Names of the feature groups."""


class LogisticScorer(CandidateScorer):
    """Scores a candidate by the sum of the weights of its features, group by group.

    Args:
        num_buckets: Buckets of a continuous feature.
        groups: Feature groups to use, of `GROUPS`.
        table_bits: Each group of crossed features has a table of 2 ** table_bits weights.

    Raises:
        ConfigError: There is no such group.
    """

    def __init__(
        self, num_buckets: int, *, groups: Sequence[str] = GROUPS, table_bits: int = 20
    ) -> None:
        super().__init__()
        for name in groups:
            if name not in GROUPS:
                raise ConfigError(f'no feature group "{name}"', hint=did_you_mean(name, GROUPS))
        made = {
            **{name: BucketScores(name, num_buckets) for name in VALUES},
            "root_match": RootScores(),
            "constituent_label": LabelScores(table_bits),
            "tag_sequence": TagScores(table_bits),
        }
        self.groups = nn.ModuleDict({name: made[name] for name in groups})

    def forward(self, batch: CandidateBatch) -> Tensor:
        """Give the (B, N) `candidate_logits`; padded candidates are masked."""
        scores = torch.stack(list(self.group_scores(batch).values()))  # (groups, B, N)
        return mask_logits(scores.sum(dim=0), batch.candidate_mask)

    def group_scores(self, batch: CandidateBatch) -> dict[str, Tensor]:
        """Give each group's (B, N) part of the score; meaningless where there is no candidate."""
        return {name: group(batch) for name, group in self.groups.items()}


class BucketScores(nn.Module):
    """A weight for each bucket of each continuous feature of a group.

    Args:
        group: A key of `VALUES`.
        num_buckets: Buckets of a feature.
    """

    def __init__(self, group: str, num_buckets: int) -> None:
        super().__init__()
        self.group = group
        self.weight = nn.Parameter(torch.zeros(VALUES[group], num_buckets))

    def forward(self, batch: CandidateBatch) -> Tensor:
        """Give the group's (B, N) scores."""
        values = candidate_values(batch, self.group)  # (B, N, V)
        edges = batch.bucket_edges[value_columns(self.group)]  # (V, num_buckets - 1)
        columns = values.flatten(0, 1).t().contiguous()  # (V, B * N)
        buckets = torch.searchsorted(edges, columns, right=True)  # (V, B * N)
        return self.weight.gather(1, buckets).sum(dim=0).view(values.shape[:2])


class RootScores(nn.Module):
    """A weight for each way in which the roots of sentence and question match."""

    def __init__(self) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.zeros(3))

    def forward(self, batch: CandidateBatch) -> Tensor:
        """Give the group's (B, N) scores: one for each sentence, handed to its candidates."""
        sentences = batch.sentence_roots.to(self.weight.dtype) @ self.weight  # (B, S)
        return sentences.gather(1, batch.candidate_sentences)


class CrossedScores(nn.Module):
    """A weight for each label of a span, alone and with each kind of the question, by hash.

    Args:
        table_bits: The table has 2 ** table_bits weights.
    """

    def __init__(self, table_bits: int) -> None:
        super().__init__()
        self.table_bits = table_bits
        self.weight = nn.Parameter(torch.zeros(1 << table_bits))

    def score(self, labels: Tensor, kinds: Tensor) -> Tensor:
        """Sum the weights of labels and of their conjunctions.

        Args:
            labels: (B, N, L) hashes of candidates' labels.
            kinds: (B, K) hashes of the questions' kinds.

        Returns:
            (B, N) scores.
        """
        crossed = cross(labels[:, :, :, None], kinds[:, None, None, :])  # (B, N, L, K)
        hashes = torch.cat([labels[:, :, :, None], crossed], dim=3)  # (B, N, L, 1 + K)
        rows = table_rows(hashes, bits=self.table_bits)
        # Looked up by gather: its backward is four times as fast as an embedding's.
        return self.weight.gather(0, rows.flatten()).view(rows.shape).sum(dim=(2, 3))


class LabelScores(CrossedScores):
    """Constituent labels, alone and with the question's kinds."""

    def forward(self, batch: CandidateBatch) -> Tensor:
        """Give the group's (B, N) scores."""
        return self.score(batch.candidate_constituents, batch.question_kinds)


class TagScores(CrossedScores):
    """The span's sequence of parts of speech, alone and with the question's kinds."""

    def forward(self, batch: CandidateBatch) -> Tensor:
        """Give the group's (B, N) scores."""
        return self.score(batch.candidate_tags[:, :, None], batch.question_kinds)
