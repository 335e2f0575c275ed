"""Fused optimisers: used where a configuration asks for them and the device has them."""

from pathlib import Path
from typing import Any

import pytest
import torch
from torch import nn

from squadqa.training import optimizers
from squadqa.training.optimizers import asked_for_fused, fit_to_device, has_fused_form
from tests.support.small_training import Questions, span_module, trainer

CPU = torch.device("cpu")


class FusedNowhere(torch.optim.Adagrad):
    """Adagrad as it was for years on a GPU: it takes `fused`, and refuses at its first step."""

    def step(self, closure: Any = None) -> Any:
        if any(group["fused"] for group in self.param_groups):
            raise RuntimeError("`fused=True` requires supported devices: ['cpu']")
        return super().step(closure)


def weights() -> list[nn.Parameter]:
    made = [nn.Parameter(torch.ones(3)) for _ in range(2)]
    for weight in made:
        weight.grad = torch.ones_like(weight)
    return made


def test_one_step_tells_whether_there_is_a_fused_form() -> None:
    assert has_fused_form(torch.optim.Adagrad, CPU)
    assert not has_fused_form(torch.optim.Adamax, CPU), "it has no argument of that name"
    assert not has_fused_form(FusedNowhere, CPU)


def test_elsewhere_the_ordinary_form_takes_the_step() -> None:
    optimizer = FusedNowhere(own := weights(), fused=True)
    with pytest.raises(RuntimeError, match="supported devices"):
        optimizer.step()
    fit_to_device(optimizer, asked_for_fused(optimizer))
    optimizer.step()
    assert optimizer.param_groups[0]["fused"] is None
    assert all(bool((weight < 1).all()) for weight in own)


def test_an_optimiser_that_asks_for_nothing_stays_as_it_is() -> None:
    optimizer = torch.optim.Adagrad(weights())
    before = dict(optimizer.param_groups[0])
    fit_to_device(optimizer, asked_for_fused(optimizer))
    assert optimizer.param_groups[0] == before


def test_both_forms_train_the_same() -> None:
    trained = []
    for fused in (None, True):
        optimizer = torch.optim.Adagrad(own := weights(), lr=0.1, fused=fused)
        fit_to_device(optimizer, asked_for_fused(optimizer))
        optimizer.step()
        optimizer.step()
        assert optimizer.param_groups[0]["fused"] is fused
        trained.append(torch.cat([weight.detach() for weight in own]))
    torch.testing.assert_close(*trained)


@pytest.mark.parametrize("saved", [None, True], ids=["saved on a GPU", "saved on a CPU"])
def test_a_resumed_training_has_its_own_devices_form(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, saved: bool | None
) -> None:
    """The checkpoint says which form the training had before."""
    asks = lambda parameters: torch.optim.Adagrad(parameters, lr=0.1, fused=True)  # noqa: E731
    first = trainer(tmp_path, max_steps=2)
    monkeypatch.setattr(optimizers, "has_fused_form", lambda *_: bool(saved))
    first.fit(span_module(optimizer=asks), Questions())
    (own,) = first.optimizers
    assert own.param_groups[0]["fused"] is saved
    first.save_checkpoint(tmp_path / "last.ckpt")

    monkeypatch.setattr(optimizers, "has_fused_form", lambda *_: not saved)
    second = trainer(tmp_path, max_steps=3)
    checkpoint = str(tmp_path / "last.ckpt")
    second.fit(span_module(optimizer=asks), Questions(), ckpt_path=checkpoint, weights_only=True)
    (own,) = second.optimizers
    assert own.param_groups[0]["fused"] is (None if saved else True)
    assert second.global_step == 3
