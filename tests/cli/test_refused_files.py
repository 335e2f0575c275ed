"""What the system refuses: the message names the right path, and says whether it was read."""

import errno
import os
from collections.abc import Callable
from pathlib import Path

import pytest

from squadqa.errors import OutputError
from tests.support import tiny
from tests.support.forked import squadqa, write_config
from tests.support.runs import SCORER

LONG = "x" * 300
SCORE = ("evaluate", "--data", "dev.json", "--predictions")

READ = [
    (*SCORE, f"{LONG}.json"),
    ("evaluate", LONG, "--data", "dev.json"),
    ("evaluate", "--data", f"{LONG}.json", "--predictions", "x.json"),
    ("prepare", f"{LONG}.json", "--no-annotate", "--vectors"),
    ("prepare", "dev.json", "--no-annotate", "--vectors", f"{LONG}.txt"),
    ("train", "--config", f"{LONG}.yaml"),
    ("train", "--resume", LONG),
    ("answer", LONG, "--context", "dev.json", "--question", "Who?"),
    ("ensemble", LONG, LONG, "--data", "dev.json"),
]
WRITTEN = [
    ("prepare", "dev.json", "--no-annotate", "--vectors", "--cache-dir", LONG),
    ("predict", "run", "--data", "dev.json", "--output", f"{LONG}.json"),
    ("predict", "run", "--data", "dev.json", "--output", f"{'x' * 245}.json", "--n-best", "2"),
    ("baseline", "sliding-window", "--data", "dev.json", "--output", f"{LONG}.json"),
]


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    tiny.write(tmp_path / "dev.json", tiny.squad())
    return tmp_path


@pytest.mark.parametrize("line", READ, ids=range(len(READ)))
def test_a_name_that_is_too_long_to_be_read(
    line: tuple[str, ...], refused: Callable[..., str]
) -> None:
    said = refused(*line)
    assert "xxx" in said
    assert "cannot write" not in said
    assert "too long" in said or "no " in said


@pytest.mark.parametrize("line", WRITTEN, ids=range(len(WRITTEN)))
def test_a_name_that_is_too_long_to_be_written_shows_before_the_work(
    line: tuple[str, ...], refused: Callable[..., str], folder: Path
) -> None:
    said = refused(*line)
    assert 'cannot write "xxx' in said
    assert "File name too long" in said
    assert os.listdir(folder) == ["dev.json"]


@pytest.mark.slow(seconds=120)
def test_a_full_disk_in_a_training_names_the_file(folder: Path) -> None:
    """The limit on the size of files is real; the checkpoint is the first file above it."""
    write_config(folder, SCORER)
    line = ("train", "--config", "config.yaml", "--run", "run", "--wandb", "off")
    assert squadqa(folder, *line, "--trainer.max_steps", 1).code == 0
    size = (folder / "run/checkpoints/last.ckpt").stat().st_size
    done = squadqa(folder, *line[:4], "new", *line[5:], most_bytes=size // 2)
    assert done.code == 2
    assert 'cannot write "' in done.err
    assert "new/checkpoints/best.ckpt" in done.err
    assert "File too large" in done.err
    assert "Traceback" not in done.err
    assert not (folder / "new").exists()


def test_a_full_disk_names_the_predictions(
    folder: Path, reader_run: Path, refused: Callable[..., str], monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(_: int) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    line = ("--data", "dev.json", "--cache-dir", "cache", "--output", "out/answers.json")
    said = refused("predict", reader_run, *line)
    assert 'cannot write "out/answers.json": No space left on device' in said
    assert not list((folder / "out").iterdir())


def test_the_cache_is_not_blamed_for_another_file(folder: Path) -> None:
    from squadqa.data.cache import cached_folder

    def read_elsewhere(_: Path) -> dict[str, int]:
        raise PermissionError(errno.EACCES, "Permission denied", "/somewhere/else.txt")

    with pytest.raises(PermissionError):
        cached_folder(folder / "cache", "text", {}, read_elsewhere)

    def write_there(made: Path) -> dict[str, int]:
        raise OSError(errno.ENOSPC, "No space left on device", str(made / "x"))

    with pytest.raises(OutputError, match='cannot write ".*cache/text-.*": No space'):
        cached_folder(folder / "cache", "text", {}, write_there)
