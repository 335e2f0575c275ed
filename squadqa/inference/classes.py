"""Classes that a run folder names, and how objects of them are made safely.

A configuration may come from anyone. So a class must be in this package, or in one that the user
trusts by name, and must be a subclass of what its argument expects.
"""

from collections.abc import Mapping, Sequence
from functools import partial
from importlib import import_module
from types import UnionType
from typing import Any, Union, get_args, get_origin, get_type_hints

PACKAGE = "squadqa"
"""The package whose classes a configuration may always name."""


def maker_of(spec: Any, base: type, *, trust: Sequence[str] = ()) -> "partial[Any]":
    """Turn a class path and its arguments into a function that makes the object.

    Args:
        spec: `class_path` and `init_args`, nested ones included.
        base: The class must be a subclass of this.
        trust: Packages, or modules in them, whose classes may be named too.

    Raises:
        AttributeError, ImportError, KeyError, TypeError: The class does not exist, or there is no
            class path.
        ValueError: The class is in a package that is not trusted, or is not a subclass of `base`.
    """
    class_path = str(spec["class_path"])
    made = _find_class(class_path, trust)
    if not issubclass(made, base):
        raise ValueError(f'"{class_path}" is not a {base.__name__}')
    try:
        hints = get_type_hints(made.__init__)
    except NameError:  # a hint that is imported for type checkers only
        hints = {}
    arguments = {
        key: _argument(key, value, hints.get(key), trust)
        for key, value in (spec.get("init_args") or {}).items()
    }
    return partial(made, **arguments)


def _find_class(class_path: str, trust: Sequence[str]) -> type:
    module_name, _, name = class_path.rpartition(".")
    if not _is_trusted(module_name, trust):
        package = module_name.partition(".")[0]
        raise ValueError(
            f'"{class_path}" is not in {PACKAGE}; if you trust the package, say so with '
            f'trust=["{package}"] or --trust {package}'
        )
    made = getattr(import_module(module_name), name)
    if not isinstance(made, type) or not _is_trusted(made.__module__, trust):
        raise ValueError(f'"{class_path}" is not a class of {module_name.partition(".")[0]}')
    return made


def _is_trusted(module: str, trust: Sequence[str]) -> bool:
    return any(f"{module}.".startswith(f"{name}.") for name in (PACKAGE, *trust))


def _argument(key: str, value: Any, hint: Any, trust: Sequence[str]) -> Any:
    """Make the value of an argument: a nested object, or a plain value."""
    if isinstance(value, dict) and "class_path" in value:
        for kind in _kinds(hint):
            if isinstance(kind, type) and kind is not object and get_origin(kind) is None:
                return maker_of(value, kind, trust=trust)()
        raise ValueError(f'"{key}" does not take an object such as "{value["class_path"]}"')
    for kind in _kinds(hint):  # a saved configuration has all keys of mappings as texts
        origin = get_origin(kind)
        if isinstance(value, dict) and isinstance(origin, type) and issubclass(origin, Mapping):
            key_type = get_args(kind)[0]
            return {key_type(name): one for name, one in value.items()}
    return value


def _kinds(hint: Any) -> tuple[Any, ...]:
    """The types that an argument may have, without None."""
    if get_origin(hint) in (Union, UnionType):
        return tuple(kind for kind in get_args(hint) if kind is not type(None))
    return (hint,)
