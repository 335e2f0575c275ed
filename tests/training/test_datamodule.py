"""The questions for training, validation and test, and counts of the others."""

from collections import Counter
from itertools import pairwise
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
import torch
from pytorch_lightning.trainer.states import TrainerFn

from squadqa.batch import Sizes
from squadqa.data.candidates.inputs import CandidateInputs
from squadqa.errors import ConfigError, DataError
from squadqa.training.datamodule import SquadDataModule
from tests.support import tiny


def articles(sizes: list[int]) -> tiny.Json:
    """Articles with these numbers of questions, one paragraph per article."""
    context = "Ida kept the light. Tom sold the boat."
    files = []
    for article, size in enumerate(sizes):
        file = tiny.one_question(context=f"{article} {context}")
        (entry,) = file["data"]
        entry["title"] = f"Article {article}"
        (row,) = entry["paragraphs"][0]["qas"]
        answers = [{"text": "Ida", "answer_start": len(str(article)) + 1}]
        entry["paragraphs"][0]["qas"] = [
            {**row, "id": f"a{article}q{number}", "question": f"Who, {number}?", "answers": answers}
            for number in range(size)
        ]
        files.append(file)
    return tiny.join(*files)


def module(folder: Path, train: tiny.Json, *, fn: str = "fit", **options: Any) -> SquadDataModule:
    """A data module, set up for a stage like by a trainer."""
    sources = {
        "train": str(tiny.write(folder / "train.json", train)),
        "test": str(tiny.write(folder / "dev.json", tiny.squad())),
    }
    inputs = CandidateInputs(pipeline=None, num_buckets=3)
    made = SquadDataModule(
        inputs, cache_dir=str(folder / "cache"), **{"batch_size": 2, **sources, **options}
    )
    made.trainer = SimpleNamespace(  # type: ignore[assignment]
        state=SimpleNamespace(fn=TrainerFn(fn)),
        strategy=SimpleNamespace(root_device=torch.device("cpu")),
        global_rank=0,
        world_size=1,
    )
    made.prepare_data()
    made.setup(fn)
    return made


def ids(made: SquadDataModule, part: str) -> list[str]:
    """The questions of a part's loader, in its order."""
    loader = getattr(made, f"{part}_dataloader")()
    dataset = made.datasets[part]
    return [dataset.id_of(item) for batch in loader for item in batch.index.tolist()]


def words(state: dict[str, Any]) -> torch.Tensor:
    """The hashes of the words in a data module's state."""
    hashes: torch.Tensor = state["inputs"]["words"]["hashes"]
    return hashes


def article_of(identifier: str) -> str:
    return identifier.split("q")[0]


def test_training_is_by_question_and_shares_no_contexts_unless_asked_to(tmp_path: Path) -> None:
    made = module(tmp_path, articles([5] * 12), val_share=0.2)
    made.train_dataloader(), made.val_dataloader()
    assert made.train_dataloader().sampler.paragraphs is None
    assert [made.datasets[part].shares_contexts for part in ("train", "val")] == [False, True]


def test_batches_by_paragraph_hold_all_its_questions(tmp_path: Path) -> None:
    made = module(tmp_path, articles([5] * 12), batch_by="paragraph", batch_size=10, val_share=0.2)
    loader = made.train_dataloader()
    assert made.datasets["train"].shares_contexts
    dataset, seen = made.datasets["train"], []
    for batch in loader:
        names = [article_of(dataset.id_of(item)) for item in batch.index.tolist()]
        assert set(Counter(names).values()) == {5}
        seen += names
    assert len(seen) == made.counts()["train"]
    assert len(loader) == made.batches_per_epoch


@pytest.mark.parametrize("batch_by", ["question", "paragraph"])
def test_evaluation_keeps_the_questions_of_a_paragraph_together(
    tmp_path: Path, batch_by: Any
) -> None:
    made = module(tmp_path, articles([5] * 12), batch_by=batch_by, val_share=0.5)
    order = [article_of(name) for name in ids(made, "val")]
    assert sum(one != other for one, other in pairwise(order)) == len(set(order)) - 1
    assert made.datasets["val"].shares_contexts


def test_whole_articles_are_held_out(tmp_path: Path) -> None:
    sizes = list(np.random.default_rng(0).integers(1, 6, 60))
    made = module(tmp_path, articles(sizes))
    train, val = ids(made, "train"), ids(made, "val")
    assert sorted(train + val) == sorted(f"a{a}q{q}" for a, n in enumerate(sizes) for q in range(n))
    assert not {article_of(name) for name in train} & {article_of(name) for name in val}
    assert 0.05 * sum(sizes) <= len(val) <= 0.05 * sum(sizes) + max(sizes)
    counts = made.counts()
    assert (counts["train"], counts["val"]) == (len(train), len(val))
    assert counts["skipped"] == counts["lost"] == 0


