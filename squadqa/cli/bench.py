"""`squadqa bench`: how fast the models train, evaluate and answer on this machine."""

import gc
import sys
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from squadqa.cli.console import ProgressLines, bold, print_json, table
from squadqa.cli.options import add_json_option, positive, positive_number
from squadqa.cli.parser import CommandParser
from squadqa.cli.training_options import (
    accelerator,
    config_of,
    data_overrides,
    given_words,
    known_models,
    require_config,
    split_overrides,
)
from squadqa.files import require_writable_file

if TYPE_CHECKING:
    from squadqa.benchmark.measuring import Effort, Workload
    from squadqa.benchmark.record import Benchmark, Latency, ModelSpeed

HELP = "measure how fast models train, evaluate and answer"

COLUMNS = (
    "model",
    "train/s",
    "of RNN",
    *("data", "forward", "backward", "optim.", "idle"),
    "eval/s",
    *("read ms", "95 %", "answer ms", "95 %"),
    *("GiB", "GPU GiB"),
)

LEGEND = """\
train/s, eval/s: questions per second of training and of evaluation. of RNN: train/s as a share of
what a DrQA reader's recurrent layers alone reach on this device, measured right before. data to
optim.: shares of a training step. idle: share of training in which the device waits. read: one
question on prepared data. answer: one question about a new text. 95 %: what 95 % of the questions
stay below. GiB: most memory held, libraries and data included."""


def main(arguments: list[str]) -> int:
    """Run the command.

    Args:
        arguments: The words after the command's name.

    Returns:
        The exit code.

    Raises:
        SquadQAError: A model, an option or the data cannot be used.
    """
    parser = _parser()
    given, overrides = split_overrides(arguments, parser)
    options = parser.parse_args(given)
    configs = {name: config_of(name) for name in options.models or known_models()}
    for config in options.config or []:
        require_config(Path(config))
    if options.output:
        require_writable_file(Path(options.output))
    line: list[str] = []
    for config in options.config or []:
        line += ["--config", config]
    line += data_overrides(options.data, options.test)
    line += given_words(
        [
            ("--data.batch_size", options.batch_size),
            ("--data.cache_dir", options.cache_dir),
            ("--trainer.accelerator", accelerator(options.device)),
            ("--trainer.precision", options.precision),
        ]
    )

    from squadqa.cli.quiet import quiet_lightning

    effort = _effort(quick=options.quick, seconds=options.seconds)  # imports Lightning
    with quiet_lightning():
        benchmark = _measured(
            configs,
            [*line, *overrides],
            effort=effort,
            command=parser.command_line(arguments, without=("--output", "--json", "--notes")),
            output=options.output,
            notes=options.notes,
            also_known=parser.options,
        )
    if options.json:
        from dataclasses import asdict

        print_json(asdict(benchmark))
        return 0
    print(text_of(benchmark))
    return 0


def text_of(benchmark: "Benchmark") -> str:
    """Show a benchmark as a table, with what its columns mean.

    Args:
        benchmark: The benchmark.
    """
    head, *body = table([COLUMNS, *map(_row, benchmark.models)]).splitlines()
    notes = dict.fromkeys(speed.notes for speed in benchmark.models if speed.notes)
    where = (
        f"{benchmark.device}, {benchmark.threads} thread(s), torch {benchmark.torch}, "
        f"data {benchmark.data}"
    )
    return "\n".join([bold(head), *body, "", where, LEGEND, *notes])


def _row(speed: "ModelSpeed") -> tuple[str, ...]:
    def shown(latency: "Latency | None") -> tuple[str, str]:
        if latency is None:
            return "-", "-"
        return f"{latency.median_ms:.1f}", f"{latency.slow_ms:.1f}"

    return (
        speed.model,
        f"{speed.training_per_second:,.0f}",
        f"{100 * speed.of_bare_rnn:.0f} %",
        *(f"{100 * share:.0f} %" for share in [*speed.shares.values(), speed.idle]),
        f"{speed.evaluation_per_second:,.0f}",
        *shown(speed.reading),
        *shown(speed.answering),
        f"{speed.memory_gib:.1f}",
        "-" if speed.device_memory_gib is None else f"{speed.device_memory_gib:.1f}",
    )


