"""`squadqa quickstart`: a baseline and a reader on the bundled sample, and what came of them."""

import json
from pathlib import Path

from squadqa.cli.console import bold, minutes_text, table
from squadqa.cli.options import positive
from squadqa.cli.parser import CommandParser
from squadqa.run_files import PREDICTIONS, RESULTS

HELP = "train a baseline and a reader on the bundled sample (3 minutes)"

RUNS = (
    ("logistic", ("configs/logistic.yaml", "configs/data/sample.yaml")),
    ("drqa", ("configs/quickstart.yaml",)),
)
"""The runs, and the configurations that each is made of."""

SHOWN = 5
"""Questions to show with their answers."""


def main(arguments: list[str]) -> int:
    """Train both families on the sample and compare them.

    Args:
        arguments: The command line after `squadqa quickstart`.

    Returns:
        The exit code.
    """
    parser = CommandParser(
        "quickstart",
        "Train the logistic-regression baseline and a small DrQA reader on the bundled sample,\n"
        "score both, and show some answers.",
        examples=[
            ("as it is", "squadqa quickstart"),
            ("shorter, elsewhere", "squadqa quickstart --epochs 3 --runs /tmp/runs"),
        ],
    )
    parser.add_argument("--runs", metavar="FOLDER", default="runs", help="where the runs go")
    parser.add_argument(
        "--epochs", metavar="N", type=positive, help="passes over the questions, for both"
    )
    options = parser.parse_args(arguments)
    folder = _free_folder(Path(options.runs))

    from squadqa.cli.lightning import run

    for name, configs in RUNS:
        print(bold(f"\n{name}"), flush=True)
        line = ["fit", "--run_folder", str(folder / name)]
        for config in configs:
            line += ["--config", config]
        if options.epochs:
            line += ["--trainer.max_epochs", str(options.epochs)]
        if code := run(line):
            return code
    _compare(folder)
    return 0


def _free_folder(parent: Path) -> Path:
    folder, number = parent / "quickstart", 1
    while folder.exists():
        number += 1
        folder = parent / f"quickstart-{number}"
    return folder


def _compare(folder: Path) -> None:
    from squadqa.data.squad import find_source, read_squad
    from squadqa.evaluation.results import read_result

    results = {name: read_result(folder / name / RESULTS) for name, _ in RUNS}
    answers = {
        name: json.loads((folder / name / PREDICTIONS).read_text(encoding="utf-8"))
        for name, _ in RUNS
    }
    data = read_squad(find_source("sample"))
    print(bold(f"\nScores on the sample's {len(data.ids):,} dev questions"))
    rows = [["model", "parameters", "minutes", "EM", "F1"]]
    for name, result in results.items():
        rows.append(
            [
                name,
                f"{result.parameters:,}",
                minutes_text(result.minutes),
                f"{result.exact_match:.1f}",
                f"{result.f1:.1f}",
            ]
        )
    print(table(rows))
    print(bold("\nSome questions and answers"))
    for number in range(SHOWN):
        index = len(data.ids) * number // SHOWN
        print(f"  {data.questions[index]}")
        print(f"    {'gold':9} {data.answer_texts[index][0]}")
        for name, predictions in answers.items():
            print(f"    {name:9} {predictions[data.ids[index]]}")
    print(bold("\nWritten"))
    for name, _ in RUNS:
        print(f"  {folder / name}")
    runs = " ".join(str(folder / name) for name, _ in reversed(RUNS))
    print(
        "\nAsk it something:\n"
        f'  echo "Ada Brandt built the mill in 1820." | squadqa answer {folder / RUNS[-1][0]} '
        '--context - --question "Who built the mill?"\n'
        "Ask both in your browser:\n"
        f"  squadqa demo {runs}\n"
        "Look at every question, on a page:\n"
        f"  squadqa report {runs} --data sample --output report.html"
    )
