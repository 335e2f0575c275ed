import errno
import json
import multiprocessing
import os
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from squadqa.data.cache import MANIFEST, cached_folder, fingerprint, read_manifest
from squadqa.errors import OutputError
from squadqa.files import PREFIX, SUFFIX, write_folder_atomic
from tests.support.programs import run_program
from tests.support.runs import ROOT

SETTINGS = {"a": 1, "b": ["x", None]}


class Builder:
    """Writes two files and counts its calls."""

    def __init__(self) -> None:
        self.calls = 0

    def __call__(self, folder: Path) -> dict[str, int]:
        self.calls += 1
        (folder / "one").write_text("content")
        (folder / "two").write_bytes(bytes(1000))
        return {"note": 7}


def names(root: Path) -> list[str]:
    return sorted(os.listdir(root))


def test_builds_once(tmp_path: Path) -> None:
    build = Builder()
    entry = cached_folder(tmp_path / "deep" / "root", "text", SETTINGS, build)
    assert entry.name == f"text-{fingerprint(SETTINGS)}"
    assert names(entry) == [MANIFEST, "one", "two"]
    assert read_manifest(entry)["notes"] == {"note": 7}
    assert cached_folder(tmp_path / "deep" / "root", "text", dict(SETTINGS), build) == entry
    assert build.calls == 1
    assert names(entry.parent) == [entry.name]


def test_other_settings_other_entry(tmp_path: Path) -> None:
    build = Builder()
    entries = {
        cached_folder(tmp_path, kind, settings, build)
        for kind in ("text", "vectors")
        for settings in (SETTINGS, {**SETTINGS, "a": 2}, {"a": 1})
    }
    assert len(entries) == build.calls == 6


def test_fingerprint_does_not_depend_on_order() -> None:
    assert fingerprint({"b": "é", "a": [1]}) == fingerprint({"a": [1], "b": "é"})


def overwrite(name: str, content: str) -> Callable[[Path], object]:
    return lambda entry: (entry / name).write_text(content)


def change_settings(entry: Path) -> None:
    manifest = read_manifest(entry)
    manifest["settings"]["a"] = 2
    (entry / MANIFEST).write_text(json.dumps(manifest))


def list_nothing(entry: Path) -> None:
    (entry / MANIFEST).write_text(json.dumps({**read_manifest(entry), "files": {}}))


def list_a_device(entry: Path) -> None:
    """Reading it would never end."""
    manifest = read_manifest(entry)
    manifest["files"]["/dev/zero"] = {"bytes": 0, "blake2b": ""}
    (entry / MANIFEST).write_text(json.dumps(manifest))


def put_a_pipe(entry: Path) -> None:
    """Opening it would never end."""
    manifest = read_manifest(entry)
    (entry / "one").unlink()
    os.mkfifo(entry / "one")
    manifest["files"]["one"]["bytes"] = 0
    (entry / MANIFEST).write_text(json.dumps(manifest))


@pytest.mark.parametrize(
    "damage",
    [
        pytest.param(overwrite("one", "CONTENT"), id="changed-bytes"),
        pytest.param(overwrite("two", ""), id="truncated"),
        pytest.param(lambda entry: (entry / "one").unlink(), id="missing-file"),
        pytest.param(lambda entry: (entry / MANIFEST).unlink(), id="no-manifest"),
        pytest.param(overwrite(MANIFEST, '{"settings": {'), id="half-manifest"),
        pytest.param(overwrite(MANIFEST, "[1, 2]"), id="manifest-is-a-list"),
        pytest.param(
            overwrite(MANIFEST, json.dumps({"settings": SETTINGS, "files": []})),
            id="manifest-of-another-shape",
        ),
        pytest.param(
            overwrite(MANIFEST, json.dumps({"settings": SETTINGS, "files": {"one": 3}})),
            id="manifest-of-another-shape-inside",
        ),
        pytest.param(overwrite(MANIFEST, "[" * 100_000), id="manifest-nested-too-deep"),
        pytest.param(change_settings, id="foreign-manifest"),
        pytest.param(list_nothing, id="manifest-without-files"),
        pytest.param(list_a_device, id="manifest-with-a-device"),
        pytest.param(put_a_pipe, id="pipe-in-place-of-a-file"),
    ],
)
def test_damaged_entry_is_built_again(tmp_path: Path, damage: Callable[[Path], object]) -> None:
    build = Builder()
    entry = cached_folder(tmp_path, "text", SETTINGS, build)
    damage(entry)
    assert cached_folder(tmp_path, "text", SETTINGS, build) == entry
    assert build.calls == 2
    assert (entry / "one").read_text() == "content"
    assert cached_folder(tmp_path, "text", SETTINGS, build) == entry
    assert build.calls == 2


