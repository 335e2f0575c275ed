"""Answers of trained runs."""

import json
from pathlib import Path

import pytest
import torch

from squadqa.data.prepare import PreparedData
from squadqa.data.squad import find_source
from squadqa.errors import CheckpointError, ConfigError, DataError
from squadqa.evaluation.predictions import Answer, read_predictions
from squadqa.inference import devices
from squadqa.inference.answered import Preparation
from squadqa.inference.devices import find_device
from squadqa.inference.load import set_choice
from squadqa.inference.predictor import Predictor
from squadqa.inference.run_folder import open_run
from squadqa.models import base
from squadqa.nn.decoding import best_spans
from squadqa.scoring import score
from tests.support import tiny


@pytest.fixture(params=["reader", "scorer"])
def predictor(request: pytest.FixtureRequest) -> Predictor:
    return Predictor(open_run(request.getfixturevalue(f"{request.param}_run")), device="cpu")


@pytest.fixture
def reader(reader_run: Path) -> Predictor:
    return Predictor(open_run(reader_run), device="cpu")


def prepared(predictor: Predictor, file: tiny.Json, folder: Path) -> PreparedData:
    source = find_source(str(tiny.write(folder / "questions.json", file)))
    return predictor.prepare(source, Preparation(folder / "cache"))


def spans_of(answers: list[Answer]) -> list[tuple[int, int]]:
    return [(answer.start, answer.end) for answer in answers]


def test_one_question_is_answered_by_one_thread(
    predictor: Predictor, monkeypatch: pytest.MonkeyPatch
) -> None:
    threads: list[int] = []
    predictor.model.register_forward_pre_hook(lambda *_: threads.append(torch.get_num_threads()))
    before = torch.get_num_threads()
    torch.set_num_threads(2)
    try:
        predictor.answer("Ida kept the light.", "Who kept the light?")
        monkeypatch.setattr(devices, "FEW_TOKENS", 4)
        predictor.answer("Ida kept the light.", "Who kept the light?")
    finally:
        torch.set_num_threads(before)
    assert threads == [1, 2]


