from pathlib import Path

import pytest

from squadqa.data.squad import Reading, Source, content_digest, find_source, read_squad
from squadqa.data.squad.source import SQUAD
from squadqa.errors import DataError
from tests.support import tiny


def test_missing_file_suggests_a_near_name(tmp_path: Path) -> None:
    tiny.write(tmp_path / "train.json", tiny.squad())
    with pytest.raises(DataError) as caught:
        find_source(str(tmp_path / "trian.json"))
    assert f'no data file "{tmp_path / "trian.json"}"' in str(caught.value)
    assert 'Did you mean "train.json"?' in str(caught.value)


def test_a_misspelt_name_is_recognised(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "constraints.txt").touch()
    for name, meant in (("sampel", "sample"), ("squat", "squad")):
        with pytest.raises(DataError, match=f'Did you mean "{meant}"'):
            find_source(name)
    with pytest.raises(DataError, match='Known: "sample", "squad"'):
        find_source("elsewhere")


@pytest.mark.parametrize("name", ["squat", "no/such/file", "./x", "data/x.json", "a" * 5000])
def test_missing_file(name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    with pytest.raises(DataError, match="no data file|cannot read"):
        find_source(name)


def test_unreadable_file(tmp_path: Path) -> None:
    folder = Source(str(tmp_path))  # reading it fails, for root too
    for use in (content_digest, read_squad):
        with pytest.raises(DataError):
            use(folder)


def test_names(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("SQUADQA_DATA_DIR", raising=False)
    assert find_source("squad", part="train") == Source(SQUAD, "train")
    assert find_source("squad") == Source(SQUAD, "validation")
    assert find_source("squad:train") == Source(SQUAD, "train")
    assert find_source("owner/name:test") == Source("owner/name", "test")
    assert str(find_source("owner/name", part="train")) == "owner/name (train)"
    tiny.write(tmp_path / "dev-v1.1.json.gz", tiny.squad())
    assert find_source(".").path == Path("dev-v1.1.json.gz")
    (tmp_path / "sample").mkdir()
    tiny.write(tmp_path / "sample" / "train.json", tiny.squad())
    assert find_source("sample", part="train").path == Path("sample/train.json")
    monkeypatch.setenv("SQUADQA_DATA_DIR", str(tmp_path))
    assert find_source("squad").path == tmp_path / "dev-v1.1.json.gz"
    with pytest.raises(DataError, match='no "train-v1.1.json" or'):
        find_source("squad", part="train")


def test_digest_follows_content(tmp_path: Path) -> None:
    one = find_source(str(tiny.write(tmp_path / "a.json", tiny.squad())))
    same = find_source(str(tiny.write(tmp_path / "b.json", tiny.squad())))
    other = find_source(str(tiny.write(tmp_path / "c.json", tiny.one_question())))
    assert content_digest(one) == content_digest(same) != content_digest(other)


@pytest.mark.parametrize(
    "name", ["dev-v1.1.json", "dev.json.gz", "dev-v2.0.json", "dev.jsonl", "dev.csv.gz", "dev.tsv"]
)
def test_a_folder_with_files_of_any_format(name: str, tmp_path: Path) -> None:
    (tmp_path / "train.csv").touch()
    (tmp_path / name).touch()
    assert find_source(str(tmp_path)).path == tmp_path / name
    assert find_source(str(tmp_path), part="train").path == tmp_path / "train.csv"


def test_how_a_source_is_read_belongs_to_it(tmp_path: Path) -> None:
    path = str(tiny.write(tmp_path / "a.json", tiny.squad()))
    reading = Reading.of("question=q", "first")
    assert find_source(path, reading=reading).reading == reading
    assert find_source(path, reading=reading) != find_source(path)
    assert find_source("owner/name", reading=reading).reading == reading
