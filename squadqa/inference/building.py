"""Making a model from a configuration and a checkpoint that may not fit each other.

A wrong size may ask for any amount of memory or time. So the model is first made without memory for
its weights, and their shapes are compared with those of the checkpoint.
"""

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from torch import Tensor, nn

MORE_PARTS = 1000
"""How many more parts than weights a model may have: such as dropouts and lists of layers."""


class MisfitError(ValueError):
    """Weights that do not fit a model: how many, and an example."""


def build(
    make_model: "Callable[[], nn.Module]", weights: "Mapping[str, Tensor]", *, is_own: bool = False
) -> "nn.Module":
    """Make a model and load its weights.

    Args:
        make_model: Makes it.
        weights: All its weights by name.
        is_own: Whether all its classes are squadqa's, which can be made without memory. If not, a
            model that cannot is made with memory at once.

    Raises:
        MisfitError: The weights are not those of the model.
        Exception: Whatever the model raises that cannot be made.
    """
    import torch

    try:
        with torch.device("meta"), at_most(10 * len(weights) + MORE_PARTS):
            outline = make_model()
    except MisfitError:
        raise
    except Exception:
        if is_own:
            raise
        outline = None
    if outline is not None:
        _require_fit(outline, weights)
    model = make_model()
    _require_fit(model, weights)
    model.load_state_dict(weights)
    return model


def _require_fit(model: "nn.Module", weights: "Mapping[str, Tensor]") -> None:
    own = model.state_dict()
    wrong = [
        name
        for name in sorted(own.keys() | weights.keys())
        if name not in own or name not in weights or _form(own[name]) != _form(weights[name])
    ]
    if wrong:
        raise MisfitError(
            f'{len(wrong)} weights do not fit it, such as "{wrong[0]}": '
            f"{_shown(weights, wrong[0])} in the checkpoint, {_shown(own, wrong[0])} in the model"
        )


def _form(tensor: "Tensor") -> tuple[Any, ...]:
    return tensor.shape, tensor.is_floating_point(), tensor.layout


def _shown(weights: "Mapping[str, Tensor]", name: str) -> str:
    if name not in weights:
        return "missing"
    tensor = weights[name]
    kind = "" if tensor.is_floating_point() else f" of {tensor.dtype}"
    return f"{tuple(tensor.shape)}{kind}"


@contextmanager
def at_most(parts: int) -> Iterator[None]:
    """Stop the making of a model that gets more weights and modules in it than so many."""
    from torch.nn.modules import module

    left = parts

    def count(*registered: Any) -> None:
        nonlocal left
        left -= 1
        if left < 0:
            raise MisfitError(f"it would have more than {parts:,} layers and weights")

    hooks = [
        module.register_module_parameter_registration_hook(count),
        module.register_module_module_registration_hook(count),
    ]
    try:
        yield
    finally:
        for hook in hooks:
            hook.remove()
