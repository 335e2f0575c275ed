"""jsonargparse's messages, reduced to what is wrong, what was probably meant, and what to do."""

import re
from collections.abc import Iterable
from importlib import import_module
from inspect import isabstract, signature
from pathlib import Path

from squadqa.errors import ConfigError, SquadQAError, did_you_mean

NEXT_STEP = "All options: squadqa lightning fit --help; complete files: configs/."

CLASS_MODULES = (
    "squadqa.models",
    "squadqa.nn.char_cnn",
    "squadqa.data.inputs",
    "squadqa.data.candidates.inputs",
    "squadqa.training.span_module",
    "squadqa.training.candidate_module",
    "torch.optim",
)
"""The modules of the classes that configurations name."""

GIVEN = {"sizes", "make_model", "params", "defaults"}
"""Arguments of classes that no configuration gives, as they are known from elsewhere."""

NESTED = r"NestedArg\(key='([^']+)'"
"""How jsonargparse shows the value of an option of an option."""

CHAR_CNN = "char_cnn"
"""The option that names a class of `squadqa.nn.char_cnn`, never of another module."""


def mistake_of(error: BaseException) -> SquadQAError | None:
    """Find the error of ours that jsonargparse wrapped; None if there is none."""
    cause: BaseException | None = error
    while cause is not None and not isinstance(cause, SquadQAError):
        cause = cause.__cause__
    return cause


def config_error(message: str, options: Iterable[str]) -> ConfigError:
    """Explain why a command line or a configuration was refused.

    Args:
        message: jsonargparse's message, often of many lines.
        options: All options, with their dashes.
    """
    key = ".".join(re.findall(r'Parser key "([^"]+)"', message))
    options = list(options)
    if found := re.search(r"unrecognized arguments: (\S+)", message, re.IGNORECASE):
        option = found[1].split("=")[0]
        if not key:
            return _error(f'unknown option "{option}"', _nearest(option, options))
        owners = re.findall(r"given class_path '([^']+)':\s+unrecognized", message)
        owners += re.findall(r"unrecognized arguments: .*class_path='([^']+)'", message)
        known = parameters_of(owners[0]) if owners else ()
        return _unknown(key, option.removeprefix("--"), known)
    if found := re.search(r"Subcommand '.*' does not accept option '([^']+)'", message):
        names = [option.removeprefix("--") for option in options]
        return _error(f'unknown option "{found[1]}"', _nearest(found[1], names))
    if found := re.search(r"Option '([^']+)' is not accepted", message):
        owners = re.findall(r"given class_path '([^']+)':\s+Option", message)
        owners += re.findall(r"class_path='([^']+)'", message)
        owners += re.findall(r"given class_path '([^']+)'", message)
        owner = owners[0] if owners else ""
        if owner == "torch.optim.Optimizer":  # where the configuration chooses none
            return _error(f'unknown option "{found[1]}" of {key}', "Choose its class_path first.")
        return _error(
            f'unknown option "{found[1]}" of {owner.rsplit(".", 1)[-1] or key}',
            did_you_mean(found[1], parameters_of(owner)),
        )
    if "'NoneType' object has no attribute 'keys'" in message:
        return _error(f"{key}.init_args is empty", "Leave it out, or give options below it.")
    for pattern in (
        r"Expected a dot import path string: (\S+)",
        r"(?:No module named|cannot import name|has no attribute) '([^']+)'",
        r"Problem(?:s)? (?:with given class_path|importing) '?([\w.]+)'?:?\s*(?:Import|No module)",
    ):
        if found := re.search(pattern, message):
            what = f'{key or "the configuration"} names no class: "{found[1]}"'
            return _error(what, _nearest_class(found[1], key))
    not_fitting = (
        r"(?:a subclass of|is abstract)(?s:.*?)Given value: (?:\{'class_path': ')?([\w.]+)"
    )
    if found := re.search(not_fitting, message):
        if nested := re.search(rf"value: {NESTED}", message[found.start() :]):
            return _unknown(key, nested[1])
        return _error(f'{key} cannot be "{found[1]}"', _nearest_class(found[1], key))
    literal = r"Expected a typing\.Literal\[(.+?)\]\. Got value: (.*?)(?:\. Got value: .*)?$"
    if found := re.search(literal, message, re.MULTILINE):
        if nested := re.match(NESTED, found[2]):
            return _unknown(key, nested[1])
        choices = re.findall(r"'([^']*)'", found[1])
        return _error(f'{key} cannot be "{found[2]}"', did_you_mean(found[2], choices))
    if found := re.search(r"arguments are required: (.+)", message):
        place = f" of {key}" if key else ""
        hint = "A whole configuration comes first: --config configs/drqa.yaml."
        what = f"options that must be given{place} are missing: {found[1]}"
        return _error(what, hint if found[1].split(".")[-1] == "model" else "")
    if found := re.search(r"File does not exist: '(.+)'", message):
        path = Path(found[1])
        nearby = [str(file) for file in path.parent.glob("*.yaml")]
        return _error(f'no file "{path}"', did_you_mean(str(path), nearby) if nearby else "")
    if found := re.search(r"invalid choice: '([^']*)' \(choose from (.+)\)", message):
        choices = re.findall(r"'([^']+)'", found[2])
        return _error(f'there is no "{found[1]}"', did_you_mean(found[1], choices))
    # The innermost block is about the mistake in a class's option; the blocks after it are about
    # what could be given in place of the class.
    inner = r"(?s:.*)\n( *)- Problem with given class_path.*((?:\n(?:\1 .*)?)+)"
    if (block := re.search(inner, message)) and "value: " in block[2]:
        message = block[2]
    if given := re.search(
        r"(?:Given|Got) value: (.*?)(?:\. Got value: .*)?$", message, re.MULTILINE
    ):
        if nested := re.match(NESTED, given[1]):
            return _unknown(key, nested[1])
        literals = re.findall(r"- Expected a typing\.Literal\[(.+?)\]", message)
        choices = re.findall(r"'([^']*)'", ", ".join(literals))
        if choices:
            return _error(f'{key} cannot be "{given[1]}"', did_you_mean(given[1], choices))
        kind = r"Expected a <class '(?:builtins\.|collections\.abc\.)?(\w+)'>"
        kinds = dict.fromkeys(re.findall(kind, message))
        wanted = " or ".join(kind for kind in kinds if kind != "NoneType")
        hint = f"It should be of type {wanted}." if wanted else ""
        return _error(f'{key} cannot be "{given[1]}"', hint)
    lines = [line.strip() for line in message.splitlines() if line.strip()]
    return _error(" ".join(lines[:1] + lines[1:][-1:]) or "a mistake in the configuration")


