"""A pack gives back exactly what was packed, and refuses what it does not hold."""

import os
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from squadqa.data.annotation import Annotation
from squadqa.data.pack.write import Part, write_pack
from squadqa.data.prepare import PreparedData, prepare
from squadqa.data.squad import Source, find_source, read_squad
from squadqa.errors import ConfigError, DataError, OutputError, SquadQAError, VectorsError
from tests.support import tiny
from tests.support.comparing import comparable
from tests.support.packs import Made, contents, make_pack, npy, seal


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Made:
    return make_pack(tmp_path_factory.mktemp("pack"))


def opened(made: Made, cache: Path, part: str = "train", **options: Any) -> PreparedData:
    source = find_source(f"{made.path}:{part}")
    return prepare(source, cache_dir=cache, **options)


def exactly(data: PreparedData) -> dict[str, Any]:
    """Everything, entities of questions too, which `comparable` leaves out."""
    annotation = data.annotation
    assert isinstance(annotation, Annotation)
    entities = (annotation.entities.tolist(), annotation.entity_begins.tolist())
    return {**comparable(data), "entities": entities}


@pytest.mark.parametrize("part", ["train", "dev"])
def test_all_of_it_comes_back(made: Made, part: str, tmp_path: Path) -> None:
    whole = {"pipeline": made.pipeline, "vectors": made.vectors}
    for _ in range(2):  # from the pack, then from the cache
        data = opened(made, tmp_path, part, **whole)
        assert exactly(data) == exactly(made.parts[part])
        assert data.source == f"{made.path} ({part})"


