"""Small data in other languages, written for these tests: two articles, questions with answers."""

from pathlib import Path

from tests.support import tiny

_TEXTS: dict[str, tiny.Articles] = {
    "de": {
        "Mühle": {
            "Die alte Papiermühle in Lindau wurde 1784 von der Kaufmannstochter Ada Brandt gebaut. "
            "Ihr Enkel Karl deckte das Dach mit Schiefer aus Wales neu, z. B. über der "
            "Wasserrad-Kammer.": {
                "Wer baute die Mühle?": ["Ada Brandt"],
                "Woher kam der Schiefer?": ["Wales", "aus Wales"],
            },
        },
        "Bäckerei": {
            "Mareks Bäckerei verkauft freitags Pflaumenkuchen für 2,50 €.": {
                "Wann gibt es Pflaumenkuchen?": ["freitags"],
                "Was kostet er?": ["2,50 €"],
            },
        },
    },
    "zh": {
        "磨坊": {
            "这座老磨坊建于1784年，由商人阿达建造。一八三一年的大火烧毁了屋顶。": {
                "谁建造了磨坊？": ["阿达", "商人阿达"],
                "磨坊建于哪一年？": ["1784年"],
            },
        },
        "面包店": {
            "马雷克的面包店每逢星期五卖李子蛋糕。": {
                "面包店什么时候卖李子蛋糕？": ["星期五"],
                "谁开面包店？": ["马雷克"],
            },
        },
    },
    "ar": {
        "الطاحونة": {
            "بنت التاجرة هدى الطاحونة القديمة عام 1784 على ضفة النهر، "
            "ثم أعاد حفيدها كريم بناء السقف.": {
                "من بنى الطاحونة؟": ["هدى", "التاجرة هدى"],
                "متى بنيت الطاحونة؟": ["1784", "عام 1784"],
            },
        },
        "المخبز": {
            "يبيع مخبز سليم كعكة البرقوق كل يوم جمعة.": {
                "متى تباع كعكة البرقوق؟": ["كل يوم جمعة"],
                "ماذا يبيع المخبز؟": ["كعكة البرقوق"],
            },
        },
    },
}

CODES = tuple(_TEXTS)
"""The languages of the data."""


def squad_in(code: str) -> tiny.Json:
    """The data in a language, in the official nested form."""
    return tiny.nested(_TEXTS[code], prefix=code)


def write_parts(folder: Path, code: str) -> None:
    """Write train.json and dev.json, which are the same."""
    for part in ("train.json", "dev.json"):
        tiny.write(folder / part, squad_in(code))
