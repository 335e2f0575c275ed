"""The commit and the machine of a measurement."""

import os
import re
import subprocess
from pathlib import Path
from typing import Any

import pytest

import squadqa
from squadqa.provenance import commit, hardware, without_folders


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder outside every repository; git ignores this machine's settings."""
    for name in [name for name in os.environ if name.startswith("GIT_")]:
        monkeypatch.delenv(name)  # a git hook sets them, for the repository it runs in
    monkeypatch.setenv("GIT_CEILING_DIRECTORIES", str(tmp_path.parent))
    monkeypatch.setenv("GIT_CONFIG_GLOBAL", os.devnull)
    return tmp_path


def git(folder: Path, *command: str) -> str:
    identity = ["-c", "user.name=x", "-c", "user.email=x@example.org"]
    done = subprocess.run(
        ["git", "-C", folder, *identity, *command], check=True, capture_output=True, text=True
    )
    return done.stdout.strip()


@pytest.fixture
def repository(folder: Path) -> Path:
    """A repository of one file."""
    git(folder, "init")
    (folder / "file").write_text("one")
    git(folder, "add", "file")
    git(folder, "commit", "--message", "One")
    return folder


def test_outside_git_the_commit_is_unknown(folder: Path) -> None:
    assert commit(folder) == "unknown"


def test_a_clean_tree_is_its_commit(repository: Path) -> None:
    (repository / "untracked").touch()
    assert commit(repository) == git(repository, "rev-parse", "HEAD")


def test_a_changed_tree_is_dirty(repository: Path) -> None:
    (repository / "file").write_text("two")
    assert commit(repository) == git(repository, "rev-parse", "HEAD") + "-dirty"


def test_untracked_folders_have_no_commit(repository: Path) -> None:
    """Such as a package that is installed inside another project's repository."""
    installed = repository / "venv" / "package"
    installed.mkdir(parents=True)
    (installed / "module.py").touch()
    assert commit(installed) == "unknown"


def test_the_default_folder_is_the_package() -> None:
    assert commit() == commit(Path(squadqa.__file__).parent)


def test_hardware_names_cpu_cores_and_memory() -> None:
    assert re.fullmatch(r".+, [1-9]\d* cores, \d+ GiB", hardware())


@pytest.mark.parametrize(
    ("value", "kept"),
    [
        ("/data/squad/dev.json", "dev.json"),
        ("/data/my vectors/glove.txt", "glove.txt"),
        ("~/glove.txt", "glove.txt"),
        ("spacy:/data/a pipeline", "spacy:a pipeline"),
        ("/data/a/train.json, /data/dev.json", "train.json, dev.json"),
        ("Warm start from /data/runs/a. Taught by ~/b/c.", "Warm start from a. Taught by c."),
        ("--data=/data/x", "--data=x"),
        ("runs/drqa and ../up and 3/4", "runs/drqa and ../up and 3/4"),
        ("https://host/page", "https://host/page"),
        ("spacy:en_core_web_md", "spacy:en_core_web_md"),
        ("", ""),
        (["/a/b", {"x": ("/c/d", 1, None)}], ["b", {"x": ("d", 1, None)}]),
    ],
)
def test_folders_of_a_machine_are_left_out(value: Any, kept: Any) -> None:
    assert without_folders(value) == kept
