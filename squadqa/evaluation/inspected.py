"""What is seen of a model as it reads one question: probabilities, attention, feature groups.

Letters: C context tokens, Q question tokens.
"""

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.floating[Any]]


@dataclass(frozen=True)
class Contributions:
    """What each feature group of a scorer adds to the chosen span and to its rival.

    Args:
        rival: The rival's text: the right candidate if that differs from the chosen one, else the
            best candidate of another text.
        rival_is_gold: Whether the rival is the right candidate.
        chosen: What each group adds to the chosen span's score, by the group's name.
        other: What it adds to the rival's.
    """

    rival: str
    rival_is_gold: bool
    chosen: dict[str, float]
    other: dict[str, float]


@dataclass(frozen=True)
class Inspected:
    """What is seen of a model as it reads one question.

    Args:
        start: (C,) probability that the answer begins at each token.
        end: (C,) probability that it ends there.
        attention: (C, Q) share of each context token's attention that each question token gets;
            None where the model has none that can be seen, or where it was not asked for.
        contributions: What feature groups add; None for models that are no sum of them.
    """

    start: Floats
    end: Floats
    attention: Floats | None = None
    contributions: Contributions | None = None
