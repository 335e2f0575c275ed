"""Two processes on CPU: training, stopping, and the same scores as with one process."""

import json
import signal
import socket
import sys
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import torch

from tests.support import tiny
from tests.support.forked import Command, Done, squadqa, wait_for, write_config
from tests.support.programs import run_program
from tests.support.runs import READER, ROOT, SCORER

TWO = ["--trainer.devices", 2, "--trainer.strategy", "ddp"]


def free_port() -> int:
    """A port that is free now; everyone who needs one asks again."""
    try:
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            number: int = free.getsockname()[1]
    except OSError as error:
        pytest.skip(f"processes cannot talk to each other here: {error}")
    return number


def two_processes(
    folder: Path, *arguments: object, stop: tuple[int, int] | None = None
) -> tuple[Done, Done]:
    """Start both processes like a scheduler; `stop` is sent only to the second."""
    port = str(free_port())
    commands = [
        Command(
            folder,
            *arguments,
            *TWO,
            stop=stop if rank else None,
            environment={
                "LOCAL_RANK": str(rank),
                "WORLD_SIZE": "2",
                "NODE_RANK": "0",
                "MASTER_ADDR": "127.0.0.1",
                "MASTER_PORT": port,
            },
        )
        for rank in (0, 1)
    ]
    first, second = (replace(done, out=without_gloo(done.out)) for done in wait_for(*commands))
    return first, second


def without_gloo(out: str) -> str:
    """The output without the lines that torch 2.8's communication writes into it."""
    lines = out.splitlines(keepends=True)
    return "".join(line for line in lines if not line.startswith("[Gloo] "))


def fit(folder: Path, config: Path, run: str) -> list[object]:
    return ["lightning", "fit", "--config", config, "--run", run, "--wandb", "off"]


def train(folder: Path, settings: dict[str, Any]) -> Path:
    """Train a run with two processes; its configuration evaluates in batches of three."""
    config = write_config(folder, settings, eval_batch_size=3)
    first, second = two_processes(folder, *fit(folder, config, "whole"))
    assert (first.code, second.code) == (0, 0), first.err + second.err
    assert second.out == "", "only the first process prints"
    return folder / "whole"


