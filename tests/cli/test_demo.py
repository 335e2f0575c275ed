"""`squadqa demo`: what it says, how it ends, and what it refuses."""

import json
import os
import re
import signal
import time
import urllib.request
from collections.abc import Callable
from pathlib import Path

import pytest

from squadqa.cli import demo as module
from squadqa.cli.main import main
from squadqa.demo.page import examples
from squadqa.demo.server import DemoServer
from tests.support.forked import Command


@pytest.fixture
def stopped_at_once(monkeypatch: pytest.MonkeyPatch) -> list[DemoServer]:
    """Servers that were started; each is stopped at once, as by Ctrl+C."""
    started: list[DemoServer] = []

    def serve(self: DemoServer, poll_interval: float = 0.5) -> None:
        started.append(self)
        raise KeyboardInterrupt

    monkeypatch.setattr(DemoServer, "serve_forever", serve)
    return started


def test_from_the_command_to_an_answer_and_to_its_end(reader_run: Path, tmp_path: Path) -> None:
    command = Command(tmp_path, "demo", reader_run, "--port", 0, "--device", "cpu")
    shown, end = tmp_path / "output-0.out", time.monotonic() + 45
    while "Ctrl+C" not in shown.read_text() and time.monotonic() < end:
        time.sleep(0.05)
    url = re.findall(r"http://\S+", shown.read_text())
    if not url:
        os.kill(command.process, signal.SIGINT)
        pytest.fail(str(command.wait()))
    first = examples()[0]
    asked = {"model": 0, "context": first.context, "question": first.questions[0], "n_best": 2}
    request = urllib.request.Request(
        f"{url[0]}api/answer", json.dumps(asked).encode(), {"Content-Type": "application/json"}
    )
    with urllib.request.urlopen(request, timeout=20) as reply:
        answers = json.loads(reply.read())["answers"]
    assert answers[0]["text"] in first.context
    os.kill(command.process, signal.SIGINT)
    done = command.wait()
    assert done.code == 0
    assert "Traceback" not in done.err
    assert f"opening {reader_run} (1 of 1)" in done.err


def test_the_ready_model(
    ready: Path, stopped_at_once: list[DemoServer], capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["demo"]) == 0
    assert [model.name for model in stopped_at_once[0].models] == ["house"]
    assert "opening house (1 of 1)" in capsys.readouterr().err


@pytest.mark.usefixtures("nothing_ready")
def test_the_runs_of_quickstart(
    trained_checkout: Path,
    stopped_at_once: list[DemoServer],
    capsys: pytest.CaptureFixture[str],
) -> None:
    assert main(["demo"]) == 0
    (server,) = stopped_at_once
    assert [model.name for model in server.models] == ["drqa", "logistic"]
    out, err = capsys.readouterr()
    assert re.fullmatch(
        r"The demo is ready after [\d.]+ s: http://127\.0\.0\.1:\d+/\nPress Ctrl\+C to stop it\.\n",
        out,
    )
    assert "letting logistic answer once\n" in err
    assert server.fileno() == -1  # closed


def test_the_browser(
    reader_run: Path, stopped_at_once: list[DemoServer], monkeypatch: pytest.MonkeyPatch
) -> None:
    opened: list[str] = []
    monkeypatch.setattr(module, "_open_browser", opened.append)
    assert main(["demo", str(reader_run), "--open", "--port", "0"]) == 0
    assert opened == [stopped_at_once[0].url]
    assert main(["demo", str(reader_run)]) == 0
    assert len(opened) == 1


def test_a_usual_port_that_is_taken_is_no_error(
    reader_run: Path, stopped_at_once: list[DemoServer], monkeypatch: pytest.MonkeyPatch
) -> None:
    with DemoServer([], host="127.0.0.1", port=0, on_error=print) as other:
        port = other.server_address[1]
        monkeypatch.setattr(module, "PORT", port)
        assert main(["demo", str(reader_run)]) == 0
        assert stopped_at_once[0].models


@pytest.mark.usefixtures("nothing_ready")
def test_what_is_refused(
    refused: Callable[..., str], reader_run: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    said = refused("demo")
    assert said.startswith("no run is named, squadqa came without its ready model, and ")
    assert "squadqa quickstart" in said
    said = refused("demo", *[reader_run] * 5)
    assert said.startswith("5 runs do not fit on the page: at most 4 do\n")
    assert '"65536" is not a port' in refused("demo", reader_run, "--port", "65536")
    assert '"-1" is not a port' in refused("demo", reader_run, "--port=-1")
    with DemoServer([], host="127.0.0.1", port=0, on_error=print) as other:
        port = other.server_address[1]
        said = refused("demo", reader_run, "--port", port)
        assert said.startswith(f'cannot listen on "127.0.0.1", port {port}: ')
