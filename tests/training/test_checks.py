"""Refusals before a training begins. Whole command lines: tests/cli/test_train.py."""

from functools import partial
from pathlib import Path

import pytest
import torch

from squadqa.batch import Sizes
from squadqa.data.candidates.inputs import CandidateInputs
from squadqa.errors import ConfigError
from squadqa.models import DrQAReader, LogisticScorer
from squadqa.nn.rnn import Cell
from squadqa.training import checks
from squadqa.training.candidate_module import CandidateModule
from squadqa.training.checkpoints import BestWeights
from squadqa.training.checks import require_inputs, require_precision
from squadqa.training.clock import TrainingClock
from squadqa.training.fit import fit
from squadqa.training.span_module import SpanModule
from tests.support.small_training import Questions, span_module, trainer


@pytest.mark.parametrize("precision", ["64-true", "bf16-true", "16-true", "transformer-engine"])
@pytest.mark.parametrize("device", ["cpu", "cuda"])
def test_true_precisions_are_refused_everywhere(precision: str, device: str) -> None:
    with pytest.raises(ConfigError, match=f'cannot be "{precision}"'):
        require_precision(span_module(), precision, torch.device(device))


@pytest.fixture
def is_fast(monkeypatch: pytest.MonkeyPatch) -> None:
    """The processor has instructions for bfloat16."""
    monkeypatch.setattr(checks, "has_fast_bfloat16", lambda device: True)


CPU = torch.device("cpu")


@pytest.mark.usefixtures("is_fast")
def test_a_reader_with_torchs_lstm_mixes_precisions_only_on_a_gpu() -> None:
    module = span_module()
    require_precision(module, "bf16-mixed", torch.device("cuda"))
    with pytest.raises(ConfigError, match='on a CPU for this "DrQAReader"') as error:
        require_precision(module, "bf16-mixed", CPU)
    assert "--model.reader.cell sru" in error.value.next_step
    require_precision(module, "32-true", CPU)


@pytest.mark.usefixtures("is_fast")
@pytest.mark.parametrize("cell", ["gru", "sru"])
def test_a_reader_with_other_cells_mixes_precisions_on_a_cpu(cell: Cell) -> None:
    require_precision(SpanModule(partial(DrQAReader, cell=cell)), "bf16-mixed", CPU)


@pytest.mark.usefixtures("is_fast")
def test_a_scorer_mixes_precisions_on_a_cpu() -> None:
    require_precision(CandidateModule(partial(LogisticScorer, table_bits=8)), "bf16-mixed", CPU)


@pytest.mark.usefixtures("is_fast")
def test_a_model_that_cannot_be_outlined_is_not_refused() -> None:
    class Own(DrQAReader):
        def __init__(self, sizes: Sizes) -> None:
            super().__init__(sizes)
            self.largest = next(self.parameters()).max().item()

    module = SpanModule(Own)
    assert module.outline() is None
    require_precision(module, "bf16-mixed", CPU)


def test_a_cpu_that_is_slow_at_it_mixes_no_precisions(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(checks, "has_fast_bfloat16", lambda device: False)
    module = SpanModule(partial(DrQAReader, cell="sru"))
    with pytest.raises(ConfigError, match='cannot be "bf16-mixed" on this CPU'):
        require_precision(module, "bf16-mixed", CPU)
    require_precision(module, "bf16-mixed", torch.device("cuda"))


def test_an_outline_takes_no_memory_and_no_random_numbers() -> None:
    module = span_module()
    before = torch.get_rng_state()
    outline = module.outline()
    assert outline is not None
    assert {parameter.device.type for parameter in outline.parameters()} == {"meta"}
    assert torch.get_rng_state().equal(before)


@pytest.mark.usefixtures("is_fast")
def test_training_in_mixed_precision_on_a_cpu(tmp_path: Path) -> None:
    clock, best = TrainingClock(), BestWeights()
    torch.manual_seed(0)
    make = partial(DrQAReader, embedding_size=8, hidden_size=4, cell="sru", tuned_words=0)
    kinds = set()

    def seen(layer: torch.nn.Module, inputs: object, output: torch.Tensor) -> None:
        if isinstance(layer, torch.nn.Linear):
            kinds.add(output.dtype)

    run = trainer(tmp_path, precision="bf16-mixed", callbacks=[clock, best], max_epochs=1)
    with torch.nn.modules.module.register_module_forward_hook(seen):
        fit(SpanModule(make), Questions(), run, seed=1, clock=clock, keeper=best)  # type: ignore[arg-type]
    assert kinds == {torch.bfloat16}


@pytest.mark.usefixtures("is_fast")
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
