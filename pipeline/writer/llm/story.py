"""A story from an idea, without a word of how anybody looks. Hides how that is made sure of.

The question forbids it; the answer is checked, by rules in English and by a second question elsewhere, and asked again
with the places found; what is still told then is taken out.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from pipeline.prompts import writing
from pipeline.providers.failures import BadAnswer
from pipeline.writer.llm.answers import LOOKS, STORY, plain
from pipeline.writer.llm.desk import Desk
from pipeline.writer.looks_check import find_looks, without_looks
from pipeline.writer.text import count_words

USUAL_WORDS = 400
MOST_ROUNDS = 2  # of writing again because looks are told
_SHOWN = 12


@dataclass(frozen=True)
class Story:
    title: str
    text: str


def story_from(desk: Desk, idea: str, language: str, *, most_words: int) -> Story:
    """`language`: an ISO 639-1 code, or "" for the idea's own."""
    words = min(USUAL_WORDS, most_words)
    told = language or "the language of the idea"
    question = writing.question("story", language=told, words=words, idea=writing.material("idea", idea))
    prompt = question
    for _ in range(MOST_ROUNDS):
        story = _ask(desk, prompt, most_words)
        places = _looks(desk, story.text, language)
        if not places:
            return story
        named = "; ".join(f"“{place}”" for place in places[:_SHOWN])
        prompt = (
            f"{question}\n\nA story was written already, but it tells what characters look like: {named}. "
            f"Write it again with every such place left out.\n\n{writing.material('draft', story.text)}"
        )
    story = _ask(desk, prompt, most_words)
    return Story(story.title, _cleaned(story.text, _looks(desk, story.text, language), language))


def _ask(desk: Desk, prompt: str, most_words: int) -> Story:
    return desk.ask("story", prompt, STORY, lambda data: read(data, most_words), most_tokens=8_000)


def read(data: dict[str, Any], most_words: int) -> Story:
    """Raises BadAnswer: no story, or one beyond the limit."""
    text = "\n\n".join(part.strip() for part in data["story"].replace("\r", "").split("\n") if part.strip())
    words = count_words(text)
    if words < 20:
        raise BadAnswer("The story is hardly there; write it in full.")
    if words > most_words:
        raise BadAnswer(f"The story has {words} words; write at most {most_words}.")
    return Story(plain(data["title"], 120), text)


def _looks(desk: Desk, text: str, language: str) -> tuple[str, ...]:
    if _english(text, language):
        return tuple(dict.fromkeys(one.text for one in find_looks(text)))
    prompt = writing.question("looks", language=language or "of the text", story=writing.material("story", text))
    return desk.ask("looks", prompt, LOOKS, lambda data: tuple(place for place in data["places"] if place in text))


def _cleaned(text: str, places: tuple[str, ...], language: str) -> str:
    if _english(text, language):
        return without_looks(text) or text
    for place in places:
        if place.strip():
            text = text.replace(place, "")
    return text


def _english(text: str, language: str) -> bool:
    from pipeline.writer.rules.language import detect

    return (language or detect(text)) == "en"
