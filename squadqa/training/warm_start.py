"""Warm starts: a training begins with all weights of another run that fit by name and shape."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import pytorch_lightning as pl
import torch
from torch import Tensor, nn

from squadqa.data.inputs import SpanInputs
from squadqa.errors import CheckpointError
from squadqa.models.token_encoder import TokenEncoder
from squadqa.training.module import QAModule

Shape = tuple[int, ...]


@dataclass(frozen=True)
class TakenWeights:
    """The weights in a warm start, by name.

    Args:
        taken: Weights copied from the other run.
        reshaped: Weights with another shape there: the shape here, and the shape there.
        missing: Weights that the other run does not have.
        unused: Weights of the other run that the model does not have.
    """

    taken: tuple[str, ...]
    reshaped: dict[str, tuple[Shape, Shape]]
    missing: tuple[str, ...]
    unused: tuple[str, ...]


class WarmStart(pl.Callback):
    """Gives a new model another run's weights before its training starts.

    Not for a resumed training, whose weights it would replace.

    Args:
        name: The other run's checkpoint, for messages.
        weights: The other run's weights by name.
        frequent: The word forms whose vectors it tuned, most frequent first.
        vectors: Its sources of word vectors.
    """

    def __init__(
        self,
        name: str,
        weights: Mapping[str, Tensor],
        *,
        frequent: Sequence[str],
        vectors: Sequence[str],
    ) -> None:
        self.name = name
        self.vectors = list(vectors)
        self.result: TakenWeights | None = None
        self._weights = dict(weights)
        self._frequent = frequent

    def on_fit_start(self, trainer: pl.Trainer, pl_module: pl.LightningModule) -> None:
        """Copy the weights (called by Lightning)."""
        assert isinstance(pl_module, QAModule) and pl_module.model is not None
        inputs = pl_module.data.inputs
        self.result = take_weights(
            pl_module.model,
            self._weights,
            frequent=(inputs.frequent if isinstance(inputs, SpanInputs) else (), self._frequent),
            name=self.name,
        )
        self._weights = {}
        if pl_module.average is not None:
            pl_module.average.reset(pl_module.model)


def take_weights(
    model: nn.Module,
    weights: Mapping[str, Tensor],
    *,
    frequent: tuple[Sequence[str], Sequence[str]],
    name: str,
) -> TakenWeights:
    """Copy into a model every weight whose name and shape fit.

    Tuned vectors of frequent words are copied word by word, as a word's row may differ.

    Args:
        model: The model; its other weights are not changed.
        weights: Another model's weights by name.
        frequent: The frequent word forms of the model, and those of the other model.
        name: Where the weights come from, for messages.

    Raises:
        CheckpointError: No weight fits.
    """
    own = model.state_dict()
    weights = {**weights, **_tuned_words(model, weights, *frequent)}
    shared = [key for key in own if key in weights]
    taken = tuple(key for key in shared if own[key].shape == weights[key].shape)
    if not taken:
        raise CheckpointError(
            f'none of the {len(weights)} weights of "{name}" fits "{type(model).__name__}" by name '
            "and shape",
            hint=f'There is "{next(iter(weights), "nothing")}"; here is "{next(iter(own))}".',
            next_step="Name a run whose model has parts of the same names and widths.",
        )
    with torch.no_grad():
        for key in taken:
            own[key].copy_(weights[key])
    return TakenWeights(
        taken=taken,
        reshaped={
            key: (tuple(own[key].shape), tuple(weights[key].shape))
            for key in shared
            if key not in taken
        },
        missing=tuple(key for key in own if key not in weights),
        unused=tuple(key for key in weights if key not in own),
    )


def _tuned_words(
    model: nn.Module, weights: Mapping[str, Tensor], own: Sequence[str], other: Sequence[str]
) -> dict[str, Tensor]:
    """Rows of tuned words in the model's order; words that were not tuned there start at zero."""
    place = {form: row for row, form in enumerate(other, start=1)}
    moved = {}
    for path, module in model.named_modules():
        key = f"{path}.tuning.weight".lstrip(".")
        if not isinstance(module, TokenEncoder) or key not in weights:
            continue
        rows = module.tuning.weight.detach().clone().zero_()
        if rows.shape[1] != weights[key].shape[1]:
            continue  # vectors of another width
        for row, form in enumerate(own[: len(rows) - 1], start=1):
            if 0 < (there := place.get(form, 0)) < len(weights[key]):
                rows[row] = weights[key][there]
        moved[key] = rows
    return moved
