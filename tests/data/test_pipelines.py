import pytest

from squadqa.data.annotation import annotate
from squadqa.data.pipelines import PIPELINES, find_pipeline, pipeline_fingerprint
from squadqa.data.tokenization import tokenize
from squadqa.errors import ConfigError


def test_fingerprint_names_the_package_and_versions(pipeline: str) -> None:
    assert find_pipeline(pipeline) in pipeline_fingerprint(pipeline)
    assert "spacy 3." in pipeline_fingerprint(pipeline)


@pytest.mark.parametrize("name", ["en_core_web_smm", "no.such.pipeline", "", "json", "../x"])
def test_missing_pipeline(name: str) -> None:
    with pytest.raises(ConfigError) as caught:
        annotate(tokenize(["x"]), pipeline=name, workers=1)
    assert f'the spaCy pipeline "{name}" is not installed' in str(caught.value)
    assert "switch annotation off" in str(caught.value)


def test_missing_pipeline_suggests_a_near_name() -> None:
    with pytest.raises(ConfigError, match='Did you mean "en_core_web_md"'):
        find_pipeline("en_core_web_mdd")


def test_missing_known_pipeline(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(PIPELINES, "en_core_web_sm", ("not_there", "nor_there"))
    with pytest.raises(ConfigError, match="looked for not_there, nor_there"):
        find_pipeline("en_core_web_sm")


def test_package_without_a_pipeline() -> None:
    with pytest.raises(ConfigError, match='the package "packaging" holds no spaCy pipeline'):
        annotate(tokenize(["x"]), pipeline="packaging", workers=1)
