"""From a command line and configuration files to a module, its data and a trainer's options.

LightningCLI reads them; nothing is run here. The changes that a command line makes to the files are
found by comparing two parsed configurations: the whole one, and that of the files only.

One file, as all of it is one parser and its result.
"""

import json
import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from typing import Any, ClassVar, Literal, NoReturn

from jsonargparse import Namespace
from jsonargparse.typing import (
    NonNegativeFloat,
    PositiveFloat,
    PositiveInt,
    restricted_number_type,
)
from pytorch_lightning.callbacks import EarlyStopping
from pytorch_lightning.cli import LightningArgumentParser, LightningCLI

from squadqa.cli.config_errors import config_error, mistake_of
from squadqa.errors import ConfigError, SquadQAError
from squadqa.files import system_error
from squadqa.nn.char_cnn import CharCNN
from squadqa.package_files import locate, short_name
from squadqa.training.datamodule import SquadDataModule
from squadqa.training.module import QAModule

OWN = "own"
"""The key of a model's character encoder in the configuration."""

CHANGEABLE = ("model", "data", "trainer", "early_stopping")
"""Sections of a configuration that a training's scores depend on."""

TOLD_ELSEWHERE = frozenset(
    ("data.train", "data.val", "data.test", "data.predict", "data.cache_dir", "data.workers")
    + ("trainer.accelerator",)
)
"""Values that have their own field in a result, or do not change it."""

OF_ONE_RUN = ("run_folder", "resume", "ckpt_path", "weights_only")
"""Values about one run and its checkpoints, which its configuration would hand on to other runs."""

Percent = restricted_number_type("Percent", float, [(">", 0), ("<=", 100)])

WandbMode = Literal["offline", "online", "off"]

Check = Callable[[str, Namespace], None]
"""Called with the subcommand and its configuration, before anything is made."""


@dataclass(frozen=True)
class Parsed:
    """A parsed command line with its configuration files.

    Args:
        subcommand: "fit", "validate", "test" or "predict".
        config: Every value of the configuration.
        text: The configuration as YAML, without the values of `OF_ONE_RUN`.
        configs: The configuration files, in order; those that come with squadqa as configs/FILE.
        overrides: Values that differ from the files, by dotted names without `init_args`.
        module: The model and how it is trained.
        data: The questions.
        trainer: Options of the trainer.
        early_stopping: Stops a training that no longer improves.
    """

    subcommand: str
    config: Namespace
    text: str
    configs: tuple[str, ...]
    overrides: dict[str, Any]
    module: QAModule
    data: SquadDataModule
    trainer: Mapping[str, Any]
    early_stopping: EarlyStopping


def parse(
    arguments: Sequence[str], *, check: Check | None = None, also_known: Sequence[str] = ()
) -> Parsed:
    """Parse a command line, seed all random generators, and make the objects that it describes.

    Args:
        arguments: The command line after the program's name: a subcommand and its options.
        check: May refuse a configuration, or set values that it leaves open.
        also_known: Options of the calling command, to suggest for a wrong one.

    Raises:
        SquadQAError: A mistake of the user.
    """
    try:
        return SquadCLI(_located(arguments), check=check, also_known=also_known).parsed()
    except SquadQAError:
        raise
    except PermissionError as error:
        raise system_error(error) from error
    except Exception as error:  # yaml, jsonargparse and the classes named raise many kinds
        reason = " ".join(f"{type(error).__name__}: {error}".split())
        raise config_error(f"the configuration cannot be used: {reason}", []) from error


