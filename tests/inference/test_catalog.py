"""The catalog: every model, with its paper, configurations and results."""

import inspect
import json
from pathlib import Path
from typing import Any

import pytest

import squadqa.models
import squadqa.nn.char_cnn
from squadqa.batch import Sizes
from squadqa.errors import ConfigError
from squadqa.evaluation.results import read_results
from squadqa.inference.catalog import CatalogEntry, catalog, find_folder
from squadqa.models import CandidateScorer, DrQAReader, SpanReader
from squadqa.nn.char_cnn import CharCNN, KernelBankCharCNN
from tests.support.runs import ROOT

CONFIGS, RESULTS = ROOT / "configs", ROOT / "results"


@pytest.fixture(scope="module")
def entries() -> dict[str, CatalogEntry]:
    return {entry.name: entry for entry in catalog(CONFIGS, RESULTS)}


def test_every_exported_class_is_there_once(entries: dict[str, CatalogEntry]) -> None:
    bases = (SpanReader, CandidateScorer, CharCNN)
    exported = {
        name
        for module in (squadqa.models, squadqa.nn.char_cnn)
        for name in module.__all__
        if isinstance(value := getattr(module, name), type)
        and issubclass(value, bases)
        and not inspect.isabstract(value)
    }
    assert entries.keys() == exported
    assert {entry.kind for entry in entries.values()} == {"reader", "scorer", "character CNN"}
    assert len(catalog()) == len(entries)


def test_every_reader_and_scorer_has_a_configuration_of_its_name(
    entries: dict[str, CatalogEntry],
) -> None:
    for entry in entries.values():
        if entry.kind != "character CNN":
            module = getattr(squadqa.models, entry.name).__module__.rpartition(".")[2]
            assert entry.configs[0] == str(CONFIGS / f"{module}.yaml")


def test_entry_of_drqa(entries: dict[str, CatalogEntry]) -> None:
    entry = entries["DrQAReader"]
    assert entry.class_path == "squadqa.models.DrQAReader"
    assert entry.paper.startswith("Chen, Fisch, Weston and Bordes, 2017, Reading Wikipedia")
    assert str(CONFIGS / "quickstart.yaml") in entry.configs
    measured = [result for result in read_results(RESULTS) if "configs/drqa.yaml" in result.configs]
    assert measured
    assert {result.name for result in measured} <= {result.name for result in entry.results}
    assert "logistic" not in {result.name for result in entry.results}
    reader = DrQAReader(Sizes(50, 1000), char_cnn=KernelBankCharCNN(filters={5: 100}))
    assert entry.parameters == sum(parameter.numel() for parameter in reader.parameters())


def test_results_without_a_model_belong_to_no_entry(entries: dict[str, CatalogEntry]) -> None:
    known = {result.name for entry in entries.values() for result in entry.results}
    assert "random-candidate" in {result.name for result in read_results(RESULTS)} - known


def test_without_folders_classes_have_their_defaults() -> None:
    entries = {entry.name: entry for entry in catalog()}
    entry = entries["KernelBankCharCNN"]
    default = KernelBankCharCNN()
    assert entry.parameters == sum(parameter.numel() for parameter in default.parameters())
    assert all(not entry.configs and not entry.results for entry in entries.values())


def write(folder: Path, name: str, text: str) -> Path:
    path = folder / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)
    return path


PART = """\
model: {init_args: {reader: {init_args: {char_cnn: {
  class_path: squadqa.nn.char_cnn.KernelBankCharCNN, init_args: {filters: {3: 2}}}}}}}
"""


DRQA = """\
model: {init_args: {reader: {class_path: squadqa.models.DrQAReader, init_args: {layers}}}}
data: {inputs: {init_args: {num_buckets: 10}}}
"""


def test_a_part_that_names_a_character_cnn_is_its_configuration(tmp_path: Path) -> None:
    part = write(tmp_path, "configs/char_cnn/narrow.yaml", PART)
    write(tmp_path, "configs/drqa.yaml", (CONFIGS / "drqa.yaml").read_text())
    result = json.loads((RESULTS / "drqa.json").read_text())
    result["configs"] = ["elsewhere/configs/drqa.yaml", "configs/char_cnn/narrow.yaml"]
    write(tmp_path, "results/drqa.json", json.dumps(result))
    entries = {one.name: one for one in catalog(tmp_path / "configs", tmp_path / "results")}
    entry = entries["KernelBankCharCNN"]
    assert entry.configs == (str(part),)
    narrow = KernelBankCharCNN(filters={3: 2})
    assert entry.parameters == sum(parameter.numel() for parameter in narrow.parameters())
    for name in ("KernelBankCharCNN", "DrQAReader"):
        assert [one.name for one in entries[name].results] == ["drqa"]
    assert not entries["ResNetCharCNN"].results


@pytest.mark.parametrize(
    "named",
    [
        "ResNetCharCNN",
        "squadqa.nn.char_cnn.ResNetCharCNN",
        {"class_path": "squadqa.nn.char_cnn.ResNetCharCNN", "init_args": {"character_size": 4}},
    ],
)
def test_a_result_may_name_its_character_cnn(named: Any, tmp_path: Path) -> None:
    result = json.loads((RESULTS / "drqa.json").read_text())
    result |= {"configs": ["configs/drqa.yaml"], "overrides": {"char_cnn": named}}
    write(tmp_path, "results/drqa.json", json.dumps(result))
    entries = {one.name: one for one in catalog(CONFIGS, tmp_path / "results")}
    for name in ("ResNetCharCNN", "DrQAReader"):
        assert [one.name for one in entries[name].results] == ["drqa"]
    assert not entries["KernelBankCharCNN"].results


@pytest.mark.parametrize(
    ("text", "what"),
    [
        ("model: [", "cannot read the configuration"),
        (PART.replace("filters", "filtres"), 'does not describe a "KernelBankCharCNN"'),
        (PART.replace("{3: 2}", "{2: 2}"), 'does not describe a "KernelBankCharCNN"'),
        (PART.replace(".nn.char_cnn.", ".nn.nowhere."), 'does not describe a "KernelBankCharCNN"'),
        (DRQA.replace("layers", "num_layers: 1000000"), "more than 2,000 layers and weights"),
        (DRQA.replace("layers", "hidden_size: 1000000000000000000"), 'describe a "DrQAReader"'),
        (DRQA.replace("{layers}", "{}").replace("10", "[]"), "not 'list'"),
        (DRQA.replace("{layers}", "{}").replace("10", ".inf"), "infinity"),
    ],
)
def test_invalid_configurations(text: str, what: str, tmp_path: Path) -> None:
    path = write(tmp_path, "bad.yaml", text)
    with pytest.raises(ConfigError, match=what) as caught:
        catalog(tmp_path)
    assert str(path) in caught.value.what


@pytest.mark.parametrize("text", ["", "model:", "[1, 2]", "model: {class_path: os.system}"])
def test_a_configuration_without_a_model_is_ignored(text: str, tmp_path: Path) -> None:
    write(tmp_path, "other.yaml", text)
    assert catalog(tmp_path) == catalog()


def test_folders_of_the_working_folder_are_others(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "configs").mkdir()
    (tmp_path / "nowhere").mkdir()
    assert find_folder("configs") == CONFIGS
    assert find_folder("nowhere") is None
