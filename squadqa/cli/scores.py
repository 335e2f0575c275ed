"""Scores as people read them."""

from collections.abc import Mapping

from squadqa.scoring import Score


def score_lines(scored: Score) -> list[tuple[str, str]]:
    """Lay a score by the rule of SQuAD v1.1 out as pairs of a name and its value.

    Args:
        scored: The score.
    """
    missing = f", {scored.missing:,} without a prediction" if scored.missing else ""
    return [
        ("exact match", f"{scored.exact_match:.2f} %"),
        ("F1", f"{scored.f1:.2f} %"),
        ("questions", f"{scored.total:,}{missing}"),
    ]


def abstaining_lines(v2: Mapping[str, float]) -> list[tuple[str, str]]:
    """Lay what the rule of SQuAD v2.0 adds out as pairs of a name and its value.

    Args:
        v2: Scores by their official names, and a run's "threshold" and "auroc"; empty where another
            rule scores.
    """
    if not v2:
        return []
    rule = "SQuAD v2.0"
    if "threshold" in v2:
        rule += f": no answer if its probability is above {v2['threshold']:.3f}"
    lines = [("rule", rule)]
    for name, kind in (("HasAns", "with answer"), ("NoAns", "without")):
        if f"{name}_total" in v2:
            exact, f1, total = (v2[f"{name}_{score}"] for score in ("exact", "f1", "total"))
            lines.append((kind, f"EM {exact:.2f}  F1 {f1:.2f}  of {total:,.0f}"))
    if "best_f1" in v2:
        lines.append(("best F1", f"{v2['best_f1']:.2f} above {v2['best_f1_thresh']:.3f}"))
    if "always_HasAns_f1" in v2:
        exact, f1 = (v2[f"always_HasAns_{score}"] for score in ("exact", "f1"))
        lines.append(("if it always answers", f"EM {exact:.2f}  F1 {f1:.2f}  of those with answer"))
    if "auroc" in v2:
        lines.append(("told apart", f"AUROC {v2['auroc']:.3f}"))
    return lines
