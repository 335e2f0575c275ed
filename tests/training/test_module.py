"""What both families' modules log, save and refuse, on a few questions in memory."""

import math
import pickle
from collections.abc import Mapping
from functools import partial
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
import torch
from torch.utils._python_dispatch import TorchDispatchMode

from squadqa.batch import Sizes, SpanBatch
from squadqa.data.candidates.inputs import CandidateInputs
from squadqa.data.dataset import SpanDataset
from squadqa.errors import CheckpointError
from squadqa.models.base import CandidateScorer
from squadqa.models.scorers.logistic import LogisticScorer
from squadqa.scoring import score
from squadqa.training.candidate_module import CandidateModule
from squadqa.training.clock import TrainingClock
from squadqa.training.module import QAModule
from squadqa.training.span_module import SpanModule
from tests.support import tiny
from tests.support.small_training import DATA, STEPS, Questions, reader, span_module, trainer


def official(predictions: Mapping[str, str]) -> tuple[float, float]:
    rows = tiny.flat_rows(tiny.squad())
    result = score({row["id"]: row["answers"]["text"] for row in rows}, predictions)
    return result.exact_match, result.f1


@pytest.mark.parametrize("stage", ["val", "test"])
def test_scores_are_the_official_ones_of_the_predictions(tmp_path: Path, stage: str) -> None:
    module = span_module()
    run = trainer(tmp_path)
    evaluate = run.validate if stage == "val" else run.test
    evaluate(module, Questions(), verbose=False)
    evaluation = module.evaluation
    assert len(evaluation.predictions) == 8
    exact, f1 = official(evaluation.predictions)
    assert evaluation.scores["exact_match"] == exact
    assert evaluation.scores["f1"] == f1 > 0
    for name, value in evaluation.scores.items():
        assert float(run.callback_metrics[f"{stage}/{name}"]) == pytest.approx(value)


def test_the_loss_is_the_mean_over_questions(tmp_path: Path) -> None:
    """In any batches: with three questions per batch, the last has two."""
    module, data = span_module(), Questions()
    trainer(tmp_path).validate(module, data, verbose=False)
    module.eval()
    with torch.no_grad():
        losses = module.losses(data.dataset.collate(range(8)))
    assert module.evaluation.scores["loss"] == pytest.approx(float(losses.mean()), rel=1e-5)


def test_a_question_left_out_by_a_limit_is_wrong(tmp_path: Path) -> None:
    module = span_module()
    trainer(tmp_path, limit_val_batches=1).validate(module, Questions(), verbose=False)
    assert len(module.evaluation.predictions) == 2
    assert module.evaluation.scores["f1"] == official(module.evaluation.predictions)[1]


def test_predicts_every_question_within_the_longest_span(tmp_path: Path) -> None:
    module = SpanModule(partial(reader, max_span_length=1))
    trainer(tmp_path).predict(module, Questions(), return_predictions=False)
    predictions = module.evaluation.predictions
    assert predictions.keys() == {row["id"] for row in tiny.flat_rows(tiny.squad())}
    assert not any(" " in answer for answer in predictions.values())
    assert not module.evaluation.scores


@pytest.mark.parametrize(
    ("options", "steps"),
    [
        ({"max_epochs": 3}, 3 * STEPS),
        ({"max_epochs": 3, "accumulate_grad_batches": 3}, 3 * 2),
        ({"max_epochs": 3, "limit_train_batches": 2}, 3 * 2),
        ({"max_epochs": 3, "limit_train_batches": 0.5}, 3 * 2),
        ({"max_steps": 7, "max_epochs": -1}, 7),
    ],
)
def test_the_schedule_spans_the_steps_that_training_takes(
    tmp_path: Path, options: dict[str, Any], steps: int
) -> None:
    module = span_module(warmup_steps=2)
    rates: list[float] = []
    module.on_before_zero_grad = lambda optimizer: rates.append(  # type: ignore[method-assign]
        optimizer.param_groups[0]["lr"] / 2e-3
    )
    run = trainer(tmp_path, limit_val_batches=0, **options)
    run.fit(module, Questions())
    assert run.global_step == module.total_steps() == steps
    assert rates[:2] == [0.5, 1.0]
    assert run.optimizers[0].param_groups[0]["lr"] / 2e-3 == pytest.approx(0.01)  # the floor


def test_a_limit_of_steps_inside_an_epoch_ends_with_an_evaluation(tmp_path: Path) -> None:
    module = span_module()
    run = trainer(tmp_path, max_steps=STEPS - 1, max_epochs=-1)
    run.fit(module, Questions())
    assert run.global_step == STEPS - 1
    assert "f1" in module.evaluation.scores


def test_training_lowers_the_loss(tmp_path: Path) -> None:
    module = span_module(
        decay="none", optimizer=lambda parameters: torch.optim.Adam(parameters, lr=0.02)
    )
    data = Questions()
    run = trainer(tmp_path, max_epochs=8)
    run.validate(module, data, verbose=False)
    before = module.evaluation.scores["loss"]
    run.fit(module, data)
    assert module.evaluation.scores["loss"] < before - 0.1


