"""Highway layers: each feature is transformed or carried on. Letters: D width."""

from torch import Tensor, nn

CARRY_BIAS = -1.0
"""Bias of the gates at first: most of a feature is carried on (Srivastava et al., section 2.2)."""


class Highway(nn.Module):
    """Layers of y = t * relu(W x + b) + (1 - t) * x with the gate t = sigmoid(W' x + b').

    Reference: Srivastava, Greff and Schmidhuber, 2015, Highway Networks (arXiv 1505.00387).

    Args:
        size: D of the input and of the output.
        num_layers: Layers.
    """

    def __init__(self, size: int, *, num_layers: int = 2) -> None:
        super().__init__()
        self.transforms = nn.ModuleList(nn.Linear(size, size) for _ in range(num_layers))
        self.gates = nn.ModuleList(nn.Linear(size, size) for _ in range(num_layers))
        for gate in self.gates:
            assert isinstance(gate, nn.Linear)
            nn.init.constant_(gate.bias, CARRY_BIAS)

    def forward(self, x: Tensor) -> Tensor:
        """Transform (..., D) to (..., D)."""
        for transform, gate in zip(self.transforms, self.gates, strict=True):
            # In mixed precision the layers' results have another precision than x.
            x = x.lerp(transform(x).relu().to(x), gate(x).sigmoid().to(x))
        return x
