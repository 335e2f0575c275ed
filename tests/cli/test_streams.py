"""Standard streams that are closed, full, no terminal of UTF-8, or a terminal that obeys texts."""

import io
import json
import os
import pty
import subprocess
import sys
from collections.abc import Callable, Sequence
from pathlib import Path

import pytest

from squadqa.cli.main import main
from squadqa.cli.streams import BOLD, PLAIN, REDRAW, SafeStream, visible
from squadqa.errors import OutputError
from tests.support import tiny
from tests.support.programs import run_program

SQUADQA = [sys.executable, "-m", "squadqa.cli.main"]
EVIL = "\x1b]0;owned\x07\x1b[2J\x9b31m\x1b[31mred\r\u202egnp\b"
SHOWN = "\\x1b]0;owned\\x07\\x1b[2J\\x9b31mred\\r\\u202egnp\\x08"


@pytest.fixture
def files(tmp_path: Path) -> Path:
    """A folder with data, predictions of them, and a text."""
    tiny.write(tmp_path / "dev.json", tiny.one_question())
    (tmp_path / "predictions.json").write_text('{"only": "cat"}')
    (tmp_path / "text.txt").write_text("word " * 40 + "Ada built a mill. " + "word " * 40)
    return tmp_path


def shell(line: str, folder: Path, **environment: str) -> "subprocess.CompletedProcess[str]":
    """Run a line of bash in which $SQ is the program."""
    words = " ".join(f'"{word}"' for word in SQUADQA)
    return run_program(["bash", "-c", line.replace("$SQ", words)], cwd=folder, **environment)


SCORE = "$SQ evaluate --data dev.json --predictions predictions.json"
MISTAKE = "$SQ evaluate --data dev.json --predictions none.json"


# Words, and encodings


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["--question", b"Who \xff?"], 'the value of --question is not UTF-8 text: "Who \\xff?"'),
        ([b"--question=Who \xff?"], 'the value of --question is not UTF-8 text: "Who \\xff?"'),
        ([b"runs/\xe9\x80"], 'an argument is not UTF-8 text: "runs/\\xe9\\x80"'),
    ],
)
def test_words_that_are_not_utf8(
    words: Sequence[str | bytes], said: str, refused: Callable[..., str]
) -> None:
    assert said in refused("answer", *map(os.fsdecode, words))


def test_words_in_another_script_are_no_mistake(refused: Callable[..., str]) -> None:
    assert 'no run folder "läufe/🥐"' in refused(
        "answer", "läufe/🥐", "--context", __file__, "--question", "Кто?"
    )


def test_a_text_that_is_not_utf8_from_standard_input(files: Path) -> None:
    line = "printf 'na\\xefve' | $SQ answer run --context - --question Who?"
    done = shell(line, files)
    assert done.returncode == 2
    assert "the context standard input is not UTF-8 text (byte 2)" in done.stderr


@pytest.mark.slow(seconds=240)
@pytest.mark.parametrize("encoding", ["latin-1", "ascii", "utf-8:strict"])
def test_a_terminal_without_a_character_shows_its_number(
    encoding: str, files: Path, reader_run: Path
) -> None:
    command = [*SQUADQA, "answer", reader_run, "--context", "text.txt", "--question", "Wer – wo?"]
    done = run_program(command, cwd=files, PYTHONIOENCODING=encoding, PYTHONUTF8="0")
    assert done.returncode == 0, done.stderr
    assert ("\\u2026" in done.stdout) is not encoding.startswith("utf-8")
    assert done.stderr == ""


@pytest.mark.slow(seconds=120)  # a process that imports torch
def test_texts_of_other_scripts_in_the_locale_c(files: Path, reader_run: Path) -> None:
    (files / "läufe.txt").write_text("Zoé built – the mill.", encoding="utf-8")
    line = f"LC_ALL=C $SQ answer '{reader_run}' --context läufe.txt --question 'Who – built?'"
    done = shell(line, files)
    assert done.returncode == 0, done.stderr
    assert done.stderr == ""
    assert "Zoé" in done.stdout


# Closed and full streams


@pytest.mark.parametrize(
    ("line", "code", "said"),
    [
        (f"{SCORE} >&-", 0, ""),
        (f"{SCORE} 2>&-", 0, ""),
        (f"{SCORE} <&- >&- 2>&-", 0, ""),
        (f"{MISTAKE} 2>&-", 2, ""),
        (f"{MISTAKE} >&- 2>/dev/full", 2, ""),
        (f"{SCORE} 2>/dev/full", 0, ""),
        (f"{SCORE} >/dev/full", 2, "cannot write standard output: No space left on device"),
        ("$SQ --help >/dev/full", 2, "cannot write standard output: No space left on device"),
        ("$SQ train --help >/dev/full", 2, "cannot write standard output: No space left"),
        ("$SQ answer run --context - --question Who? <&-", 2, "standard input is empty"),
        (f"{SCORE} | true; exit ${{PIPESTATUS[0]}}", 1, ""),
    ],
)
def test_closed_and_full_streams(line: str, code: int, said: str, files: Path) -> None:
    if "| true" in line:  # `true` has surely ended when the program writes
        line = line.replace("| true", "| (exec <&-; sleep 0.1)")
    done = shell(line, files)
    assert said in done.stderr
    assert (done.stderr == "") is (said == "")
    assert done.returncode == code
    assert "Traceback" not in done.stderr + done.stdout


