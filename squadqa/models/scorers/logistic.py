"""The logistic-regression baseline of SQuAD: a sum of feature groups' scores.

Reference: Rajpurkar, Zhang, Lopyrev and Liang, 2016, SQuAD: 100,000+ Questions for Machine
Comprehension of Text (arXiv 1606.05250), section 5 and table 4.

Departs from the paper: candidates come from a dependency parse, and so do the labels that replace
constituent labels (`squadqa.data.candidates.generators`, `squadqa.data.candidates.features`).
Labels and tags are combined not only with the wh-word, but also with the word and with the noun
after it. Words near a span are those near its head. Crossed features share the rows of a hash
table.

Letters: B batch, N candidates.
"""

from collections.abc import Sequence

import torch
from torch import Tensor, nn

from squadqa.batch import CandidateBatch, Sizes
from squadqa.models.base import CandidateLoss, CandidateScorer, Choose
from squadqa.models.scorers.feature_groups import GROUPS, check_groups, feature_group
from squadqa.models.scorers.no_answer import NoAnswerCandidate
from squadqa.nn.masking import mask_logits


class LogisticScorer(CandidateScorer):
    """Scores a candidate by the sum of its features' weights over all groups.

    Args:
        sizes: The sizes of the data.
        groups: Feature groups to use, of `GROUPS`.
        table_bits: Each group of crossed features has a table of 2 ** table_bits weights.
        loss: "softmax" over the paragraph's candidates, or "binary": each candidate is a separate
            sample, right or wrong.
        choose: "probable" takes the most probable candidate, "expected_f1" the one of the highest
            expected F1.

    Raises:
        ConfigError: A group does not exist.
    """

    def __init__(
        self,
        sizes: Sizes,
        *,
        groups: Sequence[str] = GROUPS,
        table_bits: int = 20,
        loss: CandidateLoss = "softmax",
        choose: Choose = "probable",
    ) -> None:
        super().__init__(loss=loss, choose=choose)
        check_groups(groups)
        self.groups = nn.ModuleDict(
            {
                name: feature_group(name, num_buckets=sizes.num_buckets, table_bits=table_bits)
                for name in groups
            }
        )
        self.no_answer = NoAnswerCandidate() if sizes.abstains else None

    def forward(self, batch: CandidateBatch) -> Tensor:
        """Return the (B, N) `candidate_logits`; padded candidates are masked."""
        return mask_logits(self.scores(batch), batch.candidate_mask)

    def scores(self, batch: CandidateBatch) -> Tensor:
        """Return the (B, N) sums of the groups' scores; meaningless on padding."""
        return torch.stack(list(self.group_scores(batch).values())).sum(dim=0)

    def group_scores(self, batch: CandidateBatch) -> dict[str, Tensor]:
        """Return each group's (B, N) part of the score; meaningless on padding."""
        return {name: group(batch)[:, :, 0] for name, group in self.groups.items()}