@pytest.fixture(scope="module")
def reader(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return train(tmp_path_factory.mktemp("reader"), READER)


PRACTISED = {
    **READER,
    "model": {
        "class_path": "squadqa.training.span_module.SpanModule",
        "init_args": {
            "reader": {
                "class_path": "squadqa.models.DCN",
                "init_args": {
                    "char_cnn": {
                        "class_path": "squadqa.nn.char_cnn.KernelBankCharCNN",
                        "init_args": {"filters": {3: 4}, "character_size": 4, "batch_norm": True},
                    },
                    "embedding_size": 6,
                    "hidden_size": 4,
                    "pool_size": 2,
                },
            },
            "decay": "plateau",
            "ema_decay": 0.9,
        },
    },
}
"""A reader whose processes differ not only in their questions: statistics, rounds, averages."""


@pytest.fixture(scope="module")
def practised(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return train(tmp_path_factory.mktemp("practised"), PRACTISED)


@pytest.fixture(scope="module")
def scorer(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return train(tmp_path_factory.mktemp("scorer"), SCORER)


@pytest.mark.slow(seconds=200)
def test_lightning_starts_the_second_process(tmp_path: Path) -> None:
    free_port()
    write_config(tmp_path, SCORER)
    command = [sys.executable, str(ROOT / "train_cli.py"), "fit", "--config", "config.yaml"]
    done = run_program([*command, *TWO, "--wandb", "off"], cwd=tmp_path, limit=180)
    assert done.returncode == 0, done.stderr
    assert "Traceback" not in done.stderr
    assert done.stdout.count("2 process(es)") == 1
    assert [path.name for path in (tmp_path / "runs").iterdir()] == ["config"]
    result = json.loads((tmp_path / "runs/config/results.json").read_text())
    assert result["total"] == 8
    assert result["epochs"] == pytest.approx(2 * 16 / 14)  # eight batches of two for 14 questions


@pytest.mark.slow(seconds=200)
def test_torchrun_starts_both_processes_in_a_named_folder(tmp_path: Path) -> None:
    write_config(tmp_path, SCORER)
    command = [sys.executable, "-m", "torch.distributed.run", "--nproc-per-node", "2"]
    command += ["--master-addr", "127.0.0.1", "--master-port", str(free_port())]
    line = [str(ROOT / "train_cli.py"), "fit", "--config", "config.yaml", "--run_folder", "mine"]
    done = run_program([*command, *line, *TWO, "--wandb", "off"], cwd=tmp_path, limit=180)
    assert done.returncode == 0, done.stderr
    assert done.stdout.count("2 process(es)") == 1, "only the first process prints"
    assert not (tmp_path / "runs").exists()
    assert (tmp_path / "mine/checkpoints/best.ckpt").is_file()
    assert json.loads((tmp_path / "mine/results.json").read_text())["total"] == 8


@pytest.mark.parametrize(
    ("kind", "stage"),
    [
        pytest.param("reader", "validate", marks=pytest.mark.slow(seconds=150)),
        ("scorer", "test"),
        pytest.param("practised", "test", marks=pytest.mark.slow(seconds=150)),
    ],
)
def test_one_and_two_processes_give_the_same_scores(
    request: pytest.FixtureRequest, kind: str, stage: str
) -> None:
    """Eight questions in batches of three: two processes take four batches, one of them twice."""
    trained: Path = request.getfixturevalue(kind)
    arguments = ["lightning", stage, "--config", trained / "config.yaml", "--run", trained]
    arguments += ["--data.val", "dev.json"]
    alone = squadqa(
        trained.parent, *arguments, "--trainer.devices", 1, "--trainer.strategy", "auto"
    )
    assert alone.code == 0, alone.err
    first, second = two_processes(trained.parent, *arguments)
    assert (first.code, second.code) == (0, 0), first.err + second.err
    part = "val" if stage == "validate" else "test"
    assert [line.split()[0] for line in alone.out.splitlines()] == [
        f"{part}/exact_match",
        f"{part}/f1",
        f"{part}/loss",
    ]
    assert first.out == alone.out
    assert second.out == ""
    if stage == "test":
        result = json.loads((trained / "results.json").read_text())
        assert f"test/f1  {result['f1']:.4f}" in alone.out


def test_each_question_is_answered_once(reader: Path) -> None:
    arguments = ["lightning", "predict", "--config", reader / "config.yaml", "--run", reader]
    alone = squadqa(reader.parent, *arguments, "--trainer.devices", 1, "--trainer.strategy", "auto")
    assert alone.out.startswith("8 answers in "), alone.err
    answers = json.loads((reader / "predictions.json").read_text())
    rows = list(tiny.flat_rows(tiny.squad()))
    assert set(answers) == {row["id"] for row in rows}
    (reader / "predictions.json").unlink()
    first, second = two_processes(reader.parent, *arguments)
    assert (first.out, second.out) == (alone.out, "")
    assert json.loads((reader / "predictions.json").read_text()) == answers


def test_a_signal_to_one_process_stops_both_and_they_resume(scorer: Path) -> None:
    folder = scorer.parent
    stopped = two_processes(
        folder, *fit(folder, folder / "config.yaml", "stopped"), stop=(signal.SIGTERM, 2)
    )
    assert [done.code for done in stopped] == [1, 0]
    assert stopped[0].err.endswith("resume with: squadqa train --resume stopped\n")
    assert "Stopped" not in stopped[1].err
    resumed = two_processes(folder, "train", "--resume", "stopped")
    assert [done.code for done in resumed] == [0, 0], resumed[0].err + resumed[1].err
    mine, theirs = (last_checkpoint(run) for run in (folder / "stopped", scorer))
    assert mine["global_step"] == theirs["global_step"] == 8
    weights = theirs["state_dict"]
    assert all(mine["state_dict"][name].equal(weights[name]) for name in weights)


def last_checkpoint(run: Path) -> dict[str, Any]:
    content: dict[str, Any] = torch.load(run / "checkpoints/last.ckpt", weights_only=True)
    return content
