"""Settings of every test: no network, no telemetry, one thread per process, one minute."""

import faulthandler
import os
from collections.abc import Iterator, Sequence
from pathlib import Path

ROOT = Path(__file__).parents[1]

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
    # Processes that tests start in other folders find this checkout, and the tests' own helpers.
    PYTHONPATH=os.pathsep.join(filter(None, [str(ROOT), os.environ.get("PYTHONPATH")])),
)

from typing import Any  # noqa: E402

import pytest  # noqa: E402
from hypothesis import is_hypothesis_test, settings  # noqa: E402

FUZZ = os.environ.get("SQUADQA_FUZZ", "")
"""How long to look for counterexamples: "more" tries ten times as many examples, the same ones
every time; "new" the same number, but different ones every time; empty the usual ones."""

# No deadline: on a busy machine a single example may take long.
settings.register_profile("patient", max_examples=30, deadline=None, derandomize=FUZZ != "new")
settings.load_profile("patient")

GRACE = 30.0
"""Seconds after a test's limit until its process ends, if it cannot be interrupted."""

_stderr = os.dup(2)  # pytest takes the other one away from tests


LONGEST = (
    "test_quality.py",
    "cli/test_train.py",
    "cli/test_ablate.py",
    "test_docs.py",
    "test_configs.py",
    "cli/test_unanswerable.py",
    "cli/test_wrong_options.py",
    "training/test_distributed.py",
    "models/readers/test_all_readers.py",
    "cli/test_shared_runs.py",
    "cli/test_train_refusals.py",
    "models/test_abstaining.py",
    "cli/test_kills.py",
    "test_readme.py",
    "cli/test_streams.py",
    "training/test_resume.py",
)
"""Files that take longest, which begin first: so no process is left alone with one at the end."""


def pytest_xdist_auto_num_workers() -> int:
    """Return how many processes run the tests: one more than cores, as many tests wait."""
    from squadqa.provenance import usable_cores

    return usable_cores() + 1


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Order the tests, and set each one's limit of time and number of examples (by pytest)."""
    rank = {ROOT / "tests" / name: number for number, name in enumerate(LONGEST)}
    assert all(path.is_file() for path in rank), "LONGEST names a file that is not there"
    items.sort(key=lambda item: rank.get(item.path, len(rank)))
    for item in items:
        slow = item.get_closest_marker("slow")
        if slow is not None:
            item.add_marker(pytest.mark.timeout(slow.kwargs["seconds"]))
        elif FUZZ and item.get_closest_marker("hypothesis") is not None:
            item.add_marker(pytest.mark.timeout(600))
    functions = {item.function for item in items if isinstance(item, pytest.Function)}
    for test in filter(is_hypothesis_test, functions) if FUZZ else ():
        own = test._hypothesis_internal_use_settings  # a test is changed only once
        test._hypothesis_internal_use_settings = settings(own, max_examples=10 * own.max_examples)


@pytest.hookimpl(wrapper=True)
def pytest_runtest_protocol(item: pytest.Item) -> Iterator[None]:
    """End a test that pytest-timeout cannot interrupt: it waits in native code, say for a lock.

    The process then ends, after it has printed where each of its threads is.
    """
    asked, marker = item.config.getoption("timeout"), item.get_closest_marker("timeout")
    limit = float(marker.args[0] if marker else item.config.getini("timeout"))
    if asked != 0 and not item.config.getoption("usepdb"):  # a debugger may take long
        faulthandler.dump_traceback_later(limit + GRACE, exit=True, file=_stderr)
    try:
        return (yield)
    finally:
        faulthandler.cancel_dump_traceback_later()


@pytest.fixture
def begun(monkeypatch: pytest.MonkeyPatch) -> list[Any]:
    """The `Parsed` command line of each training, which is not run."""
    from squadqa.cli import lightning

    made: list[Any] = []

    def train(parsed: Any, *, command: str, trust: Sequence[str] = ()) -> int:
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


@pytest.fixture(scope="session")
def reader_model(reader_run: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The model folder of `reader_run`, in float16."""
    return _exported(reader_run, tmp_path_factory)


@pytest.fixture(scope="session")
def scorer_model(scorer_run: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The model folder of `scorer_run`, in float16."""
    return _exported(scorer_run, tmp_path_factory)


def _exported(run: Path, factory: pytest.TempPathFactory) -> Path:
    from squadqa.inference.model_folder import write_model_folder
    from squadqa.inference.run_folder import open_run

    folder = factory.mktemp("models") / run.name
    write_model_folder(folder, open_run(run), card=f"# {run.name}\n", half=True)
    return folder


@pytest.fixture
def ready(reader_model: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The folder of ready models, which has one: "house"."""
    import shutil

    from squadqa import package_files

    folder = tmp_path / "package" / "ready"
    shutil.copytree(reader_model, folder / "house")
    monkeypatch.setattr(package_files, "READY", folder)
    return folder


@pytest.fixture
def nothing_ready(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """No ready model, as in a checkout before one was trained."""
    from squadqa import package_files

    monkeypatch.setattr(package_files, "READY", tmp_path / "no ready models")


@pytest.fixture
def checkout(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The working folder, like a checkout, with small data under every name that the docs use."""
    import shutil

    from tests.support import tiny

    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("SQUADQA_DATA_DIR", str(tmp_path / "squad"))
    monkeypatch.setenv("SQUADQA_CACHE_DIR", str(tmp_path / "cache"))
    (tmp_path / "configs").symlink_to(ROOT / "configs")
    (tmp_path / "docs").symlink_to(ROOT / "docs")
    shutil.copy(ROOT / "train_cli.py", tmp_path)
    for part in ("train", "dev"):
        for name in (f"squad/{part}-v1.1.json", f"data/sample/{part}.json", f"{part}.json"):
            (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
            tiny.write(tmp_path / name, tiny.squad())
    first_id = tiny.squad()["data"][0]["paragraphs"][0]["qas"][0]["id"]
    (tmp_path / "predictions.json").write_text(f'{{"{first_id}": "x"}}', encoding="utf-8")
    return tmp_path


@pytest.fixture
def trained_checkout(checkout: Path, reader_run: Path, scorer_run: Path) -> Path:
    """The checkout after `make train`, with the runs on SQuAD that README and docs/ use later."""
    import shutil

    for run in (reader_run, scorer_run):  # drqa and logistic
        for folder in ("runs", "runs/quickstart"):
            shutil.copytree(run, checkout / folder / run.name)
    return checkout