class FriendlyParser(LightningArgumentParser):
    """LightningCLI's parser; mistakes and abbreviated options raise a `ConfigError`.

    Args:
        *args: Arguments of `LightningArgumentParser`.
        **kwargs: Arguments of `LightningArgumentParser`.
    """

    also_known: Sequence[str] = ()
    """Further options to suggest for a wrong one."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **{"allow_abbrev": False, **kwargs})

    def error(self, message: str, ex: Exception | None = None) -> NoReturn:
        """Report a mistake in the command line or configuration (called by jsonargparse).

        Raises:
            ConfigError: Always.
        """
        if not self.exit_on_error:  # jsonargparse is only trying something
            super().error(message, ex)
        actions = list(self._actions)
        for action in self._actions:  # a file's mistake is found before its subcommand is known
            if isinstance(action.choices, dict):
                actions += [own for parser in action.choices.values() for own in parser._actions]
        options = [name for action in actions for name in action.option_strings]
        options += self.also_known
        raise config_error(message, options) from ex


class SquadCLI(LightningCLI):
    """LightningCLI for our modules and data; it makes objects and runs nothing.

    Args:
        arguments: The command line after the program's name.
        check: See `parse`.
        also_known: See `parse`.
    """

    _made: ClassVar[dict[str, Any]] = {}
    """The parser, by the names of its parts, once it is made. All command lines of a process share
    it: to make it takes about half as long as to use it."""

    def __init__(
        self,
        arguments: list[str],
        *,
        check: Check | None = None,
        also_known: Sequence[str] = (),
    ) -> None:
        self._check, self._also_known = check, also_known
        super().__init__(
            QAModule,
            SquadDataModule,
            subclass_mode_model=True,
            parser_class=FriendlyParser,
            save_config_callback=None,
            seed_everything_default=1,
            trainer_defaults={"use_distributed_sampler": False, "num_sanity_val_steps": 0},
            auto_configure_optimizers=False,
            load_from_checkpoint_support=False,
            args=arguments,
        )

    def setup_parser(self, *args: Any, **kwargs: Any) -> None:
        """Make the parser, or take the one that this process has made (called by LightningCLI)."""
        if not self._made:
            super().setup_parser(*args, **kwargs)
            for name in ("parser", "_subcommand_parsers", "_subcommand_method_arguments"):
                self._made[name] = getattr(self, name)
        vars(self).update(self._made)
        for parser in (self.parser, *self._subcommand_parsers.values()):
            assert isinstance(parser, FriendlyParser)
            parser.also_known = self._also_known
            vars(parser).pop("print_config", None)  # asked for by a line that was then refused

    def add_arguments_to_parser(self, parser: LightningArgumentParser) -> None:
        """Add the options of a run (called by LightningCLI)."""
        add = parser.add_argument
        # torchrun would take --run for one of its own options, so there is also a longer name.
        add(
            "--run_folder",
            "--run",
            type=str | None,
            default=None,
            help="Run folder; default: runs/CONFIG_NAME.",
        )
        add("--resume", type=bool, default=False, help="Resume the run in the run folder.")
        for name, told in (
            ("--warm_start", "Run folder whose weights a new run begins with, if they fit."),
            ("--teacher", "Run or ensemble that a reader learns from beside the gold answers."),
        ):
            add(name, type=str | None, default=None, help=told)
        add(
            "--wandb",
            type=WandbMode,
            default="offline",
            help="Log to Weights & Biases: offline, online, or off.",
        )
        add(
            "--results",
            type=str | None,
            default=None,
            help="Folder for a copy of the run's scores, as NAME.json.",
        )
        add("--notes", type=str, default="", help="Notes to keep with the scores.")
        add("--save_every", type=PositiveInt, default=500, help="Steps between saves of last.ckpt.")
        add(
            "--held_memory",
            type=NonNegativeFloat,
            default=2.0,
            help="Memory in GiB that a training on a CPU keeps between batches, which is faster; "
            "0 leaves the process's allocator unchanged.",
        )
        add(
            "--threads",
            type=PositiveInt | None,
            default=None,
            help="Threads of a training on a CPU; null: one for each core that no other program "
            "uses, chosen anew every few seconds. With a number, repeated trainings are equal bit "
            "by bit.",
        )
        add(
            "--budget_minutes",
            type=PositiveFloat | None,
            default=None,
            help="Training time, without evaluation; a linear or cosine decay of the learning rate "
            "ends with it.",
        )
        add(
            "--until_f1",
            type=Percent | None,
            default=None,
            help="Stop as soon as an evaluation reaches this F1, in percent, and record the "
            "seconds that took; evaluates on the test questions unless data.val is given.",
        )
        add(
            "--char_cnn",
            type=CharCNN | Literal["own"] | None,
            default=OWN,
            help="Character encoder of the reader or scorer, instead of its own; null leaves "
            "characters out.",
        )
        parser.add_lightning_class_args(EarlyStopping, "early_stopping")
        parser.set_defaults(
            {
                "early_stopping.monitor": "val/f1",
                "early_stopping.mode": "max",
                "early_stopping.patience": 3,
            }
        )

    def parse_arguments(self, parser: LightningArgumentParser, args: Any) -> None:
        """Read the configuration and the command line's changes to it (called by LightningCLI).

        Raises:
            ConfigError: There is a mistake, or the model has no character encoder.
        """
        named = self._subcommand_parsers.get(args[0]) if args else None
        known = named._option_string_actions if named else {}
        super().parse_arguments(parser, [_underscored(one, known) for one in args])
        name = self.config.subcommand
        _place_char_cnn(self.config[name])
        self.configs = [str(path) for path in self.config[name].config or []]
        files = [word for path in self.configs for word in ("--config", path)]
        before: dict[str, Any] = {}
        with suppress(ConfigError):  # the files may be whole only together with the command line
            of_files = parser.parse_args([name, *files])[name]
            _place_char_cnn(of_files)
            before = of_files.as_dict()
        self.overrides = overrides(before, self.config[name].as_dict())

    def before_instantiate_classes(self) -> None:
        """Refuse configurations that cannot work (called by LightningCLI)."""
        if self._check is not None:
            self._check(str(self.subcommand), self.config[self.subcommand])

    def instantiate_classes(self) -> None:
        """Make model and data (called by LightningCLI).

        Raises:
            SquadQAError: A mistake of the user; jsonargparse wraps it in its own error.
        """
        mistake: SquadQAError | None = None
        try:
            super().instantiate_classes()
        except ValueError as error:
            mistake = mistake_of(error)
            if mistake is None:
                raise
        if mistake is not None:  # raised above, it would get the wrapping error as its context
            raise mistake

    def instantiate_trainer(self, **kwargs: Any) -> Any:
        """Make no trainer, as the caller makes one (called by LightningCLI)."""

    def parsed(self) -> Parsed:
        """Return the parsed values and the objects made."""
        config, made = self.config[self.subcommand], self.config_init[self.subcommand]
        return Parsed(
            subcommand=str(self.subcommand),
            config=config,
            text=_dumped(self._parser(self.subcommand), config),
            configs=tuple(map(short_name, self.configs)),
            overrides=self.overrides,
            module=made.model,
            data=made.data,
            trainer=dict(made.trainer),
            early_stopping=made.early_stopping,
        )

    def _parse_ckpt_path(self) -> None:
        """Read no options from a checkpoint, unlike LightningCLI: a run has its config.yaml."""

    def _run_subcommand(self, subcommand: str) -> None:
        """Run nothing."""


def overrides(before: Mapping[str, Any], after: Mapping[str, Any]) -> dict[str, Any]:
    """Find the values that differ between two configurations, to record in a result.

    Args:
        before: A configuration as plain values.
        after: Another one.

    Returns:
        Values that are new or different, by dotted names without `init_args`, except those that
        have their own field in a result.
    """
    old, new = (
        dict(leaf for name in CHANGEABLE for leaf in _leaves(name, values.get(name)))
        for values in (before, after)
    )
    changed = {
        name: value
        for name, value in new.items()
        if name not in TOLD_ELSEWHERE and (name not in old or old[name] != value)
    }
    for name, value in changed.items():
        if isinstance(value, float) and not math.isfinite(value):  # JSON has no such numbers
            changed[name] = str(value)
    plain: dict[str, Any] = json.loads(json.dumps(changed, default=str))
    return plain


def _dumped(parser: LightningArgumentParser, config: Namespace) -> str:
    """Return a configuration as YAML, including null values, for any run."""
    written = config.clone()
    for name in OF_ONE_RUN:
        written.pop(name, None)
    return str(parser.dump(written, skip_unset=False))


def _leaves(name: str, value: Any) -> Iterator[tuple[str, Any]]:
    """Yield the values of a configuration that are not sections."""
    if isinstance(value, dict) and value:
        for key, inner in value.items():
            yield from _leaves(name if key == "init_args" else f"{name}.{key}", inner)
    else:
        yield name, value


def _place_char_cnn(config: Namespace) -> None:
    """Move the option `char_cnn` to the model's character encoder.

    Raises:
        ConfigError: The model has none.
    """
    char_cnn = config.pop("char_cnn")
    if char_cnn == OWN:
        return
    modules = config.model.init_args
    model = modules.get("reader") or modules.get("scorer")
    if "char_cnn" not in model.init_args:
        raise ConfigError(
            f'"{model.class_path}" reads no characters: it has no char_cnn to choose',
            next_step="Leave char_cnn out, or choose another model.",
        )
    model.init_args.char_cnn = char_cnn


def _located(arguments: Sequence[str]) -> list[str]:
    """Replace the configurations of a command line by paths that exist from any folder."""
    found: list[str] = []
    for argument in arguments:
        option, equals, value = argument.partition("=")
        if found and found[-1] == "--config":
            argument = str(locate(argument))
        elif option == "--config" and equals:
            argument = f"--config={locate(value)}"
        found.append(argument)
    return found


def _underscored(argument: str, known: Mapping[str, Any]) -> str:
    """Return an option with underscores, if it is known by that spelling."""
    name, equals, value = argument.partition("=")
    if not name.startswith("--") or name in known:
        return argument
    spelled = "--" + name[2:].replace("-", "_")
    return spelled + equals + value if spelled in known else argument


def seed_of(parsed: Parsed) -> int:
    """Return the seed of a run, which may have been drawn at random."""
    return int(parsed.config.seed_everything)
