"""What a training chooses on its validation questions, to be used with its weights."""

from dataclasses import dataclass

TEMPERATURES = tuple(2 ** (step / 8) for step in range(-8, 17))
"""Temperatures to choose from: 0.5 to 4, each 9 % higher than the one before."""

DEFAULT_THRESHOLD = 0.5
"""The threshold of a run that was never evaluated."""


@dataclass(frozen=True)
class Calibration:
    """The temperature and the threshold of "no answer" that a training chose.

    Args:
        temperature: Divides all scores before the softmax.
        threshold: Questions whose probability of "no answer" is higher are left without an answer;
            None for a run that answers every question.

    Raises:
        ValueError: A value is out of its range.
    """

    temperature: float = 1.0
    threshold: float | None = None

    def __post_init__(self) -> None:
        temperature, threshold = self.temperature, self.threshold
        if type(temperature) is not float or not TEMPERATURES[0] <= temperature <= TEMPERATURES[-1]:
            raise ValueError(f"a temperature from 0.5 to 4: it is {temperature!r:.60}")
        is_share = type(threshold) is float and 0 <= threshold <= 1
        if threshold is not None and not is_share:
            raise ValueError(f"a threshold from 0 to 1: it is {threshold!r:.60}")
