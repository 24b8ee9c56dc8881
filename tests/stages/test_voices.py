"""Casting: distinct while the catalogue allows, fitting gender and age, and always somebody."""

from __future__ import annotations

from collections import Counter

from hypothesis import given
from hypothesis import strategies as st

from pipeline.contracts import Voice
from pipeline.stages.voices import choose_voice

GENDERS = ["female", "male"]
AGES = ["child", "teen", "adult", "elder"]
CATALOGUE = [
    Voice(id=f"{gender}-{age}-{number}", name=f"{gender} {age} {number}", language="en", gender=gender, age_group=age)
    for number in range(2)
    for gender in GENDERS
    for age in AGES
]


def test_the_first_choice_fits() -> None:
    voice = choose_voice(CATALOGUE, Counter(), "female", "child")
    assert (voice.gender, voice.age_group) == ("female", "child")


@given(st.lists(st.tuples(st.sampled_from([*GENDERS, "neutral"]), st.sampled_from(AGES)), max_size=40))
def test_nobody_shares_a_voice_while_one_is_free(people: list[tuple[str, str]]) -> None:
    taken: Counter[str] = Counter()
    for gender, age in people:
        taken[choose_voice(CATALOGUE, taken, gender, age).id] += 1  # type: ignore[arg-type]
    assert max(taken.values(), default=0) <= -(-len(people) // len(CATALOGUE))