def test_files_do_not_get_the_number_of_a_closed_stream(files: Path) -> None:
    code = "import os; from squadqa.cli.streams import *\nwith safe_streams():\n os.open('x', 65)"
    line = f"'{sys.executable}' -c \"{code}; os.write(1, b'lost'); print('lost')\" >&-"
    done = shell(line, files)
    assert (done.returncode, done.stderr) == (0, "")
    assert (files / "x").read_bytes() == b""


def test_a_stream_that_fails_once_is_given_up() -> None:
    class Full(io.StringIO):
        def write(self, text: str) -> int:
            raise OSError(28, "No space left on device")

    with pytest.raises(OutputError, match="cannot write standard output: No space left on device"):
        SafeStream(Full(), name="standard output").write("x")
    assert SafeStream(Full(), name="").write("x") == 1


# Control characters


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


def test_control_characters_are_shown() -> None:
    assert visible(EVIL) == SHOWN
    assert visible("tab\tline\r\nend\n🥐é") == "tab\tline\nend\n🥐é"


@pytest.mark.parametrize(
    ("text", "on_terminal", "elsewhere"),
    [
        (f"{BOLD}a{PLAIN} b", f"{BOLD}a{PLAIN} b", "a b"),
        (f"{REDRAW}50 %", f"{REDRAW}50 %", "\\r\\x1b[K50 %"),
        ("\r 5it/s\r", "\r 5it/s\r", "\\r 5it/s\\r"),
        ("50 %\rall well", "50 %\\rall well", "50 %\\rall well"),
        ("\x1b[33mwandb\x1b[39m: x", "wandb: x", "wandb: x"),
        (EVIL, SHOWN, SHOWN),
    ],
)
def test_a_terminal_gets_only_our_own_emphasis(text: str, on_terminal: str, elsewhere: str) -> None:
    for stream, expected in ((Terminal(), on_terminal), (io.StringIO(), elsewhere)):
        assert SafeStream(stream, name="x").write(text) == len(text)
        assert stream.getvalue() == expected


def test_texts_ids_and_names_do_not_reach_a_terminal_as_they_are(files: Path) -> None:
    evil = EVIL.replace("\r", "")
    tiny.write(files / "dev.json", tiny.one_question(id=evil))
    (files / "other.json").write_text(json.dumps({f"{evil}2": "x"}))
    (files / f"{evil}.json").touch()
    tiny.write(files / "two.json", tiny.join(*2 * [tiny.one_question(f"{evil} cat", id=evil)]))
    for words in (
        ["--predictions", "other.json", "--data", "dev.json"],  # an id in a mistake
        ["--predictions", f"{evil}.json", "--data", "dev.json"],  # a file's name
        ["--predictions", "other.json", "--data", "two.json"],
        ["--predictions", "other.json", "--data", f"{evil[:-1]}.json"],
        [f"--{evil}"],
    ):
        shown = on_terminal([*SQUADQA, "evaluate", *words], files)
        assert "\\x1b]0;owned\\x07" in shown
        assert not set(shown.replace(BOLD, "").replace(PLAIN, "")) & set("\x1b\x07\x9b\b\u202e")


def test_an_answer_does_not_reach_a_terminal_as_it_is(files: Path, reader_run: Path) -> None:
    (files / "text.txt").write_text(f"{EVIL} {EVIL}")
    words = ["answer", str(reader_run), "--context", "text.txt", "--question", f"Who {EVIL}?"]
    shown = on_terminal([*SQUADQA, *words, "--n-best", "9"], files)
    assert "\\x1b]0" in shown
    assert not set(shown.replace(BOLD, "").replace(PLAIN, "")) & set("\x1b\x07\x9b\b\u202e")


def on_terminal(command: Sequence[str], folder: Path) -> str:
    """What a program writes on a terminal."""
    ours, its = pty.openpty()
    with subprocess.Popen(command, cwd=folder, stdin=its, stdout=its, stderr=its) as process:
        os.close(its)
        written = b""
        while True:
            try:
                more = os.read(ours, 1 << 16)
            except OSError:  # the other end is closed
                break
            written += more
        os.close(ours)
    assert process.returncode in (0, 2), written
    return written.decode().replace("\r\n", "\n")


# Pipes


def test_data_from_a_pipe_are_read_once(files: Path) -> None:
    line = "$SQ prepare /dev/stdin --no-annotate --vectors --cache-dir cache < <(cat dev.json)"
    done = shell(line, files)
    assert done.returncode == 0, done.stderr
    assert "questions      1\n" in done.stdout
    line = "$SQ evaluate --data <(cat dev.json) --predictions <(cat predictions.json)"
    done = shell(line, files)
    assert done.returncode == 0, done.stderr
    assert "100.00" in done.stdout


def test_a_pipe_that_would_be_read_twice_is_refused(
    files: Path, refused: Callable[..., str]
) -> None:
    pipe = files / "pipe.txt"
    os.mkfifo(pipe)
    data = files / "dev.json"
    assert "are not a regular file" in refused(
        "prepare", data, "--no-annotate", "--vectors", pipe, "--cache-dir", files
    )
    assert "is a pipe, and a configuration is read more than once" in refused(
        "train", "--config", pipe, "--data", files, "--run", files / "run"
    )


def test_streams_are_as_before_after_a_command(capsys: pytest.CaptureFixture[str]) -> None:
    before = (sys.stdin, sys.stdout, sys.stderr, sys.stdout.errors)
    assert main(["--version"]) == 0
    assert (sys.stdin, sys.stdout, sys.stderr, sys.stdout.errors) == before
