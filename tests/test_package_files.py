"""The configurations and the sample, found from any folder."""

import importlib.util
import shutil
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

from squadqa import package_files
from squadqa.cli.main import main
from squadqa.data.squad import find_source, read_squad
from squadqa.errors import DataError
from squadqa.package_files import configs_folder, is_part, locate, short_name
from tests.support import tiny
from tests.support.runs import ROOT


@pytest.fixture
def installed(tmp_path: Path) -> ModuleType:
    """The module as in an installation, with the files inside the package."""
    package = tmp_path / "site-packages" / "squadqa"
    shutil.copytree(ROOT / "configs", package / "configs")
    shutil.copytree(ROOT / "data" / "sample", package / "bundled" / "sample")
    copied = shutil.copy(package_files.__file__, package)
    spec = importlib.util.spec_from_file_location("installed_package_files", copied)
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_a_checkout_has_them_next_to_the_package() -> None:
    assert configs_folder() == ROOT / "configs"


def test_an_installation_has_them_inside_the_package(
    installed: ModuleType, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    package = tmp_path / "site-packages" / "squadqa"
    assert installed.configs_folder() == package / "configs"
    for name in ("configs/drqa.yaml", "configs/data/sample.yaml", "data/sample/dev.json"):
        found = installed.locate(name)
        assert found.read_bytes() == (ROOT / name).read_bytes()
        assert installed.short_name(found) == name


def test_the_working_folder_comes_first(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    assert locate("configs/drqa.yaml") == ROOT / "configs" / "drqa.yaml"
    (tmp_path / "configs").mkdir()
    (tmp_path / "configs" / "drqa.yaml").touch()
    assert locate("configs/drqa.yaml") == Path("configs/drqa.yaml")
    assert locate("configs/dcn.yaml") == ROOT / "configs" / "dcn.yaml"


def test_parts_are_the_configurations_in_folders(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    assert is_part("configs/char_cnn/vgg.yaml")
    assert is_part(ROOT / "configs/data/squad.yaml")
    assert not is_part("configs/drqa.yaml")
    (tmp_path / "configs/char_cnn").mkdir(parents=True)
    (tmp_path / "configs/char_cnn/vgg.yaml").touch()
    assert not is_part("configs/char_cnn/vgg.yaml"), "a file of the user's"


@pytest.mark.parametrize(
    "path", ["configs/no.yaml", "other/drqa.yaml", "configs/../setup.cfg", "drqa.yaml", "data"]
)
def test_other_paths_are_unchanged(
    path: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    assert locate(path) == Path(path)
    assert short_name(path) == path


def test_the_sample_is_found_by_name_from_anywhere(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    for name in ("sample", "data/sample", "data/sample/dev.json"):
        source = find_source(name)
        assert str(source) == "data/sample/dev.json", "a run records no path of this machine"
        assert len(read_squad(source).ids) == 559
    with pytest.raises(DataError, match='no data file "data/sample/nothing.json"'):
        find_source("data/sample/nothing.json")
    (tmp_path / "data" / "sample").mkdir(parents=True)
    tiny.write(tmp_path / "data" / "sample" / "dev.json", tiny.squad())
    assert len(read_squad(find_source("sample")).ids) == 8


@pytest.mark.parametrize("line", [["train"], ["lightning", "fit"]])
@pytest.mark.parametrize("option", [["--config", "{}"], ["--config={}"]])
def test_a_configuration_is_found_from_any_folder(
    line: list[str],
    option: list[str],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    begun: list[Any],
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.chdir(tmp_path)
    for name in ("configs/quickstart.yaml", "configs/vectors/glove_and_spacy.yaml"):
        line = line + [word.format(name) for word in option]
    assert main(line) == 0
    assert begun[0].configs == ("configs/quickstart.yaml", "configs/vectors/glove_and_spacy.yaml")
    reported = capsys.readouterr().err.splitlines()
    assert reported == [
        f"squadqa: taking {name} from the installed package"
        for name in (begun[0].configs if line[0] == "train" else ())
    ]


def test_a_misspelt_configuration_gets_a_suggestion(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    assert main(["train", "--config", "configs/drqqa.yaml"]) == 2
    assert 'Did you mean "configs/drqa.yaml"?' in capsys.readouterr().err
