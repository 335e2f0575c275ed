"""Settings of every test: no network, no telemetry, one thread per process."""

import os

# Set before anything imports torch, and passed on to the commands that tests start. Several
# multi-threaded torch processes on few cores wait for each other most of their time.
os.environ.update(
    OMP_NUM_THREADS="1",
    MKL_NUM_THREADS="1",
    TOKENIZERS_PARALLELISM="false",
    WANDB_MODE="offline",
    WANDB_SILENT="true",
    WANDB_ERROR_REPORTING="false",
    HF_HUB_OFFLINE="1",
    HF_DATASETS_OFFLINE="1",
    HF_HUB_DISABLE_TELEMETRY="1",
    DO_NOT_TRACK="1",
    MPLBACKEND="Agg",
)

from pathlib import Path  # noqa: E402
from typing import Any  # noqa: E402

import pytest  # noqa: E402
from hypothesis import is_hypothesis_test, settings  # noqa: E402

FUZZ = os.environ.get("SQUADQA_FUZZ") == "1"
"""Whether to try new and more examples instead of the same ones every time."""

# No deadline: on a busy machine a single example may take long.
settings.register_profile("patient", deadline=None, derandomize=True)
settings.register_profile("fuzz", deadline=None, derandomize=False)
settings.load_profile("fuzz" if FUZZ else "patient")


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """When fuzzing, run ten times as many examples of every test (called by pytest)."""
    functions = {item.function for item in items if isinstance(item, pytest.Function)}
    for test in filter(is_hypothesis_test, functions) if FUZZ else ():
        own = test._hypothesis_internal_use_settings  # a test is changed only once
        test._hypothesis_internal_use_settings = settings(own, max_examples=10 * own.max_examples)


@pytest.fixture
def begun(monkeypatch: pytest.MonkeyPatch) -> list[Any]:
    """The `Parsed` command line of each training, which is not run."""
    from squadqa.cli import lightning

    made: list[Any] = []

    def train(parsed: Any, *, command: str) -> int:
        made.append(parsed)
        return 0

    monkeypatch.setattr(lightning, "train", train)
    # Restored after the test: Lightning sets it for the processes that it would start.
    monkeypatch.setenv("PL_GLOBAL_SEED", "0")
    return made


@pytest.fixture(scope="session")
def squad_folder() -> Path:
    """The folder of real SQuAD: train-v1.1.json and dev-v1.1.json, plain or .gz."""
    named = os.environ.get("SQUADQA_DATA_DIR")
    if not named:
        pytest.skip("real SQuAD is needed: set SQUADQA_DATA_DIR to its folder")
    folder = Path(named)
    for name in ("train-v1.1.json", "dev-v1.1.json"):
        if not any((folder / f"{name}{ending}").is_file() for ending in ("", ".gz")):
            pytest.fail(f'SQUADQA_DATA_DIR names "{folder}", which contains no {name} (nor .gz)')
    return folder


@pytest.fixture(scope="session")
def reader_run(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The run folder of a small trained reader; train.json and dev.json are two folders up."""
    from tests.support.runs import READER, train_once

    return train_once(tmp_path_factory, "drqa", READER)


@pytest.fixture(scope="session")
def scorer_run(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The run folder of a small trained scorer of candidates, like `reader_run`."""
    from tests.support.runs import SCORER, train_once

    return train_once(tmp_path_factory, "logistic", SCORER)