def _parser() -> CommandParser:
    parser = CommandParser(
        "bench",
        "Measure how fast each model trains on this machine, with a yardstick beside it, where\n"
        "the time of a training step goes, how fast it evaluates and answers, and its memory.\n"
        "Nothing is kept but the file of figures. Any value of the configurations can be set, as\n"
        "for `squadqa train`.",
        usage="[MODEL ...] [options]",
        examples=[
            ("every model, in less than a minute", "squadqa bench --quick"),
            ("two models, on SQuAD, with a file", "squadqa bench drqa logistic --data squad "
             "--output bench.json"),
            ("larger batches on a GPU", "squadqa bench drqa --device cuda --batch-size 128"),
        ],
    )  # fmt: skip
    add = parser.add_argument
    add(
        "models", metavar="MODEL", nargs="*", help="such as drqa, or a configuration (default: all)"
    )
    add("--config", metavar="FILE", action="append", help="a part to put on top of each model's")
    add(
        "--data",
        metavar="SOURCE",
        default="sample",
        help="sample, squad, a folder or a file (default: sample)",
    )
    add("--test", metavar="SOURCE", help="questions to evaluate, if --data is a single file")
    add("--quick", action="store_true", help="less than a minute for all models")
    add("--seconds", metavar="N", type=positive_number, help="of training each (default: 20)")
    add("--batch-size", metavar="N", type=positive, help="questions in a training batch")
    add("--device", choices=("auto", "cpu", "cuda"), help="where to measure (default: auto)")
    add("--precision", metavar="P", help="32-true; on a GPU also bf16-mixed or 16-mixed")
    add("--output", metavar="FILE", help="write all figures to this JSON file")
    add("--notes", metavar="TEXT", default="", help="what else a reader of the file should know")
    add(
        "--cache-dir",
        metavar="FOLDER",
        help="prepared data (default: SQUADQA_CACHE_DIR, or data/cache)",
    )
    add_json_option(parser)
    return parser


def _effort(*, quick: bool, seconds: float | None) -> "Effort":
    from squadqa.benchmark.measuring import QUICK, Effort

    effort = QUICK if quick else Effort()
    return effort if seconds is None else replace(effort, train_seconds=seconds)


def _measured(
    configs: dict[str, str],
    line: Sequence[str],
    *,
    effort: "Effort",
    command: str,
    output: str | None,
    notes: str,
    also_known: Sequence[str],
) -> "Benchmark":
    """Measure the models one after another, and write the file after each of them."""
    import torch

    from squadqa.benchmark.measuring import measure
    from squadqa.benchmark.record import Benchmark, write_benchmark
    from squadqa.provenance import commit, hardware

    benchmark: Benchmark | None = None
    for number, (name, config) in enumerate(configs.items(), start=1):
        sys.stderr.write(f"{number} of {len(configs)}: {name}\n")
        gc.collect()  # a model's tables are large, and reference cycles keep the last model
        workload = _workload(name, ["fit", "--config", config, *line], also_known)
        speed, device = measure(workload, effort)
        if benchmark is None:
            sources = workload.data.sources
            benchmark = Benchmark(
                command=command,
                data=", ".join(dict.fromkeys([str(sources["train"]), str(sources["test"])])),
                device=torch.cuda.get_device_name(device) if device.type == "cuda" else "cpu",
                hardware=hardware(),
                threads=torch.get_num_threads(),
                torch=torch.__version__,
                commit=commit(),
                notes=notes,
            )
        benchmark = replace(benchmark, models=(*benchmark.models, speed))
        if output:
            write_benchmark(output, benchmark)
    assert benchmark is not None
    return benchmark


def _workload(name: str, arguments: list[str], also_known: Sequence[str]) -> "Workload":
    from squadqa.benchmark.measuring import Workload
    from squadqa.cli.lightning_parser import parse, seed_of

    parsed = parse(arguments, also_known=also_known)
    parsed.data.progress = ProgressLines()
    return Workload(
        name=Path(name).stem,
        module=parsed.module,
        data=parsed.data,
        trainer=parsed.trainer,
        seed=seed_of(parsed),
        held_memory=parsed.config.held_memory,
        threads=parsed.config.threads,
    )
