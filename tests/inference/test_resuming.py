"""The configuration of a resumed training: what squadqa wrote passes, everything else is named."""

import inspect
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from squadqa.errors import CheckpointError
from squadqa.inference.resuming import OBJECTS, OPTIMIZERS, require_resumable
from tests.support.planted import CODE, RAN, change, copy_run, write_package
from tests.support.runs import ROOT

LAMBDA = "pytorch_lightning.callbacks.LambdaCallback"
CALLBACK = {"class_path": LAMBDA, "init_args": {"setup": "builtins.print"}}
AVERAGING = {
    "class_path": "pytorch_lightning.callbacks.StochasticWeightAveraging",
    "init_args": {"swa_lrs": 0.1, "avg_fn": "planted_package.average"},
}
SPEC = {"class_path": "os.mkdir", "init_args": {"path": RAN}}


@pytest.fixture
def run(reader_run: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A copy of a run in the working folder."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.syspath_prepend(str(tmp_path / "site"))
    write_package(tmp_path / "site", "planted_package")
    return copy_run(reader_run, Path("runs/copy"))


def put(*keys: str, value: Any) -> Callable[[Any], None]:
    """Set a value of a configuration."""

    def edit(config: Any) -> None:
        for key in keys[:-1]:
            config = config[key]
        config[keys[-1]] = value

    return edit


TRAINED = ("model", "init_args")
READER = (*TRAINED, "reader", "init_args")
INPUTS = ("data", "inputs", "init_args")


def test_what_a_training_wrote_passes(reader_run: Path, scorer_run: Path, monkeypatch: Any) -> None:
    for run in (reader_run, scorer_run):
        monkeypatch.chdir(run.parents[1])
        require_resumable(run)


WHOLE = [
    path for path in sorted((ROOT / "configs").glob("*.yaml")) if "\nmodel:" in path.read_text()
]


@pytest.mark.parametrize("path", WHOLE, ids=lambda path: path.stem)
def test_every_shipped_configuration_passes(path: Path, run: Path) -> None:
    (run / "config.yaml").write_text(path.read_text())
    require_resumable(run)


@pytest.mark.parametrize(
    ("edit", "name", "where"),
    [
        (put("trainer", "callbacks", value=[CALLBACK]), LAMBDA, "trainer.callbacks"),
        (put("trainer", "callbacks", value=CALLBACK), LAMBDA, "trainer.callbacks"),
        (put("trainer", "callbacks", value=[LAMBDA]), LAMBDA, "trainer.callbacks"),
        (put("trainer", "callbacks", value="LambdaCallback"), "LambdaCallback", "trainer.callback"),
        (put("trainer", "callbacks", value=["evil.yaml"]), "evil.yaml", "trainer.callbacks"),
        (put("trainer", "plugins", value=[SPEC]), "os.mkdir", "trainer.plugins"),
        (put("trainer", "logger", value=SPEC), "os.mkdir", "trainer.logger"),
        (put("trainer", "logger", value=[SPEC]), "os.mkdir", "trainer.logger"),
        (put("trainer", "strategy", value=SPEC), "os.mkdir", "trainer.strategy"),
        (put("trainer", "strategy", value="planted_package.S"), "planted_package.S", "strategy"),
        (put("trainer", "strategy", value="DDPStrategy"), "DDPStrategy", "trainer.strategy"),
        (put("trainer", "accelerator", value=SPEC), "os.mkdir", "trainer.accelerator"),
        (put("trainer", "profiler", value=SPEC), "os.mkdir", "trainer.profiler"),
        (put("trainer", "max_time", value={"hours": SPEC}), "os.mkdir", "trainer.max_time"),
        (put("model", "class_path", value="os.mkdir"), "os.mkdir", "model"),
        (put("model", "class_path", value="squadqa.cli.main.main"), "squadqa.cli.main.main", "mod"),
        (put(*TRAINED, "optimizer", value=SPEC), "os.mkdir", "model.init_args.optimizer"),
        (put(*TRAINED, "optimizer", value="os.mkdir"), "os.mkdir", "model.init_args.optimizer"),
        (
            put(*TRAINED, "optimizer", value={"class_path": "torch.optim.lr_scheduler.LambdaLR"}),
            "torch.optim.lr_scheduler.LambdaLR",
            "model.init_args.optimizer",
        ),
        (
            put(
                *TRAINED,
                "optimizer",
                value={"class_path": "torch.optim.Adam", "init_args": {"lr": SPEC}},
            ),
            "os.mkdir",
            "model.init_args.optimizer.init_args.lr",
        ),
        (
            put(
                *TRAINED,
                "optimizer",
                value={"class_path": "torch.optim.Adam", "init_args": {"lr": "builtins.print"}},
            ),
            "builtins.print",
            "optimizer.init_args.lr",
        ),
        (put(*TRAINED, "reader", value=SPEC), "os.mkdir", "model.init_args.reader"),
        (put(*TRAINED, "reader", value="os.mkdir"), "os.mkdir", "model.init_args.reader"),
        (put(*READER, "char_cnn", value=SPEC), "os.mkdir", "reader.init_args.char_cnn"),
        (put(*READER, "char_cnn", value="os.mkdir"), "os.mkdir", "reader.init_args.char_cnn"),
        (put(*READER, "hidden_size", value=SPEC), "'class_path': 'os.mkdir'", "hidden_size"),
        (put("char_cnn", value=SPEC), "os.mkdir", "char_cnn"),
        (put("char_cnn", value="os.mkdir"), "os.mkdir", "char_cnn"),
        (put("data", "inputs", value=SPEC), "os.mkdir", "data.inputs"),
        (put("data", "inputs", value="os.mkdir"), "os.mkdir", "data.inputs"),
        (put(*INPUTS, "pipeline", value="planted_package"), "planted_package", "pipeline"),
        (put(*INPUTS, "vectors", value=[SPEC]), "os.mkdir", "data.inputs.init_args.vectors"),
        (put(*INPUTS, "planted", value=SPEC), "os.mkdir", "data.inputs.init_args.planted"),
    ],
)
def test_a_name_that_squadqa_did_not_write(
    edit: Callable[[Any], None], name: str, where: str, run: Path
) -> None:
    change(run, edit)
    with pytest.raises(CheckpointError) as caught:
        require_resumable(run)
    assert name in caught.value.what
    assert where in caught.value.what
    assert "nothing of it was opened or run" in caught.value.what
    assert not Path(RAN).exists()


@pytest.mark.parametrize(
    ("edit", "told"),
    [
        (put("data", "train", value=SPEC), "else than a single value at data.train"),
        (put("data", "class_path", value="os.mkdir"), "something else than options at data"),
        (put("trainer", "class_path", value="os.mkdir"), "something else than options at trainer"),
        (
            put("early_stopping", "patience", value=SPEC),
            "a single value at early_stopping.patience",
        ),
        (put("early_stopping", value="evil.yaml"), "something else than options at early_stopping"),
        (put("trainer", value="evil.yaml"), "something else than options at trainer"),
        (put("notes", value=SPEC), "a single value at notes"),
        (put("notes", value="{class_path: os.mkdir}"), "at notes"),
        (put(*TRAINED, "decay", value=SPEC), "a single value at model.init_args.decay"),
        (put("trainer.callbacks", value=[CALLBACK]), "the key 'trainer.callbacks' at its top"),
        (put("trainer", "callbacks+", value=[CALLBACK]), "the key 'callbacks+' at trainer"),
        (put("config", value="evil.yaml"), "the key 'config' at its top"),
        (put("model", "dict_kwargs", value=SPEC), "else than a class and its arguments at model"),
        (
            put(*TRAINED, "reader", "dict_kwargs", value=SPEC),
            "else than a class and its arguments at model.init_args.reader",
        ),
        (
            put(*READER, "char_cnn", value=[SPEC]),
            "a class and its arguments at model.init_args.rea",
        ),
    ],
)
def test_a_form_that_no_training_wrote(edit: Callable[[Any], None], told: str, run: Path) -> None:
    change(run, edit)
    with pytest.raises(CheckpointError) as caught:
        require_resumable(run)
    assert told in caught.value.what
    assert caught.value.next_step.startswith("Put back the config.yaml that training wrote")


def test_trust_is_for_each_name_at_every_depth(run: Path) -> None:
    change(run, put("trainer", "callbacks", value=[AVERAGING]))
    swa = AVERAGING["class_path"]
    for trust, told in (
        ([], f'"{swa}" at trainer.callbacks'),
        (["pytorch_lightning"], '"planted_package.average" at trainer.callbacks.init_args.avg_fn'),
        (["pytorch_lightning", "planted"], '"planted_package.average"'),
        (["planted_package"], f'"{swa}"'),
        ([""], f'"{swa}"'),
    ):
        with pytest.raises(CheckpointError, match="--trust") as caught:
            require_resumable(run, trust=trust)
        assert told in caught.value.what
    require_resumable(run, trust=["pytorch_lightning", "planted_package"])
    require_resumable(run, trust=[str(swa), "planted_package.average"])


def test_the_list_names_every_object_that_a_trainer_takes() -> None:
    import pytorch_lightning as pl

    parameters = inspect.signature(pl.Trainer.__init__).parameters
    hints = {name: str(parameter.annotation) for name, parameter in parameters.items()}
    assert {name for name, hint in hints.items() if "pytorch_lightning." in hint} == set(OBJECTS)


def test_the_optimisers_exist() -> None:
    from squadqa.inference.trusted import is_trusted

    for name in OPTIMIZERS:
        module, _, attribute = name.rpartition(".")
        assert callable(getattr(__import__(module, fromlist=[attribute]), attribute))
        assert is_trusted(name, ("squadqa", "torch.optim"))


def test_folders_that_lead_out(run: Path, tmp_path: Path) -> None:
    for key, edit in (
        ("results", put("results", value=str(tmp_path / "else"))),
        ("results", put("results", value="../else")),
        ("data.cache_dir", put("data", "cache_dir", value=str(tmp_path / "else"))),
    ):
        kept = (run / "config.yaml").read_text()
        change(run, edit)
        with pytest.raises(CheckpointError, match="not in the working folder") as caught:
            require_resumable(run)
        assert f" at {key}" in caught.value.what
        require_resumable(run, given=[key])
        require_resumable(run, trust=[str(tmp_path / "else"), "../else"])
        (run / "config.yaml").write_text(kept)
    change(run, put("results", value="results"))
    require_resumable(run)


def test_a_link_that_leads_out(run: Path, tmp_path: Path) -> None:
    (run / "checkpoints").rename(tmp_path / "elsewhere")
    (run / "checkpoints").symlink_to(tmp_path / "elsewhere")
    with pytest.raises(CheckpointError, match="is a link that leads out of the run"):
        require_resumable(run)


def test_the_network_is_asked_for(run: Path) -> None:
    change(run, put("wandb", value="online"))
    with pytest.raises(CheckpointError, match="logs to Weights & Biases online") as caught:
        require_resumable(run)
    assert caught.value.next_step == "Add --wandb online, or --wandb offline."
    require_resumable(run, given=["wandb"])
    change(run, lambda config: config.update(wandb="off", data=config["data"]))
    change(run, put("data", "train", value="somebody/questions"))
    with pytest.raises(CheckpointError, match='names "somebody/questions" at data.train'):
        require_resumable(run)
    require_resumable(run, trust=["somebody/questions"])
    require_resumable(run, given=["data.train"])


def test_references_that_multiply_are_refused_at_once(run: Path) -> None:
    levels = ["a0: &a0 [x, x, x, x, x, x, x, x, x, x]"]
    levels += [f"a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 10)}]" for n in range(1, 10)]
    path = run / "config.yaml"
    path.write_text("\n".join(levels) + "\n" + path.read_text())
    with pytest.raises(CheckpointError, match="it has more than 100,000 values"):
        require_resumable(run)


def test_files_of_python_are_left_alone(run: Path) -> None:
    (run / "drqa.py").write_text(CODE)
    require_resumable(run)
    assert not Path(RAN).exists()
