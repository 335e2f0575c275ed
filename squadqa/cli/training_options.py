"""Shared options of commands that train: configuration files, data, and further values."""

import argparse
import shlex
import sys
from collections.abc import Iterable, Iterator, Sequence
from itertools import islice
from pathlib import Path

from squadqa.cli.parser import CommandParser
from squadqa.errors import ConfigError, did_you_mean
from squadqa.files import input_error
from squadqa.inference.resuming import require_inside, require_resumable
from squadqa.package_files import CONFIGS, SAMPLE, configs_folder, is_part, locate, short_name

KINDS = ("reader", "scorer")
"""The kinds of models, each a folder of `squadqa.models`."""

SUBCOMMANDS = ("fit", "validate", "test", "predict")
"""What LightningCLI does."""


def split_overrides(arguments: list[str], parser: CommandParser) -> tuple[list[str], list[str]]:
    """Separate a command's own options from values of the configuration (--NAME VALUE).

    Args:
        arguments: The command line after the command's name.
        parser: The parser of the command's own options.

    Returns:
        The command's own arguments, and the others.
    """
    own: list[str] = []
    others: list[str] = []
    for name, words in _grouped(arguments, set(parser.options)):
        (others if name else own).extend(words)
    return own, others


def _grouped(arguments: list[str], known: set[str]) -> Iterator[tuple[str, list[str]]]:
    """Keep each unknown option together with its value.

    Yields:
        An option and its words, as the user wrote them; or "" and a word that belongs to no option.
    """
    rest = iter(arguments)
    for argument in rest:
        name, has_value, _ = argument.partition("=")
        if name.startswith("--") and len(name) > 2 and name not in known:
            yield name, [argument] if has_value else [argument, *islice(rest, 1)]
        else:
            yield "", [argument]


def data_overrides(data: str | None, test: str | None) -> list[str]:
    """Turn --data and --test into values of the configuration.

    Args:
        data: The value of --data, if any.
        test: The value of --test, if any.

    Raises:
        ConfigError: --data names a single file, and there is no --test.
    """
    data = SAMPLE.as_posix() if data == SAMPLE.name else data  # as `find_source` does
    if data and not test and _is_one_part(data):
        raise ConfigError(
            f'--data names one file, "{data}": there are no test questions',
            next_step="Name a file of test questions with --test, or a folder or pack with both.",
        )
    line = ["--data.train", data] if data else []
    return line + (["--data.test", named] if (named := test or data) else [])


def given_words(values: Iterable[tuple[str, object]]) -> list[str]:
    """Write the options that were given as words of a command line.

    Args:
        values: Names of options, and their values; None was not given.
    """
    return [word for key, value in values if value is not None for word in (key, str(value))]


def training_words(options: argparse.Namespace) -> list[str]:
    """Write the options that `train` and `check` share as words of the training's command line.

    Args:
        options: The command's, parsed.
    """
    return given_words(
        [
            ("--data.batch_size", options.batch_size),
            ("--run_folder", options.run),
            ("--seed_everything", options.seed),
            ("--trainer.max_epochs", options.epochs),
            ("--budget_minutes", options.minutes),
            ("--trainer.accelerator", accelerator(options.device)),
            ("--trainer.precision", options.precision),
            ("--early_stopping.patience", options.patience),
            ("--char_cnn", options.char_cnn),
            ("--warm_start", options.warm_start),
        ]
    )


def accelerator(device: str | None) -> str | None:
    """Name a device as Lightning does."""
    return device and device.replace("cuda", "gpu")


def language_overrides(name: str | None) -> list[str]:
    """Turn --language into values of the configuration.

    A pipeline for English annotates no other language, so a code alone leaves annotation out.

    Args:
        name: The value of --language, if any.

    Raises:
        ConfigError: There is no such language.
    """
    if name is None:
        return []
    from squadqa.data.languages import ENGLISH, language_and_pipeline

    language, pipeline = language_and_pipeline(name)
    line = ["--data.inputs.language", language]
    if language == ENGLISH and pipeline is None:
        return line
    return [*line, "--data.inputs.pipeline", pipeline or "null"]


def _is_one_part(data: str) -> bool:
    """Return whether --data names a single file or a pipe, but no pack with both parts."""
    from squadqa.data.squad.source import STANDARD_INPUT, find_source, is_pack

    path = Path(data)
    if not is_pack(path):
        return path.is_file() or path.is_fifo() or data == STANDARD_INPUT
    return find_source(data, part="train") == find_source(data, part="dev")


