import torch

from squadqa.training.metrics import PredictionGatherer

CERTAIN = torch.zeros(1, 3, 2)
"""The certainties of one question at three temperatures."""

NAMES = ("index", "spans", "losses", "certainties")


def update(gatherer: PredictionGatherer, index: list[int]) -> None:
    """Add questions whose span and loss identify them."""
    at = torch.tensor(index)
    gatherer.update(at, torch.stack([at, at + 1], dim=1), at / 2, CERTAIN.expand(len(at), 3, 2))


def test_each_question_once_in_the_data_sets_order() -> None:
    gatherer = PredictionGatherer()
    for index in ([4, 0], [3, 1], [0, 4], [3]):
        update(gatherer, index)
    gathered = gatherer.compute()
    assert gathered.index.tolist() == [0, 1, 3, 4]
    assert gathered.spans.tolist() == [[0, 1], [1, 2], [3, 4], [4, 5]]
    assert gathered.losses.tolist() == [0, 0.5, 1.5, 2]


def test_of_repeats_the_first_counts() -> None:
    gatherer = PredictionGatherer()
    for loss in (1.0, 2.0):
        gatherer.update(torch.tensor([7]), torch.tensor([[0, 0]]), torch.tensor([loss]), CERTAIN)
    assert gatherer.compute().losses.tolist() == [1.0]


def test_one_question_keeps_its_dimension() -> None:
    gatherer = PredictionGatherer()
    update(gatherer, [3])
    gathered = gatherer.compute()
    assert (gathered.index.shape, gathered.spans.shape) == ((1,), (1, 2))
    assert gathered.losses.tolist() == [1.5]
    assert gathered.certainties.shape == (1, 3, 2)


def test_reset_starts_again() -> None:
    gatherer = PredictionGatherer()
    update(gatherer, [3, 4])
    gatherer.compute()
    gatherer.reset()
    update(gatherer, [1])
    assert gatherer.compute().index.tolist() == [1]


def test_what_other_processes_gathered_counts_too() -> None:
    one, two = PredictionGatherer(), PredictionGatherer()
    update(one, [0, 2])
    update(one, [4])
    update(two, [1, 3, 0])
    theirs = iter([torch.cat(getattr(two, name)) for name in NAMES])
    one.dist_sync_fn = lambda state, group: [state, next(theirs)]
    one.distributed_available_fn = lambda: True
    gathered = one.compute()
    assert gathered.index.tolist() == [0, 1, 2, 3, 4]
    assert gathered.spans[:, 0].tolist() == [0, 1, 2, 3, 4]
    assert gathered.losses.tolist() == [0, 0.5, 1, 1.5, 2]
