"""The language of a text: by script where the script says it, else by the small words of some twenty languages.

Enough to see that a page is served in another language than before; no model to load, the same answer everywhere.
"""

from __future__ import annotations

import re
from collections import Counter

_WORDS = {
    "en": "the of and to in you your we our that is or for with are this as be by may not any from will if it on",
    "de": "der die das und sie wir ihre nicht mit von zu den für auf ist eine werden oder im des dem ein sich bei auch",
    "fr": "le la les des et vous nous de du que pour dans est votre vos une en par sur au avec nos qui ne pas ou",
    "es": "el la los las de que y en para su usted con por una del nos se al o nuestros nuestro como no es puede",
    "it": "il di che e la per in un una del della con gli le non si da dei nostri sono alla i al o nel è",
    "pt": "o de que e do da em para você os com não uma seus nossos por se ao no na dos das ou as seu são",
    "nl": "de het een en van wij u in op te uw dat voor met zijn niet aan is onze of door om je ons die",
    "sv": "och att det som vi du en för av är på med till den eller dina din inte kan om ett våra har i",
    "da": "og at det som vi du en for af er på med til den eller dine din ikke kan om et vores har i",
    "no": "og at det som vi du en for av er på med til den eller dine din ikke kan om et våre har i",
    "fi": "ja on ei tai että sen se ovat voi voimme joka kun jos sinun käyttää mukaan sekä tämä olla emme me",
    "pl": "i w z na do się nie że jest oraz lub przez dla może są o od które użytkownik nasze po jak",
    "cs": "a v se na je že s z do o pro k nebo jako které které jsou může vaše naše být od ve při",
    "ro": "și de în la cu pe să nu este sau pentru care din prin că dumneavoastră noastre sunt vă fi un o ale",
    "hu": "a az és hogy nem is vagy egy ha meg a mint ön által valamint kell minden csak el személyes adatok",
    "tr": "ve bir bu için ile veya olarak da de bizim sizin kişisel gibi daha olan en çok kadar her ne hizmet",
    "id": "dan yang untuk di dengan kami anda atau dari dalam ini tidak kepada ke akan dapat pada adalah oleh",
    "vi": "và của các bạn chúng tôi cho là được trong có không một với này để hoặc khi từ những về thông tin",
    "ca": "el la els les de que i en per a amb una del dels les nostres vostra o no és com al pot aquest",
}
_WORD_SETS = {code: frozenset(words.split()) for code, words in _WORDS.items()}
_SCRIPTS = (
    ("ja", re.compile(r"[\u3040-\u30ff]"), 0.02),
    ("ko", re.compile(r"[\uac00-\ud7af]"), 0.2),
    ("zh", re.compile(r"[\u4e00-\u9fff]"), 0.2),
    ("ar", re.compile(r"[\u0600-\u06ff]"), 0.3),
    ("he", re.compile(r"[\u0590-\u05ff]"), 0.3),
    ("ru", re.compile(r"[\u0400-\u04ff]"), 0.3),
    ("el", re.compile(r"[\u0370-\u03ff]"), 0.3),
    ("th", re.compile(r"[\u0e00-\u0e7f]"), 0.3),
    ("hi", re.compile(r"[\u0900-\u097f]"), 0.3),
)
_LETTERS = re.compile(r"[^\W\d_]{2,}|[\u3040-\ud7af\u0e00-\u0e7f]")
_ADDRESS = re.compile(r"\]\([^()\s]*\)|https?://\S+|[\w.-]+@[\w.-]+")


def detect(text: str) -> str:
    """Return the ISO 639-1 code of a text's language, "" where its words do not say."""
    sample = _ADDRESS.sub(" ", _sample(text))
    words = _LETTERS.findall(sample.lower())
    letters = sum(map(len, words))
    if letters < 20:
        return ""
    for code, script, share in () if sample.isascii() else _SCRIPTS:
        if len(script.findall(sample)) > share * letters:
            return _slavic(sample) if code == "ru" else code
    counts = Counter(words)
    scores = sorted(((_score(counts, code), code) for code in _WORDS), reverse=True)
    (best, code), (second, _) = scores[0], scores[1]
    if best < max(3, 0.07 * len(words)) or best < second * 1.08:
        return ""
    return code


def primary(language: str) -> str:
    """Return the primary subtag of a language tag, lower case ("pt-BR" → "pt")."""
    code = re.split(r"[-_,;\s]", language.strip().lower(), maxsplit=1)[0]
    return {"nb": "no", "nn": "no", "iw": "he", "in": "id"}.get(code, code)


def _sample(text: str) -> str:
    """Four pieces from all over a long text, so that a preface in another language does not decide."""
    if len(text) <= 12_000:
        return text
    step = len(text) // 4
    return " ".join(text[start : start + 3000] for start in range(0, step * 4, step))


def _score(counts: Counter[str], code: str) -> float:
    return float(sum(counts[word] for word in _WORD_SETS[code]))


def _slavic(sample: str) -> str:
    return "uk" if len(re.findall(r"[іїєґ]", sample)) > len(re.findall(r"[ыэъё]", sample)) else "ru"
