"""`squadqa init-config`: a commented configuration for a model, a machine and a time."""

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

from squadqa.cli.console import facts
from squadqa.cli.options import positive, positive_number
from squadqa.cli.parser import CommandParser
from squadqa.cli.training_options import config_of, data_overrides
from squadqa.errors import OutputError
from squadqa.files import require_writable_file, write_atomic
from squadqa.package_files import locate, short_name

if TYPE_CHECKING:
    from squadqa.cli.budgeting import Plan

HELP = "write a configuration for a model and the time that you have"

SECONDS = 8.0
"""Seconds to measure each variant."""


def main(arguments: list[str]) -> int:
    """Run the command.

    Args:
        arguments: The words after the command's name.

    Returns:
        The exit code.

    Raises:
        SquadQAError: There is no such model, the file exists, or the data cannot be read.
    """
    options = _parser().parse_args(arguments)
    config = config_of(options.model)
    output = Path(options.output or f"{Path(config).stem}.yaml")
    if output.exists() and not options.force:
        raise OutputError(
            f'"{output}" exists, and is not overwritten',
            next_step="Name another file with --output, or replace it with --force.",
        )
    require_writable_file(output)
    overrides = data_overrides(options.data, options.test)
    overrides += ["--trainer.accelerator", options.device.replace("cuda", "gpu")]
    line = ["fit", "--config", config, *overrides]

    import yaml

    from squadqa.cli.budgeting import plan, variants_of, written
    from squadqa.cli.lightning_parser import parse
    from squadqa.cli.quiet import quiet_lightning
    from squadqa.data.squad import find_source, read_squad
    from squadqa.provenance import hardware

    _say("reading the questions")
    with quiet_lightning():
        data = parse(line).data
        sources = {name: str(data.sources[name]) for name in ("train", "test")}
        train = read_squad(find_source(sources["train"], part="train"), bad_answers="skip")
        test = read_squad(find_source(sources["test"], part="dev"))
        asked = options.questions or len(train.ids)
        questions = max(1, round(asked * (1 - data.val_share)))
        text = locate(config).read_text("utf-8")
        chosen = plan(
            line,
            variants_of(yaml.safe_load(text)),
            minutes=options.minutes,
            questions=questions,
            train_data=train,
            test_data=test,
            batch_size=data.batch_size,
            seconds=options.seconds or SECONDS,
            progress=_say,
        )
    said = _said(chosen, options, asked)
    head = [
        f"Written by squadqa init-config from {short_name(config)}, for {hardware()}.",
        *(f"{name}: {value}" for name, value in said),
        "",
        "What it began with:",
    ]
    from squadqa.cli.config_text import with_value

    for name, value in zip(overrides[::2], overrides[1::2], strict=True):
        text = with_value(text, name.removeprefix("--").split("."), str(value))
    batches = -(-questions // data.batch_size)
    with write_atomic(output) as file:
        file.write(written(text, chosen, minutes=options.minutes, head=head, batches=batches))
    print(facts([("wrote", str(output)), *said]))
    print(f"\nNext: squadqa check {output}\nThen: squadqa train --config {output}")
    return 0


def _said(chosen: "Plan", options: Any, asked: int) -> list[tuple[str, str]]:
    """Return what was measured and chosen, as names and values."""
    passes = f"{chosen.passes:,.1f} in {options.minutes:g} minutes of training"
    if chosen.passes > chosen.epochs:
        passes += f"; it makes {chosen.epochs} in {chosen.minutes:,.1f}"
    return [
        ("questions", f"{asked:,}, some of them held out"),
        ("measured", f"{chosen.per_second:,.0f} questions/s on {options.device}"),
        ("chosen", f"{chosen.variant.why}, {chosen.parameters:,} parameters"),
        ("passes", passes),
    ]


def _say(line: str) -> None:
    sys.stderr.write(f"{line}\n")
    sys.stderr.flush()


def _parser() -> CommandParser:
    parser = CommandParser(
        "init-config",
        "Write a complete, commented configuration for a model, a machine and a time. How many\n"
        "passes fit the time is measured here, in half a minute; where fewer than three do, a\n"
        "faster variant of the model is taken.",
        usage="MODEL --minutes N [options]",
        examples=[
            (
                "half an hour on SQuAD",
                "squadqa init-config drqa --minutes 30 --data squad --output mine.yaml",
            ),
            (
                "for 10,000 questions like the sample's",
                "squadqa init-config bilstm --minutes 5 --questions 10000",
            ),
        ],
    )
    add = parser.add_argument
    add("model", metavar="MODEL", help="such as drqa, or a configuration to begin with")
    add("--minutes", metavar="N", type=positive_number, required=True, help="training time")
    add("--device", choices=("cpu", "cuda"), default="cpu", help="where to train (default: cpu)")
    add(
        "--data",
        metavar="SOURCE",
        default="sample",
        help="sample, squad, a folder, a pack, or a file (default: sample)",
    )
    add("--test", metavar="SOURCE", help="test questions, if --data is a single file")
    add("--questions", metavar="N", type=positive, help="of train (default: as many as --data has)")
    add("--seconds", metavar="N", type=positive_number, help="of each measurement (default: 8)")
    add("--output", metavar="FILE", help="the file to write (default: MODEL.yaml)")
    add("--force", action="store_true", help="replace the file if it exists")
    return parser
