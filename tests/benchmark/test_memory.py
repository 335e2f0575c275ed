"""The peak of memory since some moment."""

from pathlib import Path

import pytest

from squadqa.benchmark import memory


def test_the_peak_is_read_and_forgotten(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """As proc(5) says: the peak is VmHWM of status, and a 5 in clear_refs resets it."""
    for name, attribute in (("status", "STATUS"), ("clear_refs", "RESET")):
        monkeypatch.setattr(memory, attribute, tmp_path / name)
    text = "Name:\tpython\nVmPeak:\t 9437184 kB\nVmHWM:\t 3145728 kB\nVmRSS:\t 1048576 kB\n"
    (tmp_path / "status").write_text(text, encoding="ascii")
    assert memory.peak_gib() == 3.0
    memory.forget_peak()
    assert (tmp_path / "clear_refs").read_text(encoding="ascii") == "5"


def test_elsewhere_the_peak_is_that_of_the_whole_process(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(memory, "STATUS", tmp_path / "status")
    monkeypatch.setattr(memory, "RESET", tmp_path / "no" / "reset")
    memory.forget_peak()
    assert memory.peak_gib() > 0
