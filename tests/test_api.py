"""`squadqa.load`, and readers and scorers of a user's own package."""

import os
import shutil
import subprocess
import sys
import textwrap
from collections.abc import Iterator
from pathlib import Path

import pytest
import yaml

import squadqa
from squadqa.cli.main import main
from squadqa.errors import CheckpointError, ConfigError, DataError, OutputError
from squadqa.evaluation.predictions import Answer, read_predictions
from squadqa.inference.predictor import Predictor
from tests.support import tiny
from tests.support.forked import write_config
from tests.support.runs import READER, ROOT

CONTEXT = "Ida Moss kept the lighthouse at Brack Point. Her brother Tom sold the boat."
HEAVY = ("torch", "pytorch_lightning", "spacy", "gensim", "datasets", "wandb", "numpy", "pyarrow")


@pytest.fixture(params=["reader", "scorer"])
def run_folder(request: pytest.FixtureRequest) -> Path:
    folder: Path = request.getfixturevalue(f"{request.param}_run")
    return folder


def test_importing_it_loads_nothing_heavy() -> None:
    program = f"import sys, squadqa; print([name for name in {HEAVY} if name in sys.modules])"
    done = subprocess.run(
        [sys.executable, "-c", program], cwd=ROOT, capture_output=True, text=True, check=True
    )
    assert done.stdout == "[]\n"


def test_answers_one_question_several_and_n_best(run_folder: Path) -> None:
    run = squadqa.load(run_folder, device="cpu")
    one = run.answer(CONTEXT, "Who sold the boat?")
    assert isinstance(one, Answer)
    assert CONTEXT[one.start : one.end] == one.text
    assert 0 < one.probability <= 1
    several = run.answer(CONTEXT, ["Who sold the boat?", "Who kept the lighthouse?"])
    assert several[0].text == one.text
    assert several[0].probability == pytest.approx(one.probability, rel=1e-4)
    best = run.answer(CONTEXT, "Who sold the boat?", n_best=3)
    assert best[0].text == one.text
    assert [answer.probability for answer in best] == sorted(
        (answer.probability for answer in best), reverse=True
    )
    assert [len(found) for found in run.answer(CONTEXT, ["Who?", "Why?"], n_best=2)] == [2, 2]
    assert run.answer(CONTEXT, []) == []


def test_empty_texts_are_refused(run_folder: Path) -> None:
    run = squadqa.load(run_folder)
    with pytest.raises(DataError, match="the context is empty"):
        run.answer(" ", "Who?")
    with pytest.raises(DataError, match="the question is empty"):
        run.answer(CONTEXT, ["Who?", "\n"])


@pytest.mark.parametrize("n_best", [0, -1])
def test_a_count_of_answers_below_one_is_refused(reader_run: Path, n_best: int) -> None:
    run = squadqa.load(reader_run, device="cpu")
    with pytest.raises(ConfigError, match=f"n_best cannot be {n_best}"):
        run.answer(CONTEXT, "Who?", n_best=n_best)


@pytest.mark.parametrize("device", ["gpu", "cuda:x", "mps", ""])
def test_another_device_is_refused(reader_run: Path, device: str) -> None:
    with pytest.raises(ConfigError, match=f'there is no device "{device}"'):
        squadqa.load(reader_run, device=device)


def test_predicts_and_evaluates_files(run_folder: Path, tmp_path: Path) -> None:
    run = squadqa.load(run_folder, checkpoint="best")
    data, output = run_folder.parents[1] / "dev.json", tmp_path / "out.json"
    predictions = run.predict(data, output=output, n_best=2, cache_dir=tmp_path / "cache")
    assert predictions == read_predictions(run_folder / "predictions.json")
    assert read_predictions(output) == predictions
    assert (tmp_path / "out.n_best.json").is_file()
    score = run.evaluate(data, cache_dir=tmp_path / "cache")
    result = yaml.safe_load((run_folder / "results.json").read_text())
    assert (score.exact_match, score.f1) == (result["exact_match"], result["f1"])
    assert score.total == 8


