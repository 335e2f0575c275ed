import os
import signal
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from squadqa.errors import OutputError
from squadqa.training.run_lock import LOCK, hold_run, is_free
from tests.support.forked import Command, squadqa, write_config
from tests.support.holding import hold_elsewhere, kill
from tests.support.runs import SCORER


@pytest.mark.parametrize("is_new", [True, False])
def test_a_second_training_is_refused_with_the_name_of_the_first(
    tmp_path: Path, is_new: bool
) -> None:
    folder = tmp_path / "run"
    process = hold_elsewhere(folder)
    try:
        assert not is_free(folder)
        with (
            pytest.raises(OutputError, match=f"is being trained by process {process} on ") as told,
            hold_run(folder, is_new=is_new),
        ):
            pytest.fail("two trainings in one folder")
        assert str(folder) in told.value.what
        assert "Wait until it ends" in told.value.next_step
    finally:
        kill(process)


def test_a_killed_training_holds_no_lock_and_its_folder_is_free(tmp_path: Path) -> None:
    folder = tmp_path / "run"
    kill(hold_elsewhere(folder))
    assert [path.name for path in folder.iterdir()] == [LOCK]
    (folder / "logs" / "version_0").mkdir(parents=True)
    (folder / ".squadqa-x.tmp").write_text("half")
    assert is_free(folder)
    with hold_run(folder, is_new=True):
        assert [path.name for path in folder.iterdir()] == [LOCK]
        (folder / "config.yaml").write_text("x")
    assert [path.name for path in folder.iterdir()] == ["config.yaml"]
    assert not is_free(folder)


def test_what_killed_trainings_left_is_removed_wherever_it_is(tmp_path: Path) -> None:
    for folder in ("checkpoints", "logs/version_0", "logs/version_1", "mine"):
        (tmp_path / folder).mkdir(parents=True)
        (tmp_path / folder / ".squadqa-x.tmp").write_text("half")
        (tmp_path / folder / "kept").touch()
    (tmp_path / ".squadqa-x.tmp").mkdir()
    with hold_run(tmp_path, is_new=False):
        left = [path.parent.name for path in tmp_path.rglob(".squadqa-*")]
        assert left == ["mine"], "only what a training writes is looked at"
    assert len(list(tmp_path.rglob("kept"))) == 4


def test_without_a_lock_file_nothing_is_removed(tmp_path: Path) -> None:
    """A folder of the user's may have these names too."""
    (tmp_path / "logs").mkdir()
    assert not is_free(tmp_path)


def test_a_training_that_could_not_begin_leaves_no_folders(tmp_path: Path) -> None:
    with pytest.raises(RuntimeError), hold_run(tmp_path / "new" / "run", is_new=True):
        raise RuntimeError
    assert not list(tmp_path.iterdir())


def test_only_the_first_process_takes_the_lock(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with hold_run(tmp_path / "run", is_new=True):
        monkeypatch.setenv("LOCAL_RANK", "1")
        with hold_run(tmp_path / "run", is_new=True):
            assert (tmp_path / "run" / LOCK).exists()
        monkeypatch.delenv("LOCAL_RANK")
        assert (tmp_path / "run" / LOCK).exists()
    assert not (tmp_path / "run").exists()


NAMES: list[tuple[str, Callable[[Path], object], str]] = [
    ("x" * 300, lambda folder: None, "File name too long"),
    ("file/run", lambda folder: (folder / "file").write_text(""), "Not a directory"),
]


@pytest.mark.parametrize(("name", "prepare", "said"), NAMES, ids=["long", "below-a-file"])
def test_the_folder_is_named_where_it_cannot_be_made(
    tmp_path: Path, name: str, prepare: Callable[[Path], object], said: str
) -> None:
    prepare(tmp_path)
    with pytest.raises(OutputError, match=said) as told, hold_run(tmp_path / name, is_new=True):
        pytest.fail("there is no such folder")
    assert f'cannot write "{tmp_path / name}"' in told.value.what


def test_the_commands_refuse_a_run_in_training(tmp_path: Path) -> None:
    write_config(tmp_path, SCORER)
    new = ("train", "--config", "config.yaml", "--run", "run", "--wandb", "off")
    first = Command(tmp_path, *new, "--save-every", 1, "--epochs", 100_000, "--patience", 100_000)
    last = tmp_path / "run/checkpoints/last.ckpt"
    deadline = time.monotonic() + 30
    while not last.exists() and time.monotonic() < deadline:
        time.sleep(0.05)
    resumed = squadqa(tmp_path, "train", "--resume", "run")
    again = squadqa(tmp_path, *new)
    os.kill(first.process, signal.SIGKILL)
    assert first.wait().code == -signal.SIGKILL
    assert resumed.code == again.code == 2
    assert f'"run" is being trained by process {first.process} on' in resumed.err
    assert 'the run folder "run" exists' in again.err
