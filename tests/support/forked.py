"""Commands run like a user's, each in its own process, but without the time for imports.

A server process imports the modules of training once and makes the parser once, and every command
is a fork of it. So a command can be stopped by real signals and changes nothing in the test's own
process.
"""

import faulthandler
import multiprocessing
import os
import resource
import shlex
import signal
import sys
import time
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from multiprocessing.context import ForkServerProcess
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.support import tiny
from tests.support.programs import LIMIT

_CONTEXT = multiprocessing.get_context("forkserver")
_CONTEXT.set_forkserver_preload(
    [
        "squadqa.cli.lightning",
        "squadqa.data.candidates.inputs",
        "squadqa.models",
        "pyarrow.parquet",
        "scipy.special",
        "spacy.lang.en",
        "tests.support.forked",
        "tests.support.shared_parser",
    ]
)


@dataclass(frozen=True)
class Done:
    """A command that has ended.

    Args:
        code: Its exit code; minus the signal's number if a signal killed it.
        out: Its standard output.
        err: Its standard error.
    """

    code: int
    out: str
    err: str


class Command:
    """A command that is running; `wait` for it.

    Args:
        folder: Its working folder, which also gets its output.
        arguments: The words after `squadqa`.
        stop: A signal that it sends to itself, and the optimiser step after which it does.
        environment: Further environment variables.
        forbid: Packages that it cannot import, though the server may have imported them.
        kill: The number of the change of its folder at which it is killed (see
            `tests.support.killed`); 0 only writes all changes to changes.log, one a line.
        most_bytes: The largest file that it can write.
        limit: Seconds after which it is killed, and the test fails.
    """

    def __init__(
        self,
        folder: Path,
        *arguments: object,
        stop: tuple[int, int] | None = None,
        environment: Mapping[str, str] | None = None,
        forbid: Collection[str] = (),
        kill: int | None = None,
        most_bytes: int | None = None,
        limit: float = LIMIT,
    ) -> None:
        self._line = shlex.join(["squadqa", *map(str, arguments)])
        self._limit = limit
        number = len(list(folder.glob("output-*.out")))
        self._output = folder / f"output-{number}"
        for ending in (".out", ".err"):
            self._output.with_suffix(ending).touch()
        self._process: ForkServerProcess = _CONTEXT.Process(
            target=_run,
            args=(
                *(folder, self._output, [*map(str, arguments)]),
                *(stop, environment or {}, forbid, kill, most_bytes, limit),
            ),
        )
        self._process.start()  # waits for the server, which imports for some seconds at first
        self._deadline = time.monotonic() + limit

    @property
    def process(self) -> int:
        """The number of its process."""
        assert self._process.pid is not None
        return self._process.pid

    def wait(self) -> Done:
        """Wait for its end; if it hangs it is killed, and the test fails."""
        return wait_for(self)[0]

    def _end(self) -> str:
        """Wait for its end, or until its time is up; return which it was, with its output."""
        self._process.join(timeout=max(0.0, self._deadline - time.monotonic()))
        code = self._process.exitcode
        if code is None:
            self._process.kill()
            self._process.join()
        done = self._done()
        how = f"hung for {self._limit:.0f} s" if code is None else f"ended with {code}"
        return f"{how}: {self._line}\n{done.out}{done.err}"

    def _done(self) -> Done:
        code = self._process.exitcode
        assert code is not None
        out, err = (self._output.with_suffix(ending).read_text() for ending in (".out", ".err"))
        return Done(code, out, err)


def wait_for(*commands: Command) -> list[Done]:
    """Wait for commands that may need each other; if one hangs, show the outputs of all."""
    outputs = [command._end() for command in commands]
    if any(text.startswith("hung") for text in outputs):
        pytest.fail("\n".join(outputs), pytrace=False)
    return [command._done() for command in commands]


def squadqa(folder: Path, *arguments: object, **options: Any) -> Done:
    """Run a command to its end; the arguments are those of `Command`."""
    return Command(folder, *arguments, **options).wait()


