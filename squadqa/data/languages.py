"""Languages whose texts can be tokenized, by spaCy's codes, and spaCy's own pipelines for them.

Both are lists, as spaCy imports a module by the code that it gets: a name that is not in them
imports nothing.
"""

from squadqa.errors import ConfigError, did_you_mean

ENGLISH = "en"

_CODES = """
    af am ar az bg bn bo ca cs da de dsb el en es et eu fa fi fo fr ga gd grc gu he hi hr hsb ht
    hu hy id is it kmr kn ky la lb lg lij lt lv mk ml mr ms nb ne nl nn pl pt ro ru sa si sk sl sq
    sr sv ta te ti tl tn tr tt uk ur xx yo zh
"""
LANGUAGES = frozenset(_CODES.split())
"""spaCy's codes of languages; "xx" is for texts in several. Chinese is cut into characters."""

FURTHER_PACKAGES = {
    "ja": "SudachiPy",
    "ko": "mecab-ko",
    "th": "PyThaiNLP",
    "vi": "Pyvi",
}
"""Languages that spaCy tokenizes by another package, which squadqa does not ask for."""

_SIZES = ("sm", "md", "lg")
_NEWS = "ca da de el es fi fr hr it lt mk nb nl pl pt ro ru sl sv uk"
PIPELINES = frozenset(
    [f"{language}_core_web_{size}" for language in ("en", "zh") for size in (*_SIZES, "trf")]
    + [f"{language}_core_news_{size}" for language in _NEWS.split() for size in _SIZES]
    + [f"{language}_core_news_trf" for language in ("ca", "da", "sl", "uk")]
    + ["de_dep_news_trf", "es_dep_news_trf", "fr_dep_news_trf", "xx_ent_wiki_sm", "xx_sent_ud_sm"]
)
"""The names of spaCy's own pipelines, each also that of its package; they begin with the
language."""


def require_language(code: object) -> None:
    """Check the code of a language, before anything is imported.

    Args:
        code: What the user or a file named.

    Raises:
        ConfigError: It is not one of `LANGUAGES`.
    """
    if isinstance(code, str) and code in LANGUAGES:
        return
    further = FURTHER_PACKAGES.get(str(code))
    why = (
        f"spaCy needs the package {further} for it, which squadqa does not use. " if further else ""
    )
    raise ConfigError(
        f'the language cannot be "{code!s:.60}"',
        hint=why + ("" if further else did_you_mean(str(code), LANGUAGES)),
        next_step="Name a code such as de, zh or ar; xx is for texts in several languages.",
    )


def language_and_pipeline(name: str) -> tuple[str, str | None]:
    """Take apart what a user names as the language of data.

    Args:
        name: A code such as "de", or one of spaCy's own pipelines such as "de_core_news_sm".

    Returns:
        The language's code, and the pipeline that annotates; None if only a code was named.

    Raises:
        ConfigError: It is neither.
    """
    if name in PIPELINES:
        return name.partition("_")[0], name
    if "_" in name:
        raise ConfigError(
            f'the language cannot be "{name:.60}"',
            hint=did_you_mean(name, PIPELINES),
            next_step="Name a code such as de, or one of spaCy's own pipelines. A pipeline in a "
            "folder is named by --pipeline, or data.inputs.pipeline.",
        )
    require_language(name)
    return name, None
