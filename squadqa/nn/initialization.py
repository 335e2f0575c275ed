"""First weights."""

import math

from torch import Tensor, nn


def keep_variance_(weight: Tensor) -> None:
    """Draw a weight (E, D) anew, so that its product with a vector varies as the vector does.

    The default of `torch.nn.Linear` has a third of that variance. Between layers that keep it, as
    simple recurrent units do, the signal would shrink.

    Args:
        weight: The weight; it is changed.
    """
    bound = math.sqrt(3 / weight.shape[1])  # an even distribution of variance 1 / D
    nn.init.uniform_(weight.detach(), -bound, bound)