def test_the_same_articles_are_held_out_every_time(tmp_path: Path) -> None:
    """The same in any order of the file, and for training as for validation."""
    file = articles([2] * 40)
    (tmp_path / "again").mkdir()
    first = set(ids(module(tmp_path, file), "val"))
    file["data"].reverse()
    assert set(ids(module(tmp_path / "again", file), "val")) == first
    assert set(ids(module(tmp_path / "again", file, fn="validate"), "val")) == first


def test_the_share_is_an_option(tmp_path: Path) -> None:
    made = module(tmp_path, articles([1] * 40), val_share=0.5)
    assert len(ids(made, "val")) == pytest.approx(20, abs=1)


def test_something_is_left_to_train_on(tmp_path: Path) -> None:
    assert len(ids(module(tmp_path, articles([5, 5]), val_share=0.99), "train")) == 5


def test_one_article_cannot_be_split(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="only one article") as caught:
        module(tmp_path, articles([4]))
    assert "--data.val" in caught.value.next_step


def test_a_second_training_reuses_everything(tmp_path: Path) -> None:
    made = module(tmp_path, articles([4, 3]))
    first = ids(made, "train"), ids(made, "val")
    datasets = dict(made.datasets)
    made.prepare_data()
    made.setup("fit")
    assert (ids(made, "train"), ids(made, "val")) == first
    assert all(made.datasets[part] is datasets[part] for part in ("train", "val"))


def test_state_of_a_checkpoint_replaces_the_fitted_one(tmp_path: Path) -> None:
    """Data sets made before are not used again, and a new training fits again."""
    made = module(tmp_path, articles([4, 3]))
    own = made.state_dict()
    made.train_dataloader()
    dataset = made.datasets["train"]
    (tmp_path / "other").mkdir()
    other = module(tmp_path / "other", tiny.squad()).state_dict()
    made.load_state_dict(other)
    made.train_dataloader()
    assert made.datasets["train"] is not dataset
    assert not torch.equal(words(other), words(own))
    assert torch.equal(words(made.state_dict()), words(other))
    made.setup("fit")
    assert torch.equal(words(made.state_dict()), words(own))


def test_val_by_name(tmp_path: Path) -> None:
    val = str(tiny.write(tmp_path / "val.json", tiny.squad()))
    made = module(tmp_path, articles([4, 3]), val=val)
    assert len(ids(made, "train")) == 7
    assert sorted(ids(made, "val")) == [f"q{number}" for number in range(8)]
    assert made.counts()["val"] == 8


def test_limit_train(tmp_path: Path) -> None:
    made = module(tmp_path, articles([2] * 10), limit_train=5)
    assert len(set(ids(made, "train"))) == made.counts()["train"] == 5
    assert made.batches_per_epoch == 3
    assert len(ids(made, "val")) == 2


def test_bad_answers_stop_a_training_or_are_skipped_and_counted(tmp_path: Path) -> None:
    file = articles([3] * 4)
    for article, wrong in ((0, {"text": "Tom", "answer_start": 0}), (1, None)):
        row = file["data"][article]["paragraphs"][0]["qas"][0]
        row["answers"] = [wrong] if wrong else []
    with pytest.raises(DataError, match="a0q0"):
        module(tmp_path, file)
    made = module(tmp_path, file, bad_answers="skip")
    used = ids(made, "train") + ids(made, "val")
    assert len(used) == 10
    assert not {"a0q0", "a1q0"} & set(used)
    assert made.counts()["skipped"] == 2


def test_evaluation_keeps_questions_with_bad_answers(tmp_path: Path) -> None:
    bad = tiny.squad()
    bad["data"][0]["paragraphs"][0]["qas"][0]["answers"][0]["answer_start"] = 1
    test = str(tiny.write(tmp_path / "bad.json", bad))
    assert len(ids(module(tmp_path, articles([1]), fn="test", test=test), "test")) == 8


def test_mistakes_in_test_data_show_before_training(tmp_path: Path) -> None:
    broken = tmp_path / "broken.json"
    broken.write_text("{")
    with pytest.raises(DataError, match="broken.json"):
        module(tmp_path, articles([1, 1]), test=str(broken))


@pytest.mark.parametrize(
    "options", [{"batch_size": 0}, {"eval_batch_size": -1}, {"val_share": 0}, {"val_share": 1}]
)
def test_numbers_out_of_range(options: dict[str, Any]) -> None:
    (name,) = options
    with pytest.raises(ConfigError, match=f"data.{name} cannot be"):
        SquadDataModule(CandidateInputs(pipeline=None), **options)


def test_predict_takes_test_by_default(tmp_path: Path) -> None:
    train = articles([1])
    assert len(ids(module(tmp_path, train, fn="predict"), "predict")) == 8
    other = str(tiny.write(tmp_path / "other.json", articles([3])))
    assert len(ids(module(tmp_path, train, fn="predict", predict=other), "predict")) == 3


def test_state_learned_from_train_is_restored(tmp_path: Path) -> None:
    fitted = module(tmp_path, articles([3] * 4))
    fresh = module(tmp_path, articles([3] * 4), fn="test")
    fresh.load_state_dict(fitted.state_dict())
    assert torch.equal(words(fresh.state_dict()), words(fitted.state_dict()))
    assert fresh.sizes == fitted.sizes == Sizes(num_buckets=3)


