"""Faults that only a GPU shows, found on a CPU: operations on tensors of two devices, and waits.

Some tensors are declared to be on a GPU, though they are not, and with them everything that is
computed of them or made with an explicit `device`. What a GPU would refuse is an error here too.
"""

from collections import Counter
from collections.abc import Iterable
from typing import Any

import torch
from torch import Tensor
from torch.overrides import TorchFunctionMode
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils._pytree import tree_leaves

COPIES = ("_to_copy", "copy_")
"""Operations that bring a tensor to another device."""

WAITS = ("_local_scalar_dense", "nonzero", "_unique2", "unique_dim", "masked_select")
"""Operations whose result the program has to know before it goes on."""

INDEXING = ("index", "index_put", "index_put_")
"""Operations that wait where they are given a mask."""

NOT_OF_INTEGERS = ("mm", "bmm", "addmm", "baddbmm", "mv", "dot", "_softmax", "_log_softmax")
"""Operations that a GPU has for floating-point numbers alone, and a CPU for integers too."""


class Residence(TorchDispatchMode):
    """Follows which tensors would be on a GPU.

    Args:
        tensors: Those that are there from the start: weights and a batch.
    """

    def __init__(self, tensors: Iterable[Tensor]) -> None:
        super().__init__()
        self.waits: Counter[str] = Counter()
        self._kept: list[Tensor] = []  # so that no memory of theirs is given to other tensors
        self._there: set[int] = set()
        self._makes_there = False
        self._calls = _Calls(self)
        for tensor in tensors:
            self._put(tensor)

    def __enter__(self) -> "Residence":
        self._calls.__enter__()
        super().__enter__()
        return self

    def __exit__(self, *error: Any) -> None:
        super().__exit__(*error)
        self._calls.__exit__(*error)

    def _put(self, tensor: Tensor) -> None:
        if tensor.is_mkldnn:
            return
        if place := tensor.untyped_storage().data_ptr():
            self._there.add(place)
            self._kept.append(tensor.detach())

    def is_there(self, tensor: Tensor) -> bool:
        """Tell whether a tensor would be on the GPU."""
        # What oneDNN packs is the CPU's own way to multiply.
        return tensor.is_mkldnn or tensor.untyped_storage().data_ptr() in self._there

    def __torch_dispatch__(
        self, func: Any, types: Any, args: tuple[Any, ...] = (), kwargs: Any = None
    ) -> Any:
        kwargs = kwargs or {}
        name = func.overloadpacket.__name__
        given = [leaf for leaf in tree_leaves((args, kwargs)) if isinstance(leaf, Tensor)]
        there = [tensor for tensor in given if self.is_there(tensor)]
        if there and name not in COPIES:
            # A number that is a tensor without dimensions may come from the CPU.
            here = [one for one in given if one.dim() and one.numel() and not self.is_there(one)]
            assert not here, f"{func} of a tensor on the GPU and {tuple(here[0].shape)} on the CPU"
            integers = [one for one in there if not one.dtype.is_floating_point]
            assert not (name in NOT_OF_INTEGERS and integers), f"{func} of integers on a GPU"
            masks = [one for one in given[1:] if one.dtype == torch.bool]
            is_wait = name in WAITS or (name in INDEXING and masks)
            if name == "repeat_interleave" and kwargs.get("output_size") is None:
                is_wait = True
            if is_wait:
                self.waits[name] += 1
        made = func(*args, **kwargs)
        if there or (self._makes_there and not given):
            for leaf in tree_leaves(made):
                if isinstance(leaf, Tensor):
                    self._put(leaf)
        return made


class _Calls(TorchFunctionMode):
    """Notes for each call from Python where the tensors are that it makes of nothing."""

    def __init__(self, residence: Residence) -> None:
        super().__init__()
        self.residence = residence

    def __torch_function__(
        self, func: Any, types: Any, args: tuple[Any, ...] = (), kwargs: Any = None
    ) -> Any:
        kwargs = kwargs or {}
        own, before = self.residence, self.residence._makes_there
        leaves = [leaf for leaf in tree_leaves((args, kwargs)) if isinstance(leaf, Tensor)]
        own._makes_there = "device" in kwargs or any(map(own.is_there, leaves))
        try:
            return func(*args, **kwargs)
        finally:
            own._makes_there = before