def _unknown(section: str, name: str, known: Iterable[str] = ()) -> ConfigError:
    """Refuse an option that a class does not have, by its full name.

    Args:
        section: What stands before the class's own options, such as "model.scorer".
        name: The rest of the option's name.
        known: The class's own options; none if no class is chosen there.
    """
    hint = did_you_mean(name.split(".")[0], known)
    if near := re.fullmatch(r'Did you mean "(.+)"\?', hint):
        hint = f'Did you mean "--{section}.{near[1]}"?'
    return _error(
        f'unknown option "--{section}.{name}"', hint or f"{section} has no options of that name."
    )


def _error(what: str, hint: str = "") -> ConfigError:
    return ConfigError(what, hint=hint, next_step=NEXT_STEP)


def _nearest(option: str, options: Iterable[str]) -> str:
    """Suggest an option, but never list them all: there are too many."""
    hint = did_you_mean(option, options)
    return hint if hint.startswith("Did") else ""


def _nearest_class(name: str, key: str) -> str:
    """Suggest a class for an option; the character CNNs are so few that all are listed."""
    is_char_cnn = key.split(".")[-1] == CHAR_CNN
    modules = [module for module in CLASS_MODULES if not is_char_cnn or module.endswith(CHAR_CNN)]
    paths = {path.rsplit(".", 1)[-1]: path for path in _class_paths(modules)}
    if is_char_cnn:
        paths["null"] = "null"  # for none
    hint = did_you_mean(name.rsplit(".", 1)[-1], paths)
    if near := re.fullmatch(r'Did you mean "(.+)"\?', hint):
        return f'Did you mean "{paths[near[1]]}"?'
    return hint if is_char_cnn else ""


def _class_paths(modules: Iterable[str]) -> list[str]:
    return [
        f"{name}.{attribute}"
        for name in modules
        for attribute, value in vars(import_module(name)).items()
        if isinstance(value, type)
        and not isabstract(value)
        and value.__module__.startswith(("squadqa.", "torch.optim."))
    ]


def parameters_of(class_path: str) -> list[str]:
    """List the options of a class that a configuration names; none if there is no such class.

    Args:
        class_path: The class.
    """
    module, _, name = class_path.rpartition(".")
    try:
        classes = getattr(import_module(module), name).__mro__[:-1]  # a base's options too
        parameters = [p for each in classes for p in signature(each).parameters.values()]
        names = [p.name for p in parameters if p.kind not in (p.VAR_POSITIONAL, p.VAR_KEYWORD)]
        return [name for name in names if name not in GIVEN]
    except (ImportError, AttributeError, ValueError):
        return []
