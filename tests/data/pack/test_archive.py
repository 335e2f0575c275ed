"""Damaged archives: one clear message each."""

import bz2
import json
import os
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from squadqa.data.pack import archive
from squadqa.data.pack.archive import MANIFEST, Archive, PackWriter
from squadqa.data.pack.manifest import name_of_part, read_notes
from squadqa.data.squad.source import is_pack
from squadqa.errors import DataError
from tests.support.fuzzing import limited_memory
from tests.support.packs import contents, make_pack, npy, seal


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return make_pack(tmp_path).path


def test_arrays_and_values_come_back(tmp_path: Path) -> None:
    path = tmp_path / "x.pack"
    arrays = {"a": np.arange(5, dtype=np.int16), "b/c": np.ones((2, 3), bool), "d": np.empty(0)}
    with path.open("wb") as file, PackWriter(file) as writer:
        for name, array in arrays.items():
            writer.add_array(name, array)
        writer.add_json("e", ["é", 1])
        writer.add_manifest({"more": 1})
    read = Archive(path)
    assert read.manifest["more"] == 1
    assert read.json("e") == ["é", 1]
    for name, array in arrays.items():
        found = read.array(name, ndim=array.ndim)
        assert found.dtype == array.dtype
        assert np.array_equal(found, array)


