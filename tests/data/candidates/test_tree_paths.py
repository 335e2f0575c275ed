"""Paths through dependency trees against explicit walks."""

import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from squadqa.data.candidates.tree_paths import TOO_LONG, arc_hashes, path_hashes

HASHES = torch.randint(-(2**63), 2**63 - 1, (2, 3), generator=torch.Generator().manual_seed(1))
LABELS, TAGS = HASHES


def climb(heads: list[int], token: int) -> list[int]:
    chain = [token]
    while heads[chain[-1]] != chain[-1]:
        chain.append(heads[chain[-1]])
    return chain


def walk(heads: list[int], labels: list[int], tags: list[int], start: int, end: int) -> object:
    """Arcs up, the tag where the branches meet, arcs down; None between different trees."""
    up, down = climb(heads, start), climb(heads, end)
    if up[-1] != down[-1]:
        return None
    meeting = next(token for token in up if token in down)
    arcs = [
        tuple((labels[t], tags[t]) for t in chain[: chain.index(meeting)]) for chain in (up, down)
    ]
    return arcs[0], tags[meeting], arcs[1]


def hashed(
    heads: list[int], labels: list[int], tags: list[int], pairs: list[tuple[int, int]], longest: int
) -> list[int]:
    depths = torch.tensor([len(climb(heads, t)) - 1 for t in range(len(heads))])
    start, end = torch.tensor(pairs).unbind(1)
    arcs = arc_hashes(LABELS[labels], TAGS[tags])
    return path_hashes(
        arcs, TAGS[tags], torch.tensor(heads), depths, start=start, end=end, max_arcs=longest
    ).tolist()


@st.composite
def forests(draw: st.DrawFn) -> tuple[list[int], list[int], list[int]]:
    size = draw(st.integers(1, 9))
    heads = [draw(st.integers(0, token)) for token in range(size)]  # a root is its own head
    kinds = st.lists(st.integers(0, 2), min_size=size, max_size=size)
    return heads, draw(kinds), draw(kinds)


@settings(max_examples=200)
@given(forests(), st.integers(1, 10))
def test_equal_hashes_are_equal_walks(
    tree: tuple[list[int], list[int], list[int]], longest: int
) -> None:
    size = len(tree[0])
    pairs = [(a, b) for a in range(size) for b in range(size)]
    walks = [walk(*tree, a, b) for a, b in pairs]
    meanings = []
    for path in walks:
        too_long = path is not None and max(len(path[0]), len(path[2])) > longest  # type: ignore[index]
        meanings.append("too long" if too_long else path)
    hashes = hashed(*tree, pairs, longest)
    for hash_, meaning in zip(hashes, meanings, strict=True):
        if meaning is None:  # a pair of long branches may run out of steps before it shows
            assert hash_ in (0, TOO_LONG)
        else:
            assert (hash_ == TOO_LONG) == (meaning == "too long")
    known = [(h, m) for h, m in zip(hashes, meanings, strict=True) if m is not None]
    assert len({h for h, _ in known}) == len({m for _, m in known}) == len(set(known))


def test_a_walk_by_hand() -> None:
    # "what" hangs from "ate", "apples" from "ate", "red" from "apples".
    heads, labels, tags = [1, 1, 3, 1], [0, 1, 2, 1], [0, 1, 2, 0]
    arcs = arc_hashes(LABELS, LABELS)
    assert arcs.shape == LABELS.shape
    there, back = hashed(heads, labels, tags, [(0, 2), (2, 0)], 6)
    assert there != back  # a path has a direction
    assert hashed(heads, labels, tags, [(0, 2)], 1) == [TOO_LONG]
    assert hashed([0, 1], labels[:2], tags[:2], [(0, 1)], 6) == [0]
