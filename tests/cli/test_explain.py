"""`squadqa explain`: output and refusals."""

import io
import json
import re
import sys
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace

import pytest

from squadqa.cli.main import main
from squadqa.inference import explanation as module
from squadqa.inference.explanation import ExplainedSpan, Explanation

CONTEXT = "\nIda Moss kept the light.\nTom — her brother — sold the 🥐 boat. Rain fell."


@pytest.fixture
def context(tmp_path: Path) -> Path:
    path = tmp_path / "article.txt"
    path.write_bytes(CONTEXT.encode())
    return path


def shown_for(found: Explanation, monkeypatch: pytest.MonkeyPatch) -> None:
    """Let the command show a made-up explanation."""
    monkeypatch.setattr(module, "explain", lambda *arguments, **options: found)


def span(text: str, probability: float, **groups: float) -> ExplainedSpan:
    sentence = "Ida  and Tom\nslept."
    start = sentence.index(text)
    end = start + len(text)
    score = sum(groups.values())
    return ExplainedSpan(text, 10 + start, 10 + end, sentence, 10, probability, score, groups)


IDA, TOM = span("Ida", 0.5, lengths=1.0, words=0.25), span("Tom", 0.2, lengths=0.5, words=-1.0)
BOTH = span("Ida  and Tom", 0.1, lengths=0.25, words=0.25)