def refused(folder: Path, *arguments: object) -> str:
    """Run a command that must be refused as a user's mistake, and return its message.

    Only prepared data may be new in its folder, and no run.
    """
    before = sorted(folder.rglob("*"))
    done = squadqa(folder, *arguments)
    assert done.code == 2, done.out + done.err
    assert "Traceback" not in done.err
    assert done.out == ""
    left, label, said = done.err.partition("squadqa: error: ")
    assert label
    assert 2 <= len(said.splitlines()) <= 3, said
    new = {path.parts[len(folder.parts)] for path in {*folder.rglob("*")} - {*before}}
    assert new <= {"output-0.out", "output-0.err", "cache", "runs"}, new
    assert not [*folder.glob("runs/*")]
    return said


def write_config(folder: Path, settings: Mapping[str, Any], **data: Any) -> Path:
    """Write a configuration for CPU, and its data if there are none yet.

    Args:
        folder: Gets config.yaml, train.json (four articles, 16 questions) and dev.json.
        settings: `tests.support.runs.READER` or `SCORER`.
        **data: Further options of the data.
    """
    for name, file in (("train.json", four_articles()), ("dev.json", tiny.squad())):
        if not (folder / name).exists():
            tiny.write(folder / name, file)
    defaults = {"train": "train.json", "test": "dev.json", "batch_size": 2, "cache_dir": "cache"}
    values = {
        "seed_everything": 1,
        "model": settings["model"],
        "data": {**defaults, **data, "inputs": settings["inputs"]},
        "trainer": {"max_epochs": 2, "accelerator": "cpu", "log_every_n_steps": 1},
    }
    config = folder / "config.yaml"
    config.write_text(yaml.safe_dump(values), encoding="utf-8")
    return config


def four_articles() -> tiny.Json:
    """The tiny SQuAD twice, under other titles and ids."""
    first, second = tiny.squad(), tiny.squad()
    for article in second["data"]:
        article["title"] += " again"
        for paragraph in article["paragraphs"]:
            for row in paragraph["qas"]:
                row["id"] += "-again"
    return tiny.join(first, second)


def _run(
    folder: Path,
    output: Path,
    arguments: list[str],
    stop: tuple[int, int] | None,
    environment: Mapping[str, str],
    forbid: Collection[str],
    kill: int | None,
    most_bytes: int | None,
    limit: float,
) -> None:
    os.chdir(folder)
    os.environ.update(environment)
    for number, ending in ((1, ".out"), (2, ".err")):
        with output.with_suffix(ending).open("w") as file:
            os.dup2(file.fileno(), number)
    # If it hangs, its output shows where before it is killed.
    faulthandler.dump_traceback_later(0.9 * limit, file=2)
    assert "pytorch_lightning" in sys.modules, "the server could not import it"
    if "LOCAL_RANK" in environment:
        from pytorch_lightning.utilities import rank_zero_only

        # As if Lightning had been imported with this variable set; the server has none.
        rank_zero_only.rank = int(environment["LOCAL_RANK"])
    for package in forbid:
        for name in [name for name in sys.modules if name.partition(".")[0] == package]:
            del sys.modules[name]
        sys.modules[package] = None  # type: ignore[assignment]
    if stop:
        _stop_after(*stop)
    from squadqa.cli.main import main

    if most_bytes is not None:
        signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
        resource.setrlimit(resource.RLIMIT_FSIZE, (most_bytes, most_bytes))
    if kill is not None:
        from tests.support.killed import Killer

        log = folder / "changes.log"
        Killer(folder, ignore="output-", at=kill, log=log).install()
    sys.exit(main(arguments))


def _stop_after(number: int, step: int) -> None:
    import pytorch_lightning as pl

    from squadqa.cli import lightning

    class Stop(pl.Callback):
        def on_train_batch_end(self, trainer: pl.Trainer, *_: Any) -> None:
            if trainer.global_step == step:
                os.kill(os.getpid(), number)

    make_trainer = lightning.make_trainer

    def stopping(options: Any, *, callbacks: Any = (), **more: Any) -> pl.Trainer:
        return make_trainer(options, callbacks=[Stop(), *callbacks], **more)

    lightning.make_trainer = stopping  # type: ignore[assignment]