def test_a_cut_file_is_damaged(path: Path) -> None:
    content = path.read_bytes()
    path.write_bytes(content[: len(content) // 2])
    assert is_pack(path)
    with pytest.raises(DataError, match="is damaged: File is not a zip file"):
        Archive(path)


def test_a_changed_entry_is_damaged(path: Path) -> None:
    entries = contents(path)
    listed = json.loads(entries[MANIFEST])
    changed = {**entries, "train/tags.npy": entries["train/tags.npy"][:-1] + b"\0"}
    seal(path, changed, change=lambda manifest: manifest.update(listed))
    with pytest.raises(DataError, match='the checksum of "train/tags.npy" is wrong'):
        Archive(path).array("train/tags")


@pytest.mark.parametrize(
    ("content", "says"),
    [
        (b"", '"x.npy" is no array'),
        (npy(np.array([{}], object)), "an array of another kind"),
        (npy(np.array(["x"])), "an array of another kind"),
        (npy(np.zeros((2, 2))), "an array of another kind"),
        (npy(np.zeros(4))[:-1], "which are not (4,)"),
        (npy(np.zeros(4)).replace(b"(4,)", b"(-4,)"[:5]), "no array|which are not"),
        (npy(np.zeros(4)).replace(b"(4,), } ", b"(999,), }"), "which are not (999,)"),
        (npy(np.zeros(4)).replace(b"'<f8'", b"'|O' "), "an array of another kind"),
    ],
)
def test_what_is_no_array_of_numbers(content: bytes, says: str, path: Path) -> None:
    seal(path, {**contents(path), "x.npy": content})
    with pytest.raises(DataError) as caught:
        Archive(path).array("x")
    assert any(one in str(caught.value) for one in says.split("|")), caught.value


@pytest.mark.parametrize(
    ("content", "says"),
    [
        (npy(np.asfortranarray(np.zeros((2, 2)))), "an array of another kind"),
        (npy(np.zeros((2, 2))).replace(b"(2, 2), }  ", b"(-2, -2), }"), "which are not (-2, -2)"),
    ],
)
def test_what_is_no_table_of_numbers(content: bytes, says: str, path: Path) -> None:
    seal(path, {**contents(path), "x.npy": content})
    with pytest.raises(DataError) as caught:
        Archive(path).array("x", ndim=2)
    assert says in str(caught.value)


def test_entries_that_are_not_listed_are_not_read(path: Path) -> None:
    with zipfile.ZipFile(path, "a") as file:
        file.writestr("more.json", "1")
    with pytest.raises(DataError, match='"more.json" is missing'):
        Archive(path).json("more")


def test_a_size_that_is_too_large_is_refused_before_it_is_unpacked(
    path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    seal(path, {**contents(path), "x.json": b"1" * 2000})
    monkeypatch.setattr(archive, "MOST_ENTRY", 1999)
    with pytest.raises(DataError, match='"x.json" would have 2,000 bytes'):
        Archive(path).json("x")
    with (
        path.open("wb") as file,
        PackWriter(file) as writer,
        pytest.raises(DataError, match="a pack has at most 1,999"),
    ):
        writer.add_json("x", "1" * 2000)


def test_a_wrong_size_in_the_archive(path: Path) -> None:
    many = bytes(300 << 20)
    packed = bz2.compress(many[: 1 << 20])
    assert len(packed) < 1000, "a small file that becomes large"
    content = path.read_bytes()
    place = content.rindex(b"PK\x01\x02")  # the central directory's last entry: the manifest
    path.write_bytes(
        content[: place + 24] + (1 << 29).to_bytes(4, "little") + content[place + 28 :]
    )
    with limited_memory(), pytest.raises(DataError, match="would have 536,870,912 bytes"):
        Archive(path)


@pytest.mark.parametrize("name", ["manifest.json", "train/questions.json"])
def test_a_name_that_is_missing(name: str, path: Path) -> None:
    with zipfile.ZipFile(path) as old:
        entries = {one: old.read(one) for one in old.namelist() if one != name}
    with zipfile.ZipFile(path, "w") as new:
        for one, content in entries.items():
            new.writestr(one, content)
    with pytest.raises(DataError, match=name):
        Archive(path).text(name)


def test_a_zip_archive_of_something_else(path: Path) -> None:
    with zipfile.ZipFile(path, "w") as file:
        file.writestr("train.json", "{}")
    with pytest.raises(DataError, match="is a zip archive, but no pack"):
        Archive(path)


def test_only_regular_files_can_be_packs(path: Path, tmp_path: Path) -> None:
    assert is_pack(path)
    assert not is_pack(tmp_path)
    assert not is_pack(tmp_path / "missing")
    os.mkfifo(pipe := tmp_path / "pipe")
    with open(os.open(pipe, os.O_RDWR), "r+b", buffering=0) as file:
        file.write(path.read_bytes()[:64])
        assert not is_pack(pipe), "it gives its content only once"
        assert len(file.read(64)) == 64


def changed(key: str, value: Any) -> Callable[[dict[str, Any]], None]:
    def change(manifest: dict[str, Any]) -> None:
        *path, last = key.split(".")
        for one in path:
            manifest = manifest[int(one) if one.isdigit() else one]
        manifest[last] = value

    return change


@pytest.mark.parametrize(
    ("key", "value", "says"),
    [
        ("format", "another", "does not say that it is a pack"),
        ("version", 2, "has version 2 of the format"),
        ("parts", [], "its description is wrong"),
        ("parts", {"../x": {}}, "a part has the name '../x'"),
        ("parts.train", None, "its description is wrong"),
        ("parts.train.unusable", -1, "is no number of questions"),
        ("parts.train.unusable", True, "is no number of questions"),
        ("parts.train.bad_answers", "x", "is none of error, skip, keep"),
        ("parts.train.skipped", {"x": 1.5}, "is no number of questions"),
        ("annotation", {}, "its description is wrong"),
        ("annotation.pipeline", "x" * 2000, "is no short text"),
        ("annotation.parse", "yes", "is not true or false"),
        ("vectors", {}, "is no list"),
        ("vectors.0.stored", "pickle", "is none of decimals, float32"),
        ("entries", 1, "lists no entries"),
    ],
)
def test_a_description_that_is_wrong(key: str, value: Any, says: str, path: Path) -> None:
    seal(path, contents(path), change=changed(key, value))
    with pytest.raises(DataError, match=says):
        read_notes(Archive(path))


@pytest.mark.parametrize(
    ("name", "part"),
    [
        ("train-v1.1.json.gz", "train"),
        ("dev.json", "dev"),
        ("validation", "dev"),
        ("my data.jsonl", "my-data"),
        (".json", "data"),
        ("...", "data"),
        ("a/b", "a-b"),
    ],
)
def test_names_of_parts(name: str, part: str) -> None:
    assert name_of_part(name) == part
    assert name_of_part(part) == part
