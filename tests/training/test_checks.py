"""Refusals before a training begins. Whole command lines: tests/cli/test_train.py."""

from pathlib import Path

import pytest
import torch

from squadqa.data.candidates.inputs import CandidateInputs
from squadqa.errors import ConfigError
from squadqa.models import CandidateScorer, SpanReader
from squadqa.training.checkpoints import BestWeights
from squadqa.training.checks import require_inputs, require_precision
from squadqa.training.clock import TrainingClock
from squadqa.training.fit import fit
from tests.support.small_training import Questions, span_module, trainer


@pytest.mark.parametrize("precision", ["64-true", "bf16-true", "16-true", "transformer-engine"])
@pytest.mark.parametrize("device", ["cpu", "cuda"])
@pytest.mark.parametrize("kind", [SpanReader, CandidateScorer])
def test_true_precisions_are_refused_everywhere(precision: str, device: str, kind: type) -> None:
    with pytest.raises(ConfigError, match=f'cannot be "{precision}"'):
        require_precision(kind, precision, torch.device(device))


@pytest.mark.parametrize("precision", ["bf16-mixed", "16-mixed"])
def test_readers_mix_precisions_only_on_a_gpu(precision: str) -> None:
    require_precision(SpanReader, precision, torch.device("cuda"))
    require_precision(CandidateScorer, precision, torch.device("cpu"))
    with pytest.raises(ConfigError, match="on a CPU"):
        require_precision(SpanReader, precision, torch.device("cpu"))
    require_precision(SpanReader, "32-true", torch.device("cpu"))


def test_half_precision_without_the_command_line(tmp_path: Path) -> None:
    clock, best = TrainingClock(), BestWeights()
    run = trainer(tmp_path, precision="bf16-mixed", callbacks=[clock, best])
    with pytest.raises(ConfigError, match="on a CPU"):
        fit(span_module(), Questions(), run, seed=1, clock=clock, keeper=best)  # type: ignore[arg-type]


def test_the_other_familys_inputs_are_refused() -> None:
    with pytest.raises(ConfigError, match='"SpanModule" cannot be trained on "CandidateInputs"'):
        require_inputs(span_module(), CandidateInputs())


def test_words_without_vectors_cannot_be_dropped() -> None:
    inputs = Questions.inputs
    require_inputs(span_module(word_dropout=0.5), inputs)
    without = type(inputs)(vectors=[])
    with pytest.raises(ConfigError, match="there are no word vectors to drop"):
        require_inputs(span_module(word_dropout=0.5), without)
    require_inputs(span_module(), without)
