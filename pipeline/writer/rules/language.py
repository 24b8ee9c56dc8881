"""Which language a story is in: by its script, then by function words, then by a model that comes with a package."""

from __future__ import annotations

import re
import unicodedata
from collections import Counter

from .lexicon import word_set

_SAMPLE = 20_000
_ENGLISH = word_set(
    "the and of to was he she it his her that with for had they said in on at not but were from have you is be this him"
)
# What each script means when no more can be told from its letters alone.
_SCRIPTS = {
    "HIRAGANA": "ja", "KATAKANA": "ja", "CJK": "zh", "HANGUL": "ko", "CYRILLIC": "ru", "ARABIC": "ar",
    "DEVANAGARI": "hi", "GREEK": "el", "HEBREW": "he", "THAI": "th", "BENGALI": "bn", "TAMIL": "ta", "TELUGU": "te",
    "GUJARATI": "gu", "GURMUKHI": "pa", "KANNADA": "kn", "MALAYALAM": "ml", "GEORGIAN": "ka", "ARMENIAN": "hy",
    "MYANMAR": "my", "KHMER": "km", "LAO": "lo", "SINHALA": "si", "ETHIOPIC": "am", "TIBETAN": "bo",
}  # fmt: skip
_SHARED = {
    "LATIN": ("en", "de", "fr", "es", "it", "pt", "nl", "sv", "da", "no", "fi", "pl", "cs", "sk", "hu", "ro", "tr",
              "hr", "sl", "et", "lv", "lt", "id", "vi", "ca", "eu", "gl", "ga", "cy", "is", "sq", "sw", "eo", "la",
              "af", "ms"),
    "CYRILLIC": ("ru", "uk", "bg", "sr", "mk", "be", "kk"),
    "ARABIC": ("ar", "fa", "ur"),
    "DEVANAGARI": ("hi", "mr", "ne"),
}  # fmt: skip


def detect(story: str) -> str:
    """The ISO 639-1 code of the story's language; "en" where it cannot be told."""
    sample = story[:_SAMPLE]
    scripts = Counter(unicodedata.name(char, "").split(" ")[0] for char in sample if char.isalpha())
    if not scripts:
        return "en"
    if scripts["HIRAGANA"] + scripts["KATAKANA"] > 0.1 * scripts.total():
        return "ja"
    script = scripts.most_common(1)[0][0]
    if script == "LATIN":
        words = re.findall(r"[a-z']+", sample.lower())
        if len(words) < 4 or sum(word in _ENGLISH for word in words) > 0.18 * len(words):
            return "en"
    if script in _SHARED:
        return _classify(sample, script)
    return _SCRIPTS.get(script, "en")


def _classify(sample: str, script: str) -> str:
    # Loading the model takes about a second and 100 MB, so it is imported only for stories that need it.
    from py3langid.langid import MODEL_FILE, LanguageIdentifier

    identifier = LanguageIdentifier.from_model_file(MODEL_FILE, norm_probs=True)
    identifier.set_languages(list(_SHARED[script]))
    code, probability = identifier.classify(sample)
    return str(code) if probability > 0.6 else _SCRIPTS.get(script, "en")
