"""What a run names besides classes: pipelines, vectors, data sets and cache folders."""

from pathlib import Path
from typing import Any

import pytest

from squadqa.data.inputs import SpanInputs
from squadqa.data.squad import find_source
from squadqa.errors import CheckpointError
from squadqa.inference.predictor import Predictor
from squadqa.inference.run_folder import open_run
from squadqa.inference.trusted import is_trusted, own_cache, require_inputs, require_source
from tests.support.planted import change, copy_run

CONFIG = Path("run/config.yaml")


def test_a_name_is_trusted_with_all_that_is_in_it() -> None:
    for trust in (["mine"], ["mine.readers"], ["mine.readers.Mine"]):
        assert is_trusted("mine.readers.Mine", trust)
    for trust in (["min"], ["mine.readers.M"], ["readers"], [""], []):
        assert not is_trusted("mine.readers.Mine", trust)


@pytest.mark.parametrize(
    ("values", "refused"),
    [
        ({}, None),
        ({"pipeline": None}, None),
        ({"pipeline": "en_core_web_trf"}, None),
        ({"vectors": ["glove-6b-50d", "gensim:glove-twitter-25", "spacy:en_core_web_md"]}, None),
        ({"vectors": ["/data/glove.840B.300d.txt"]}, None),
        ({"pipeline": "json"}, "json"),
        ({"pipeline": "./mine"}, "./mine"),
        ({"pipeline": "/srv/mine"}, "/srv/mine"),
        ({"pipeline": ["json"]}, "['json']"),
        ({"vectors": ["spacy:./mine"]}, "./mine"),
    ],
)
def test_pipelines_and_vectors(values: Any, refused: str | None) -> None:
    inputs = SpanInputs(**values)
    if refused is None:
        require_inputs(inputs, CONFIG, trust=())
        return
    with pytest.raises(CheckpointError) as caught:
        require_inputs(inputs, CONFIG, trust=["other"])
    assert f'names "{refused}" at data.inputs.init_args.' in caught.value.what
    assert f"--trust {refused}" in caught.value.next_step
    require_inputs(inputs, CONFIG, trust=[refused])


def test_data_sets(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("SQUADQA_DATA_DIR", raising=False)
    for name in ("squad", "rajpurkar/squad", "data/sample"):
        require_source(find_source(name), "data.val", CONFIG, trust=())
    source = find_source("somebody/questions")
    with pytest.raises(CheckpointError, match="nothing of it was opened or run") as caught:
        require_source(source, "data.val", CONFIG, trust=())
    assert 'names "somebody/questions" at data.val' in caught.value.what
    require_source(source, "data.val", CONFIG, trust=["somebody/questions"])


ENTRY = "text-0123456789abcdef01234567"


def test_a_cache_is_used_if_it_is_one_of_the_user(tmp_path: Path) -> None:
    run, cache = tmp_path / "run", tmp_path / "cache"
    run.mkdir()
    assert own_cache(None, run, trust=()) is None
    assert own_cache(cache, run, trust=()) is None  # there is none
    cache.mkdir()
    (cache / "letters").mkdir()
    assert own_cache(cache, run, trust=()) is None  # another folder of the user
    assert own_cache(cache, run, trust=[str(cache)]) == cache
    (cache / ENTRY).mkdir()
    assert own_cache(cache, run, trust=()) == cache
    cache.chmod(0o777)
    assert own_cache(cache, run, trust=()) is None  # anyone could have put it there
    inside = run / "cache"
    (inside / ENTRY).mkdir(parents=True)
    assert own_cache(inside, run, trust=()) is None
    (tmp_path / "link").symlink_to(inside)
    assert own_cache(tmp_path / "link", run, trust=()) is None


def test_questions_of_the_user_are_not_written_where_a_run_says(
    reader_run: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SQUADQA_CACHE_DIR", str(tmp_path / "usual"))
    run, drop = copy_run(reader_run, tmp_path / "run"), tmp_path / "drop"
    drop.mkdir()
    change(run, lambda config: config["data"].update(cache_dir=str(drop)))
    source = find_source(str(reader_run.parents[1] / "dev.json"))
    Predictor(open_run(run)).prepare(source)
    assert list(drop.iterdir()) == []
    assert list((tmp_path / "usual").iterdir())
    Predictor(open_run(run, trust=[str(drop)])).prepare(source)
    assert list(drop.iterdir())


def test_held_out_questions_are_not_fetched_from_where_a_run_says(
    reader_run: Path, tmp_path: Path
) -> None:
    from squadqa.inference.answered import Preparation

    run = copy_run(reader_run, tmp_path / "run")
    change(run, lambda config: config["data"].update(val="somebody/questions"))
    with pytest.raises(CheckpointError, match='names "somebody/questions" at data.val'):
        Predictor(open_run(run)).held_out(Preparation())
