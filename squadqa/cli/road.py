"""The first steps with squadqa, one after the other: what `squadqa` without a command shows."""

from squadqa.cli.console import bold
from squadqa.package_files import READY_MODEL, ready_models

ASK = (
    "ask the model that comes along",
    'echo "Ada built it in 1820." | '
    f'squadqa answer {READY_MODEL} --context - --question "Who built it?"',
)
"""The first step, where the ready model is installed."""

STEPS = (
    ("train a baseline and a reader on the bundled sample", "squadqa quickstart"),
    ("train a reader on SQuAD", "squadqa train --config configs/drqa.yaml --data squad"),
    (
        "look at a run: scores, slices, curves, every question",
        "squadqa report runs/quickstart/drqa --data sample --output report.html",
    ),
    (
        "compare two runs: who wins, where, and how surely",
        "squadqa compare runs/quickstart/drqa runs/quickstart/logistic --data sample",
    ),
    (
        "ask them on a page in your browser",
        "squadqa demo runs/quickstart/drqa runs/quickstart/logistic",
    ),
)
"""The other steps: what each is for, and its command line."""


def road() -> str:
    """Return the steps as text for a terminal."""
    steps = (ASK, *STEPS) if READY_MODEL in ready_models() else STEPS
    lines = ["Train and use models that answer questions from a text (SQuAD v1.1).", ""]
    for number, (purpose, command) in enumerate(steps, start=1):
        lines += [f"  {number}. {purpose}", f"     {bold(command)}"]
    return "\n".join(
        [*lines, "", "All commands: squadqa --help. Options of one: squadqa COMMAND --help."]
    )
