"""What every test starts from: no network, no telemetry, one thread a process."""

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

import pytest  # noqa: E402
from hypothesis import settings  # noqa: E402

# A busy machine is no bug: how long one example takes is not what these tests are about.
settings.register_profile("patient", settings.default, deadline=None)
settings.load_profile("patient")


@pytest.fixture(scope="session")
def squad_folder() -> Path:
    """The folder of real SQuAD: train-v1.1.json and dev-v1.1.json, plain or .gz."""
    named = os.environ.get("SQUADQA_DATA_DIR")
    if not named:
        pytest.skip("real SQuAD is needed: set SQUADQA_DATA_DIR to the folder that holds it")
    folder = Path(named)
    for name in ("train-v1.1.json", "dev-v1.1.json"):
        if not any((folder / f"{name}{ending}").is_file() for ending in ("", ".gz")):
            pytest.fail(f'SQUADQA_DATA_DIR names "{folder}", which holds no {name} (nor .gz)')
    return folder


@pytest.fixture(scope="session")
def reader_run(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The run folder of a small trained reader; train.json and dev.json lie two folders up."""
    from tests.runs import READER, train_once

    return train_once(tmp_path_factory, "drqa", READER)


@pytest.fixture(scope="session")
def scorer_run(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The run folder of a small trained scorer of candidates, as `reader_run`."""
    from tests.runs import SCORER, train_once

    return train_once(tmp_path_factory, "logistic", SCORER)
