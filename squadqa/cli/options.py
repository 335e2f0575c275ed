"""Shared parts of commands: types of arguments, options, and checks of what the options name.

One file, as it is the only module that commands share with each other.
"""

import argparse
import math
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from squadqa.cli.console import ProgressLines
from squadqa.cli.parser import CommandParser
from squadqa.cli.reading_options import add_reading_options, source_of
from squadqa.errors import DataError
from squadqa.files import remove_leftovers
from squadqa.inference.devices import DEVICE_NAME
from squadqa.run_files import CHECKPOINTS, LOGS
from squadqa.scoring import require_references

if TYPE_CHECKING:
    from squadqa.data.candidates.generators import CandidateGenerator
    from squadqa.data.prepare import PreparedData
    from squadqa.data.squad import BadAnswers, Source
    from squadqa.inference.answering import Answerer
    from squadqa.inference.run_folder import Run
    from squadqa.models.base import Choose

DEFAULT_PIPELINE = "en_core_web_sm"
"""The spaCy pipeline that annotates where no run names another."""

DEFAULT_VECTORS = ("glove-6b-50d",)
"""The sources of word vectors that are looked up unless others are named."""

DEPENDENCY_RUNS = "DependencyRuns"
GENERATORS = (DEPENDENCY_RUNS, "NounChunks", "NGrams")
"""The names of `squadqa.data.candidates.generators.GENERATORS`, which takes long to import."""

MAX_TOKENS, MAX_CANDIDATES = 20, 2000
"""The default limits of a generator: tokens of a candidate, and candidates of a paragraph."""


# Types of arguments


def positive(text: str) -> int:
    """Read a whole number, 1 or more.

    Raises:
        argparse.ArgumentTypeError: The text is not such a number.
    """
    if not text.isdecimal() or int(text) < 1:
        raise argparse.ArgumentTypeError(f'"{text}" is not a whole number of 1 or more')
    return int(text)


def natural(text: str) -> int:
    """Read a whole number, 0 or more.

    Raises:
        argparse.ArgumentTypeError: The text is not such a number.
    """
    if not text.isdecimal():
        raise argparse.ArgumentTypeError(f'"{text}" is not a whole number of 0 or more')
    return int(text)


def positive_number(text: str) -> float:
    """Read a finite number above 0, such as 0.5.

    Raises:
        argparse.ArgumentTypeError: The text is not such a number.
    """
    try:
        number = float(text)
    except ValueError:
        number = math.nan
    if not 0 < number < math.inf:
        raise argparse.ArgumentTypeError(f'"{text}" is not a number above 0')
    return number


def device(text: str) -> str:
    """Read the name of a device.

    Raises:
        argparse.ArgumentTypeError: There is no device of that name.
    """
    if not DEVICE_NAME.fullmatch(text):
        raise argparse.ArgumentTypeError(
            f'"{text}" is no device; there are auto, cpu, cuda and cuda:NUMBER'
        )
    return text


# Options


def add_run_options(parser: CommandParser, *, run_is_optional: bool = False) -> None:
    """Add the options of commands that use a trained run.

    Args:
        parser: The command's parser.
        run_is_optional: Whether the command works without a run too.
    """
    parser.add_argument(
        "run_folder",
        metavar="RUN_FOLDER",
        nargs="?" if run_is_optional else None,
        help="run folder (runs/drqa), or ready model (house)",
    )
    add_opening_options(parser)


def add_opening_options(parser: CommandParser) -> None:
    """Add the options that say how a run is opened.

    Args:
        parser: The command's parser.
    """
    parser.add_argument(
        "--checkpoint",
        choices=("best", "last"),
        help="which checkpoint to use (default: best, or last where there is no best yet)",
    )
    parser.add_argument(
        "--device",
        type=device,
        default="auto",
        help="auto, cpu or cuda (default: auto, a GPU where there is one)",
    )
    add_trust_option(parser)


def add_choose_option(parser: CommandParser) -> None:
    """Add the option that says what a scorer's answer is chosen for."""
    parser.add_argument(
        "--choose",
        metavar="HOW",
        choices=("probable", "expected_f1"),
        help="a scorer's answer: probable or expected_f1",
    )


def add_trust_option(parser: CommandParser) -> None:
    """Add the option that names what a run may use besides squadqa's own."""
    parser.add_argument(
        "--trust",
        metavar="NAME",
        action="append",
        default=[],
        help="own package or folder that a run may use",
    )


def add_data_option(parser: CommandParser, what: str, *, required: bool = True) -> None:
    """Add the option that names questions.

    Args:
        parser: The command's parser.
        what: What the questions are, for the help.
        required: Whether the command always needs them.
    """
    parser.add_argument(
        "--data",
        metavar="FILE",
        required=required,
        help=f"{what}: a file of any format, a pack, sample, squad:train, or - (standard input)",
    )
    add_reading_options(parser)


def add_context_option(parser: CommandParser, *, required: bool = True) -> None:
    """Add the option that names a text, for `read_context`.

    Args:
        parser: The command's parser.
        required: Whether the command always needs one.
    """
    parser.add_argument(
        "--context",
        metavar="FILE",
        required=required,
        help="text file to find the answer in; - reads standard input",
    )


def add_cache_options(parser: CommandParser) -> None:
    """Add the options of commands that prepare data."""
    parser.add_argument(
        "--cache-dir",
        metavar="FOLDER",
        help="prepared data (default: SQUADQA_CACHE_DIR, or data/cache)",
    )
    parser.add_argument(
        "--workers",
        metavar="N",
        type=positive,
        default=0,
        help="processes that annotate (default: one for each core)",
    )


