"""Damaged prepared data: made again, or refused."""

import json
from pathlib import Path
from random import Random

from squadqa.data.cache import MANIFEST
from squadqa.data.prepare import prepare
from squadqa.data.squad import find_source
from tests.support import tiny
from tests.support.comparing import comparable
from tests.support.fuzzing import changed, few_and_many, fuzz, mutated
from tests.support.vector_files import file_of_kind


@few_and_many(60, seconds=3000)
def test_damaged_prepared_data(count: int, tmp_path: Path) -> None:
    source = find_source(str(tiny.write(tmp_path / "x.json", tiny.squad())))
    vectors = [str(file_of_kind(tmp_path, ".txt"))]
    cache = tmp_path / "cache"
    whole = comparable(prepare(source, cache_dir=cache, vectors=vectors))
    saved = {path: path.read_bytes() for path in sorted(cache.glob("*/*"))}
    manifests = [path for path in saved if path.name == MANIFEST]

    def attempt(random: Random) -> None:
        for path, content in saved.items():
            if path.read_bytes() != content:
                path.write_bytes(content)
        if random.random() < 0.5:
            path = random.choice(manifests)
            path.write_text(json.dumps(changed(random, json.loads(saved[path]))))
        else:
            path = random.choice(sorted(saved))
            path.write_bytes(mutated(random, saved[path]))
        prepared = comparable(prepare(source, cache_dir=cache, vectors=vectors))
        skipped = prepared.pop("skipped")
        assert all(isinstance(many, int) for many in skipped.values())
        assert prepared == {name: value for name, value in whole.items() if name != "skipped"}

    accepted, refused = fuzz(attempt, count, kept=cache)
    assert accepted and refused
