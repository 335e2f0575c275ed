import os
from pathlib import Path

import pytest

from squadqa.data.prepare import PreparedData, prepare
from squadqa.data.squad import find_source


@pytest.fixture(scope="session")
def annotated_dev(squad_folder: Path) -> PreparedData:
    """SQuAD's dev part with its annotation."""
    if "SQUADQA_CACHE_DIR" not in os.environ:
        pytest.skip("annotating SQuAD takes minutes: set SQUADQA_CACHE_DIR to keep it")
    return prepare(find_source(str(squad_folder)), pipeline="en_core_web_sm")
