"""Every reader through the commands: training, scores and answers on unusual texts."""

import json
from pathlib import Path
from typing import Any

import pytest
import yaml

from squadqa.inference.catalog import catalog
from tests.support import tiny
from tests.support.forked import squadqa
from tests.support.mostly_slow import mostly_slow
from tests.support.runs import READER

SMALL = {"embedding_size": 6, "hidden_size": 4}

READERS: dict[str, dict[str, Any]] = {
    "BiDAF": {"hidden_size": 4, "embedding_size": 6, "tuned_words": 5},
    "BiLSTMReader": SMALL,
    "DCN": {"hidden_size": 4, "pool_size": 2},
    "DrQAReader": {**SMALL, "num_layers": 1},
    "HouseReader": {**SMALL, "attention_size": 4},
    "MatchLSTM": {**SMALL, "bidirectional_pointer": True},
    "RNet": {**SMALL, "num_layers": 1},
    "RNet-additive": {
        **SMALL,
        "num_layers": 1,
        "attention": "additive",
        "shared_encoder": False,
        "concat_layers": False,
    },
}

EDGES = {
    "5,000 tokens": ("one two 3 four " * 1250, "two?", "two"),
    "one token": ("x", "x", "x"),
    "no letters we know": ("中文 né\u0301e 🥐👩‍👩‍👧 \U0010ffff ⁂", "\u200b?", "🥐"),
    "no vector": ("qwrtzp xkcdvbn", "zxcvqw fghjkl", "xkcdvbn"),
    "one long word": ("a " + "supercalifragi" * 500 + " b", "Which " + "ha" * 900 + "?", "b"),
}


def test_no_reader_is_missing() -> None:
    tried = {name.partition("-")[0] for name in READERS}
    assert tried == {entry.name for entry in catalog() if entry.kind == "reader"}


def edges() -> tiny.Json:
    """One article for each kind of text."""
    return tiny.join(
        *(
            tiny.one_question(context, question, [(answer, context.index(answer))], id=name)
            for name, (context, question, answer) in EDGES.items()
        )
    )


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with the unusual texts, a text to hold out, and a cache of both."""
    folder = tmp_path_factory.mktemp("edges")
    tiny.write(folder / "edges.json", edges())
    tiny.write(folder / "val.json", tiny.squad())
    (folder / "long.txt").write_text(EDGES["5,000 tokens"][0])
    return folder


def write_config(folder: Path, name: str) -> Path:
    char_cnn = READER["model"]["init_args"]["reader"]["init_args"]["char_cnn"]
    kind, _, _ = name.partition("-")
    reader = {
        "class_path": f"squadqa.models.{kind}",
        "init_args": {"char_cnn": char_cnn, **READERS[name]},
    }
    sources = {"train": "edges.json", "val": "val.json", "test": "edges.json"}
    values = {
        "seed_everything": 1,
        "model": {**READER["model"], "init_args": {"reader": reader}},
        "data": {**sources, "batch_size": 3, "cache_dir": "cache", "inputs": READER["inputs"]},
        "trainer": {"max_epochs": 1, "accelerator": "cpu"},
    }
    config = folder / f"{name}.yaml"
    config.write_text(yaml.safe_dump(values))
    return config


USUAL = "DrQAReader"


@pytest.mark.parametrize(
    "name", mostly_slow({name: name for name in READERS}, usual=[USUAL], seconds=120)
)
def test_trains_and_answers_on_unusual_texts(name: str, folder: Path) -> None:
    config = write_config(folder, name)
    done = squadqa(folder, "train", "--config", config, "--wandb", "off", "--run", name)
    assert done.code == 0, done.err
    predicted = json.loads((folder / name / "predictions.json").read_text())
    assert predicted.keys() == EDGES.keys()
    for edge, (context, _, _) in EDGES.items():
        assert predicted[edge] in context
    assert predicted["one token"] == "x"
    context, question, _ = EDGES["5,000 tokens"]
    done = squadqa(
        folder, "answer", name, "--context", "long.txt", "--question", question, "--json"
    )
    assert done.code == 0, done.err
    (answer,) = json.loads(done.out)["answers"]
    assert context[answer["start"] : answer["end"]] == answer["text"]
