"""Mistakes on a command line: what is wrong, what was meant, what to do."""

import pytest

from squadqa.cli.options import positive
from squadqa.cli.parser import CommandParser
from squadqa.errors import ConfigError


def parser() -> CommandParser:
    made = CommandParser("paint", "Paint.", usage="WALL [options]", examples=[("red", "squadqa x")])
    made.add_argument("wall")
    made.add_argument("--colour", choices=("red", "green"), required=True)
    made.add_argument("--coats", type=positive, default=1)
    made.add_argument("--shift", type=float, default=0.0)
    return made


def test_valid_arguments_are_parsed() -> None:
    options = parser().parse_args(["north", "--colour=red", "--coats", "2", "--shift", "-1.5"])
    assert vars(options) == {"wall": "north", "colour": "red", "coats": 2, "shift": -1.5}


def test_after_two_dashes_nothing_is_an_option() -> None:
    assert parser().parse_args(["--colour", "red", "--", "--wall"]).wall == "--wall"


def test_a_value_with_spaces_is_not_an_option() -> None:
    assert parser().parse_args(["--colour", "red", "-- or not"]).wall == "-- or not"


@pytest.mark.parametrize(
    ("arguments", "what", "hint"),
    [
        # The misspelt option is named, not the missing one that was meant.
        (["north", "--color", "red"], 'unknown option "--color"', 'Did you mean "--colour"?'),
        (["north", "--color=red"], 'unknown option "--color"', 'Did you mean "--colour"?'),
        (["north", "--col", "red"], 'unknown option "--col"', '"--colour"'),
        (["north", "-c", "red"], 'unknown option "-c"', 'Known: "--coats"'),
        (["north", "--colour", "grean"], '--colour cannot be "grean"', 'Did you mean "green"?'),
        (["north", "--colour", "blue"], '--colour cannot be "blue"', 'Known: "green", "red".'),
        (["north", "--colour"], "--colour: expected one argument", ""),
        (["north"], "required: --colour", ""),
        (["--colour", "red"], "required: wall", ""),
        (["n", "s", "--colour", "red"], 'one argument too many: "s"', ""),
        (["n", "--colour", "red", "--coats", "0"], '"0" is not a whole number of 1 or more', ""),
        (["n", "--colour", "red", "--shift", "x"], "--shift: invalid float value: 'x'", ""),
    ],
)
def test_mistakes_are_named(arguments: list[str], what: str, hint: str) -> None:
    with pytest.raises(ConfigError) as caught:
        parser().parse_args(arguments)
    assert what in caught.value.what
    assert hint in caught.value.hint
    assert caught.value.next_step == "All options: squadqa paint --help"


def test_help_shows_the_examples(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as caught:
        parser().parse_args(["--help"])
    assert caught.value.code == 0
    shown = capsys.readouterr().out
    assert shown.startswith("usage: squadqa paint WALL [options]\n")
    assert shown.endswith("examples:\n  red:\n    squadqa x\n")
