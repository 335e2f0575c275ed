"""Looking inside models as they read chosen questions: probabilities, attention, feature groups.

What a model computes is not changed by it: attention is seen by hooks that compute it again.

Letters: B batch, C context tokens, Q question tokens, L longest span.
"""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from squadqa.data.squad import Source
from squadqa.evaluation.inspected import Contributions, Inspected
from squadqa.inference.answered import Preparation
from squadqa.inference.answering import Answerer
from squadqa.inference.ensemble import Ensemble
from squadqa.inference.mixing import mean_table
from squadqa.inference.predictor import Predictor
from squadqa.models.distributions import marginals
from squadqa.scoring import normalize_answer


def inspect_questions(
    answerer: Answerer,
    source: Source,
    rows: Sequence[int],
    *,
    with_attention: Sequence[int] = (),
    preparation: Preparation | None = None,
) -> dict[int, Inspected]:
    """Look inside a run or an ensemble as it reads some questions of a source.

    Args:
        answerer: The run or ensemble; of an ensemble only probabilities are seen.
        source: The questions.
        rows: Which ones, by their place in the source.
        with_attention: Those of which attention is kept too.
        preparation: How they are prepared.

    Returns:
        What is seen, by row.

    Raises:
        SquadQAError: The source cannot be prepared, or the weights give no numbers.
    """
    how = preparation or Preparation()
    chosen = np.array(list(rows), np.int64)
    if not len(chosen):
        return {}
    if isinstance(answerer, Ensemble):
        return _of_ensemble(answerer, source, chosen, how)
    assert isinstance(answerer, Predictor)
    return _of_run(answerer, source, chosen, frozenset(with_attention), how)


@contextmanager
def attention_seen(model: nn.Module) -> Iterator[list[Tensor]]:
    """Collect the attention of context tokens to question tokens while a model runs.

    Every layer that has `attention_weights`, which takes the arguments of its `forward`, is asked
    for them again after it ran.

    Args:
        model: The model.

    Yields:
        A list that grows by one (B, C, Q) for each call of such a layer.
    """
    seen: list[Tensor] = []

    def look(layer: nn.Module, args: Any, kwargs: Any, output: Any) -> None:
        if args[0] is args[1]:  # attention of a text to itself
            return
        weights: Any = layer.attention_weights
        kwargs = {name: value for name, value in kwargs.items() if name != "values"}
        seen.append(weights(*args, **kwargs))

    hooks = [
        layer.register_forward_hook(look, with_kwargs=True)
        for layer in model.modules()
        if hasattr(layer, "attention_weights")
    ]
    try:
        yield seen
    finally:
        for hook in hooks:
            hook.remove()


def _of_ensemble(
    ensemble: Ensemble, source: Source, rows: NDArray[np.int64], how: Preparation
) -> dict[int, Inspected]:
    reading = ensemble.read(source, how, rows=rows)
    found = {}
    for row, distributions in zip(rows.tolist(), zip(*reading.members, strict=True), strict=True):
        table = mean_table(distributions, ensemble.weights, mean=ensemble.mean)
        found[row] = Inspected(*marginals(table))
    return found


def _of_run(
    run: Predictor,
    source: Source,
    rows: NDArray[np.int64],
    with_attention: frozenset[int],
    how: Preparation,
) -> dict[int, Inspected]:
    dataset = run.dataset(source, how, rows=rows)
    model: Any = run.model
    is_sum = hasattr(model, "group_scores")
    found = {}
    with attention_seen(model) as seen:
        for items, batch, output in run.outputs(dataset):
            distributions = model.distributions(output, batch)
            attention = None
            if seen:
                lengths = batch.context_mask.sum(dim=1), batch.question_mask.sum(dim=1)
                attention = _fitting(seen, batch.context_mask, batch.question_mask)
                context_sizes, question_sizes = (each.tolist() for each in lengths)
            seen.clear()
            groups = {}
            if is_sum:
                with torch.inference_mode():
                    groups = {
                        name: each.float().cpu().numpy()
                        for name, each in model.group_scores(batch).items()
                    }
            for place, item in enumerate(items):
                row = int(rows[item])
                weights = None
                if attention is not None and row in with_attention:
                    size = context_sizes[place], question_sizes[place]
                    weights = attention[place, : size[0], : size[1]].float().cpu().numpy()
                found[row] = Inspected(
                    *marginals(distributions[place].table()),
                    attention=weights,
                    contributions=_contributions(dataset, item, batch, place, output, groups)
                    if is_sum
                    else None,
                )
    return found


def _fitting(seen: Sequence[Tensor], context_mask: Tensor, question_mask: Tensor) -> Tensor | None:
    """Return the first attention that is of context tokens to question tokens."""
    shape = (*context_mask.shape, question_mask.shape[1])
    return next((one for one in seen if one.shape == shape), None)


def _contributions(
    dataset: Any,
    item: int,
    batch: Any,
    place: int,
    output: Tensor,
    groups: dict[str, NDArray[np.float32]],
) -> Contributions | None:
    """Compare a scorer's chosen span with the right one, or else with the next best text."""
    scores = output[place].float().cpu().numpy()
    real = batch.candidate_mask[place].cpu().numpy()
    labels = batch.candidate_labels[place].cpu().numpy() & real
    spans = batch.candidate_spans[place].cpu().numpy()
    order = np.argsort(-np.where(real, scores, -np.inf), kind="stable")[: int(real.sum())]

    def text(candidate: int) -> str:
        return str(dataset.text_of(item, *spans[candidate].tolist()))

    best = int(order[0])
    gold = [int(candidate) for candidate in order if labels[candidate]]
    if gold and gold[0] != best:
        rival, is_gold = gold[0], True
    else:
        chosen_text = normalize_answer(text(best))
        others = (int(one) for one in order[1:] if normalize_answer(text(int(one))) != chosen_text)
        rival, is_gold = next(others, best), False
    if rival == best:
        return None
    chosen, other = (
        {name: float(each[place, candidate]) for name, each in groups.items()}
        for candidate in (best, rival)
    )
    return Contributions(text(rival), is_gold, chosen, other)
