from pathlib import Path

import numpy as np
import pytest

from squadqa.data.soft_targets import ENDS, STARTS, SoftTargets
from squadqa.errors import DataError

LENGTHS = [3, 1, 4]


def targets() -> SoftTargets:
    random = np.random.default_rng(0)
    starts, ends = random.uniform(size=(2, sum(LENGTHS))).astype(np.float16)
    return SoftTargets(starts, ends, np.cumsum([0, *LENGTHS]))


def test_a_batch_is_padded_to_its_longest_context() -> None:
    made = targets()
    starts, ends = made.batch([1, 0])
    assert starts.dtype == ends.dtype == np.float32
    assert starts.tolist() == [[made.starts[3], 0, 0], made.starts[:3].tolist()]
    assert ends.tolist() == [[made.ends[3], 0, 0], made.ends[:3].tolist()]
    assert made.batch([2])[0].shape == (1, 4)
    assert len(made) == 3


def test_what_was_written_is_read_from_the_disk(tmp_path: Path) -> None:
    made = targets()
    made.write(tmp_path)
    opened = SoftTargets.open(tmp_path)
    assert isinstance(opened.starts, np.memmap) and isinstance(opened.ends, np.memmap)
    for one, other in zip(made.batch([0, 2]), opened.batch([0, 2]), strict=True):
        assert np.array_equal(one, other)
    assert (tmp_path / STARTS).stat().st_size < 128 + 2 * sum(LENGTHS) + 1


def test_a_damaged_file_is_refused(tmp_path: Path) -> None:
    targets().write(tmp_path)
    (tmp_path / ENDS).write_bytes(b"no array")
    with pytest.raises(DataError, match="cannot read what the teacher said"):
        SoftTargets.open(tmp_path)
