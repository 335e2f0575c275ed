"""Plain values of a configuration, compared with the type that an argument expects."""

import math
from collections.abc import Mapping, Sequence
from types import NoneType, UnionType
from typing import Any, Literal, Union, get_args, get_origin


def fits(value: Any, hint: Any) -> bool:
    """Return whether a plain value is of an argument's type.

    Args:
        value: A value as YAML has it: also a list for a tuple, and a whole number for a float.
        hint: The argument's type. What it leaves open, or is no plain type, fits.
    """
    if hint is Any:
        return True
    origin, kinds = get_origin(hint), get_args(hint)
    if origin in (Union, UnionType):
        return any(fits(value, kind) for kind in kinds)
    if origin is Literal:
        return any(value == kind and type(value) is type(kind) for kind in kinds)
    if hint is NoneType or hint is None:
        return hint is None or value is None
    if hint is bool:
        return isinstance(value, bool)
    if hint is int:
        return isinstance(value, int) and not isinstance(value, bool)
    if hint is float:
        is_number = isinstance(value, (int, float)) and not isinstance(value, bool)
        return is_number and abs(value) < math.inf
    if hint is str:
        return isinstance(value, str)
    origin = origin or hint
    if isinstance(value, str):  # a sequence for Python, but never meant as one
        return not isinstance(origin, type)
    if not isinstance(origin, type) or isinstance(value, origin):
        if isinstance(value, Mapping) and len(kinds) == 2:
            return all(fits(name, kinds[0]) and fits(one, kinds[1]) for name, one in value.items())
        if isinstance(value, (list, tuple)) and kinds:
            kinds = kinds if kinds[-1] is not Ellipsis else kinds[:1]
            if issubclass(tuple, origin) and len(kinds) > 1:
                return len(value) == len(kinds) and all(map(fits, value, kinds))
            return all(fits(one, kinds[0]) for one in value)
        return True
    return (
        isinstance(value, list)
        and issubclass(origin, (tuple, Sequence))
        and (fits(tuple(value), hint))
    )
