from __future__ import annotations

import re

import pytest

from tests.writer.kit import EXAMPLES, make


def looks(story: str) -> dict[str, str]:
    return {one.name: one.appearance for one in make(story, "en").analysis.characters}


def test_what_the_text_tells_is_kept() -> None:
    told = looks(
        "Mira, a tall woman with long red hair and a green coat, opened the door. 'Come in,' said Mira.\n\n"
        "Bruno was short and fat. He wore a yellow waistcoat. 'Thank you,' said Bruno."
    )
    assert re.search(r"tall woman .*long red hair.*green coat", told["Mira"])
    assert re.search(r"short man .*yellow waistcoat", told["Bruno"])


def test_looks_belong_to_whoever_is_named_before_the_comma() -> None:
    told = looks(
        "Tomas sat down beside Aisha, a girl with two braids and a yellow dress, and said nothing.\n\n"
        "'Hello,' said Aisha.\n\n'Hello,' said Tomas."
    )
    assert re.search(r"two braids.*a yellow dress", told["Aisha"])
    assert "yellow" not in told["Tomas"]


def test_a_robot_is_no_person() -> None:
    told = looks("A small robot called Bolt watered the tomatoes. 'Good morning,' said Bolt. 'You may eat it.'")
    assert re.match(r"a small robot with a silver metal body", told["Bolt"])


def test_animals_name_their_species_and_colour() -> None:
    told = looks("A white fox met a crow. 'Hello,' said the fox. 'Good day,' said the crow.")
    assert re.match(
        r"an? \w+ white fox with white fur", told["the white fox"] if "the white fox" in told else told["the fox"]
    )
    assert re.match(r"an? \w+ crow with glossy black feathers", told["the crow"])


def test_no_two_figures_look_alike() -> None:
    names = ("Anna", "Clara", "Edith", "Grace", "Helen", "Irene")
    told = looks(" ".join(f'"Hello," said {name}.' for name in names))
    assert len(told) == len(set(told.values())) == len(names)
    clothes = [re.findall(r"an? (\w+ (?:coat|dress|blouse|shawl|jacket|cloak))", look)[0] for look in told.values()]
    assert len(set(clothes)) == len(names)


@pytest.mark.parametrize("path", sorted(EXAMPLES.glob("*.txt")), ids=lambda path: path.stem)
def test_everybody_has_looks(path: object) -> None:
    film = make((EXAMPLES / str(path)).read_text(encoding="utf-8"))
    for one in film.analysis.characters:
        assert re.match(r"an? [\w-]+ ", one.appearance), one
        assert ", and " not in one.appearance or " with " in one.appearance