def test_processes_share_an_epoch(tmp_path: Path) -> None:
    made = module(tmp_path, articles([2] * 8))
    parts = []
    for rank in (0, 1):
        made.trainer.global_rank, made.trainer.world_size = rank, 2  # type: ignore[misc, union-attr]
        parts.append(ids(made, "train"))
    assert len(parts[0]) == len(parts[1]) == made.batches_per_epoch * 2
    assert len({*parts[0], *parts[1]}) == made.counts()["train"]


def without_answers(file: tiny.Json, *numbers: int) -> tiny.Json:
    """The file, in which these questions have no answer."""
    rows = [row for article in file["data"] for one in article["paragraphs"] for row in one["qas"]]
    for number in numbers:
        rows[number]["answers"] = []
    return file


def test_questions_without_answers_are_kept_if_asked(tmp_path: Path) -> None:
    test = str(tiny.write(tmp_path / "test.json", without_answers(tiny.squad(), 0)))
    file = without_answers(articles([3] * 4), 0, 5, 11)
    options: dict[str, Any] = {"test": test, "val_share": 0.25}
    made = module(tmp_path, file, unanswerable="keep", **options)
    assert made.abstains
    assert made.sizes.abstains
    assert len(ids(made, "train")) + len(ids(made, "val")) == 12
    counts = made.counts()
    assert counts["unanswerable_train"] + counts["unanswerable_val"] == 3
    assert counts["without_target"] == counts["skipped"] == 0
    left = module(tmp_path, file, unanswerable="skip", **options)
    assert len(ids(left, "train")) + len(ids(left, "val")) == 9
    assert (left.counts()["skipped"], left.counts()["skipped_test"]) == (3, 1)
    assert not left.sizes.abstains
    with pytest.raises(DataError, match="1 of 8 questions") as caught:
        module(tmp_path, articles([3] * 4), **options)
    assert "--data.unanswerable keep" in caught.value.next_step


def test_data_without_any_answers_are_refused_where_some_may_have_none(tmp_path: Path) -> None:
    test = str(tiny.write(tmp_path / "test.json", without_answers(tiny.squad(), *range(8))))
    with pytest.raises(DataError, match="none of the 8 questions has an answer"):
        module(tmp_path, articles([3] * 4), unanswerable="keep", test=test)


def with_two_paragraphs(count: int) -> tiny.Json:
    """Articles of two paragraphs with a question each, of which none holds the other's answer."""
    files = []
    for article in range(count):
        file = tiny.one_question(f"Ida {article} kept it.", "Who?", [("Ida", 0)], id=f"{article}a")
        other = tiny.one_question(f"Tom {article} sold it.", "Who?", [("Tom", 0)], id=f"{article}b")
        file["data"][0]["paragraphs"] += other["data"][0]["paragraphs"]
        file["data"][0]["title"] = f"Article {article}"
        files.append(file)
    return tiny.join(*files)


def test_negatives_of_train_and_of_its_held_out_articles(tmp_path: Path) -> None:
    file = with_two_paragraphs(6)
    plain = module(tmp_path, file, val_share=0.3)
    made = module(tmp_path, file, val_share=0.3, negatives=1.0)
    for part in ("train", "val"):
        own = sorted(ids(plain, part))
        assert sorted(ids(made, part)) == sorted([*own, *(f"{name}-negative" for name in own)])
    assert made.counts()["unanswerable_train"] == plain.counts()["train"]
    assert made.counts()["unanswerable_val"] == plain.counts()["val"]
    assert (
        len(ids(module(tmp_path, file, fn="validate", val_share=0.3, negatives=1.0), "val"))
        == (made.counts()["val"])
    )


def test_negatives_of_train_depend_on_the_seed_and_those_of_val_do_not(tmp_path: Path) -> None:
    drawn = {}
    for seed in (1, 1, 2):
        made = module(tmp_path, with_two_paragraphs(20), val_share=0.5, negatives=0.5)
        made.seed = seed
        made._is_fitted = False
        made.setup("fit")
        found = tuple(frozenset(ids(made, part)) for part in ("train", "val"))
        assert drawn.setdefault(seed, found) == found
    assert drawn[1][0] != drawn[2][0]
    assert drawn[1][1] == drawn[2][1]


def test_a_val_file_gets_negatives_unless_it_has_questions_without_answers(tmp_path: Path) -> None:
    for numbers, expected in (((), 8), ((0,), 4)):
        file = without_answers(with_two_paragraphs(2), *numbers)
        val = str(tiny.write(tmp_path / f"val{len(numbers)}.json", file))
        options: dict[str, Any] = {"negatives": 1.0, "unanswerable": "keep", "val": val}
        made = module(tmp_path, with_two_paragraphs(3), **options)
        assert len(ids(made, "train")) == 12
        assert made.counts()["val"] == len(ids(made, "val")) == expected
