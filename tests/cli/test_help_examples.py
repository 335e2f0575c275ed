"""The examples in the help of commands that look at runs and data can be run as they stand."""

import shlex
from importlib import import_module
from pathlib import Path

import pytest

from squadqa.cli.main import COMMANDS, main

EXAMPLES = [
    line.strip()
    for name in ("compare", "debug-data", "export", "report")
    for line in import_module(COMMANDS[name])._parser().epilog.splitlines()
    if line.startswith("    squadqa ")
]


@pytest.mark.parametrize("line", EXAMPLES)
def test_example_runs(
    line: str, trained_checkout: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    before = {*trained_checkout.iterdir()}
    assert main(shlex.split(line)[1:]) == 0
    assert capsys.readouterr().out
    made = {path.name for path in {*trained_checkout.iterdir()} - before}
    words = shlex.split(line)
    named = {word for word in words if word.endswith((".html", ".onnx"))}
    named |= {value for option, value in zip(words, words[1:], strict=False) if option == "--model"}
    assert made - {"cache"} == named
