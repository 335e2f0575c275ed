"""The spaCy pipeline that the tests of annotation share."""

import pytest

from squadqa.data.pipelines import find_pipeline
from squadqa.errors import ConfigError

PIPELINE = "en_core_web_sm"


@pytest.fixture(scope="session")
def pipeline() -> str:
    """The official name of spaCy's small English pipeline; tests that ask for it skip without."""
    try:
        find_pipeline(PIPELINE)
    except ConfigError as error:
        pytest.skip(f"the small English pipeline is needed: {error.what}")
    return PIPELINE
