"""Looks in a story: caught where a character is described, left alone where a house, a price or a night is."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pipeline.writer.looks_check import find_looks, without_looks

CAUGHT = (
    "The red-haired girl ran to the harbour.",
    "Mira, a baker in her forties, opened the door.",
    "An elderly woman sat by the fire.",
    "He was tall and quiet.",
    "She had long black hair.",
    "Her green eyes filled with tears.",
    "A man with a grey beard came in.",
    "Tom wore a red coat.",
    "The girl in the blue dress laughed.",
    "The captain stroked his beard.",
    "A broad-shouldered fisherman pulled the rope.",
    "She was seventy years old.",
    "A seven-year-old boy waited at the gate.",
    "His skin was pale.",
    "Her hair fell to her waist.",
    "A young sailor sang.",
    "The bald man nodded.",
    "A slim, freckled girl climbed the wall.",
    "He was a man of about sixty.",
    "She pulled her ragged shawl closer.",
    "The boy, aged ten, could not sleep.",
    "A beautiful queen lived there.",
    "The black cat jumped onto the table.",
    "Old men with wrinkled faces played chess.",
    "He stood six feet tall.",
    "Anna was slender, and very kind.",
    "The stranger was dressed in black.",
    "A fox with red fur crossed the road.",
)
KEPT = (
    "The old house stood on the hill.",
    "It was a fair price.",
    "The night was dark.",
    "A dark night fell over the village.",
    "The tall tower had a red roof.",
    "She took a short walk along the thin ice.",
    "He was short with her all morning.",
    "An old friend wrote him a long letter.",
    "The fair came to town in June.",
    "She read the black book by candlelight.",
    "A thin wind blew from the sea.",
    "The wind was in her hair.",
    "Tears ran down her cheeks.",
    "His eyes were wide with fear.",
    "A coat of snow lay on the broad fields.",
    "He wore a smile all day.",
    "The young year brought green leaves.",
    "A fat envelope lay on the table.",
    "She looked up at the blue sky.",
    "The bald truth was that they were lost.",
    "The lamp was forty years old.",
    "A hundred-year-old oak stood at the gate.",
    "He held the golden key in his hand.",
    "The boats were long and grey.",
    "Their voices were thin and far away.",
    "She ran her hand along the old, scarred table.",
    "The baker was kind and always in a hurry.",
    "He hung the wet coat on a nail.",
    "The little shop was full of straight white candles.",
)


@pytest.mark.parametrize("sentence", CAUGHT)
def test_looks_are_caught(sentence: str) -> None:
    assert find_looks(sentence)


@pytest.mark.parametrize("sentence", KEPT)
def test_what_only_sounds_like_looks_is_kept(sentence: str) -> None:
    assert find_looks(sentence) == ()
    assert without_looks(sentence) == sentence


@pytest.mark.parametrize(
    ("told", "left"),
    [
        ("The red-haired girl ran to the harbour.", "The girl ran to the harbour."),
        ("An elderly woman sat by the fire.", "A woman sat by the fire."),
        ("Mira, a baker in her forties, opened the door.", "Mira, a baker, opened the door."),
        ("A man with a grey beard came in.", "A man came in."),
        ("It rained. She had long black hair. She ran home.", "It rained. She ran home."),
        ("Her green eyes filled with tears.", "Her eyes filled with tears."),
        ("“Wait,” she said. Tom wore a red coat. “Come!”", "“Wait,” she said. “Come!”"),
        ("A slim, freckled girl climbed the wall.", "A girl climbed the wall."),
    ],
)
def test_looks_are_taken_out_and_the_rest_stays(told: str, left: str) -> None:
    assert without_looks(told) == left


@pytest.mark.parametrize("sentence", CAUGHT)
def test_nothing_is_left_to_find(sentence: str) -> None:
    assert find_looks(without_looks(f"It rained. {sentence} They went home.")) == ()


@settings(max_examples=60, deadline=None)
@given(st.lists(st.sampled_from(CAUGHT + KEPT), max_size=12))
def test_taking_out_is_complete_and_never_touches_clean_sentences(sentences: list[str]) -> None:
    left = without_looks(" ".join(sentences))
    assert find_looks(left) == ()
    assert all(sentence in left for sentence in sentences if sentence in KEPT)


@settings(max_examples=60, deadline=None)
@given(st.text(max_size=300))
def test_any_text_is_survived(text: str) -> None:
    assert find_looks(without_looks(text)) == ()
