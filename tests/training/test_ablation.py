"""Which variants an ablation trains, and that it chooses the epoch that training would."""

from pathlib import Path

import pytest
import pytorch_lightning as pl
import torch
from pytorch_lightning.callbacks import ModelCheckpoint

from squadqa.errors import ConfigError
from squadqa.training.ablation import BestWeights, plan, train_and_test
from tests.training.test_module import Questions, span_module, trainer

GROUPS = ("lengths", "lexicalized", "root_match", "dependency_paths")


def test_each_group_is_left_out_and_the_papers_pair() -> None:
    assert plan(GROUPS) == [
        (),
        ("lengths",),
        ("lexicalized",),
        ("root_match",),
        ("dependency_paths",),
        ("lexicalized", "dependency_paths"),
    ]


@pytest.mark.parametrize(
    "groups", [("lengths", "lexicalized"), ("lexicalized", "dependency_paths")]
)
def test_no_pair_where_it_is_missing_or_all_there_is(groups: tuple[str, ...]) -> None:
    assert plan(groups) == [(), (groups[0],), (groups[1],)]


def test_chosen_groups_each_once_in_the_configurations_order() -> None:
    without = ["root_match", "root_match+lengths", "lengths+root_match", "lengths+lengths"]
    assert plan(GROUPS, without) == [(), ("root_match",), ("lengths", "root_match"), ("lengths",)]


@pytest.mark.parametrize("without", ["lenghts", "root_match+lenghts"])
def test_an_unknown_group(without: str) -> None:
    with pytest.raises(ConfigError, match='"lenghts"') as caught:
        plan(GROUPS, [without])
    assert caught.value.hint == 'Did you mean "lengths"?'


@pytest.mark.parametrize(
    ("groups", "without"), [(("lengths",), None), (("lengths", "root"), ["root+lengths"])]
)
def test_something_must_be_left(groups: tuple[str, ...], without: list[str] | None) -> None:
    with pytest.raises(ConfigError, match="no feature group left"):
        plan(groups, without)


class Scored(pl.Callback):
    """Gives every evaluation a chosen F1."""

    def __init__(self, f1: list[float]) -> None:
        self.f1 = iter(f1)

    def on_validation_epoch_end(self, trainer: pl.Trainer, pl_module: pl.LightningModule) -> None:
        pl_module.log_dict({"val/f1": next(self.f1)})


@pytest.mark.parametrize(
    ("f1", "chosen"), [([1.0, 3.0, 2.0], 1), ([2.0, 2.0, 1.0], 0), ([0.0, 0.0, 0.5], 2)]
)
def test_the_weights_of_best_ckpt_are_kept(tmp_path: Path, f1: list[float], chosen: int) -> None:
    """The same as a `ModelCheckpoint` keeps in the same training."""
    module = span_module()
    module._log_scores = lambda stage: module._gather(stage) and None  # type: ignore[method-assign]
    best = BestWeights()
    checkpoint = ModelCheckpoint(tmp_path, filename="best", monitor="val/f1", mode="max")
    run = trainer(
        tmp_path, max_epochs=3, enable_checkpointing=True, callbacks=[Scored(f1), best, checkpoint]
    )
    run.fit(module, datamodule=Questions())
    saved = torch.load(tmp_path / "best.ckpt", weights_only=True)
    assert saved["epoch"] == chosen
    assert best.val_f1 == max(f1)
    last = {name: value.clone() for name, value in module.state_dict().items()}
    best.restore(module)
    for name, value in module.state_dict().items():
        assert torch.equal(value, saved["state_dict"][name])
    is_last = all(torch.equal(value, last[name]) for name, value in module.state_dict().items())
    assert is_last == (chosen == 2)


def test_scores_the_test_part_with_the_best_weights(tmp_path: Path) -> None:
    module, best = span_module(), BestWeights()
    run = trainer(tmp_path, callbacks=[best])
    train_and_test(run, module, datamodule=Questions(), best=best)  # type: ignore[arg-type]
    # Validation and test are the same questions here.
    assert module.scores["test/f1"] == pytest.approx(best.val_f1, rel=1e-6)
    assert len(module.predictions) == 8


def test_without_an_evaluation_the_last_weights_stand(tmp_path: Path) -> None:
    module, best = span_module(), BestWeights()
    run = trainer(tmp_path, limit_val_batches=0, callbacks=[best])
    train_and_test(run, module, datamodule=Questions(), best=best)  # type: ignore[arg-type]
    assert len(module.predictions) == 8
