"""Checkouts of this project as the comparing tools use them: interpreter, configurations, options.

What differs between checkouts of different times, such as an option's name, stands here alone.
"""

import os
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from fnmatch import fnmatch
from pathlib import Path

import yaml

RUN_OPTIONS = ("--run_folder", "--run")
"""Names that the option for the run folder has had, newest first."""

CONFIGS, SAMPLE = "configs", "data/sample"
"""Folders of the configurations and of the sample data, in a checkout."""

BASES = {"features/word_in_question": "bidaf", "features/word_in_question_after": "bidaf"}
"""Complete configurations that a part is put on, where it is not `DEFAULT_BASE`."""

DEFAULT_BASE = "drqa"

THREADS = ("OMP_NUM_THREADS", "MKL_NUM_THREADS", "OPENBLAS_NUM_THREADS")
"""Environment variables that limit the threads of a process."""

OFFLINE = {
    "WANDB_MODE": "offline",
    "WANDB_ERROR_REPORTING": "false",
    "HF_HUB_OFFLINE": "1",
    "HF_DATASETS_OFFLINE": "1",
    "MPLBACKEND": "Agg",
}


class RunFailedError(Exception):
    """A training ended with an error.

    Args:
        message: The last thing that it said about it, in one line.
    """


@dataclass(frozen=True)
class Checkout:
    """A folder with the project's code, and the interpreter that runs it.

    Args:
        folder: The checkout, an absolute path.
        python: The interpreter, whose environment has the packages that the code needs.
    """

    folder: Path
    python: Path

    @property
    def configs(self) -> Path:
        """The folder of configurations."""
        return self.folder / CONFIGS

    @property
    def sample(self) -> Path:
        """The folder of the sample data."""
        return self.folder / SAMPLE

    @property
    def run_option(self) -> str:
        """The name of the option that says which folder a training makes."""
        texts = [path.read_text("utf-8") for path in (self.folder / "squadqa").rglob("*.py")]
        return next(
            (name for name in RUN_OPTIONS if any(f'"{name}"' in text for text in texts)),
            RUN_OPTIONS[-1],
        )

    @property
    def commit(self) -> str:
        """The commit, with `-dirty` where files differ from it; "unknown" outside of git."""
        done = subprocess.run(
            ["git", "describe", "--always", "--dirty", "--abbrev=12", "--exclude=*"],
            cwd=self.folder,
            capture_output=True,
            text=True,
        )
        return done.stdout.strip() or "unknown"

    def config_files(self) -> dict[str, Path]:
        """Find the complete configurations and the parts, by name; sweeps are neither."""
        files = {
            str(path.relative_to(self.configs).with_suffix("")): path
            for path in sorted(self.configs.rglob("*.yaml"))
        }
        return {name: path for name, path in files.items() if "method" not in _keys(path)}

    def config_options(self, name: str, *, extra: Sequence[str] = ()) -> list[str]:
        """Give the options that choose a configuration: a part comes after its base.

        Args:
            name: A name of `config_files`, such as "drqa" or "char_cnn/vgg".
            extra: Names of parts to put on top of it.
        """
        files = self.config_files()
        names = [name, *extra]
        if "seed_everything" not in _keys(files[name]):
            names.insert(0, BASES.get(name, DEFAULT_BASE))
        return [word for each in names for word in ("--config", str(files[each]))]

    def environment(
        self, *, cache: Path, threads: int, path: Sequence[Path] = ()
    ) -> dict[str, str]:
        """Give the environment of a process of this checkout.

        Args:
            cache: Folder of prepared data.
            threads: Threads of the process.
            path: Folders to import from besides the checkout.
        """
        kept = {key: text for key, text in os.environ.items() if not key.startswith("SQUADQA_")}
        limits = dict.fromkeys(THREADS, str(threads))
        own = {
            "SQUADQA_CACHE_DIR": str(cache),
            "PYTHONPATH": os.pathsep.join(map(str, [self.folder, *path])),
        }
        return {**kept, **OFFLINE, **limits, **own}

    def fit(
        self,
        options: Sequence[str],
        *,
        run: Path,
        cache: Path,
        threads: int = 1,
        path: Sequence[Path] = (),
        timeout: float,
    ) -> None:
        """Train with the checkout's own command line, on the CPU and without W&B.

        Args:
            options: Options of `train_cli.py fit`.
            run: The run folder to make; the process works in the folder that holds it.
            cache: Folder of prepared data.
            threads: Threads of the process.
            path: Folders to import from besides the checkout.
            timeout: Seconds after which the training is stopped.

        Raises:
            RunFailedError: The training failed, or took too long.
        """
        command = [str(self.python), str(self.folder / "train_cli.py"), "fit", *options]
        command += ["--wandb", "off", "--trainer.accelerator", "cpu", self.run_option, str(run)]
        try:
            done = subprocess.run(
                command,
                cwd=run.parent,
                env=self.environment(cache=cache, threads=threads, path=path),
                capture_output=True,
                text=True,
                timeout=timeout,
            )
        except subprocess.TimeoutExpired as error:
            raise RunFailedError(f"not finished after {timeout:.0f} seconds") from error
        if done.returncode:
            raise RunFailedError(what_failed(done.stderr) or f"exit code {done.returncode}")


def open_checkout(folder: str, python: str | None) -> Checkout:
    """Find a checkout and its interpreter.

    Args:
        folder: The checkout.
        python: The interpreter; None takes that of the checkout's `.venv`, or where it has none
            the one that runs this program.

    Raises:
        FileNotFoundError: There is no checkout, or no interpreter.
        ValueError: The interpreter imports the code of another checkout.
    """
    root = Path(folder).resolve()
    if not (root / "train_cli.py").is_file():
        raise FileNotFoundError(f'"{folder}" is no checkout: it has no train_cli.py')
    own = root / ".venv" / "bin" / "python"
    # Not resolved: an environment's interpreter is a link to another one.
    interpreter = Path(python or (own if own.is_file() else sys.executable)).absolute()
    if not interpreter.is_file():
        raise FileNotFoundError(f'there is no interpreter "{interpreter}"')
    checkout = Checkout(root, interpreter)
    imported = subprocess.run(
        [interpreter, "-c", "import squadqa; print(squadqa.__file__)"],
        cwd=root.parent,
        env=checkout.environment(cache=root, threads=1),
        capture_output=True,
        text=True,
    )
    if not imported.stdout.startswith(f"{root}{os.sep}"):
        found = imported.stdout.strip() or what_failed(imported.stderr)
        raise ValueError(f'"{interpreter}" does not import the code of "{root}": {found}')
    return checkout


def chosen_names(names: Sequence[str], patterns: Sequence[str]) -> list[str]:
    """Choose configurations by name.

    Args:
        names: Those there are.
        patterns: Names, or patterns such as "char_cnn/*"; none chooses all.

    Raises:
        ValueError: A pattern matches no name.
    """
    for pattern in patterns:
        if not any(fnmatch(name, pattern) for name in names):
            raise ValueError(f'no configuration is called "{pattern}"; known: {", ".join(names)}')
    return [name for name in names if not patterns or any(fnmatch(name, p) for p in patterns)]


def what_failed(stderr: str) -> str:
    """Find in what a process wrote to stderr what went wrong, as one line.

    Args:
        stderr: Everything that it wrote there.
    """
    lines = [line.strip() for line in stderr.splitlines() if line.strip()]
    told = [line.partition("error:")[2].strip() for line in lines if "squadqa: error:" in line]
    return (told or lines or [""])[-1]


def _keys(path: Path) -> set[str]:
    return set(yaml.safe_load(path.read_text(encoding="utf-8")))
