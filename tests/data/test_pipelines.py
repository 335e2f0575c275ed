import shutil
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from squadqa.data.annotation import annotate
from squadqa.data.pipelines import (
    PIPELINES,
    find_pipeline,
    is_official,
    load_pipeline,
    pipeline_fingerprint,
)
from squadqa.data.tokenization import tokenize
from squadqa.errors import ConfigError

PLANTED = "open('ran', 'w').close()\n"
"""Code that a test finds out about if it is run."""


@pytest.fixture
def folder(pipeline: str, tmp_path: Path) -> Path:
    """A pipeline's own folder, which a test may change."""
    return Path(shutil.copytree(find_pipeline(pipeline), tmp_path / "mine"))


def test_fingerprint_names_the_package_and_versions(pipeline: str) -> None:
    name, version, *rest = pipeline_fingerprint(pipeline).split()
    assert name in PIPELINES[pipeline]
    assert version.startswith("3.")
    assert rest[0] == "spacy"


def products(opened: Any) -> set[tuple[type, bool]]:
    """By what the layers of a pipeline multiply matrices, but for those made by its parser."""
    models = [getattr(component, "model", None) for _, component in opened.pipeline]
    layers = [layer for model in models if hasattr(model, "walk") for layer in model.walk()]
    return {(type(layer.ops), layer.ops.use_blis) for layer in layers if layer.name != "linear"}


def test_products_are_numpys_unless_the_user_chose_others(pipeline: str) -> None:
    from thinc.api import NumpyOps, set_current_ops, use_ops

    class Other(NumpyOps):
        pass

    assert products(load_pipeline(find_pipeline(pipeline))) == {(NumpyOps, False)}
    with use_ops("numpy"):
        set_current_ops(Other())
        assert products(load_pipeline(find_pipeline(pipeline))) == {(Other, True)}


@pytest.mark.parametrize("name", ["en_core_web_smm", "no.such.pipeline", "", "json", "../x"])
def test_missing_pipeline(name: str) -> None:
    with pytest.raises(ConfigError) as caught:
        annotate(tokenize(["x"]), pipeline=name, workers=1)
    assert f'there is no spaCy pipeline "{name}"' in str(caught.value)
    assert "switch annotation off" in str(caught.value)


def test_missing_pipeline_suggests_a_near_name() -> None:
    with pytest.raises(ConfigError, match='Did you mean "en_core_web_md"'):
        find_pipeline("en_core_web_mdd")


def test_missing_known_pipeline(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(PIPELINES, "en_core_web_sm", ("not_there", "nor_there"))
    with pytest.raises(ConfigError, match="looked for not_there, nor_there"):
        find_pipeline("en_core_web_sm")


def test_official_names() -> None:
    assert is_official("en_core_web_trf")
    assert not any(map(is_official, ("packaging", "en_core_web_smm", "./en_core_web_sm", 3, None)))


def test_finding_and_opening_a_pipeline_imports_no_package(
    pipeline: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in PIPELINES[pipeline]:
        monkeypatch.delitem(sys.modules, name, raising=False)
    load_pipeline(find_pipeline(pipeline))
    assert not {*PIPELINES[pipeline]} & {*sys.modules}


def test_another_package_is_not_imported_by_its_name(
    folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A package with code, with and without a pipeline in it."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.syspath_prepend(str(tmp_path / "site"))
    for name in ("planted_pipeline", "planted_package"):
        (tmp_path / "site" / name).mkdir(parents=True)
        (tmp_path / "site" / name / "__init__.py").write_text(PLANTED)
    inside = tmp_path / "site" / "planted_pipeline" / "planted_pipeline-1.0"
    folder.rename(inside)
    with pytest.raises(ConfigError, match="not one of spaCy's own pipelines") as caught:
        find_pipeline("planted_pipeline")
    assert caught.value.next_step == f'If you trust it, name its folder: "{inside}".'
    with pytest.raises(ConfigError, match='there is no spaCy pipeline "planted_package"'):
        find_pipeline("planted_package")
    assert not Path("ran").exists()
    assert not {"planted_pipeline", "planted_package"} & {*sys.modules}


def test_a_folder_is_opened_without_its_code(
    folder: Path, pipeline: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    for name in ("__init__.py", "functions.py", "setup.py"):
        (folder / name).write_text(PLANTED)
    opened = load_pipeline(find_pipeline(str(folder)))
    named = load_pipeline(find_pipeline(pipeline))
    text = "Ada built a mill in 1784."
    assert [word.tag_ for word in opened(text)] == [word.tag_ for word in named(text)]
    assert not Path("ran").exists()


def test_fingerprint_of_a_folder_follows_its_content(folder: Path) -> None:
    first = pipeline_fingerprint(str(folder))
    moved = folder.rename(folder.with_name("moved"))
    assert pipeline_fingerprint(str(moved)) == first
    (moved / "meta.json").write_text((moved / "meta.json").read_text() + "\n")
    assert pipeline_fingerprint(str(moved)) != first


def test_a_folder_that_is_no_pipeline(folder: Path) -> None:
    (folder / "config.cfg").unlink()
    with pytest.raises(ConfigError, match="holds no spaCy pipeline: it has no config.cfg\n"):
        find_pipeline(str(folder))
    (folder / "meta.json").unlink()
    with pytest.raises(ConfigError, match="it has no meta.json and no config.cfg\n"):
        find_pipeline(str(folder))


CALLBACK = """@callbacks = "spacy.copy_from_base_model.v1"
tokenizer = "planted_package"
vocab = null"""


@pytest.mark.parametrize(
    ("edit", "told"),
    [
        (
            lambda config: (
                config.replace('pipeline = ["tok2vec"', 'pipeline = ["more","tok2vec"')
                + '\n[components.more]\nsource = "planted_package"\n'
            ),
            'names "planted_package" at components.more.source',
        ),
        (
            lambda config: (
                config.replace("before_creation = null\n", "")
                + f"\n[nlp.before_creation]\n{CALLBACK}\n"
            ),
            'names "spacy.copy_from_base_model.v1" at nlp.before_creation.@callbacks',
        ),
        (
            lambda config: (
                config.replace(
                    "before_creation = null\n", "before_creation = ${training.planted}\n"
                )
                + f"\n[training.planted]\n{CALLBACK}\n"
            ),
            "at nlp.before_creation.@callbacks",
        ),
    ],
    ids=["source", "callback", "callback-elsewhere"],
)
def test_a_folder_names_nothing_to_import(
    edit: Callable[[str], str],
    told: str,
    folder: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """spaCy would import an installed package that the configuration names."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.syspath_prepend(str(tmp_path / "site"))
    (tmp_path / "site" / "planted_package").mkdir(parents=True)
    (tmp_path / "site" / "planted_package" / "__init__.py").write_text(PLANTED)
    about = tmp_path / "site" / "planted_package-1.0.dist-info"
    about.mkdir()
    (about / "METADATA").write_text("Metadata-Version: 2.1\nName: planted_package\nVersion: 1.0\n")
    config = folder / "config.cfg"
    before = config.read_text()
    config.write_text(edit(before))
    assert config.read_text() != before
    with pytest.raises(ConfigError) as caught:
        load_pipeline(folder)
    assert told in str(caught.value)
    assert not Path("ran").exists()


def test_a_damaged_folder(folder: Path) -> None:
    (folder / "vocab" / "strings.json").write_text("[")
    with pytest.raises(ConfigError, match="cannot open the spaCy pipeline in"):
        load_pipeline(folder)
