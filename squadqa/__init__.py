"""squadqa: train and evaluate feature-based baselines and neural readers on SQuAD v1.1.

Heavy packages are imported on first use, not together with this one.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path
    from typing import Literal

    from squadqa.inference.answering import Answerer

__version__ = "0.1.0"
__all__ = ["__version__", "load"]


def load(
    run: str | Path,
    *,
    checkpoint: Literal["best", "last"] | None = None,
    device: str = "auto",
    trust: Sequence[str] = (),
    choose: Literal["probable", "expected_f1"] | None = None,
) -> Answerer:
    """Open a trained run, or an ensemble of runs, to ask it questions.

    >>> run = squadqa.load("runs/drqa")
    >>> run.answer(context, "Who built the mill?").text

    Args:
        run: A run folder of `squadqa train`, or a folder of `squadqa ensemble --run`.
        checkpoint: Which checkpoint of a run to take; None takes the best, or the last if there is
            no best one yet.
        device: "cpu", "cuda" (or "cuda:1" and so on), or "auto": a GPU if there is one.
        trust: Packages of your own whose readers or scorers the run may use. Importing them runs
            their code; nothing outside squadqa is imported unless it is named here. Also folders
            of spaCy pipelines, folders of prepared data, and data sets that the run may use.
        choose: What a scorer's answer is: its most "probable" candidate, or the one of the highest
            "expected_f1"; None: as it was trained. Readers and ensembles have no such choice.

    Returns:
        An object with `answer`, `predict` and `evaluate`.

    Raises:
        CheckpointError: The run does not exist or cannot be used.
        ConfigError: The device does not exist, or the run has no such choice.
    """
    from squadqa.inference.load import load as open_

    return open_(run, checkpoint=checkpoint, device=device, trust=trust, choose=choose)
