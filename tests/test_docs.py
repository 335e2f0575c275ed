"""The pages of docs/: their commands can be parsed, and their links work."""

import re
import shlex
from pathlib import Path
from typing import Any

import pytest
import torch

import squadqa
from squadqa.cli.main import main
from tests.benchmark.test_record import BENCHMARK
from tests.support.pages import anchors, blocks, links, prompted
from tests.support.runs import ROOT
from tests.support.shortened import shorten

PAGES = {
    str(path.relative_to(ROOT)): path.read_text(encoding="utf-8")
    for path in (*ROOT.glob("*.md"), *ROOT.glob("docs/*.md"), ROOT / "results" / "README.md")
}
DOCUMENTED = dict.fromkeys(
    command
    for name, text in PAGES.items()
    if name.startswith("docs/")
    for command in prompted(text)
)
(SCORER,) = blocks(PAGES["docs/own_model.md"], "python")


@pytest.mark.parametrize("command", DOCUMENTED)
def test_command_can_be_parsed(
    command: str, trained_checkout: Path, begun: list[Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    if "own_reader" in command and "train" not in command:
        pytest.skip("tests/examples/test_own_reader.py runs it")
    (trained_checkout / "overlap.py").write_text(SCORER, encoding="utf-8")
    words = shlex.split(command)
    if words[0].startswith("PYTHONPATH="):
        monkeypatch.syspath_prepend(words.pop(0).partition("=")[2])
    program, *arguments = words
    if program == "torchrun":  # which reads its own options first
        from torch.distributed.run import get_args_parser

        read = get_args_parser().parse_args(arguments)
        program, arguments = "python", [read.training_script, *read.training_script_args]
    if program == "python":
        assert arguments[0] == "train_cli.py"
        program, arguments[0] = "squadqa", "lightning"
    assert program == "squadqa"
    if "squad.pack" in command and "prepare" not in command:
        line = ["prepare", "squad", "--no-annotate", "--pack", "squad.pack"]
        assert main(line) == 0
    if "--id" in arguments:  # of a question in SQuAD
        arguments[arguments.index("--id") + 1] = "q0"
    if arguments[0] == "bench":
        figures = BENCHMARK.models[0], torch.device("cpu")
        monkeypatch.setattr("squadqa.benchmark.measuring.measure", lambda *_: figures)
        if arguments[1].startswith("-"):  # of all models, whose configurations take a while
            arguments.insert(1, "bilstm")
    shorten(arguments[0], monkeypatch)
    if arguments[0] == "ablate":
        arguments += ["--without", "lengths", "--trainer.max_epochs", "1"]
    assert main(arguments) == 0
    trains = arguments[0] == "train" or arguments[:2] == ["lightning", "fit"]
    assert len(begun) == (trains and not {"--help", "--print_config"} & {*arguments})


def test_the_shown_scorer_trains_and_answers(
    checkout: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (checkout / "shown.py").write_text(SCORER, encoding="utf-8")
    monkeypatch.syspath_prepend(str(checkout))
    line = ["train", "--config", "configs/logistic.yaml", "--data", "sample", "--wandb", "off"]
    line += ["--model.scorer", "shown.OverlapScorer", "--data.inputs.pipeline", "null"]
    assert main([*line, "--run", "own"]) == 0
    run = squadqa.load("own", trust=["shown"])
    weights = run.model.state_dict()  # type: ignore[attr-defined]
    assert weights.keys() == {"weights.weight", "weights.bias"}
    assert torch.isfinite(weights["weights.weight"]).all()
    context = "Tom sold the boat. Ida Moss kept the lighthouse."
    assert run.answer(context, "Who kept the lighthouse?").text in context


@pytest.mark.parametrize("name", PAGES)
def test_links_work(name: str) -> None:
    folder = (ROOT / name).parent
    for path, heading in links(PAGES[name]):
        target = folder / path if path else ROOT / name
        assert target.exists(), path
        if heading:
            assert heading in anchors(target.read_text(encoding="utf-8")), f"{path}#{heading}"


@pytest.mark.parametrize("name", PAGES)
def test_named_files_exist(name: str) -> None:
    shown = re.findall(r"`((?:squadqa|configs|tests|tools|docs)/[\w/]+\.\w+)`", PAGES[name])
    assert [path for path in shown if not (ROOT / path).exists() and "NAME" not in path] == []
