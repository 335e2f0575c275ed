"""Classes that a run folder names, and how objects of them are made safely.

A configuration may come from anyone. So a class must be in this package, or in one that the user
trusts by name, and must be a subclass of what its argument expects.
"""

from collections.abc import Mapping, Sequence
from contextlib import suppress
from functools import partial
from importlib import import_module
from types import UnionType
from typing import Any, Union, get_args, get_origin, get_type_hints

from squadqa.errors import UntrustedError, shown
from squadqa.inference.plain_values import fits
from squadqa.inference.trusted import is_trusted

PACKAGE = "squadqa"
"""The package whose classes a configuration may always name."""


class Maker(partial[Any]):
    """Makes an object of a class, and first, each time anew, the objects that are its arguments."""

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        """Make the object."""
        own = {
            name: value() if isinstance(value, Maker) else value
            for name, value in self.keywords.items()
        }
        return self.func(*args, **own, **kwargs)


def maker_of(spec: Any, base: type, *, trust: Sequence[str] = ()) -> Maker:
    """Turn a class path and its arguments into a function that makes the object.

    All of them are checked at once, and nothing is made: also a part of a model may have a size
    that takes all memory.

    Args:
        spec: `class_path` and `init_args`, nested ones included.
        base: The class must be a subclass of this.
        trust: Packages, or modules in them, whose classes may be named too.

    Raises:
        AttributeError, ImportError, KeyError, TypeError: The class does not exist, or there is no
            class path.
        UntrustedError: The class is in a package that is not trusted.
        ValueError: The class is not a subclass of `base`.
    """
    made = class_of(str(spec["class_path"]), base, trust=trust)
    hints = hints_of(made)
    arguments = {
        key: _argument(key, value, hints.get(key), trust)
        for key, value in (spec.get("init_args") or {}).items()
    }
    return Maker(made, **arguments)


def class_of(class_path: str, base: type, *, trust: Sequence[str] = ()) -> type:
    """Find a class; nothing is imported but modules of squadqa and of what the user trusts.

    Args:
        class_path: Its dotted name.
        base: The class must be a subclass of this.
        trust: As for `maker_of`.

    Raises:
        AttributeError, ImportError, UntrustedError, ValueError: As for `maker_of`.
    """
    module_name, _, name = class_path.rpartition(".")
    allowed = (PACKAGE, *trust)
    if not module_name:
        raise ValueError(f'"{class_path}" is not in {PACKAGE}')
    if not is_trusted(class_path, allowed):
        raise UntrustedError(
            f'"{class_path}", which is not in {PACKAGE}',
            name=class_path,
            hint="Importing its package runs code.",
        )
    made = getattr(import_module(module_name), name)
    is_named = class_path in trust  # wherever it was defined
    if not isinstance(made, type) or not (is_named or is_trusted(_place(made), allowed)):
        raise ValueError(f'"{class_path}" is not a class of {module_name.partition(".")[0]}')
    if not issubclass(made, base):
        raise ValueError(f'"{class_path}" is not a {base.__name__}')
    return made


def hints_of(made: type) -> dict[str, Any]:
    """Return the type hints of a class's arguments, also of those that its bases take."""
    hints: dict[str, Any] = {}
    for base in reversed(made.__mro__):
        if "__init__" in vars(base):
            with suppress(NameError):  # a hint that is imported for type checkers only
                hints |= get_type_hints(vars(base)["__init__"])
    return hints


def class_kinds(hint: Any) -> tuple[type, ...]:
    """The classes that an argument may be an object of; never `object`.

    Args:
        hint: The argument's type hint.
    """
    return tuple(
        kind
        for kind in _kinds(hint)
        if isinstance(kind, type) and kind is not object and get_origin(kind) is None
    )


def _argument(key: str, value: Any, hint: Any, trust: Sequence[str]) -> Any:
    """Return the value of an argument: what makes a nested object, or a plain value."""
    if isinstance(value, dict) and "class_path" in value:
        for kind in class_kinds(hint):
            return maker_of(value, kind, trust=trust)
        raise ValueError(f'"{key}" does not take an object such as "{value["class_path"]}"')
    for kind in _kinds(hint):  # a saved configuration has all keys of mappings as texts
        origin = get_origin(kind)
        if isinstance(value, dict) and isinstance(origin, type) and issubclass(origin, Mapping):
            key_type = get_args(kind)[0]
            value = {key_type(name): one for name, one in value.items()}
    if not fits(value, hint):
        raise ValueError(f'"{key}" cannot be {shown(value)}')
    return value


def _kinds(hint: Any) -> tuple[Any, ...]:
    """The types that an argument may have, without None."""
    if get_origin(hint) in (Union, UnionType):
        return tuple(kind for kind in get_args(hint) if kind is not type(None))
    return (hint,)


def _place(made: type) -> str:
    """Return the dotted name of a class where it is defined."""
    return f"{made.__module__}.{made.__name__}"
