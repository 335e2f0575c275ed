"""`squadqa check`: everything that a training would fail of, before it begins."""

import sys
from typing import TYPE_CHECKING

from squadqa.cli.console import bold, facts, print_json
from squadqa.cli.options import (
    add_json_option,
    add_trust_option,
    natural,
    positive,
    positive_number,
)
from squadqa.cli.parser import CommandParser
from squadqa.cli.training_options import (
    data_overrides,
    require_configs,
    split_overrides,
    training_words,
)

if TYPE_CHECKING:
    from squadqa.cli.checking import Checked

HELP = "find all that a training would fail of, in under a minute"

WHOLE = "configs/bidaf.yaml"
"""A whole configuration to which every part that comes with squadqa adds something."""


def main(arguments: list[str]) -> int:
    """Run the command.

    Args:
        arguments: The words after the command's name.

    Returns:
        The exit code: 2 if the training would fail.

    Raises:
        SquadQAError: There is no such configuration.
    """
    parser = _parser()
    given, overrides = split_overrides(arguments, parser)
    options = parser.parse_args(given)
    configs = [options.configuration, *(options.config or [])]
    require_configs(configs, usage="squadqa check", whole=WHOLE)
    line = ["fit", *(word for config in configs for word in ("--config", config))]
    line += data_overrides(options.data, options.test)
    line += training_words(options)

    from squadqa.cli.checking import check, summary
    from squadqa.cli.quiet import quiet_lightning

    with quiet_lightning():
        checked = check(
            [*line, *overrides],
            also_known=parser.options,
            trust=options.trust,
            progress=lambda name: print(f"checking: {name}", file=sys.stderr),
        )
    if options.json:
        print_json(summary(checked))
    else:
        _print(checked)
    return 2 if checked.problems else 0


def _print(checked: "Checked") -> None:
    """Print every check, then every problem, then what the training will take."""
    width = max(len(outcome.name) for outcome in checked.outcomes)
    for outcome in checked.outcomes:
        shown = f"{len(outcome.problems)} wrong" if outcome.problems else outcome.state
        said = "" if outcome.problems else outcome.said
        print(f"{outcome.name:{width}}  {shown:9}  {said}".rstrip())
    for number, problem in enumerate(checked.problems, start=1):
        print(f"\n{bold(f'{number}.')} {problem.what}")
        for line in filter(None, (problem.hint, problem.next_step)):
            print(f"   {line}")
    trial = checked.trial
    if trial is None:
        return
    pairs = [
        ("parameters", f"{trial.parameters:,}"),
        ("questions/s", f"{trial.per_second:,.0f}, measured over {trial.steps} steps"),
    ]
    if (minutes := checked.minutes_per_pass) is not None:
        pairs.append(("a pass", f"{minutes:,.1f} minutes, {checked.questions:,} questions"))
        if checked.budget_minutes is not None:
            passes = checked.budget_minutes / minutes
            pairs.append(
                ("the budget", f"{checked.budget_minutes:g} minutes, {passes:,.1f} passes")
            )
        elif checked.epochs is not None:
            whole = checked.epochs * minutes
            pairs.append(("all passes", f"{checked.epochs}, {whole:,.0f} minutes"))
    print(f"\n{facts(pairs)}")


def _parser() -> CommandParser:
    parser = CommandParser(
        "check",
        "Find all that a training would fail of, early or late: the configuration, the data, the\n"
        "pipeline, the vectors, a few steps, an evaluation, files, memory, disk. It takes the\n"
        "options of squadqa train, and says how long a pass will take.",
        usage="CONFIG [options]",
        examples=[
            ("a configuration on the sample", "squadqa check configs/drqa.yaml --data sample"),
            ("for a script", "squadqa check configs/bilstm.yaml --data sample --json"),
        ],
    )
    add = parser.add_argument
    add("configuration", metavar="CONFIG", help="configuration of a training")
    add("--config", metavar="FILE", action="append", help="a part that adds to it")
    add("--data", metavar="SOURCE", help="sample, squad, a folder, a pack, or a file")
    add("--test", metavar="SOURCE", help="test questions, if --data is a single file")
    add("--run", metavar="RUN_FOLDER", help="folder that the training will make")
    add("--epochs", metavar="N", type=positive, help="passes over the training questions")
    add("--minutes", metavar="N", type=positive_number, help="training time")
    add("--patience", metavar="N", type=positive, help="evaluations without a better F1")
    add("--warm-start", metavar="RUN_FOLDER", help="begin with the weights of a run")
    add("--char-cnn", metavar="CLASS", help="character encoder")
    add("--batch-size", metavar="N", type=positive, help="questions in a batch")
    add("--device", choices=("auto", "cpu", "cuda"), help="where to train (default: auto)")
    add("--precision", metavar="P", help="32-true, bf16-mixed or 16-mixed")
    add("--seed", metavar="N", type=natural, help="random seed")
    add_trust_option(parser)
    add_json_option(parser)
    return parser
