"""A small pack of two parts, and changes of its entries that keep its checksums right."""

import hashlib
import io
import json
import zipfile
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np

from squadqa.data.pack.archive import MANIFEST
from squadqa.data.pack.write import Part, write_pack
from squadqa.data.prepare import PreparedData
from squadqa.data.vectors import lookup
from tests.support import tiny

WORDS = {"a": ("the", "ida", "moss", "oslo", "Tom"), "b": ("the", "lamp", "oil", "bakery")}
"""The words of two files of vectors, of two and of three values."""


@dataclass(frozen=True)
class Made:
    """A pack, and what it was made from.

    Args:
        path: The pack.
        parts: Its parts.
        pipeline: A folder that passes for the pipeline that annotated them.
        vectors: The sources of their vectors.
    """

    path: Path
    parts: dict[str, PreparedData]
    pipeline: str
    vectors: list[str]


def make_pack(folder: Path) -> Made:
    """Pack two parts with a made-up annotation and the vectors of two files.

    Args:
        folder: Gets the pack, the vectors and the pipeline.
    """
    pipeline = folder / "pipeline"
    pipeline.mkdir(exist_ok=True)
    for name in ("meta.json", "config.cfg"):
        (pipeline / name).write_text("{}")
    vectors = []
    for number, (name, words) in enumerate(WORDS.items()):
        rows = [[0.1 * place + 0.25 * number] * (2 + number) for place in range(len(words))]
        lines = [" ".join([word, *map(str, row)]) for word, row in zip(words, rows, strict=True)]
        (folder / f"{name}.txt").write_text("\n".join(lines) + "\n")
        vectors.append(str(folder / f"{name}.txt"))
    parts = {}
    for name, file in (("train", tiny.squad()), ("dev", tiny.one_question())):
        data = tiny.prepared(file)
        table = lookup(vectors, data.tokens.lexicon)
        parts[name] = replace(
            data, source=f"{name}.json", vectors=table.vectors, vectors_found=table.found
        )
    path = folder / "small.pack"
    write_pack(
        path,
        {"train": Part(parts["train"], "error"), "dev": Part(parts["dev"], "keep")},
        pipeline=str(pipeline),
        vectors=vectors,
    )
    return Made(path, parts, str(pipeline), vectors)


def npy(array: Any) -> bytes:
    """An array as the content of a file."""
    content = io.BytesIO()
    np.save(content, array)
    return content.getvalue()


def contents(path: Path) -> dict[str, bytes]:
    """The entries of a pack."""
    with zipfile.ZipFile(path) as archive:
        return {name: archive.read(name) for name in archive.namelist()}


def seal(
    path: Path,
    entries: Mapping[str, bytes],
    *,
    change: Callable[[dict[str, Any]], None] = lambda manifest: None,
) -> None:
    """Write a pack with these entries, and a manifest with their right checksums.

    Args:
        path: The pack.
        entries: Its entries, the old manifest among them.
        change: Changes the manifest last.
    """
    manifest = json.loads(entries[MANIFEST])
    others = {name: content for name, content in entries.items() if name != MANIFEST}
    manifest["entries"] = {
        name: {"bytes": len(content), "sha256": hashlib.sha256(content).hexdigest()}
        for name, content in others.items()
    }
    change(manifest)
    with zipfile.ZipFile(path, "w") as archive:
        for name, content in {**others, MANIFEST: json.dumps(manifest).encode()}.items():
            archive.writestr(name, content)
