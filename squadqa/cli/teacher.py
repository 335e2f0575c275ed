"""The teacher of a training: a run or an ensemble whose probabilities are targets too."""

from collections.abc import Sequence

import torch

from squadqa.cli.lightning_parser import Parsed
from squadqa.errors import ConfigError
from squadqa.inference.answered import Preparation
from squadqa.inference.load import load
from squadqa.inference.teaching import teach
from squadqa.training.datamodule import Teacher
from squadqa.training.span_module import SpanModule


def open_teacher(parsed: Parsed, *, trust: Sequence[str]) -> Teacher:
    """Open the teacher that a configuration names; it answers once the data is prepared.

    Args:
        parsed: The configuration of a training.
        trust: What the user trusts of the teacher (see `open_run`).

    Raises:
        ConfigError: The model to train cannot have a teacher.
        CheckpointError: The teacher does not exist, or cannot be used.
    """
    named, data = parsed.config.teacher, parsed.data
    if not isinstance(parsed.module, SpanModule):
        raise ConfigError(
            f'"{named}" cannot teach a model of "{type(parsed.module).__name__}"',
            hint="A teacher gives probabilities of starts and ends, which only readers have.",
            next_step="Leave out --teacher, or train a reader.",
        )
    if data.abstains:
        raise ConfigError(
            f'"{named}" cannot teach where questions have no answers: it says nothing about those',
            next_step="Leave out --teacher, or --data.unanswerable keep and --data.negatives.",
        )
    is_on_cpu = parsed.trainer.get("accelerator") == "cpu"
    with torch.random.fork_rng(devices=[]):  # the student's first weights are those without it
        teacher = load(named, device="cpu" if is_on_cpu else "auto", trust=trust)
    bad_answers, unanswerable = data.policy("train")
    return lambda prepared, rows: teach(
        teacher,
        prepared,
        rows,
        source=data.source("train"),
        preparation=Preparation(data.cache_dir, data.workers, data.progress),
        bad_answers=bad_answers,
        unanswerable=unanswerable,
    )
