"""The models of a demo: names, locks, and answers as plain values."""

import threading
from pathlib import Path

import pytest

from squadqa.demo.models import DemoModel, make_models, short_names, wait_for, warm_up
from squadqa.inference.answering import Answerer
from squadqa.inference.ensemble import Ensemble
from squadqa.inference.load import load
from squadqa.inference.predictor import Predictor
from tests.support.scripted import ScriptedAnswerer

CONTEXT = "Ida Moss kept the light. Tom sold the boat."


@pytest.mark.parametrize(
    ("folders", "names"),
    [
        (["runs/drqa"], ["drqa"]),
        (["runs/drqa/", "./runs/mlp"], ["drqa", "mlp"]),
        (["runs/a/drqa", "runs/b/drqa", "runs/mlp"], ["a/drqa", "b/drqa", "mlp"]),
        (["runs/drqa", "runs/drqa"], ["drqa", "drqa"]),
    ],
)
def test_names_tell_folders_apart(folders: list[str], names: list[str]) -> None:
    assert short_names(folders) == names


def test_the_values_are_those_of_the_answer(reader_run: Path) -> None:
    run = load(reader_run, device="cpu")
    (model,) = make_models([(str(reader_run), run)])
    found = model.answer(CONTEXT, "Who kept the light?", n_best=3)
    best = run.answer(CONTEXT, "Who kept the light?", n_best=3)
    assert [(one["text"], one["start"], one["end"]) for one in found["answers"]] == [
        (one.text, one.start, one.end) for one in best
    ]
    assert len(found["tokens"]) == len(found["start"]) == len(found["end"]) == 11
    assert sum(found["start"]) == pytest.approx(1, abs=1e-4)
    assert CONTEXT[slice(*found["tokens"][1])] == "Moss"


def test_an_abstaining_model() -> None:
    class Abstaining(ScriptedAnswerer):
        def ask_in_detail(self, context: str, question: str, *, n_best: int):  # type: ignore[no-untyped-def]
            found = super().ask_in_detail(context, question, n_best=n_best)
            none = type(found.answers[0])("", 0.9, 0, 0)
            found.answers.insert(0, none)
            return found

    (model,) = make_models([("one", Abstaining(lambda _: [(0, 0.1)]))])
    found = model.answer(CONTEXT, "Why?", n_best=1)
    assert found["abstains"]
    assert [one["text"] for one in found["answers"]] == ["", "Ida"]


def test_who_shares_a_pipeline_shares_a_lock(
    reader_run: Path, scorer_run: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    one, other = (load(folder, device="cpu") for folder in (reader_run, scorer_run))
    assert isinstance(one, Predictor) and isinstance(other, Predictor)
    opened: list[tuple[str, Answerer]] = [("a", one), ("b", other), ("c", Ensemble([one, other]))]
    a, b, c = (model.lock for model in make_models(opened))
    assert len({id(a), id(b), id(c)}) == 3
    monkeypatch.setattr(other.run.inputs, "pipeline", "en_core_web_sm")
    a, b, c = (model.lock for model in make_models(opened))
    assert b is c is not a


def test_one_thread_at_a_time() -> None:
    inside, most = 0, 0
    wait = threading.Event()

    def choose(question: str) -> list[tuple[int, float]]:
        nonlocal inside, most
        inside += 1
        most = max(most, inside)
        wait.wait(0.02)
        inside -= 1
        return [(0, 1.0)]

    (model,) = make_models([("one", ScriptedAnswerer(choose))])
    threads = [threading.Thread(target=warm_up, args=[model, CONTEXT, "Who?"]) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert most == 1


def test_the_end_waits_for_an_answer() -> None:
    lock = threading.Lock()
    models = [DemoModel("one", ScriptedAnswerer(lambda _: []), lock)] * 2
    lock.acquire()
    ended = threading.Event()
    thread = threading.Thread(target=lambda: (wait_for(models), ended.set()))
    thread.start()
    assert not ended.wait(0.05)
    lock.release()
    assert ended.wait(20)
    thread.join()
    assert lock.locked()  # no further answer begins
