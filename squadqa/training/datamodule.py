"""The questions of a training: train, a held-out part of it, and dev."""

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
from squadqa.data.prepare import PreparedData, Progress, prepare
from squadqa.data.sampler import LengthGroupedSampler
from squadqa.data.soft_targets import SoftTargets
from squadqa.data.squad import BadAnswers, find_source
from squadqa.errors import ConfigError, require_range
from squadqa.scoring import require_references
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
        self.limit_train = limit_train
        self.cache_dir = Path(cache_dir) if cache_dir else None
        self.workers = workers
        self.progress: Progress | None = None
        self.teacher: Teacher | None = None
        self.seed = 0  # for the order of training batches
        self.datasets: dict[str, QuestionDataset[Any]] = {}
        self._prepared: dict[str, PreparedData] = {}
        self._rows: dict[str, NDArray[np.int64]] = {}
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
        for part in ("val", "test"):
            if part in data:
                require_references(data[part].references, data[part].source)

    def setup(self, stage: str) -> None:
        """Open the data of a stage, and fit the inputs on train (called by Lightning).

        A second training with this data module reuses the fitted inputs and the data sets.
        """
        self._open_parts()
        if stage == "fit" and not self._is_fitted:
            train, val = self._split()
            self.inputs.fit(self._prepared["train"], train)
            self._is_fitted, self._current = True, set()
            self._rows = {"train": train, "val": val}
            if self.teacher is not None:
                self._targets = self.teacher(self._prepared["train"], train)
        elif stage == "validate" and self.sources["val"] is None and "val" not in self._rows:
            self._rows = {"val": self._split()[1]}

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
        if self.sources["val"] is not None:
            return self._loader("val", self._prepared["val"], None)
        return self._loader("val", self._prepared["train"], self._rows["val"])

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
            Counts of "train" and "val"; "skipped" (without usable answers), "lost" (answers that no
            token contains), "without_target" (in "train", but no span or candidate is right).
        """
        train, own_val = self._prepared["train"], self._prepared.get("val")
        return {
            "train": len(self._rows["train"]),
            "val": len(self._rows["val"] if own_val is None else own_val.ids),
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

    def _prepare(self, part: str) -> PreparedData:
        name = self.sources[part]
        assert name is not None
        return prepare(
            find_source(name, part="train" if part == "train" else "dev"),
            cache_dir=self.cache_dir,
            bad_answers=self.bad_answers if part == "train" else "keep",
            pipeline=self.inputs.pipeline,
            parse=self.inputs.parse,
            vectors=self.inputs.vectors,
            workers=self.workers,
            progress=self.progress,
        )

    def _split(self) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
        """Rows of train and of its held-out articles; train excludes lost answers."""
        data = self._prepared["train"]
        rows = np.arange(len(data.ids))
        is_val = (
            held_out(data, share=self.val_share)
            if self.sources["val"] is None
            else np.zeros(len(rows), bool)
        )
        usable = np.isin(data.alignment, (Alignment.EXACT, Alignment.EXPANDED))
        return rows[~is_val & usable][: self.limit_train], rows[is_val]

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
