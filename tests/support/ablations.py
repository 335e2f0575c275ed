"""Small ablations, made up."""

from typing import Any

from squadqa.evaluation.ablation import Ablation, Variant

CONFIG = {"model": {"groups": ["lengths", "position"], "bits": 20}, "trainer": {"max_epochs": 3}}


def variant(*without: str, f1: float, **values: Any) -> Variant:
    """A variant with some F1; other values are the same unless given."""
    defaults: dict[str, Any] = {
        "exact_match": 40.0,
        "val_f1": 50.0,
        "total": 10_570,
        "parameters": 100,
        "training_minutes": 2.5,
        "minutes": 3.0,
        "commit": "0123456789abcdef-dirty",
        "hardware": "a machine",
        "device": "cpu",
    }
    return Variant(without=without, f1=f1, **{**defaults, **values})


EMPTY = Ablation(config_files="configs/logistic.yaml", config=CONFIG, data="squad", seed=1)
WHOLE = EMPTY.with_variant(variant(f1=51.25))
FULL = (
    WHOLE.with_variant(variant("position", f1=51.5, exact_match=41.04))
    .with_variant(variant("lengths", f1=50.0))
    .with_variant(variant("dependency_paths", "lexicalized", f1=36.0))
)
