"""Implementation of `squadqa.load`: open a run or an ensemble to ask it questions."""

from collections.abc import Sequence
from pathlib import Path

from squadqa.errors import ConfigError
from squadqa.inference.answering import Answerer
from squadqa.inference.ensemble_folder import is_ensemble, open_ensemble
from squadqa.inference.predictor import Predictor
from squadqa.inference.run_folder import Choice, open_run
from squadqa.models.base import CandidateScorer, Choose, require_choice


def load(
    run: str | Path,
    *,
    checkpoint: Choice | None = None,
    device: str = "auto",
    trust: Sequence[str] = (),
    choose: Choose | None = None,
) -> Answerer:
    """Open a run, a model folder, a ready model or an ensemble (see `squadqa.load`)."""
    if isinstance(trust, str):
        trust = [trust]
    if is_ensemble(run):
        if checkpoint is not None:
            raise ConfigError(
                f'an ensemble has a checkpoint for each member, so "{checkpoint}" cannot be chosen',
                next_step="Leave checkpoint out, or open a member's run folder.",
            )
        if choose is not None:
            raise ConfigError(
                f'an ensemble cannot choose "{choose}": it has an aim of its own',
                next_step="Leave choose out, or make the ensemble with --maximize f1.",
            )
        return open_ensemble(run, device=device, trust=trust)
    predictor = Predictor(open_run(run, checkpoint=checkpoint, trust=trust), device=device)
    if choose is not None:
        set_choice(predictor, choose)
    return predictor


def set_choice(predictor: Predictor, choose: Choose) -> None:
    """Let a run choose its answers for another score than it was trained to.

    Args:
        predictor: The run.
        choose: See `squadqa.models.base.CandidateScorer`.

    Raises:
        ConfigError: There is no such choice, or the model is no scorer of candidates.
    """
    require_choice(choose)
    model = predictor.model
    if not isinstance(model, CandidateScorer):
        raise ConfigError(
            f'"{predictor.run.folder}" cannot choose "{choose}": its "{type(model).__name__}" '
            "scores no candidates",
            next_step="Leave choose out, or use a scorer's run.",
        )
    model.choose = choose
