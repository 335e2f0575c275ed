"""`squadqa demo`: ask trained runs on a local page."""

import argparse
import sys
import threading
import time
import traceback
from pathlib import Path

from squadqa.cli.console import bold
from squadqa.cli.options import add_opening_options, open_answerer
from squadqa.cli.parser import CommandParser
from squadqa.errors import ConfigError
from squadqa.package_files import READY_MODEL, ready_models
from squadqa.run_files import RUNS_FOLDER

HELP = "ask trained runs on a page in your browser"

QUICKSTART = Path(RUNS_FOLDER, "quickstart")
"""Where `squadqa quickstart` leaves its runs."""

LOOPBACK = "127.0.0.1"
"""The address that only programs on this machine can reach."""

PORT = 8765
"""The port of the page, unless another is named or this one is taken."""

MOST_PORT = 65_535
"""The largest number of a port."""


def main(arguments: list[str]) -> int:
    """Run the command.

    Args:
        arguments: The words after the command's name.

    Returns:
        The exit code: 0 after Ctrl+C.

    Raises:
        SquadQAError: A run or an option cannot be used.
    """
    began = time.monotonic()
    options = _parser().parse_args(arguments)
    _progress("starting")
    folders = _folders(options.runs)

    from squadqa.demo.models import MOST_MODELS, make_models, wait_for, warm_up
    from squadqa.demo.page import examples
    from squadqa.demo.server import DemoServer

    if len(folders) > MOST_MODELS:
        raise ConfigError(
            f"{len(folders)} runs do not fit on the page: at most {MOST_MODELS} do",
            next_step="Name fewer runs, or let some answer together: squadqa ensemble --help",
        )
    server = DemoServer([], host=options.host, port=_port(options), on_error=_report)
    with server:
        first = examples()[0]
        opened = []
        for number, folder in enumerate(folders, start=1):
            _progress(f"opening {folder} ({number} of {len(folders)})")
            options.run_folder = folder
            opened.append((folder, open_answerer(options)))
        server.models = make_models(opened)
        for model in server.models:
            _progress(f"letting {model.name} answer once")
            warm_up(model, first.context, first.questions[0])
        seconds = time.monotonic() - began
        print(f"The demo is ready after {seconds:.1f} s: {bold(server.url)}")
        print("Press Ctrl+C to stop it.", flush=True)
        if options.open:
            threading.Thread(target=_open_browser, args=[server.url], daemon=True).start()
        try:
            server.serve_forever()
        except KeyboardInterrupt:
            sys.stderr.write("\n")
    wait_for(server.models)
    return 0


def _folders(named: list[str]) -> list[str]:
    """Return the runs to show: those named, or the ready model.

    Without a ready model, those that `squadqa quickstart` left.
    """
    from squadqa.inference.run_folder import list_runs

    folders = named or list({READY_MODEL} & {*ready_models()}) or list_runs(QUICKSTART)
    if not folders:
        raise ConfigError(
            f'no run is named, squadqa came without its ready model, and "{QUICKSTART}" has none',
            next_step="Name a run folder, or train two models first: squadqa quickstart",
        )
    return folders


def _port(options: argparse.Namespace) -> int:
    """Return the port to listen on: the usual one may be taken, by another demo."""
    import socket

    if options.port is not None:
        return int(options.port)
    try:
        with socket.create_server((LOOPBACK, PORT)):
            return PORT
    except OSError:
        return 0


def _progress(line: str) -> None:
    sys.stderr.write(f"{line}\n")
    sys.stderr.flush()


def _report(error: BaseException) -> None:
    """Print an error of our own: the page says only that there was one."""
    sys.stderr.write("".join(traceback.format_exception(error)))
    sys.stderr.flush()


def _open_browser(url: str) -> None:
    import webbrowser

    if not webbrowser.open(url):
        sys.stderr.write(f"no browser could be opened: open {url} yourself\n")


def _read_port(text: str) -> int:
    if not text.isdecimal() or int(text) > MOST_PORT:
        raise argparse.ArgumentTypeError(f'"{text}" is not a port: a number from 0 to {MOST_PORT}')
    return int(text)


def _parser() -> CommandParser:
    parser = CommandParser(
        "demo",
        "Ask trained runs on a page in your browser: paste a text, ask, and see where each\n"
        "run finds the answer, how sure it is, and what else it considered.",
        usage="[RUN ...] [options]",
        examples=[
            ("two runs side by side", "squadqa demo runs/quickstart/drqa runs/quickstart/logistic"),
            ("the model that comes with squadqa, in the browser at once", "squadqa demo --open"),
        ],
    )
    parser.add_argument(
        "runs",
        metavar="RUN",
        nargs="*",
        help="runs, models or ensembles, up to four (default: the ready model)",
    )
    parser.add_argument("--open", action="store_true", help="open the page in the browser")
    parser.add_argument(
        "--port",
        metavar="N",
        type=_read_port,
        help=f"port of the page; 0 takes a free one (default: {PORT}, or a free one)",
    )
    parser.add_argument(
        "--host",
        metavar="NAME",
        default=LOOPBACK,
        help="address to listen on; 0.0.0.0 shows the page to your whole network\n"
        "(default: this machine alone)",
    )
    add_opening_options(parser)
    return parser