def add_limit_options(parser: CommandParser) -> None:
    """Add the limits that all generators of candidates share."""
    parser.add_argument(
        "--max-tokens",
        metavar="N",
        type=positive,
        default=MAX_TOKENS,
        help=f"longest candidate, in tokens (default: {MAX_TOKENS})",
    )
    parser.add_argument(
        "--max-candidates",
        metavar="N",
        type=positive,
        default=MAX_CANDIDATES,
        help=f"keep the N shortest candidates of a paragraph (default: {MAX_CANDIDATES})",
    )


def add_json_option(parser: CommandParser, *, kind: str = "object") -> None:
    """Add the option of commands that can print for scripts.

    Args:
        parser: The command's parser.
        kind: The kind of JSON value that the command prints.
    """
    parser.add_argument("--json", action="store_true", help=f"print one JSON {kind}, nothing else")


# What the options name


def make_generator(
    name: str, options: argparse.Namespace, *, depth: int | None
) -> "CandidateGenerator":
    """Make a generator of candidates.

    Args:
        name: One of `GENERATORS`.
        options: The command's, with those of `add_limit_options`.
        depth: The depth of DependencyRuns; None for 0. Other generators have none.
    """
    from squadqa.data.candidates import generators

    limits = {"max_tokens": options.max_tokens, "max_candidates": options.max_candidates}
    if name == DEPENDENCY_RUNS:
        return generators.DependencyRuns(**limits, depth=depth or 0)
    return generators.GENERATORS[name](**limits)


def annotated_data(options: argparse.Namespace) -> "PreparedData":
    """Open questions with answers, annotated by the default pipeline, or that of a pack.

    Args:
        options: The command's, with those of `add_data_option` and `add_cache_options`.

    Raises:
        DataError: There are no such data, or a question has no answers.
        ConfigError: The pipeline is not installed.
    """
    from squadqa.data.prepare import prepare

    source = source_of(options)
    data = prepare(
        source,
        cache_dir=options.cache_dir,
        pipeline=default_pipeline(source),
        workers=options.workers,
        progress=ProgressLines(),
    )
    require_references(data.references, options.data)
    return data


def default_bad_answers(source: "Source") -> "BadAnswers":
    """Choose what to do with unusable answers: as training does, where the name has "train" in it.

    Args:
        source: A file or data set.
    """
    named = source.part or source.split or source.name.rpartition("/")[2]
    return "error" if "train" in named else "keep"


def default_pipeline(source: "Source") -> str:
    """Choose the pipeline that annotates where no run names one: a pack's own, or the default.

    Args:
        source: A file, a part of a pack, or a data set.

    Raises:
        DataError: The pack is damaged.
    """
    if source.part is None or source.path is None:
        return DEFAULT_PIPELINE
    from squadqa.data.pack.read import notes_of

    notes = notes_of(source.path).annotation
    return notes.pipeline if notes else DEFAULT_PIPELINE


def open_one_run(options: argparse.Namespace) -> "Run":
    """Open the run that a command's options name, and no ensemble.

    Args:
        options: Those of `add_run_options`.

    Raises:
        CheckpointError: There is no such run, or it cannot be used.
    """
    from squadqa.inference.run_folder import open_run

    return open_run(options.run_folder, checkpoint=options.checkpoint, trust=options.trust)


def open_answerer(options: argparse.Namespace, *, choose: "Choose | None" = None) -> "Answerer":
    """Open the run or ensemble that a command's options name.

    Args:
        options: Those of `add_run_options`.
        choose: That of `add_choose_option`; None chooses as the run was trained to.

    Raises:
        CheckpointError: There is no such run, or it cannot be used.
        ConfigError: There is no such device, or the run is no scorer and has no such choice.
    """
    from squadqa.inference.load import load

    folder = Path(options.run_folder)
    remove_leftovers(folder, folder / CHECKPOINTS, *folder.glob(f"{LOGS}/*"))
    return load(
        options.run_folder,
        checkpoint=options.checkpoint,
        device=options.device,
        trust=options.trust,
        choose=choose,
    )


def read_context(name: str) -> str:
    """Read a text as it is, so that characters count as they do in the file.

    Args:
        name: A file, or - for standard input.

    Raises:
        DataError: The text cannot be read, is not UTF-8, or is empty.
    """
    where = "standard input" if name == "-" else f'"{name}"'
    try:
        raw = sys.stdin.buffer.read() if name == "-" else Path(name).read_bytes()
        context = raw.decode("utf-8-sig")
    except OSError as error:
        raise DataError(
            f"cannot read the context {where}: {error.strerror}",
            next_step="Name a text file, or - for standard input, into which you can put a text: "
            'echo "TEXT" | squadqa ... --context -',
        ) from error
    except UnicodeDecodeError as error:
        raise DataError(
            f"the context {where} is not UTF-8 text (byte {error.start})",
            next_step="Save it as UTF-8.",
        ) from error
    if not context.strip():
        raise DataError(f"the context {where} is empty", next_step="Give it a text to read.")
    return context


def require_question(question: str) -> None:
    """Check that a question asks something.

    Args:
        question: The value of --question.

    Raises:
        DataError: The question is empty.
    """
    if not question.strip():
        raise DataError("the question is empty", next_step='Ask with --question "...".')
