from __future__ import annotations

import pytest

from pipeline.writer.rules.language import detect
from pipeline.writer.text import count_words, has_words


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("", 0),
        ("…—!", 0),
        ("It's a well-known fox.", 4),
        ("one\ntwo\tthree", 3),
        ("从前有一只狐狸。", 7),
        ("桃が流れてきた", 5),
        ("राजा ने कहा", 3),
        ("قال الملك", 2),
        ("안녕 하세요", 2),
        ("Fox 狐狸 3", 4),
        ("😀 😀", 0),
    ],
)
def test_words_are_counted_in_any_script(text: str, words: int) -> None:
    assert count_words(text) == words


def test_counting_is_fit_for_long_text() -> None:
    assert count_words("word " * 100_000) == 100_000


def test_something_to_say() -> None:
    assert has_words("…7") and has_words("你") and not has_words(" “…” \n😀")


@pytest.mark.parametrize(
    ("text", "language"),
    [
        ("Tom ran.", "en"),
        ("The fox went into the forest, and it was dark.", "en"),
        ("Der Fuchs lief schnell in den dunklen Wald, und niemand sah ihn dort.", "de"),
        ("Le renard courait dans la forêt sombre, et personne ne le voyait.", "fr"),
        ("El zorro corría por el bosque oscuro y nadie lo veía.", "es"),
        ("从前有一只狐狸。", "zh"),
        ("むかしむかし、狐がいました。", "ja"),
        ("옛날에 여우가 있었다.", "ko"),
        ("Жила-была лиса, и она любила лес.", "ru"),
        ("كان يا ما كان في قديم الزمان ثعلب.", "ar"),
        ("एक जंगल में एक लोमड़ी रहती थी।", "hi"),
        ("😀 123", "en"),
    ],
)
def test_language(text: str, language: str) -> None:
    assert detect(text) == language
