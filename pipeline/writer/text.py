"""What counts as a word in a story, for any script."""

from __future__ import annotations

import re

# Scripts written without spaces: every ideograph counts as a word, kana and Thai-like letters by the pair.
_IDEOGRAPH = r"\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff\U00020000-\U0003ffff"
_KANA = r"\u3041-\u30ff\u31f0-\u31ff\uff66-\uff9f"
_UNSPACED = r"\u0e00-\u0eff\u1000-\u109f\u1780-\u17ff"
_WORD = re.compile(
    rf"[{_IDEOGRAPH}]|[{_KANA}]{{1,2}}|[{_UNSPACED}]{{1,4}}|(?:(?![{_IDEOGRAPH}{_KANA}{_UNSPACED}])[^\W_])"
    rf"(?:(?![{_IDEOGRAPH}{_KANA}{_UNSPACED}])[\w'’\u0300-\u036f\u0900-\u0dff-])*"
)


def count_words(text: str) -> int:
    """Words of `text`: runs of letters or digits; in scripts without spaces one per ideograph or pair of kana."""
    return sum(1 for _ in _WORD.finditer(text))


def has_words(text: str) -> bool:
    """Whether there is at least one letter or digit to be spoken."""
    return any(char.isalnum() for char in text)