def saved(folder: Path, module: QAModule) -> Path:
    run = trainer(folder, max_epochs=1, limit_val_batches=0)
    run.fit(module, Questions())
    run.save_checkpoint(folder / "saved.ckpt")
    return folder / "saved.ckpt"


def test_a_checkpoint_gives_the_same_scores(tmp_path: Path) -> None:
    module = span_module()
    path = saved(tmp_path, module)
    trainer(tmp_path).validate(module, Questions(), verbose=False)
    fresh = SpanModule(reader)
    trainer(tmp_path).validate(fresh, Questions(), ckpt_path=path, weights_only=True, verbose=False)
    assert fresh.evaluation == module.evaluation


def test_another_models_checkpoint_is_refused(tmp_path: Path) -> None:
    path = saved(tmp_path, span_module())
    other = CandidateModule(lambda sizes: LogisticScorer(sizes, table_bits=3))
    questions = Questions()
    questions.inputs = CandidateInputs()
    with pytest.raises(CheckpointError, match='weights of "DrQAReader", not of "LogisticScorer"'):
        trainer(tmp_path).validate(
            other, questions, ckpt_path=path, weights_only=True, verbose=False
        )


def test_weights_of_another_size_are_refused(tmp_path: Path) -> None:
    path = saved(tmp_path, span_module())
    other = SpanModule(lambda sizes: reader(Sizes(sizes.vector_size + 1)))
    with pytest.raises(CheckpointError, match="do not fit the model") as caught:
        trainer(tmp_path).validate(
            other, Questions(), ckpt_path=path, weights_only=True, verbose=False
        )
    assert "size mismatch for model." in caught.value.what


def test_a_checkpoint_of_something_else_is_refused() -> None:
    module = span_module()
    with pytest.raises(CheckpointError, match='of "None"'):
        module.on_load_checkpoint({"state_dict": {}})


def test_code_in_a_checkpoint_does_not_run(tmp_path: Path) -> None:
    path = saved(tmp_path, span_module())
    content = torch.load(path, weights_only=True)
    content["squadqa"] = Code(tmp_path / "ran")
    torch.save(content, path)
    with pytest.raises(pickle.UnpicklingError):
        trainer(tmp_path).validate(
            span_module(), Questions(), ckpt_path=path, weights_only=True, verbose=False
        )
    assert not (tmp_path / "ran").exists()


class Code:
    """Makes a file when it is unpickled."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def __reduce__(self) -> Any:
        return Path.touch, (self.path,)


class Batch(SimpleNamespace):
    """The fields of a batch of candidates that a loss and a choice read."""

    def __len__(self) -> int:
        return len(self.index)


def test_the_best_candidate_is_the_answer() -> None:
    """Of equal ones the first, as in `Predictor`."""

    class Scorer(CandidateScorer):
        def forward(self, batch: Any) -> torch.Tensor:
            return torch.tensor([[0.0, 2.0, 2.0], [3.0, 1.0, -9.0]])

    module = CandidateModule(lambda sizes: Scorer())
    module.model = module.make_model(Sizes())
    spans = torch.arange(12).view(2, 3, 2)
    labels = torch.tensor([[False, True, False], [False, False, False]])
    batch = Batch(
        index=torch.arange(2),
        candidate_spans=spans,
        candidate_mask=torch.ones_like(labels),
        candidate_labels=labels,
        unanswerable=None,
    )
    chosen, losses, _ = module.predict_spans(batch)
    assert chosen.tolist() == [[2, 3], [6, 7]]
    assert losses.tolist() == pytest.approx([math.log(math.exp(-2) + 2), 0.0])


def test_batches_go_to_the_device() -> None:
    batch = SpanDataset(DATA).collate([0, 1])
    moved = span_module().transfer_batch_to_device(batch, torch.device("meta"), 0)
    assert isinstance(moved, SpanBatch)
    assert moved.index.device.type == "meta"


class Reads(TorchDispatchMode):
    """Counts how often a number is read out of a tensor, for which a GPU has to be waited for."""

    count = 0

    def __torch_dispatch__(
        self, func: Any, types: Any, args: tuple[Any, ...] = (), kwargs: Any = None
    ) -> Any:
        self.count += func.overloadpacket.__name__ == "_local_scalar_dense"
        return func(*args, **(kwargs or {}))


def test_no_step_reads_a_number_of_its_own(tmp_path: Path) -> None:
    """Only the model's own: one_hot checks two inputs, on a CPU alone.

    Other optimisers than SGD read how many steps they took, which they keep on the CPU.
    """
    counts, plain = [], partial(torch.optim.SGD, lr=0.1)
    for steps in (2, STEPS):
        clock = TrainingClock()
        run = trainer(tmp_path, max_steps=steps, limit_val_batches=0, callbacks=[clock])
        with Reads() as reads:
            run.fit(span_module(ema_decay=0.9, optimizer=plain), Questions())
        assert clock.questions == 2 * steps
        counts.append(reads.count)
    own = 4
    assert counts[1] - counts[0] == own * (STEPS - 2)
