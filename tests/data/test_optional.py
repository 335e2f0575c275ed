"""What is said where a package is missing that new texts and new sources need."""

import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from squadqa.data import tokenization
from squadqa.data.optional import imported, installed_version
from squadqa.data.pipelines import load_pipeline
from squadqa.data.squad.content import load_dataset
from squadqa.data.squad.source import Source
from squadqa.data.vectors import lookup
from squadqa.errors import ConfigError
from tests.support.vector_files import WORDS


def test_what_is_installed_is_imported() -> None:
    assert imported("xml.dom", "reading") is sys.modules["xml.dom"]
    assert installed_version("numpy", "counting") == sys.modules["numpy"].__version__


@pytest.mark.parametrize("ask", [imported, installed_version])
def test_what_is_not_installed_is_named(ask: Callable[[str, str], Any]) -> None:
    with pytest.raises(ConfigError) as caught:
        ask("no_such_package", "flying")
    assert caught.value.what == 'flying needs the package "no_such_package", which is not installed'
    assert caught.value.hint == "Install it: pip install no_such_package"
    assert "squadqa prepare DATA --pack FILE" in caught.value.next_step


def test_what_is_broken_says_why(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "broken_package.py").write_text("from os import no_such_name")
    monkeypatch.syspath_prepend(tmp_path)
    with pytest.raises(ConfigError, match="cannot be imported: cannot import name 'no_such_name'"):
        imported("broken_package", "flying")


def read_spacy_vectors(folder: Path) -> None:
    (folder / "vocab").mkdir()
    (folder / "vocab" / "vectors").touch()
    lookup([f"spacy:{folder}"], list(WORDS))


@pytest.mark.parametrize(
    ("missing", "use"),
    [
        ("spacy", lambda folder: tokenization._spacy_tokenizer.__wrapped__()),
        ("spacy.attrs", lambda folder: tokenization.tokenize(["Who?"])),
        ("spacy", load_pipeline),
        ("spacy.strings", read_spacy_vectors),
        ("gensim.downloader", lambda folder: lookup(["gensim:glove-twitter-25"], ["the"])),
        ("datasets", lambda folder: load_dataset(Source("some/thing", "train"))),
    ],
)
def test_each_use_says_what_is_missing(
    missing: str, use: Callable[[Path], Any], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("GENSIM_DATA_DIR", str(tmp_path))
    monkeypatch.setitem(sys.modules, missing, None)
    package = missing.partition(".")[0]
    with pytest.raises(ConfigError, match=f'needs the package "{package}", which is not installed'):
        use(tmp_path)
