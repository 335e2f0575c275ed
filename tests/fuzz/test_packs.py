"""Damaged packs: changed bytes, and changed entries whose checksums are right."""

import json
from pathlib import Path
from random import Random

from squadqa.data.candidates.features import extract
from squadqa.data.candidates.generators import DependencyRuns
from squadqa.data.pack.archive import MANIFEST
from squadqa.data.prepare import prepare
from squadqa.data.squad import find_source, read_squad
from tests.support.fuzzing import changed, few_and_many, fuzz, mutated
from tests.support.packs import contents, make_pack, seal


def damage(random: Random, path: Path, whole: dict[str, bytes]) -> None:
    """Write a pack with one entry that was changed in its bytes or its values, or is missing."""
    entries = dict(whole)
    name = random.choice(sorted(entries))
    if name.endswith(".json") and random.random() < 0.5:
        entries[name] = json.dumps(changed(random, json.loads(entries[name]))).encode()
    elif name != MANIFEST and random.random() < 0.05:
        del entries[name]
    elif random.random() < 0.3:  # an array's values only, which are at its end
        begin = entries[name].find(b"\n") + 1
        entries[name] = entries[name][:begin] + mutated(random, entries[name][begin:])
    else:
        entries[name] = mutated(random, entries[name])
    try:
        seal(path, entries)
    except (ValueError, TypeError, AttributeError):  # the manifest is no object any more
        path.write_bytes(mutated(random, path.read_bytes()))


@few_and_many(120, seconds=1200)
def test_damaged_packs(count: int, tmp_path: Path) -> None:
    made = make_pack(tmp_path)
    path, cache = made.path, tmp_path / "cache"
    bytes_, entries = path.read_bytes(), contents(path)
    prepare(find_source(str(path)), cache_dir=cache)  # imports much

    def attempt(random: Random) -> None:
        if random.random() < 0.3:
            path.write_bytes(mutated(random, bytes_))
        else:
            damage(random, path, entries)
        source = find_source(str(path), part=random.choice(("train", "dev")))
        read_squad(source)
        data = prepare(source, cache_dir=cache, pipeline=made.pipeline, vectors=made.vectors)
        extract(data, DependencyRuns())  # climbs the trees

    accepted, refused = fuzz(attempt, count, kept=path)
    assert accepted and refused