def test_it_is_unpacked_once(made: Made, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    told: list[str] = []
    options: dict[str, Any] = {
        "pipeline": made.pipeline,
        "vectors": made.vectors,
        "progress": lambda task, done, total: told.append(task),
    }
    opened(made, tmp_path, **options)
    assert set(told) == {"tokens", "annotation", "vectors"}
    told.clear()
    monkeypatch.setattr("squadqa.data.pack.read.Archive.array", None)
    opened(made, tmp_path, **options)
    assert told == []
    copy = tmp_path / "copy.pack"
    copy.write_bytes(made.path.read_bytes())
    prepare(find_source(str(copy), part="train"), cache_dir=tmp_path, **options)
    assert told == []


def test_some_of_its_inputs_can_be_asked_for(made: Made, tmp_path: Path) -> None:
    one, other = made.vectors
    whole = made.parts["train"].vectors
    assert whole is not None
    for asked, columns in (([one], [0, 1]), ([other], [2, 3, 4]), ([other, one], [2, 3, 4, 0, 1])):
        data = opened(made, tmp_path, vectors=asked)
        assert data.annotation is None
        assert data.vectors is not None and data.vectors_found is not None
        assert np.array_equal(data.vectors, whole[:, columns])
        assert data.vectors_found.shape[1] == len(asked)
    assert opened(made, tmp_path).vectors is None


def test_the_same_parts_make_the_same_file(made: Made, tmp_path: Path) -> None:
    again = make_pack(tmp_path)
    assert again.path.read_bytes() != made.path.read_bytes(), "other paths of its inputs"
    first = again.path.read_bytes()
    assert make_pack(tmp_path).path.read_bytes() == first


def test_it_is_an_archive_of_arrays(made: Made) -> None:
    with np.load(made.path, allow_pickle=False) as arrays:
        tags = made.parts["train"].annotation
        assert tags is not None
        assert arrays["train/tags"].tolist() == tags.tags.tolist()


def test_questions_are_read_without_the_rest(made: Made) -> None:
    data = read_squad(find_source(f"{made.path}:train"), bad_answers="error")
    assert data.references == tiny.as_data(tiny.squad()).references


def test_parts_are_named(made: Made, tmp_path: Path) -> None:
    name = str(made.path)
    assert find_source(name) == find_source(f"{name}:dev") == Source(name, part="dev")
    assert find_source(name, part="train") == Source(name, part="train")
    with pytest.raises(DataError, match='has no part "dve"') as caught:
        find_source(f"{name}:dve")
    assert f'Did you mean "{name}:dev"?' in str(caught.value)
    single = tmp_path / "one.pack"
    parts = {"mine": Part(made.parts["dev"], "keep")}
    write_pack(single, parts, pipeline=made.pipeline, vectors=made.vectors)
    assert find_source(str(single)).part == find_source(str(single), part="train").part == "mine"


@pytest.mark.parametrize(
    ("asked", "error", "says"),
    [
        ({"pipeline": "en_core_web_sm"}, ConfigError, 'is not annotated by "en_core_web_sm"'),
        ({"vectors": ["glove-6b-50d"]}, VectorsError, 'holds no word vectors "glove-6b-50d"'),
    ],
)
def test_other_inputs_are_refused(
    asked: Any, error: type[SquadQAError], says: str, made: Made, tmp_path: Path
) -> None:
    with pytest.raises(error, match=says) as caught:
        opened(made, tmp_path / "cache", **asked)
    one, other = made.vectors
    holds = f"The pack holds word vectors: {one} + {other}; annotation: {made.pipeline}."
    assert caught.value.hint == holds
    assert not (tmp_path / "cache").exists()


def test_a_parse_serves_those_who_want_none_but_not_the_other_way(
    made: Made, tmp_path: Path
) -> None:
    data = opened(made, tmp_path, pipeline=made.pipeline, parse=False)
    assert exactly(replace(data, vectors=None)) == exactly(
        replace(made.parts["train"], vectors=None, vectors_found=None)
    )
    path = tmp_path / "x.pack"
    parts = {"dev": Part(made.parts["dev"], "keep")}
    write_pack(path, parts, pipeline=made.pipeline, parse=False, vectors=made.vectors)
    source = find_source(str(path))
    prepare(source, cache_dir=tmp_path, pipeline=made.pipeline, parse=False)
    with pytest.raises(ConfigError, match="was annotated without a parse") as caught:
        prepare(source, cache_dir=tmp_path, pipeline=made.pipeline)
    assert "--data.inputs.init_args.parse false" in caught.value.hint


def test_files_of_the_same_name_and_another_content_are_refused(tmp_path: Path) -> None:
    made = make_pack(tmp_path)
    source = Path(made.vectors[0])
    content = source.read_text()
    source.write_text(content + "more 1 2\n")
    with pytest.raises(VectorsError, match="are not those of"):
        opened(made, tmp_path / "cache", vectors=made.vectors)
    source.unlink()  # as on another machine
    assert opened(made, tmp_path / "cache", vectors=made.vectors).vectors is not None
    Path(made.pipeline, "config.cfg").write_text("{'other': 1}")
    with pytest.raises(ConfigError, match="is not the one that annotated"):
        opened(made, tmp_path / "cache", pipeline=made.pipeline)


def pack_of(tmp_path: Path, file: tiny.Json, bad_answers: Any) -> str:
    """Pack a file's questions as "train", without annotation and vectors."""
    source = find_source(str(tiny.write(tmp_path / "train.json", file)))
    data = prepare(source, cache_dir=tmp_path, bad_answers=bad_answers)
    path = tmp_path / f"{bad_answers}.pack"
    write_pack(path, {"train": Part(data, bad_answers)}, pipeline=None, vectors=())
    return str(path)


BAD = tiny.join(tiny.squad(), tiny.one_question(answers=[("cat", 4), ("dog", 4)]))
"""The second reference of its last question is not where it says."""


@pytest.mark.parametrize("packed", ["skip", "keep"])
def test_bad_answers_are_treated_as_asked_or_refused(packed: str, tmp_path: Path) -> None:
    source = find_source(pack_of(tmp_path, BAD, packed))
    for asked in ("error", "skip", "keep"):
        if asked == packed:
            data = prepare(source, cache_dir=tmp_path, bad_answers=asked)  # type: ignore[arg-type]
            assert len(data.ids) == (8 if packed == "skip" else 9)
            assert sum(data.skipped.values()) == (1 if packed == "skip" else 0)
            continue
        with pytest.raises(DataError, match=f'bad_answers is "{asked}"') as caught:
            prepare(source, cache_dir=tmp_path, bad_answers=asked)  # type: ignore[arg-type]
        assert f"--data.bad_answers {packed}" in caught.value.next_step


@pytest.mark.parametrize("packed", ["error", "skip", "keep"])
def test_good_answers_are_good_for_all(packed: str, tmp_path: Path) -> None:
    source = find_source(pack_of(tmp_path, tiny.squad(), packed))
    for asked in ("error", "skip", "keep"):
        data = prepare(source, cache_dir=tmp_path / "cache", bad_answers=asked)  # type: ignore[arg-type]
        assert len(data.ids) == 8
    assert len(os.listdir(tmp_path / "cache")) == 1


FORMS = len(tiny.prepared().tokens.lexicon)


@pytest.mark.parametrize(
    ("name", "content", "says"),
    [
        ("vectors/0.npy", npy(np.zeros(FORMS - 1, np.uint8)), "do not fit its word forms"),
        ("vectors/0.npy", npy(np.full(FORMS, 99, np.uint8)), "do not fit its word forms"),
        ("vectors/0.npy", npy(np.zeros(FORMS, np.int8)), "its word vectors have no numbers"),
        ("lemmas.json", b"{}", "its lemmas are no list of texts"),
        ("lemmas.json", b"[1]", "its lemmas are no list of texts"),
        ("tags.npy", npy(np.zeros(1, np.uint8)), 'in "train", tags has 1 rows'),
        ("token_gaps.npy", npy(np.zeros(1, np.uint8)), 'in "train", there are not as many tokens'),
        ("questions.json", b"{}", 'misses "data"'),
    ],
)
def test_parts_that_do_not_fit_each_other(
    name: str, content: bytes, says: str, tmp_path: Path
) -> None:
    made = make_pack(tmp_path)
    seal(made.path, {**contents(made.path), f"train/{name}": content})
    with pytest.raises(DataError, match=says):
        opened(made, tmp_path / "cache", pipeline=made.pipeline, vectors=made.vectors)


def test_what_cannot_be_written_leaves_nothing(made: Made, tmp_path: Path) -> None:
    parts = {"dev": Part(made.parts["dev"], "keep")}
    path = tmp_path / "new" / "x.pack"
    with pytest.raises(VectorsError, match="no word vectors"):
        write_pack(path, parts, pipeline=None, vectors=["no-such-vectors", *made.vectors])
    assert os.listdir(path.parent) == []
    (tmp_path / "file").write_text("")
    with pytest.raises(OutputError, match="cannot write"):
        write_pack(tmp_path / "file" / "x.pack", parts, pipeline=None, vectors=made.vectors)


def test_questions_without_answers_are_packed_as_asked(tmp_path: Path) -> None:
    file = tiny.join(tiny.squad(), tiny.one_question(answers=[]))
    source = find_source(str(tiny.write(tmp_path / "train.json", file)))
    options: dict[str, Any] = {"bad_answers": "error", "unanswerable": "keep"}
    data = prepare(source, cache_dir=tmp_path, **options)
    path = tmp_path / "x.pack"
    write_pack(path, {"train": Part(data, **options)}, pipeline=None, vectors=())
    packed = find_source(str(path))
    opened = prepare(packed, cache_dir=tmp_path / "cache", **options)
    assert opened.unanswerable.tolist() == data.unanswerable.tolist() == [False] * 8 + [True]
    with pytest.raises(DataError, match='unanswerable "skip"') as caught:
        prepare(packed, cache_dir=tmp_path, bad_answers="error", unanswerable="skip")
    assert "--data.unanswerable keep" in caught.value.next_step
