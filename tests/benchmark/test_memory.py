"""The peak of memory since some moment."""

from pathlib import Path

import pytest

from squadqa.benchmark import memory


@pytest.mark.skipif(not memory.RESET.exists(), reason="only Linux forgets a peak")
def test_a_peak_is_forgotten() -> None:
    before = memory.peak_gib()
    held = b"x" * 2**28
    assert memory.peak_gib() > before
    del held
    memory.forget_peak()
    assert memory.peak_gib() < before + 0.2


def test_elsewhere_the_peak_is_that_of_the_whole_process(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(memory, "STATUS", tmp_path / "status")
    monkeypatch.setattr(memory, "RESET", tmp_path / "no" / "reset")
    memory.forget_peak()
    assert memory.peak_gib() > 0
