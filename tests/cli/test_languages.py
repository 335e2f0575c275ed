"""German, Chinese and Arabic, from preparing to answers."""

import json
from collections.abc import Callable
from pathlib import Path

import pytest
import yaml

import squadqa
from squadqa.cli.main import main
from tests.support.forked import squadqa as command
from tests.support.forked import write_config
from tests.support.languages import CODES, squad_in, write_parts
from tests.support.mostly_slow import mostly_slow
from tests.support.runs import READER, SCORER

KINDS = {"de": READER, "zh": READER, "ar": SCORER}


@pytest.mark.parametrize(
    "code", mostly_slow({code: code for code in CODES}, usual=["zh", "ar"], seconds=120)
)
def test_from_preparing_to_an_answer(
    code: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    write_parts(tmp_path, code)
    config = write_config(tmp_path, KINDS[code])
    done = command(tmp_path, "prepare", "dev.json", "--language", code, "--json")
    assert done.code == 0, done.err
    (report,) = json.loads(done.out)["sources"]
    assert (report["annotated"], report["alignment"]["exact"]) == (False, 4)

    line = ("train", "--config", config, "--language", code, "--run", "run", "--wandb", "off")
    done = command(tmp_path, *line)
    assert done.code == 0, done.err
    inputs = yaml.safe_load((tmp_path / "run/config.yaml").read_text())["data"]["inputs"]
    assert inputs["init_args"]["language"] == code
    assert inputs["init_args"]["pipeline"] is None

    paragraph = squad_in(code)["data"][0]["paragraphs"][0]
    question = paragraph["qas"][0]["question"]
    (tmp_path / "text.txt").write_text(paragraph["context"], encoding="utf-8")
    asked = ["--context", str(tmp_path / "text.txt"), "--question", question, "--json"]
    assert main(["answer", str(tmp_path / "run"), *asked]) == 0
    (answer,) = json.loads(capsys.readouterr().out)["answers"]
    assert paragraph["context"][answer["start"] : answer["end"]] == answer["text"]
    run = squadqa.load(tmp_path / "run", device="cpu")
    score = run.evaluate(tmp_path / "dev.json", cache_dir=tmp_path / "cache")
    assert score.total == 4
    from_file = run.predict(tmp_path / "dev.json", cache_dir=tmp_path / "cache")
    assert run.answer(paragraph["context"], question).text == from_file[f"{code}0"]


def test_refusals(tmp_path: Path, refused: Callable[..., str]) -> None:
    write_parts(tmp_path, "de")
    data = tmp_path / "dev.json"
    cache = ("--cache-dir", tmp_path / "cache", "--vectors")
    said = refused("prepare", data, "--language", "dee", *cache)
    assert 'the language cannot be "dee"' in said
    said = refused("prepare", data, "--language", "de", "--pipeline", "en_core_web_sm", *cache)
    assert 'is for the language "en", and the data are in "de"' in said
    said = refused("prepare", data, "--language", "de", "--annotate", *cache)
    assert '--annotate needs a pipeline for the language "de"' in said
    said = refused("prepare", data, "--language", "de_core_news_sm", *cache)
    assert 'the spaCy pipeline "de_core_news_sm" is not installed' in said
    config = write_config(tmp_path, SCORER)
    said = refused("train", "--config", config, "--language", "xyz")
    assert 'the language cannot be "xyz"' in said
    said = refused("train", "--config", config, "--data.inputs.language", "os")
    assert 'the language cannot be "os"' in said
