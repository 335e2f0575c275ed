"""What a teacher says: probabilities of starts and ends, computed once."""

from pathlib import Path

import numpy as np
import pytest

from squadqa.data.soft_targets import SoftTargets
from squadqa.data.squad import Source, find_source
from squadqa.errors import ConfigError
from squadqa.inference import teaching
from squadqa.inference.answered import Preparation
from squadqa.inference.ensemble import Ensemble
from squadqa.inference.mixing import mean_table
from squadqa.inference.predictor import Predictor
from squadqa.inference.run_folder import open_run
from squadqa.inference.teaching import KIND, teach
from squadqa.models.distributions import marginals
from tests.support import tiny

ROWS = np.array([1, 4, 6])


@pytest.fixture
def source(tmp_path: Path) -> Source:
    return find_source(str(tiny.write(tmp_path / "questions.json", tiny.squad())))


@pytest.fixture
def reader(reader_run: Path) -> Predictor:
    return Predictor(open_run(reader_run), device="cpu")


@pytest.fixture
def pair(reader: Predictor, scorer_run: Path) -> Ensemble:
    return Ensemble([reader, Predictor(open_run(scorer_run), device="cpu")], weights=[2.0, 1.0])


def told(
    teacher: Predictor | Ensemble, source: Source, cache: Path, rows: np.ndarray = ROWS
) -> SoftTargets:
    reads = teacher.members[0] if isinstance(teacher, Ensemble) else teacher
    preparation = Preparation(cache)
    data = reads.prepare(source, preparation)
    return teach(teacher, data, rows, source=source, preparation=preparation, bad_answers="keep")


def test_a_reader_says_its_own_probabilities(
    reader: Predictor, source: Source, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(teaching, "AT_ONCE", 2)
    targets = told(reader, source, tmp_path / "cache")
    dataset = reader.dataset_of(reader.prepare(source, Preparation(tmp_path / "cache")), ROWS)
    assert len(targets) == len(ROWS)
    for item, one in enumerate(reader.distributions(dataset)):
        (start,), (end,) = targets.batch([item])
        assert start == pytest.approx(one.start, abs=1e-3)  # type: ignore[attr-defined]
        assert end == pytest.approx(one.end, abs=1e-3)  # type: ignore[attr-defined]


def test_an_ensemble_says_the_mean_of_its_members(
    pair: Ensemble, source: Source, tmp_path: Path
) -> None:
    targets = told(pair, source, tmp_path / "cache")
    reading = pair.read(source, Preparation(tmp_path / "cache"))
    for item, row in enumerate(ROWS):
        table = mean_table([own[row] for own in reading.members], [2.0, 1.0])
        for mine, expected in zip(targets.batch([item]), marginals(table), strict=True):
            assert mine[0] == pytest.approx(expected, abs=1e-3)
            assert mine.sum() == pytest.approx(1, abs=1e-2)


def test_it_is_asked_once(
    reader: Predictor, source: Source, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    cache = tmp_path / "cache"
    first = told(reader, source, cache)

    def asked(*_: object, **__: object) -> None:
        raise AssertionError("asked again")

    monkeypatch.setattr(reader, "distributions", asked)
    again = told(reader, source, cache)
    assert np.array_equal(first.starts, again.starts)
    with pytest.raises(AssertionError, match="asked again"):
        told(reader, source, cache, ROWS[:2])


def test_other_weights_say_something_else(pair: Ensemble, source: Source, tmp_path: Path) -> None:
    cache = tmp_path / "cache"
    told(pair, source, cache)
    pair.weights = [1.0, 1.0]
    told(pair, source, cache)
    assert len(list(cache.glob(f"{KIND}-*"))) == 2


def test_it_leaves_out_what_the_student_leaves_out(reader: Predictor, tmp_path: Path) -> None:
    file = tiny.join(tiny.one_question(answers=[]), tiny.one_question(id="other"))
    source = find_source(str(tiny.write(tmp_path / "some.json", file)))
    preparation = Preparation(tmp_path / "cache")
    data = reader.prepare(source, preparation, unanswerable="skip")
    targets = teach(
        reader,
        data,
        np.array([0]),
        source=source,
        preparation=preparation,
        bad_answers="keep",
        unanswerable="skip",
    )
    assert len(targets) == len(data.ids) == 1


def test_a_teacher_of_other_texts_is_refused(
    reader: Predictor, source: Source, tmp_path: Path
) -> None:
    other = find_source(
        str(tiny.write(tmp_path / "other.json", tiny.one_question("a b", "b?", [("b", 2)])))
    )
    preparation = Preparation(tmp_path / "cache")
    data = reader.prepare(other, preparation)
    with pytest.raises(ConfigError, match="reads other questions or other tokens"):
        teach(
            reader,
            data,
            np.array([0]),
            source=source,
            preparation=preparation,
            bad_answers="keep",
        )
    assert not list((tmp_path / "cache").glob(f"{KIND}-*"))
