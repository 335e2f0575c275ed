"""The questions of a training: train, a held-out part of it, and dev.

One file, as it is one class: Lightning calls all hooks of data on it.
"""

from collections.abc import Callable
from pathlib import Path
from typing import Any, Literal

import numpy as np
import pytorch_lightning as pl
from numpy.typing import NDArray
from pytorch_lightning.trainer.states import TrainerFn
from torch.utils.data import DataLoader

from squadqa.batch import Sizes
from squadqa.data.alignment import Alignment
from squadqa.data.dataset import QuestionDataset, SpanDataset
from squadqa.data.held_out import held_out
from squadqa.data.inputs import Inputs
from squadqa.data.negatives import VAL_SEED, with_negatives
from squadqa.data.prepare import PreparedData, Progress, prepare
from squadqa.data.sampler import LengthGroupedSampler
from squadqa.data.soft_targets import SoftTargets
from squadqa.data.squad import BadAnswers, FindAnswers, Reading, Source, Unanswerable, find_source
from squadqa.data.squad.read import UNANSWERABLE_ADVICE
from squadqa.errors import ConfigError, require_range
from squadqa.scoring import require_references
from squadqa.scoring_v2 import require_a_reference
from squadqa.training.loader import ResumableLoader

BatchBy = Literal["question", "paragraph"]
"""Names of what fills a training batch."""

Teacher = Callable[[PreparedData, NDArray[np.int64]], SoftTargets]
"""Says how probable it finds the answers of some questions of a source (numbers of its rows)."""