def test_failed_build_leaves_nothing(tmp_path: Path) -> None:
    def fail(folder: Path) -> dict[str, int]:
        (folder / "half").write_text("x")
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        cached_folder(tmp_path, "text", SETTINGS, fail)
    assert names(tmp_path) == []


def test_files_of_a_killed_process_are_removed(tmp_path: Path) -> None:
    entry = cached_folder(tmp_path, "text", SETTINGS, Builder())
    with write_folder_atomic(tmp_path / "another") as others:  # of a process that is alive
        left = tmp_path / f"{PREFIX}abcdefgh{SUFFIX}"
        left.mkdir()
        (left / "half").write_text("x")
        for name in (entry.name, "vectors-other"):
            (tmp_path / f".{name}.lock").write_text("")
        assert cached_folder(tmp_path, "text", SETTINGS, Builder()) == entry
        assert names(tmp_path) == [others.name, entry.name]


def test_full_disk(tmp_path: Path) -> None:
    def full(folder: Path) -> dict[str, int]:
        (folder / "half").write_text("x")
        raise OSError(errno.ENOSPC, "No space left on device")

    with pytest.raises(OutputError, match="No space left on device") as caught:
        cached_folder(tmp_path / "cache", "text", SETTINGS, full)
    assert str(tmp_path / "cache") in str(caught.value)
    assert "Free space" in str(caught.value)
    assert names(tmp_path / "cache") == []


@pytest.mark.parametrize("name", ["file", "file/below"])
def test_cache_folder_that_cannot_be_made(tmp_path: Path, name: str) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(OutputError, match="cannot write"):
        cached_folder(tmp_path / name, "text", SETTINGS, Builder())


def _build_slowly(root: Path, barrier: "multiprocessing.synchronize.Barrier") -> None:
    def build(folder: Path) -> dict[str, int]:
        with (root / "calls").open("a") as calls:
            calls.write("x")
        time.sleep(0.2)
        (folder / "one").write_text("content")
        return {}

    barrier.wait(30)
    entry = cached_folder(root / "cache", "text", SETTINGS, build)
    assert (entry / "one").read_text() == "content"


def test_concurrent_processes_build_once(tmp_path: Path) -> None:
    context = multiprocessing.get_context("fork")
    barrier = context.Barrier(4)
    processes = [context.Process(target=_build_slowly, args=(tmp_path, barrier)) for _ in range(4)]
    for process in processes:
        process.start()
    for process in processes:
        process.join(60)
    assert [process.exitcode for process in processes] == [0] * 4
    assert (tmp_path / "calls").read_text() == "x"
    assert len(names(tmp_path / "cache")) == 1


def _fail_first(root: Path, barrier: "multiprocessing.synchronize.Barrier") -> None:
    inside = root / "inside"

    def build(folder: Path) -> dict[str, int]:
        inside.mkdir()  # fails if another process is building too
        time.sleep(0.1)
        inside.rmdir()
        if not (root / "failed").exists():
            (root / "failed").write_text("")
            raise RuntimeError("the first one fails")
        (folder / "one").write_text("content")
        return {}

    barrier.wait(30)
    try:
        cached_folder(root / "cache", "text", SETTINGS, build)
    except RuntimeError:
        barrier.wait(30)
        return
    barrier.wait(30)


def test_concurrent_processes_never_build_together_after_a_failure(tmp_path: Path) -> None:
    context = multiprocessing.get_context("fork")
    barrier = context.Barrier(6)
    processes = [context.Process(target=_fail_first, args=(tmp_path, barrier)) for _ in range(6)]
    for process in processes:
        process.start()
    for process in processes:
        process.join(60)
    assert [process.exitcode for process in processes] == [0] * 6


SCRIPT = """
import sys
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context
from pathlib import Path

from squadqa.data.cache import cached_folder


def build(folder):
    with ProcessPoolExecutor(1, mp_context=get_context("spawn")) as pool:
        return {"note": list(pool.map(abs, [-7]))[0]}


GUARD
    print(cached_folder("cache", "kind", {}, build).is_dir())
"""


def test_a_script_with_a_guard_may_use_worker_processes(tmp_path: Path) -> None:
    (tmp_path / "script.py").write_text(SCRIPT.replace("GUARD", 'if __name__ == "__main__":'))
    done = run_program([sys.executable, "script.py"], cwd=tmp_path, PYTHONPATH=str(ROOT))
    assert done.stdout == "True\n", done.stderr


def test_workers_of_a_script_without_a_guard_do_not_wait_for_their_parent(tmp_path: Path) -> None:
    (tmp_path / "script.py").write_text(SCRIPT.replace("GUARD", "if True:"))
    done = run_program([sys.executable, "script.py"], cwd=tmp_path, PYTHONPATH=str(ROOT))
    assert done.returncode == 1
    assert "begins with the lines of your script" in done.stderr
    assert "give workers=1" in done.stderr
