"""Commands run like a user's, each in its own process, but without the time for imports.

A server process imports the modules of training once, and every command is a fork of it. So a
command can be stopped by real signals and changes nothing in the test's own process.
"""

import multiprocessing
import os
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from multiprocessing.context import ForkServerProcess
from pathlib import Path
from typing import Any

import yaml

from tests.support import tiny

_CONTEXT = multiprocessing.get_context("forkserver")
_CONTEXT.set_forkserver_preload(
    [
        "squadqa.cli.lightning",
        "squadqa.data.candidates.inputs",
        "squadqa.models",
        "tests.support.forked",
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
        forbid: A module that it cannot import.
    """

    def __init__(
        self,
        folder: Path,
        *arguments: object,
        stop: tuple[int, int] | None = None,
        environment: Mapping[str, str] | None = None,
        forbid: str | None = None,
    ) -> None:
        number = len(list(folder.glob("output-*.out")))
        self._output = folder / f"output-{number}"
        self._output.with_suffix(".out").touch()
        self._process: ForkServerProcess = _CONTEXT.Process(
            target=_run,
            args=(folder, self._output, [*map(str, arguments)], stop, environment or {}, forbid),
        )
        self._process.start()

    def wait(self) -> Done:
        """Wait for its end; kill it if it hangs."""
        self._process.join(timeout=240)
        if self._process.exitcode is None:
            self._process.kill()
            self._process.join()
        code = self._process.exitcode
        assert code is not None
        out, err = (self._output.with_suffix(ending).read_text() for ending in (".out", ".err"))
        return Done(code, out, err)


def squadqa(folder: Path, *arguments: object, **options: Any) -> Done:
    """Run a command to its end; the arguments are those of `Command`."""
    return Command(folder, *arguments, **options).wait()


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
    forbid: str | None,
) -> None:
    os.chdir(folder)
    os.environ.update(environment)
    for number, ending in ((1, ".out"), (2, ".err")):
        with output.with_suffix(ending).open("w") as file:
            os.dup2(file.fileno(), number)
    if forbid:
        assert forbid not in sys.modules
        sys.modules[forbid] = None  # type: ignore[assignment]
    if stop:
        _stop_after(*stop)
    from squadqa.cli.main import main

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