def test_what_cannot_be_written_or_scored_is_refused_before_the_work(
    reader_run: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def answer(*_: object, **__: object) -> None:
        raise AssertionError("the questions are answered")

    run = squadqa.load(reader_run, device="cpu")
    monkeypatch.setattr(run, "answer_file", answer)
    data = reader_run.parents[1] / "dev.json"
    (tmp_path / "file").touch()
    (tmp_path / "out.n_best.json").mkdir()
    with pytest.raises(OutputError, match="file/out.json"):
        run.predict(data, output=tmp_path / "file/out.json")
    with pytest.raises(OutputError, match="out.n_best.json.: it is a folder"):
        run.predict(data, output=tmp_path / "out.json", n_best=2)
    unanswered = tiny.squad()
    unanswered["data"][0]["paragraphs"][0]["qas"][0]["answers"] = []
    with pytest.raises(DataError, match="1 of 8 questions have no answers to score against"):
        run.evaluate(tiny.write(tmp_path / "unanswered.json", unanswered))


def test_context_encodings_are_kept_and_change_no_answer(reader_run: Path) -> None:
    run = squadqa.load(reader_run, device="cpu")
    assert isinstance(run, Predictor)
    before = run.answer(CONTEXT, "Who sold the boat?", n_best=5)
    for number in range(70):  # more texts than are kept
        run.answer(f"Text {number}.", "Which?")
    assert run.answer(CONTEXT, "Who sold the boat?", n_best=5) == before


OWN = """
    import torch

    from squadqa.models import SpanLogits, SpanReader
    from squadqa.models.embedder import Embedder
    from squadqa.nn.masking import mask_logits


    class TinyReader(SpanReader):
        def __init__(self, sizes, *, width: int = 4, max_span_length: int = 5):
            super().__init__(max_span_length=max_span_length)
            self.embed = Embedder(sizes, char_cnn=None, embedding_size=width, tuned_words=0)
            self.scores = torch.nn.Linear(width, 2)

        def forward(self, batch):
            context, question = self.embed(batch)
            asked = question.mean(dim=1, keepdim=True)
            start, end = mask_logits(
                self.scores(context * asked).permute(2, 0, 1), batch.context_mask
            )
            return SpanLogits(start, end)
"""


@pytest.fixture(scope="module")
def own_run(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A run of a reader that a user's own package defines."""
    folder = tmp_path_factory.mktemp("own")
    (folder / "mine").mkdir()
    (folder / "mine/__init__.py").write_text("")
    (folder / "mine/readers.py").write_text(textwrap.dedent(OWN))
    reader = {"class_path": "mine.readers.TinyReader", "init_args": {"width": 6}}
    model = {**READER["model"], "init_args": {"reader": reader}}
    write_config(folder, {**READER, "model": model})
    done = subprocess.run(
        [sys.executable, "-m", "squadqa.cli.main", "train", "--config", "config.yaml"]
        + ["--wandb", "off", "--run", "run"],
        cwd=folder,
        env={**os.environ, "PYTHONPATH": f"{ROOT}:{folder}"},
        capture_output=True,
        text=True,
        timeout=50,
    )
    assert done.returncode == 0, done.stderr
    return folder / "run"


@pytest.fixture
def forgotten() -> Iterator[None]:
    """The user's package is not imported before the test, nor is it after it."""

    def forget() -> None:
        for name in ("mine", "mine.readers"):
            sys.modules.pop(name, None)

    forget()
    yield
    forget()


@pytest.mark.usefixtures("forgotten")
def test_an_own_reader_trains_and_opens_where_it_is_trusted(
    own_run: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.syspath_prepend(str(own_run.parent))
    with pytest.raises(CheckpointError, match=r'not in squadqa: [\s\S]* trust=\["mine\.'):
        squadqa.load(own_run)
    assert "mine" not in sys.modules, "its package was imported"
    for trust in (["mine"], ["mine.readers"]):
        run = squadqa.load(own_run, trust=trust)
        assert type(run.model).__name__ == "TinyReader"  # type: ignore[attr-defined]
        answer = run.answer(CONTEXT, "Who sold the boat?")
        assert len(answer.text.split()) <= 5
    with pytest.raises(CheckpointError, match="is not in squadqa"):
        squadqa.load(own_run, trust=["mine.others", "min"])


@pytest.mark.usefixtures("forgotten")
def test_commands_take_trust_too(
    own_run: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    shutil.copytree(own_run.parent / "mine", tmp_path / "mine")
    (tmp_path / "text.txt").write_text(CONTEXT)
    line = ["answer", own_run, "--context", "text.txt", "--question", "Who sold the boat?"]
    monkeypatch.chdir(tmp_path)
    monkeypatch.syspath_prepend(str(tmp_path))
    assert main(list(map(str, line))) == 2
    assert "--trust mine" in capsys.readouterr().err
    assert main([*map(str, line), "--trust", "mine"]) == 0
    assert "probability" in capsys.readouterr().out
