"""Ablation of feature groups: the variants of a configuration to train."""

from collections.abc import Sequence

from squadqa.errors import ConfigError, did_you_mean
from squadqa.evaluation.ablation import LEXICAL_PAIR


def plan(groups: Sequence[str], without: Sequence[str] | None = None) -> list[tuple[str, ...]]:
    """List the variants to train: the sets of groups to leave out, the empty set first.

    Args:
        groups: The configuration's feature groups.
        without: The variants, each a group to leave out or several joined by "+"; None takes each
            single group, and the paper's pair.

    Raises:
        ConfigError: A group does not exist, or no group would be left.
    """
    if without is None:
        chosen: list[tuple[str, ...]] = [(name,) for name in groups]
        if set(LEXICAL_PAIR) < set(groups):
            chosen.append(LEXICAL_PAIR)
    else:
        chosen = [tuple(dict.fromkeys(names.split("+"))) for names in without]
    for names in chosen:
        for name in names:
            if name not in groups:
                raise ConfigError(
                    f'the configuration has no feature group "{name}" to leave out',
                    hint=did_you_mean(name, groups),
                )
        if set(names) == set(groups):
            raise ConfigError(
                f'without "{"+".join(names)}" there is no feature group left to train',
                next_step="Name fewer groups, or a configuration with more of them.",
            )
    order = {name: place for place, name in enumerate(groups)}
    chosen = [tuple(sorted(names, key=order.__getitem__)) for names in chosen]
    return list(dict.fromkeys([(), *chosen]))
