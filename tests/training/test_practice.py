"""Training practice of both families: schedules, averaged weights, word dropout, passes."""

from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
import torch

from squadqa.batch import Sizes, SpanBatch
from squadqa.errors import ConfigError
from squadqa.models.base import CandidateScorer
from squadqa.training.averaging import WeightAverage
from squadqa.training.candidate_module import CandidateModule
from squadqa.training.module import QAModule
from squadqa.training.span_module import SpanModule
from tests.support.small_training import EVERY, STEPS, Questions, reader, span_module, trainer


def rates(module: QAModule, folder: Path, **options: Any) -> list[float]:
    """Train, and return the learning rate of every step."""
    seen: list[float] = []
    step = module.optimizer_step

    def optimizer_step(*arguments: Any, **named: Any) -> None:
        seen.append(module.trainer.optimizers[0].param_groups[0]["lr"])
        step(*arguments, **named)

    module.optimizer_step = optimizer_step  # type: ignore[method-assign]
    trainer(folder, **options).fit(module, Questions())
    return seen


def sgd(rate: float) -> Any:
    return lambda parameters: torch.optim.SGD(parameters, lr=rate)


def test_a_plateau_cuts_the_rate_from_the_next_step_on(tmp_path: Path) -> None:
    """A rate that changes no weight brings no better score than the first."""
    module = span_module(optimizer=sgd(1e-12), decay="plateau", plateau_factor=0.5, warmup_steps=2)
    seen = rates(module, tmp_path, max_epochs=4)
    expected = [0.5, 1, 1, 1] + STEPS * [1] + STEPS * [0.5] + STEPS * [0.25]
    assert [rate / 1e-12 for rate in seen] == pytest.approx(expected)


def test_evaluations_inside_an_epoch_count_for_a_plateau(tmp_path: Path) -> None:
    module = span_module(optimizer=sgd(1e-12), decay="plateau", plateau_score="loss")
    module.plateau.best = 1e9  # no loss is as good
    seen = rates(module, tmp_path, max_epochs=1, val_check_interval=2)
    assert [rate / 1e-12 for rate in seen] == pytest.approx([1, 1, 0.1, 0.1])


def test_validation_without_training_cuts_nothing(tmp_path: Path) -> None:
    module = span_module(decay="plateau")
    for _ in range(2):
        trainer(tmp_path).validate(module, Questions(), verbose=False)
    assert module.plateau.state_dict() == span_module(decay="plateau").plateau.state_dict()


def test_averaged_weights_are_evaluated_and_saved(tmp_path: Path) -> None:
    """The average of the weights after each step, including the first weights."""
    module = span_module(ema_decay=0.5, optimizer=sgd(0.1), decay="none")
    name = next(name for name, _ in reader(Sizes(6)).named_parameters() if name.startswith("start"))
    after: list[torch.Tensor] = []
    step = module.optimizer_step

    def optimizer_step(*arguments: Any, **named: Any) -> None:
        if not after:
            after.append(module.active.get_parameter(name).detach().clone())
        step(*arguments, **named)
        after.append(module.active.get_parameter(name).detach().clone())

    module.optimizer_step = optimizer_step  # type: ignore[method-assign]
    run = trainer(tmp_path, max_epochs=1)
    run.fit(module, Questions())
    first, *others = after
    expected = first
    for steps, value in enumerate(others, start=1):
        decay = min(0.5, (1 + steps) / (10 + steps))
        expected = decay * expected + (1 - decay) * value
    assert not torch.allclose(expected, after[-1], atol=1e-6)
    module.eval()
    assert torch.allclose(module.active.get_parameter(name), expected, atol=1e-6)
    run.validate(module, Questions(), verbose=False)
    with torch.no_grad():
        losses = module.active.loss(module.active(EVERY), EVERY)
    assert module.evaluation.scores["loss"] == pytest.approx(float(losses.mean()), rel=1e-5)

    run.save_checkpoint(tmp_path / "saved.ckpt")
    saved = torch.load(tmp_path / "saved.ckpt", weights_only=True)["state_dict"]
    assert saved[f"average.model.{name}"].equal(module.active.get_parameter(name))
    assert saved[f"model.{name}"].equal(after[-1])


def test_an_average_is_not_trained(tmp_path: Path) -> None:
    module = span_module(ema_decay=0.9)
    run = trainer(tmp_path, max_epochs=1)
    run.fit(module, Questions())
    trained = [
        parameter for group in run.optimizers[0].param_groups for parameter in group["params"]
    ]
    assert len(trained) == len([*module.model.parameters()])
    assert module.model.num_parameters == sum(parameter.numel() for parameter in trained)


def test_words_are_dropped_only_in_training(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    module = span_module(word_dropout=0.5)
    whole: dict[bool, list[bool]] = {True: [], False: []}
    losses = SpanModule.losses

    def watched(self: SpanModule, batch: SpanBatch) -> torch.Tensor:
        whole[self.training].append(bool(batch.forms.vectors[1:].any(dim=1).all()))
        return losses(self, batch)

    predict = SpanModule.predict_spans

    def predicted(self: SpanModule, batch: SpanBatch, **options: Any) -> Any:
        whole[self.training].append(bool(batch.forms.vectors[1:].any(dim=1).all()))
        return predict(self, batch, **options)

    monkeypatch.setattr(SpanModule, "losses", watched)
    monkeypatch.setattr(SpanModule, "predict_spans", predicted)
    trainer(tmp_path, max_epochs=1).fit(module, Questions())
    assert whole == {True: STEPS * [False], False: STEPS * [True]}


@pytest.mark.parametrize("share", [-0.1, 1.0])
def test_invalid_shares_of_words(share: float) -> None:
    with pytest.raises(ConfigError, match="model.word_dropout cannot be"):
        span_module(word_dropout=share)


class Listener(CandidateScorer):
    """Records the passes that it is prepared for."""

    def __init__(self) -> None:
        super().__init__()
        self.heard: list[tuple[int, int]] = []

    def forward(self, batch: Any) -> torch.Tensor:
        raise NotImplementedError

    def start_epoch(self, epoch: int, *, epochs: int) -> None:
        self.heard.append((epoch, epochs))


def test_a_scorer_and_its_average_are_prepared_for_each_pass() -> None:
    """Lightning calls no start of an epoch that it resumes inside, so every batch does."""
    module = CandidateModule(lambda sizes: Listener())
    module.model = Listener()
    module.average = WeightAverage(module.model, decay=0.9)
    module._trainer = SimpleNamespace(current_epoch=1, max_epochs=2)  # type: ignore[assignment]
    module.on_train_batch_start(None, 0)
    assert module.model.heard == [(1, 2)]
    assert module.average.model.heard == [(1, 2)]
