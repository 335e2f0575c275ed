"""The program `squadqa`: finds the command, and says what went wrong."""

import errno
import os
import re
import sys
import traceback
from collections.abc import Sequence
from importlib import import_module

from squadqa import __version__
from squadqa.cli.console import bold
from squadqa.cli.openmp import wait_briefly
from squadqa.cli.road import road
from squadqa.cli.streams import safe_streams
from squadqa.errors import ConfigError, SquadQAError, did_you_mean
from squadqa.files import WRITE_ONLY, system_error
from squadqa.training.processes import require_ranks

COMMANDS = {
    "quickstart": "squadqa.cli.quickstart",
    "init-config": "squadqa.cli.init_config",
    "check": "squadqa.cli.check",
    "train": "squadqa.cli.train",
    "sweep": "squadqa.cli.sweep",
    "ablate": "squadqa.cli.ablate",
    "debug-data": "squadqa.cli.debug_data",
    "prepare": "squadqa.cli.prepare",
    "convert": "squadqa.cli.convert",
    "candidates": "squadqa.cli.candidates",
    "baseline": "squadqa.cli.baseline",
    "evaluate": "squadqa.cli.evaluate",
    "predict": "squadqa.cli.predict",
    "compare": "squadqa.cli.compare",
    "report": "squadqa.cli.report",
    "ensemble": "squadqa.cli.ensemble",
    "export": "squadqa.cli.export",
    "answer": "squadqa.cli.answer",
    "explain": "squadqa.cli.explain",
    "demo": "squadqa.cli.demo",
    "features": "squadqa.cli.features",
    "models": "squadqa.cli.models",
    "bench": "squadqa.cli.bench",
}
"""The commands' modules: each has a line of help `HELP` and a `main(arguments) -> exit code`."""

HIDDEN = {"lightning": "squadqa.cli.train_cli"}
"""The command of train_cli.py, not listed in the help, as it has its own."""

EXAMPLES = """\
examples:
  squadqa quickstart
  squadqa answer runs/drqa --context article.txt --question "Who built the mill?"
  squadqa evaluate --data dev-v1.1.json --predictions predictions.json"""

REFUSED = {
    *WRITE_ONLY,
    *(errno.EACCES, errno.EPERM, errno.ENAMETOOLONG, errno.ELOOP),
    *(errno.EISDIR, errno.ENOTDIR, errno.EIO, errno.ESTALE),
}
"""Errors of the system that a user can cause or mend: a full disk, a folder without permission."""


def main(argv: Sequence[str] | None = None) -> int:
    """Run a command.

    Args:
        argv: The words after the program's name; None takes the process's own.

    Returns:
        The exit code: 0, 1 if it was interrupted, 2 for a mistake in input or options.
    """
    arguments = list(sys.argv[1:] if argv is None else argv)
    wait_briefly(os.environ)
    debug = "--debug" in arguments
    if debug:
        arguments.remove("--debug")
    with safe_streams():
        return _reported(arguments, debug=debug)


def _reported(arguments: list[str], *, debug: bool) -> int:
    """Run a command, say what went wrong, and return the exit code."""
    try:
        _require_utf8(arguments)
        require_ranks()
        try:
            code = _run(arguments)
        except SystemExit as error:  # from argparse after --help, and from LightningCLI
            code = error.code if isinstance(error.code, int) else 2 if error.code else 0
        sys.stdout.flush()
        return code
    except SquadQAError as error:
        _print_error(error, debug=debug)
        return 2
    except KeyboardInterrupt:
        sys.stderr.write("\nsquadqa: interrupted\n")
        return 1
    except BrokenPipeError:  # the program that reads the output ended, such as `head`
        return 1
    except OSError as error:
        if error.errno not in REFUSED:
            raise
        _print_error(system_error(error), debug=debug)
        return 2


def _run(arguments: list[str]) -> int:
    if not arguments:
        print(road())
        return 0
    name, *rest = arguments
    if name in ("--help", "-h", "help"):
        print(_help())
        return 0
    if name == "--version":
        print(f"squadqa {__version__}")
        return 0
    if name not in COMMANDS and name not in HIDDEN:
        what = "option" if name.startswith("-") else "command"
        raise ConfigError(
            f'unknown {what} "{name}"',
            hint=did_you_mean(name, [*COMMANDS, "--help", "--version"]),
            next_step="All commands: squadqa --help",
        )
    code: int = import_module({**COMMANDS, **HIDDEN}[name]).main(rest)
    return code


def _require_utf8(arguments: list[str]) -> None:
    """Refuse a word whose bytes are no text: Python has made half a surrogate pair of each."""
    for before, word in zip(["", *arguments], arguments, strict=False):
        if word.isascii() or not re.search("[\ud800-\udfff]", word):
            continue
        option, is_given, value = word.partition("=")
        if not (is_given and option.startswith("--")):
            option, value = before, word
        shown = re.sub("[\udc80-\udcff]", lambda byte: f"\\x{ord(byte[0]) - 0xDC00:02x}", value)
        place = f"the value of {option}" if option.startswith("--") else "an argument"
        raise ConfigError(
            f'{place} is not UTF-8 text: "{shown}"',
            next_step="Type it on a terminal that uses UTF-8; rename a file of such a name.",
        )


def _help() -> str:
    width = max(map(len, COMMANDS))
    lines = [f"  {name:{width}}  {import_module(path).HELP}" for name, path in COMMANDS.items()]
    return "\n".join(
        [
            "usage: squadqa COMMAND [options]",
            "",
            "Train and use models that answer questions from a text (SQuAD v1.1).",
            "",
            "commands:",
            *lines,
            "",
            EXAMPLES,
            "",
            "Options of a command: squadqa COMMAND --help. --version shows the version;",
            "--debug shows where in the program an error came from.",
        ]
    )


def _print_error(error: SquadQAError, *, debug: bool) -> None:
    if debug:
        traceback.print_exception(error)
    label = bold("squadqa: error:", stream=sys.stderr)
    lines = [f"{label} {_one_line(error.what)}"]
    lines += [f"  {_one_line(line)}" for line in (error.hint, error.next_step) if line]
    sys.stderr.write("\n".join(lines) + "\n")


def _one_line(text: str) -> str:
    return " ".join(text.splitlines())


if __name__ == "__main__":
    sys.exit(main())
