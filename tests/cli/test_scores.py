"""Scores as people read them."""

import pytest

from squadqa.cli.scores import abstaining_lines

OF_ONE_KIND = {"HasAns_exact": 50.0, "HasAns_f1": 60.25, "HasAns_total": 1200}
BEST = {"best_f1": 70.0, "best_f1_thresh": 0.25}


def test_another_rule_adds_nothing() -> None:
    assert abstaining_lines({}) == []


@pytest.mark.parametrize(
    "extra", [{}, BEST, {"auroc": 0.875}, {"threshold": 0.5}, BEST | OF_ONE_KIND]
)
def test_each_value_may_be_missing(extra: dict[str, float]) -> None:
    lines = dict(abstaining_lines({**OF_ONE_KIND, **extra}))
    assert lines["with answer"] == "EM 50.00  F1 60.25  of 1,200"
    is_known = "threshold" in extra
    assert (
        lines["rule"] == "SQuAD v2.0" + is_known * ": no answer if its probability is above 0.500"
    )
    assert ("told apart" in lines, "best F1" in lines) == ("auroc" in extra, "best_f1" in extra)