def require_configs(paths: Sequence[str], *, usage: str, whole: str) -> None:
    """Check the configurations of a command line: they exist, and the first one is no mere part.

    Args:
        paths: The configurations, in order.
        usage: The words before each of them, the first time after the command: "squadqa train
            --config" or "squadqa ablate".
        whole: A configuration to advise where none of them is whole.

    Raises:
        ConfigError: One does not exist, or the first one only adds to another.
    """
    for path in paths:
        require_config(Path(path))
    if not paths or _chooses_model(paths[0]) or not is_part(paths[0]):
        return
    in_order = [path for path in paths if not is_part(path)] or [whole]
    in_order += [path for path in paths if is_part(path)]
    words = [word for path in in_order for word in (*usage.split()[2:], path)]
    raise ConfigError(
        f'"{paths[0]}" is only a part of a configuration: it adds to those before it',
        next_step=f"Name a whole one first: {shlex.join([*usage.split()[:2], *words])}",
    )


def _chooses_model(path: str) -> bool:
    """Return whether a configuration names the class of its model; true if it cannot be read."""
    import yaml

    try:
        model = yaml.safe_load(locate(path).read_text(encoding="utf-8"))["model"]
    except (OSError, ValueError, TypeError, yaml.YAMLError):  # the parser says what is wrong
        return True
    except KeyError:
        return False
    return isinstance(model, str) or "class_path" in model


def require_config(path: Path) -> None:
    """Check that a configuration exists; say where it is, if the path alone does not.

    Args:
        path: Its file. One that comes with squadqa is found as configs/FILE from any folder.

    Raises:
        ConfigError: It does not.
        DataError: It cannot be read.
    """
    found = locate(path)
    if found.is_file():
        if found != path:
            sys.stderr.write(f"squadqa: taking {path} from the installed package\n")
        try:
            found.open("rb").close()
        except OSError as error:
            raise input_error(path, error) from error
        return
    if found.is_fifo():
        raise ConfigError(
            f'"{path}" is a pipe, and a configuration is read more than once',
            next_step="Write it to a file, and name that.",
        )
    near = [str(file) for file in path.parent.rglob("*.yaml")] if path.parent.is_dir() else []
    shipped = [short_name(file) for file in configs_folder().glob("*.yaml")]
    raise ConfigError(
        f'no configuration "{path}"',
        hint=did_you_mean(str(path), near or shipped),
        next_step="Name a .yaml file, such as configs/drqa.yaml.",
    )


def require_trusted(line: Sequence[str], *, trust: Sequence[str]) -> None:
    """Check a run before LightningCLI opens it, as that makes what its configuration names.

    A training that is not resumed opens no run: its configurations are the user's own.

    Args:
        line: A command line of LightningCLI. Of its configurations, those in the run folder are
            checked; all of them, if no option names the folder, as then one of them does.
        trust: What the user trusts.

    Raises:
        CheckpointError: The run names something else, or cannot be read.
    """
    values: dict[str, list[str]] = {}
    for word, after in zip(line, [*line[1:], ""], strict=True):
        name, equals, value = word.partition("=")
        if name.startswith("-c"):  # the only short option
            name, equals, value = "--config", word[2:], word[2:]
        if name.startswith("--"):
            key = name.removeprefix("--").replace("-", "_")
            values.setdefault(key, []).append(value if equals else after)
    is_training = next((word for word in line if word in SUBCOMMANDS), "") == "fit"
    if is_training and values.get("resume", ["false"])[-1].lower() == "false":
        return
    given = {*values, *(() if is_training else ("wandb", "results"))}
    folders = [
        Path(name).resolve() for key in ("run", "run_folder") for name in values.get(key, [])
    ]
    for folder in folders:
        require_inside(folder)
    for path in map(Path, values.get("config", [])):
        if path.is_file() and (not folders or path.parent.resolve() in folders):
            require_resumable(path.parent, config=path, trust=trust, given=given)


def known_models() -> list[str]:
    """List the models that come with squadqa and have a configuration of their own name."""
    package = Path(__file__).parents[1] / "models"
    stems = [path.stem for kind in KINDS for path in sorted((package / f"{kind}s").glob("*.py"))]
    return [stem for stem in stems if (configs_folder() / f"{stem}.yaml").is_file()]


def config_of(name: str) -> str:
    """Find the configuration of a model.

    Args:
        name: A model's name, such as "drqa", or a configuration's file.

    Raises:
        ConfigError: There is no such model, or no such file.
    """
    if name.endswith((".yaml", ".yml")):
        require_config(Path(name))
        return name
    if name not in known_models():
        raise ConfigError(
            f'there is no model "{name}"',
            hint=did_you_mean(name, known_models()),
            next_step="Name a model, or a .yaml file with its configuration.",
        )
    return str(CONFIGS / f"{name}.yaml")
