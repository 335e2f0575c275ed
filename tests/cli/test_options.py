"""Shared parts of commands: types of arguments, options, and checks of options."""

import argparse
import io
import sys
from pathlib import Path
from types import SimpleNamespace

import pytest

from squadqa.cli import options as module
from squadqa.cli.options import (
    GENERATORS,
    add_cache_options,
    add_context_option,
    add_data_option,
    add_json_option,
    add_limit_options,
    add_run_options,
    annotated_data,
    default_bad_answers,
    device,
    make_generator,
    natural,
    positive,
    positive_number,
    read_context,
    require_question,
)
from squadqa.cli.parser import CommandParser
from squadqa.data.candidates import generators
from squadqa.data.squad import Source
from squadqa.errors import ConfigError, DataError
from tests.support import tiny


def parser() -> CommandParser:
    return CommandParser("try", "Try.", examples=[("it", "squadqa try")])


# Types of arguments


@pytest.mark.parametrize("text", ["0", "-1", "1.5", "", "many", "²"])
def test_invalid_positive_whole_numbers(text: str) -> None:
    with pytest.raises(argparse.ArgumentTypeError, match="is not a whole number of 1 or more"):
        positive(text)


@pytest.mark.parametrize("text", ["-1", "1.5", "", "deep", "²"])
def test_invalid_natural_numbers(text: str) -> None:
    with pytest.raises(argparse.ArgumentTypeError, match="is not a whole number of 0 or more"):
        natural(text)


def test_whole_numbers() -> None:
    assert (natural("0"), natural("12"), positive("1"), positive("12")) == (0, 12, 1, 12)


@pytest.mark.parametrize("text", ["0", "-1", "0.0", "1e-999", "inf", "nan", "1e999", "", "many"])
def test_invalid_positive_numbers(text: str) -> None:
    with pytest.raises(argparse.ArgumentTypeError, match=f'"{text}" is not a number above 0'):
        positive_number(text)


@pytest.mark.parametrize(("text", "number"), [("0.5", 0.5), ("30", 30.0), ("1e-3", 0.001)])
def test_positive_numbers(text: str, number: float) -> None:
    assert positive_number(text) == number


@pytest.mark.parametrize("text", ["auto", "cpu", "cuda", "cuda:1"])
def test_devices(text: str) -> None:
    assert device(text) == text


@pytest.mark.parametrize("text", ["gpu", "cuda:", "cuda:1 ", ""])
def test_invalid_devices(text: str) -> None:
    with pytest.raises(argparse.ArgumentTypeError, match="is no device; there are auto"):
        device(text)


# Options


def test_a_run_may_be_optional() -> None:
    wanted, optional = parser(), parser()
    add_run_options(wanted)
    add_run_options(optional, run_is_optional=True)
    chosen = ["runs/x", "--checkpoint", "last", "--device", "cpu", "--trust", "mine"]
    named = {"run_folder": "runs/x", "checkpoint": "last", "device": "cpu", "trust": ["mine"]}
    assert vars(wanted.parse_args(chosen)) == vars(optional.parse_args(chosen)) == named
    defaults = {"run_folder": None, "checkpoint": None, "device": "auto", "trust": []}
    assert vars(optional.parse_args([])) == defaults
    with pytest.raises(ConfigError, match="required: RUN_FOLDER"):
        wanted.parse_args([])


@pytest.mark.parametrize("required", [True, False])
def test_data_and_context_may_be_optional(required: bool) -> None:
    made = parser()
    add_data_option(made, "questions", required=required)
    add_context_option(made, required=required)
    if required:
        with pytest.raises(ConfigError, match="required: --data, --context"):
            made.parse_args([])
    else:
        assert vars(made.parse_args([])) == {
            "data": None,
            "columns": None,
            "find_answers": "error",
            "context": None,
        }


def test_defaults_of_the_other_options() -> None:
    made = parser()
    add_cache_options(made)
    add_limit_options(made)
    add_json_option(made)
    assert vars(made.parse_args([])) == {
        "cache_dir": None,
        "workers": 0,
        "max_tokens": 20,
        "max_candidates": 2000,
        "json": False,
    }


# Generators of candidates


def test_names_and_limits_are_those_of_the_generators() -> None:
    assert tuple(generators.GENERATORS) == GENERATORS
    limits = {"max_tokens": module.MAX_TOKENS, "max_candidates": module.MAX_CANDIDATES}
    assert vars(generators.NGrams()) == limits


@pytest.mark.parametrize("name", GENERATORS)
def test_a_generator_gets_its_limits(name: str) -> None:
    options = argparse.Namespace(max_tokens=7, max_candidates=9)
    made = make_generator(name, options, depth=None)
    assert type(made).__name__ == name
    assert (made.max_tokens, made.max_candidates) == (7, 9)


def test_only_dependency_runs_have_a_depth() -> None:
    options = argparse.Namespace(max_tokens=7, max_candidates=9)
    depths = [vars(make_generator(name, options, depth=2)).get("depth") for name in GENERATORS]
    assert depths == [2, None, None]
    assert vars(make_generator("DependencyRuns", options, depth=None))["depth"] == 0


# Data


def test_annotated_data_need_answers(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "DEFAULT_PIPELINE", None)
    good = tiny.write(tmp_path / "dev.json", tiny.squad())
    bare = tiny.write(tmp_path / "bare.json", tiny.one_question(answers=[]))
    options = argparse.Namespace(
        data=str(good),
        columns=None,
        find_answers="error",
        cache_dir=str(tmp_path / "cache"),
        workers=1,
    )
    assert len(annotated_data(options).ids) == 8
    options.data = str(bare)
    with pytest.raises(DataError, match="1 of 1 questions have no answers"):
        annotated_data(options)


@pytest.mark.parametrize(
    ("source", "expected"),
    [
        (Source("data/train-v1.1.json"), "error"),
        (Source("train/dev.json"), "keep"),
        (Source("rajpurkar/squad", "train"), "error"),
        (Source("own/training_set", "validation"), "keep"),
    ],
)
def test_bad_answers_stop_training_data(source: Source, expected: str) -> None:
    assert default_bad_answers(source) == expected


# Texts and files


def stdin(content: bytes, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "stdin", SimpleNamespace(buffer=io.BytesIO(content)))


def test_a_context_keeps_its_characters(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    text = "In 1854\r\nIda — nobody knew why.\n"
    path = tmp_path / "article.txt"
    path.write_bytes(b"\xef\xbb\xbf" + text.encode())
    assert read_context(str(path)) == text
    stdin(text.encode(), monkeypatch)
    assert read_context("-") == text


@pytest.mark.parametrize("content", [b"", b" \n\t", b"\xef\xbb\xbf"])
def test_an_empty_context(content: bytes, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "article.txt"
    path.write_bytes(content)
    with pytest.raises(DataError, match=f'the context "{path}" is empty'):
        read_context(str(path))
    stdin(content, monkeypatch)
    with pytest.raises(DataError, match="the context standard input is empty"):
        read_context("-")


def test_a_context_that_cannot_be_read(tmp_path: Path) -> None:
    path = tmp_path / "article.txt"
    path.write_bytes(b"na\xefve")
    for name, what in (
        (tmp_path / "none.txt", "No such file"),
        (tmp_path, "Is a directory"),
        (path, r"is not UTF-8 text \(byte 2\)"),
    ):
        with pytest.raises(DataError, match=what):
            read_context(str(name))


def test_an_empty_question() -> None:
    require_question("Who?")
    with pytest.raises(DataError, match="the question is empty"):
        require_question(" \n")