def test_batching_changes_no_answer(
    predictor: Predictor, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    data = prepared(predictor, tiny.squad(), tmp_path)
    together = predictor.answers(data, n_best=4)
    monkeypatch.setattr(devices, "BATCH_TOKENS", {"cpu": 1})
    alone = predictor.answers(data, n_best=4)
    assert list(together) == list(alone) == [f"q{number}" for number in range(8)]
    for name, answers in together.items():
        expected = [answer.probability for answer in alone[name]]
        assert [answer.probability for answer in answers] == pytest.approx(expected, rel=1e-4)
        assert answers[0].text == alone[name][0].text


def test_only_a_scorer_can_choose(predictor: Predictor) -> None:
    with pytest.raises(ConfigError, match='choose cannot be "f1"'):
        set_choice(predictor, "f1")  # type: ignore[arg-type]
    if isinstance(predictor.model, base.CandidateScorer):
        set_choice(predictor, "expected_f1")
        assert predictor.model.choose == "expected_f1"
        return
    with pytest.raises(ConfigError, match='"DrQAReader" scores no candidates'):
        set_choice(predictor, "expected_f1")


def test_questions_about_one_context_are_answered_together(
    reader: Predictor, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Two contexts of six tokens with two questions each; three questions would fit a batch."""
    file = tiny.join(
        tiny.one_question("The cat sat down here.", "Who?", [], id="q0"),
        tiny.one_question("The dog ran away again.", "Who?", [], id="q2"),
    )
    for number, article in enumerate(file["data"]):
        qas = article["paragraphs"][0]["qas"]
        qas.append({"id": f"q{2 * number + 1}", "question": "Where?", "answers": []})
    data = prepared(reader, file, tmp_path)
    monkeypatch.setattr(devices, "BATCH_TOKENS", {"cpu": 18})
    batches = [
        (items, batch) for items, batch, _ in reader.outputs(reader.run.inputs.dataset(data))
    ]
    assert [items for items, _ in batches] == [[0, 1], [2, 3]]
    assert all(len(batch.paragraph_rows) == 1 for _, batch in batches)


@pytest.mark.parametrize("kind", ["reader", "scorer"])
def test_answers_and_score_are_those_at_the_end_of_training(
    kind: str, request: pytest.FixtureRequest, tmp_path: Path
) -> None:
    run = request.getfixturevalue(f"{kind}_run")
    predictor = Predictor(open_run(run, checkpoint="best"), device="cpu")
    data = prepared(predictor, tiny.squad(), tmp_path)
    texts = {name: answers[0].text for name, answers in predictor.answers(data).items()}
    assert texts == read_predictions(run / "predictions.json", known_ids=texts)
    scored, result = score(data.references, texts), json.loads((run / "results.json").read_text())
    assert (scored.exact_match, scored.f1) == (
        pytest.approx(result["exact_match"]),
        pytest.approx(result["f1"]),
    )


def test_one_answer_is_the_best_of_many(predictor: Predictor, tmp_path: Path) -> None:
    data = prepared(predictor, tiny.squad(), tmp_path)
    one, many = predictor.answers(data), predictor.answers(data, n_best=50)
    assert {name: answers[0].text for name, answers in many.items()} == {
        name: answers[0].text for name, answers in one.items()
    }
    assert all(len(answers) == 1 for answers in one.values())


def test_probabilities_are_the_models(reader: Predictor, tmp_path: Path) -> None:
    data = prepared(reader, tiny.one_question(), tmp_path)
    reader.use_temperature(False)
    (found,) = reader.answers(data, n_best=3).values()
    batch = reader.run.inputs.dataset(data).collate([0])
    logits = reader.model(batch)
    start = logits.start_logits.softmax(dim=1)[0].tolist()
    end = logits.end_logits.softmax(dim=1)[0].tolist()
    offsets = data.tokens.offset_mapping
    spans = sorted(
        ((start[i] * end[j], offsets[i, 0], offsets[j, 1])
         for i in range(len(start)) for j in range(i, len(end))),
        reverse=True,
    )  # fmt: skip
    assert spans_of(found) == [(begin, end) for _, begin, end in spans[:3]]
    assert [one.probability for one in found] == pytest.approx([p for p, _, _ in spans[:3]])


def test_a_short_context_has_all_its_spans_once(reader: Predictor) -> None:
    found = reader.answer("one two three", "What?", n_best=1000)
    words = [(0, 3), (4, 7), (8, 13)]
    expected = {(a[0], b[1]) for i, a in enumerate(words) for b in words[i:]}
    assert set(spans_of(found)) == expected
    assert len(found) == len(expected) == 6


def test_all_candidates_add_up_to_certainty(scorer_run: Path) -> None:
    found = Predictor(open_run(scorer_run)).answer("One two three.", "What?", n_best=1000)
    assert sum(answer.probability for answer in found) == pytest.approx(1)


def test_answers_are_at_most_the_longest_span(reader: Predictor) -> None:
    found = reader.answer("a " * 40, "What?", n_best=10_000)
    assert max(len(answer.text.split()) for answer in found) == reader.model.max_span_length


@pytest.mark.parametrize(
    ("one", "other"),
    [("submarine", "zeppelin"), ("xqzvlorp", "brrgnak")],
    ids=["known to the vectors", "known by its characters"],
)
def test_unseen_words_are_read_by_vector_or_characters(
    one: str, other: str, reader: Predictor
) -> None:
    def probability(word: str) -> float:
        return reader.answer(f"The {word} sank.", "What sank?").probability

    assert not {one, other} & set(reader.run.inputs.frequent)
    assert probability(one) == probability(one)
    assert probability(one) != probability(other)


def test_an_answer_is_the_same_from_a_file(predictor: Predictor, tmp_path: Path) -> None:
    context, question = "Ida Moss kept the light — for 31 years.", "Who kept the light?"
    file = tiny.one_question(context, question, answers=[])
    data = prepared(predictor, file, tmp_path)
    from_file = predictor.answers(data, n_best=3)["only"]
    asked = predictor.answer(context, question, n_best=3)
    assert spans_of(asked) == spans_of(from_file)
    assert [answer.text for answer in asked] == [context[a:b] for a, b in spans_of(asked)]


def test_empty_texts_are_refused(reader: Predictor) -> None:
    with pytest.raises(DataError, match="the context is empty"):
        reader.answer(" ", "What?")
    with pytest.raises(DataError, match="the question is empty"):
        reader.answer("Text.", "\n")


def test_data_stays_in_the_runs_own_cache(reader: Predictor, reader_run: Path) -> None:
    """The fixture's configuration names the cache relative to the folder of its training."""
    assert reader.run.cache_dir == Path("cache")


def test_the_runs_own_cache_is_used_where_it_is(
    reader: Predictor, reader_run: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(reader_run.parents[1])
    before = sorted(Path("cache").iterdir())
    assert reader.prepare(find_source("dev.json")).vectors is not None
    assert {path.name.partition("-")[0] for path in before} >= {"text", "vectors"}
    assert not Path("data").exists()


def test_progress_is_reported(reader: Predictor, tmp_path: Path) -> None:
    reported: list[tuple[str, int, int]] = []
    data = prepared(reader, tiny.squad(), tmp_path)
    reader.answers(data, progress=lambda *call: reported.append(call))
    assert reported[-1] == ("answers", 8, 8)


def test_a_diverged_model_is_named(reader: Predictor, monkeypatch: pytest.MonkeyPatch) -> None:
    def diverged(*arguments: object, **options: object) -> tuple[torch.Tensor, torch.Tensor]:
        spans, scores = best_spans(*arguments, **options)  # type: ignore[arg-type]
        return spans, scores * torch.nan

    monkeypatch.setattr(base, "best_spans", diverged)
    with pytest.raises(CheckpointError, match="its training diverged"):
        reader.answer("Text.", "What?")


def test_devices() -> None:
    assert find_device("cpu") == torch.device("cpu")
    expected = "cuda" if torch.cuda.is_available() else "cpu"
    assert find_device("auto").type == expected
    with pytest.raises(ConfigError, match='there is no device "cuda:99"'):
        find_device("cuda:99")
