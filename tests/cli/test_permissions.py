"""What the system refuses for real: files without permission, read-only disks, and full ones."""

import os
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from squadqa.evaluation.ablation import write_ablation
from tests.support import tiny
from tests.support.ablations import WHOLE
from tests.support.forked import write_config
from tests.support.permissions import bound_by_permissions, small_disk
from tests.support.runs import SCORER

Line = tuple[str, ...]
ASKED = ("--question", "Who?")
PREPARED = ("--no-annotate", "--vectors")


@pytest.fixture
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """The working folder, with data, a configuration, predictions, vectors and an ablation."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("SQUADQA_CACHE_DIR", str(tmp_path / "cache"))
    monkeypatch.setenv("PL_GLOBAL_SEED", "0")  # restored after the test
    write_config(tmp_path, SCORER)
    Path("predictions.json").write_text('{"q0": "x"}')
    Path("text.txt").write_text("Ida Moss kept it.")
    Path("vectors.txt").write_text("the 1 2\n")
    Path("ablation").mkdir()
    write_ablation(Path("ablation"), WHOLE)
    Path("inside").mkdir()
    tiny.write(Path("inside/dev.json"), tiny.squad())
    yield tmp_path
    for path in tmp_path.rglob("*"):
        if not path.is_symlink():
            path.chmod(0o755)


@pytest.fixture
def run(here: Path, scorer_run: Path) -> Path:
    """A run in the working folder, and another one."""
    shutil.copytree(scorer_run, "other")
    return Path(shutil.copytree(scorer_run, "run"))


READ: list[tuple[str, Line]] = [
    ("dev.json", ("evaluate", "--data", "dev.json", "--predictions", "predictions.json")),
    ("predictions.json", ("evaluate", "--data", "dev.json", "--predictions", "predictions.json")),
    ("dev.json", ("prepare", "dev.json", *PREPARED)),
    ("vectors.txt", ("prepare", "dev.json", *PREPARED, "vectors.txt")),
    ("dev.json", ("baseline", "sliding-window", "--data", "dev.json")),
    ("config.yaml", ("train", "--config", "config.yaml", "--wandb", "off")),
    ("dev.json", ("train", "--config", "config.yaml", "--wandb", "off")),
    ("ablation/ablation.json", ("ablate", "config.yaml", "--output", "ablation")),
    ("inside", ("evaluate", "--data", "inside/dev.json", "--predictions", "predictions.json")),
    ("inside", ("prepare", "inside", *PREPARED)),
    ("inside", ("train", "--config", "inside/config.yaml", "--wandb", "off")),
]


def test_a_configuration_of_train_cli(here: Path, refused: Callable[..., str]) -> None:
    Path("config.yaml").chmod(0)
    with bound_by_permissions():
        said = refused("lightning", "fit", "--config", "config.yaml")
    assert said.startswith(f'cannot read "{here / "config.yaml"}": Permission denied\n')


READ_OF_RUNS: list[tuple[str, Line]] = [
    ("text.txt", ("answer", "run", "--context", "text.txt", *ASKED)),
    ("run/config.yaml", ("answer", "run", "--context", "text.txt", *ASKED)),
    ("run/checkpoints/best.ckpt", ("answer", "run", "--context", "text.txt", *ASKED)),
    ("run/checkpoints", ("answer", "run", "--context", "text.txt", *ASKED)),
    ("run", ("answer", "run", "--context", "text.txt", *ASKED)),
    ("dev.json", ("predict", "run", "--data", "dev.json", "--output", "out.json")),
    ("run/config.yaml", ("train", "--resume", "run", "--wandb", "off")),
    ("run/origin.json", ("train", "--resume", "run", "--wandb", "off")),
    ("run/checkpoints/last.ckpt", ("train", "--resume", "run", "--wandb", "off")),
    ("run/checkpoints/best.ckpt", ("train", "--resume", "run", "--wandb", "off")),
    ("run/config.yaml", ("ensemble", "run", "other", "--data", "dev.json")),
]


def show(value: object) -> str:
    return value if isinstance(value, str) else "-".join(value[:1])  # type: ignore[index]


def check_read(name: str, line: Line, refused: Callable[..., str]) -> None:
    mode = Path(name).stat().st_mode
    Path(name).chmod(0)
    try:
        with bound_by_permissions():
            said = refused(*line)
    finally:
        Path(name).chmod(mode)
    first = said.splitlines()[0]
    assert f'"{name}' in first, said
    assert "Permission denied" in first, said
    assert "read" in first and "write" not in said, said


@pytest.mark.parametrize(("name", "line"), READ, ids=show)
def test_what_may_not_be_read(
    name: str, line: Line, here: Path, refused: Callable[..., str]
) -> None:
    check_read(name, line, refused)


@pytest.mark.parametrize(("name", "line"), READ_OF_RUNS, ids=show)
def test_what_may_not_be_read_of_a_run(
    name: str, line: Line, run: Path, refused: Callable[..., str]
) -> None:
    check_read(name, line, refused)


WRITTEN: list[tuple[str, Line]] = [
    ("closed/cache", ("prepare", "dev.json", *PREPARED, "--cache-dir", "closed/cache")),
    ("closed", ("prepare", "dev.json", *PREPARED, "--cache-dir", "closed")),
    (
        "closed/out.json",
        ("baseline", "sliding-window", "--data", "dev.json", "--output", "closed/out.json"),
    ),
    (
        "closed/run",
        ("train", "--config", "config.yaml", "--wandb", "off", "--run", "closed/run"),
    ),
    (
        "closed/config.json",
        ("train", "--config", "config.yaml", "--wandb", "off", "--results", "closed"),
    ),
    ("closed/out", ("ablate", "config.yaml", "--output", "closed/out")),
    ("closed/ablations", ("ablate", "config.yaml", "--output", "out", "--results", "closed")),
]

WRITTEN_OF_RUNS: list[tuple[str, Line]] = [
    ("closed/x.json", ("predict", "run", "--data", "dev.json", "--output", "closed/x.json")),
    (
        "closed/both",
        ("ensemble", "run", "other", "--data", "dev.json", "--run", "closed/both"),
    ),
]


def check_written(named: str, line: Line, why: str, refused: Callable[..., str]) -> None:
    before = sorted(Path().rglob("*"))
    said = refused(*line)
    assert said.startswith(f'cannot write "{named}": {why}\n'), said
    assert "cannot read" not in said
    after = [path for path in sorted(Path().rglob("*")) if "cache" not in path.parts[0]]
    assert after == before
    assert not list(Path().rglob(".squadqa*"))


@pytest.mark.parametrize(("named", "line"), WRITTEN, ids=show)
def test_a_folder_that_may_not_be_written(
    named: str, line: Line, here: Path, refused: Callable[..., str]
) -> None:
    Path("closed").mkdir(mode=0o555)
    with bound_by_permissions():
        check_written(named, line, "Permission denied", refused)


@pytest.mark.parametrize(("named", "line"), WRITTEN_OF_RUNS, ids=show)
def test_a_folder_that_a_run_may_not_write(
    named: str, line: Line, run: Path, refused: Callable[..., str]
) -> None:
    Path("closed").mkdir(mode=0o555)
    with bound_by_permissions():
        check_written(named, line, "Permission denied", refused)


def test_a_run_that_may_not_be_written_is_not_resumed(
    run: Path, refused: Callable[..., str]
) -> None:
    run.chmod(0o555)
    with bound_by_permissions():
        said = refused("train", "--resume", "run", "--wandb", "off")
    assert 'cannot write "run": Permission denied' in said


@pytest.mark.parametrize(("named", "line"), WRITTEN, ids=show)
def test_a_read_only_disk(named: str, line: Line, here: Path, refused: Callable[..., str]) -> None:
    with small_disk(here / "closed", read_only=True):
        check_written(named, line, "Read-only file system", refused)


@pytest.mark.parametrize(
    ("named", "line"),
    [
        ("full/cache", ("prepare", "dev.json", *PREPARED, "--cache-dir", "full/cache")),
        (
            "full/out.json",
            ("baseline", "sliding-window", "--data", "dev.json", "--output", "full/out.json"),
        ),
    ],
    ids=show,
)
def test_a_full_disk(named: str, line: Line, here: Path, refused: Callable[..., str]) -> None:
    with small_disk(here / "full", kib=4) as disk:
        (disk / "other").write_bytes(bytes(4096))
        said = refused(*line)
        first = said.splitlines()[0]
        assert first.startswith(f'cannot write "{named}'), said
        assert first.endswith('": No space left on device'), said
        assert "Free space there" in said
        assert not [name for name in os.listdir(disk) if name not in ("other", "cache")]