@pytest.mark.parametrize(
    ("runner_up", "gold", "facts", "rows"),
    [
        (
            TOM,
            BOTH,
            [
                "runner-up   Ida and [Tom] slept.",
                "gold        [Ida and Tom] slept.",
                'answers     "Ida and Tom"',
            ],
            [
                "             chosen  runner-up    gold  chosen - gold",
                "probability   0.500      0.200   0.100",
                "score         1.250     -0.500   0.500         +0.750",
                "lengths      +1.000     +0.500  +0.250         +0.750",
                "words        +0.250     -1.000  +0.250         +0.000",
            ],
        ),
        (
            TOM,
            TOM,
            [
                "runner-up   Ida and [Tom] slept.",
                "gold        the runner-up span",
                'answers     "Ida and Tom"',
            ],
            [
                "             chosen  runner-up  chosen - runner-up",
                "probability   0.500      0.200",
                "score         1.250     -0.500              +1.750",
                "words        +0.250     -1.000              +1.250",
                "lengths      +1.000     +0.500              +0.500",
            ],
        ),
        (
            None,
            IDA,
            ["gold        the chosen span", 'answers     "Ida and Tom"'],
            [
                "             chosen",
                "probability   0.500",
                "score         1.250",
                "lengths      +1.000",
                "words        +0.250",
            ],
        ),
        (
            None,
            None,
            ["gold        no candidate holds the first answer", 'answers     "Ida and Tom"'],
            None,
        ),
    ],
)
def test_readable_figures(
    runner_up: ExplainedSpan | None,
    gold: ExplainedSpan | None,
    facts: list[str],
    rows: list[str] | None,
    scorer_run: Path,
    data: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    references = ["Ida  and Tom", "Ida and\nTom"]
    shown_for(Explanation(" Who\nslept?", references, IDA, runner_up, gold), monkeypatch)
    assert main(["explain", str(scorer_run), "--data", str(data), "--id", "q0"]) == 0
    head, body = capsys.readouterr().out.split("\n\n")
    first = ["question    Who slept?", "chosen      [Ida] and Tom slept."]
    *reported, checkpoint = head.splitlines()
    assert reported == [*first, *facts]
    assert checkpoint.startswith(f"checkpoint  {scorer_run}/checkpoints/best.ckpt (epoch 1")
    if rows:
        assert body.splitlines() == rows


def test_a_question_by_its_id(
    scorer_run: Path, data: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    line = ["explain", str(scorer_run), "--data", str(data), "--id", "q1"]
    assert main([*line, "--json"]) == 0
    shown = capsys.readouterr().out
    assert shown.count("\n") == 1
    found = json.loads(shown)
    assert list(found) == [
        "question", "references", "chosen", "runner_up", "gold", "checkpoint",
    ]  # fmt: skip
    assert found["references"] == ["31", "31 years"]
    for name in ("chosen", "runner_up", "gold"):
        one = found[name]
        assert sum(one["groups"].values()) == pytest.approx(one["score"], abs=1e-5)
        begin = one["start"] - one["sentence_start"]
        assert one["sentence"][begin:].startswith(one["text"])

    assert main(line) == 0
    rows = capsys.readouterr().out.split("\n\n")[1].splitlines()
    assert {row.split()[0] for row in rows[3:]} == set(found["chosen"]["groups"])
    apart = [abs(float(row.split()[-1])) for row in rows[3:]]
    assert apart == sorted(apart, reverse=True)
    total = sum(float(row.split()[1]) for row in rows[3:])
    assert total == pytest.approx(float(rows[2].split()[1]), abs=0.0006 * len(rows))


def test_a_question_about_a_text(
    scorer_run: Path,
    context: Path,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    line = ["explain", str(scorer_run), "--question", "Who sold the boat?"]
    assert main([*line, "--context", str(context)]) == 0
    from_file = capsys.readouterr().out
    assert "question    Who sold the boat?\n" in from_file
    assert len(re.findall(r"\[.+\]", from_file)) == 2
    assert not re.search("^(gold|answers) ", from_file, re.MULTILINE)
    monkeypatch.setattr(sys, "stdin", SimpleNamespace(buffer=io.BytesIO(CONTEXT.encode())))
    assert main([*line, "--context", "-"]) == 0
    assert capsys.readouterr().out == from_file
    assert main([*line, "--context", str(context), "--json"]) == 0
    chosen = json.loads(capsys.readouterr().out)["chosen"]
    assert CONTEXT[chosen["start"] : chosen["end"]] == chosen["text"]


# What is refused


def test_an_unknown_id(scorer_run: Path, data: Path, refused: Callable[..., str]) -> None:
    said = refused("explain", scorer_run, "--data", data, "--id", "q11")
    assert said.splitlines() == [
        'none of the 8 questions has the id "q11"',
        '  Did you mean "q1"?',
        '  Name an id of the data, such as "q0".',
    ]


def test_a_run_that_cannot_be_explained(
    reader_run: Path, context: Path, refused: Callable[..., str]
) -> None:
    said = refused("explain", reader_run, "--context", context, "--question", "Who?")
    assert f'the run "{reader_run}" cannot be explained: DrQAReader' in said
    assert "Runs of LogisticScorer can be" in said


@pytest.mark.parametrize(
    ("options", "given"),
    [
        ([], "none"),
        (["--data", "dev.json"], "--data"),
        (["--id", "q1"], "--id"),
        (["--context", "-"], "--context"),
        (["--data", "dev.json", "--question", "Who?"], "--data and --question"),
        (
            ["--data", "dev.json", "--id", "q1", "--question", "Who?"],
            "--data and --id and --question",
        ),
    ],
)
def test_a_question_must_be_named_in_one_way(
    options: list[str], given: str, refused: Callable[..., str]
) -> None:
    said = refused("explain", "runs/x", *options)
    assert said.splitlines()[:2] == [
        f"cannot tell which question to explain: given {given}",
        "  It takes --data and --id, or --context and --question.",
    ]


def test_unreadable_inputs(
    scorer_run: Path, context: Path, data: Path, refused: Callable[..., str]
) -> None:
    asked = ("--context", context, "--question")
    assert "the question is empty" in refused("explain", scorer_run, *asked, " \n")
    assert "there is no run folder" in refused("explain", "runs/none", *asked, "Who?")
    missing = ("--data", data.with_name("dve.json"), "--id", "q1")
    assert 'Did you mean "dev.json"?' in refused("explain", scorer_run, *missing)
    context.write_text(" \n")
    assert "is empty" in refused("explain", scorer_run, *asked, "Who?")