class SquadDataModule(pl.LightningDataModule):
    """Train, validation (`val`), test and prediction questions, prepared once and cached.

    Args:
        inputs: What the model reads of the data.
        train: Training questions: a path, a pack, `squad`, or a `datasets` name.
        val: Validation questions, for early stopping and the choice of the checkpoint; None holds
            out articles of `train`.
        test: Test questions, scored at the end.
        predict: Questions to answer with `predict`, which need no answers; None takes `test`.
        val_share: Share of train's questions to hold out if `val` is None.
        batch_size: Questions in a training batch of one process.
        batch_by: What fills a training batch: "question", questions in random order; or
            "paragraph", all questions of paragraphs in random order, so that a reader whose
            encoding of a context depends on no question encodes it once for all of them.
        eval_batch_size: Questions in an evaluation batch of one process.
        bad_answers: What to do with a training question without usable answers: "error" stops,
            "skip" leaves the question out and counts it.
        unanswerable: What to do with questions without any answers, of all parts: "error" stops,
            "skip" leaves them out and counts them; with "keep" the right reply is that there is no
            answer, and the model learns to say so.
        negatives: For this share of the training and validation questions, add the same question
            with another paragraph of its article, which does not hold the answer, and learn to
            say so. Validation questions of a file that has questions without answers get none.
        columns: What the columns of rows are called, such as "question=q,context=text"; None for
            the usual names (see `squadqa.data.squad.Columns`).
        find_answers: What to do with answers that are given as text only: "error" stops where train
            has such questions, "first" takes the first place where the text stands, "all" every
            place.
        limit_train: Train only on the first so many questions; None takes all.
        cache_dir: Folder of prepared data; None takes `SQUADQA_CACHE_DIR` or `data/cache`.
        workers: Number of processes that annotate; 0 takes one for each core.

    Raises:
        ConfigError: A number is out of its range.
    """

    def __init__(
        self,
        inputs: Inputs,
        *,
        train: str = "squad",
        val: str | None = None,
        test: str = "squad",
        predict: str | None = None,
        val_share: float = 0.05,
        batch_size: int = 32,
        batch_by: BatchBy = "question",
        eval_batch_size: int = 64,
        bad_answers: BadAnswers = "error",
        unanswerable: Unanswerable = "error",
        negatives: float = 0.0,
        columns: str | None = None,
        find_answers: FindAnswers = "error",
        limit_train: int | None = None,
        cache_dir: str | None = None,
        workers: int = 0,
    ) -> None:
        super().__init__()
        for name, value in (("batch_size", batch_size), ("eval_batch_size", eval_batch_size)):
            if value < 1:
                raise ConfigError(f"data.{name} cannot be {value}", hint="It is 1 or more.")
        require_range(1, **{"data.limit_train": limit_train})
        require_range(0, **{"data.workers": workers})
        require_range(0, 1, **{"data.negatives": negatives})
        if not 0 < val_share < 1:
            raise ConfigError(
                f"data.val_share cannot be {val_share}", hint="It is between 0 and 1: 0.05 is 5 %."
            )
        self.sources = {"train": train, "val": val, "test": test, "predict": predict or test}
        self.val_share = val_share
        self.inputs = inputs
        self.batch_size = batch_size
        self.batch_by = batch_by
        self.eval_batch_size = eval_batch_size
        self.bad_answers = bad_answers
        self.unanswerable: Unanswerable = unanswerable
        self.negatives = negatives
        self.reading = Reading.of(columns, find_answers)
        self.limit_train = limit_train
        self.cache_dir = Path(cache_dir) if cache_dir else None
        self.workers = workers
        self.progress: Progress | None = None
        self.teacher: Teacher | None = None
        self.seed = 0  # for the order of training batches
        self.datasets: dict[str, QuestionDataset[Any]] = {}
        self._prepared: dict[str, PreparedData] = {}
        self._without_negatives: dict[str, PreparedData] = {}
        self._rows: dict[str, NDArray[np.int64]] = {}
        self._skipped_test = 0
        self._targets: SoftTargets | None = None
        self._is_fitted = False
        self._current: set[str] = set()  # parts whose data sets match the inputs' state

    def prepare_data(self) -> None:
        """Fill the cache, in one process (called by Lightning).

        Before a training this includes the test data, so that mistakes in them show at once.

        Raises:
            DataError: Data cannot be read, or a question to score has no answers.
        """
        self._open_parts()
        assert self.trainer is not None
        data = dict(self._prepared)
        if self.trainer.state.fn == TrainerFn.FITTING and "test" not in data:
            data["test"] = self._prepare("test")
            self._skipped_test = sum(data["test"].skipped.values())
        for part in ("val", "test"):
            if part in data:
                self._require_references(data[part])

    def setup(self, stage: str) -> None:
        """Open the data of a stage, and fit the inputs on train (called by Lightning).

        A second training with this data module reuses the fitted inputs and the data sets.
        """
        self._open_parts()
        if stage == "fit" and not self._is_fitted:
            self._rows = self._split()
            data = self._prepared["train"]
            self.inputs.fit(data, self._rows["train"], abstains=self.abstains)
            self._is_fitted, self._current = True, set()
            if self.teacher is not None:
                self._targets = self.teacher(data, self._rows["train"])
        elif stage == "validate" and "val" not in self._rows:
            self._rows = {"val": self._split(has_train=False)["val"]}

    @property
    def abstains(self) -> bool:
        """Whether the model learns to say that a question has no answer."""
        return self.unanswerable == "keep" or self.negatives > 0

    @property
    def sizes(self) -> Sizes:
        """The sizes that the model is built from; known once the inputs are fitted."""
        return self.inputs.sizes

    @property
    def batches_per_epoch(self) -> int:
        """Number of training batches of one process in an epoch."""
        processes = self.trainer.world_size if self.trainer else 1
        return -(-len(self._rows["train"]) // (self.batch_size * processes))

    def train_dataloader(self) -> ResumableLoader:
        """Make the loader of shuffled batches of similar length (called by Lightning)."""
        return self._loader("train", self._prepared["train"], self._rows["train"])

    def val_dataloader(self) -> ResumableLoader:
        """Make the loader of all validation questions (called by Lightning)."""
        part = "train" if self.sources["val"] is None else "val"
        return self._loader("val", self._prepared[part], self._rows["val"])

    def test_dataloader(self) -> ResumableLoader:
        """Make the loader of all test questions (called by Lightning)."""
        return self._loader("test", self._prepared["test"], None)

    def predict_dataloader(self) -> DataLoader[Any]:
        """Make the loader of all questions to answer (called by Lightning, which copies it)."""
        loader = self._loader("predict", self._prepared["predict"], None)
        return DataLoader(
            loader.dataset,
            sampler=loader.sampler,
            batch_size=loader.batch_size,
            collate_fn=loader.collate_fn,
            pin_memory=loader.pin_memory,
        )

    def state_dict(self) -> dict[str, Any]:
        """Return what the inputs learned from train (called by Lightning)."""
        return {"inputs": self.inputs.state_dict()}

    def load_state_dict(self, state_dict: dict[str, Any]) -> None:
        """Restore what the inputs learned from train (called by Lightning)."""
        self.inputs.load_state_dict(state_dict["inputs"])
        self._is_fitted, self._current = False, set()

    def counts(self) -> dict[str, int]:
        """Count the questions of `train` and `val`, and those that train leaves out.

        Returns:
            Counts of "train" and "val", and of those among them that have no answer,
            "unanswerable_train" and "unanswerable_val"; "skipped" (without usable answers), "lost"
            (answers that no token contains), "without_target" (in "train", but no span or candidate
            is right); "skipped_test" (test questions without answers).
        """
        train = self._prepared["train"]
        val = train if self.sources["val"] is None else self._prepared["val"]
        without = {
            f"unanswerable_{part}": int(data.unanswerable[self._rows[part]].sum())
            if self.abstains
            else 0
            for part, data in (("train", train), ("val", val))
        }
        return {
            "train": len(self._rows["train"]),
            "val": len(self._rows["val"]),
            **without,
            "skipped_test": self._skipped_test,
            "skipped": sum(train.skipped.values()),
            "lost": int((train.alignment == Alignment.LOST).sum()),
            "without_target": self.datasets["train"].count_without_target(),
        }

    def _parts(self) -> list[str]:
        assert self.trainer is not None and self.trainer.state.fn is not None
        val = "train" if self.sources["val"] is None else "val"
        return {
            "fit": sorted({"train", val}),
            "validate": [val],
            "test": ["test"],
            "predict": ["predict"],
        }[self.trainer.state.fn.value]

    def _open_parts(self) -> None:
        for part in self._parts():
            if part not in self._prepared:
                self._prepared[part] = self._prepare(part)

    def source(self, part: str) -> Source:
        """Find the source of a part."""
        name = self.sources[part]
        assert name is not None
        return find_source(name, part="train" if part == "train" else "dev", reading=self.reading)

    def prepared(self, part: str) -> PreparedData:
        """Return the source of a part that is open: "train", "val" if it has its own, or "test"."""
        return self._prepared[part]

    def policy(self, part: str) -> tuple[BadAnswers, Unanswerable]:
        """Say what is done with a part's questions without usable answers, and without any."""
        unanswerable = self.unanswerable
        if part == "predict" or (part != "train" and unanswerable == "error"):
            unanswerable = "keep"  # what is scored is checked when it is open
        bad_answers: BadAnswers = self.bad_answers if part == "train" else "keep"
        return bad_answers, "error" if unanswerable == bad_answers else unanswerable

    def _prepare(self, part: str) -> PreparedData:
        bad_answers, unanswerable = self.policy(part)
        return prepare(
            self.source(part),
            cache_dir=self.cache_dir,
            bad_answers=bad_answers,
            unanswerable=unanswerable,
            language=self.inputs.language,
            pipeline=self.inputs.pipeline,
            parse=self.inputs.parse,
            vectors=self.inputs.vectors,
            workers=self.workers,
            progress=self.progress,
        )

    def _require_references(self, data: PreparedData) -> None:
        """Check that questions can be scored: all have answers, or at least one where some may not.

        Raises:
            DataError: They cannot.
        """
        references = data.references
        if self.abstains or self.unanswerable == "skip":
            require_a_reference(references, data.source)
        if self.unanswerable != "keep":
            require_references(references, data.source, next_step=UNANSWERABLE_ADVICE)

    def _split(self, *, has_train: bool = True) -> dict[str, NDArray[np.int64]]:
        """Rows of train and val, with the negatives that are made of them.

        Train excludes lost answers. Which negatives val has depends on no seed, so that trainings
        can be compared.

        Args:
            has_train: Whether train's negatives are made too.
        """
        self._prepared |= self._without_negatives  # of an earlier split
        own_val = self.sources["val"] is not None
        rows: dict[str, NDArray[np.int64]] = {}
        if has_train or not own_val:
            data = self._prepared["train"]
            every = np.arange(len(data.ids))
            is_val = np.zeros(len(every), bool) if own_val else held_out(data, share=self.val_share)
            kinds = (Alignment.EXACT, Alignment.EXPANDED, Alignment.NONE)
            usable = np.isin(data.alignment, kinds if self.unanswerable == "keep" else kinds[:2])
            rows["train"] = every[~is_val & usable][: self.limit_train]
            rows["val"] = every[is_val]
            if has_train:
                self._add_negatives("train", "train", rows, seed=self.seed)
        if own_val:
            rows["val"] = np.arange(len(self._prepared["val"].ids))
            if self._prepared["val"].unanswerable.any():
                return rows
        self._add_negatives("val" if own_val else "train", "val", rows, seed=VAL_SEED)
        return rows

    def _add_negatives(
        self, source: str, part: str, rows: dict[str, NDArray[np.int64]], *, seed: int
    ) -> None:
        """Extend a source, and the rows of a part of it, by negatives of these rows."""
        if not self.negatives:
            return
        data = self._prepared[source]
        self._without_negatives.setdefault(source, data)
        self._prepared[source], origin = with_negatives(
            data, rows[part], share=self.negatives, seed=seed
        )
        added = len(data.ids) + np.arange(len(origin))
        rows[part] = np.concatenate([rows[part], added])

    def _loader(
        self, part: str, data: PreparedData, rows: NDArray[np.int64] | None
    ) -> ResumableLoader:
        if part not in self._current:
            self.datasets[part] = self.inputs.dataset(data, rows)
            self._current.add(part)
        dataset = self.datasets[part]
        training = part == "train"
        if training and isinstance(dataset, SpanDataset):
            dataset.targets = self._targets
        dataset.shares_contexts = not training or self.batch_by == "paragraph"
        sampler = LengthGroupedSampler(
            dataset.context_lengths,
            batch_size=self.batch_size if training else self.eval_batch_size,
            shuffle=training,
            paragraphs=dataset.paragraphs if dataset.shares_contexts else None,
            seed=self.seed,
            rank=self.trainer.global_rank if self.trainer else 0,
            processes=self.trainer.world_size if self.trainer else 1,
        )
        on_gpu = self.trainer is not None and self.trainer.strategy.root_device.type == "cuda"
        return ResumableLoader(dataset, sampler=sampler, pin_memory=on_gpu)
