"""What the writer that asks language models makes of answers, good and hostile, and what it holds them against."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.contracts import Analysis, CharacterDraft, PropDraft, SetDraft
from pipeline.providers.failures import BadAnswer
from pipeline.writer.llm.analysis import joined
from pipeline.writer.llm.analysis import read as read_analysis
from pipeline.writer.llm.answers import people
from pipeline.writer.llm.scenes import read as read_scenes
from pipeline.writer.llm.script import faithful, words_of
from pipeline.writer.llm.shots import read as read_shots
from pipeline.writer.llm.windows import weight, windows
from pipeline.writer.protocol import check_scenes, check_script, check_shots
from pipeline.writer.rules import RulesWriter
from tests.writer.little_story import ANSWER, CAST, EXAMPLES, SEGMENTS, SHOT, STORY, TAKES, analysis_answer, script_of

# --- Script ------------------------------------------------------------------------------------------


def test_a_faithful_script_speaks_the_storys_own_words() -> None:
    segments = script_of(ANSWER)
    check_script(STORY, segments, CAST)
    assert [one.text for one in segments][2:6] == [
        "Have you seen my bell?",
        "asked Mira.",
        "It is gone.",
        "I heard it ring in the forest,",
    ]
    assert [one.speaker for one in segments] == [None, None, "Mira", None, "Mira", "Tomas", None, None]


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        (lambda answer: answer[:-1], "leaves out"),
        (lambda answer: answer[:3] + answer[4:5] + answer[6:], "leaves out"),
        (lambda answer: [answer[1], answer[0], *answer[2:]], "not in the text|leaves out|differ"),
        (lambda answer: [*answer, {**answer[0], "text": "And they lived happily ever after."}], "not in the text"),
        (lambda answer: [{**answer[0], "text": "Mira walked slowly up the hill at noon."}, *answer[1:]], "leaves out"),
        (lambda answer: [], "no segments"),
        (lambda answer: [{**answer[0], "text": "!!!"}], "no segments"),
        (lambda answer: answer * 600, "not in the text"),
    ],
)
def test_what_a_faithful_script_may_not_do(
    change: Callable[[list[dict[str, Any]]], list[dict[str, Any]]], reason: str
) -> None:
    with pytest.raises(BadAnswer, match=reason):
        script_of(change(ANSWER))


def test_a_mended_typo_is_spoken_as_the_story_has_it() -> None:
    story = STORY.replace("mending", "mendign")
    texts = [one.text for one in script_of(ANSWER, story)]
    assert "The fisherman Tomas was mendign his net." in texts


def test_marks_blanks_and_accents_may_differ() -> None:
    answer = [{**one, "text": one["text"].replace(" ", "  ").upper().strip(".?,")} for one in ANSWER]
    story = STORY.replace('"Have', "“Have").replace('bell?"', "bell?”").replace("harbour", "hárbour")
    check_script(story, script_of(answer, story), CAST)


@pytest.mark.parametrize("example", EXAMPLES, ids=lambda path: path.stem)
def test_an_echo_of_any_cut_is_taken(example: Path) -> None:
    story = example.read_text(encoding="utf-8").replace("\r\n", "\n")[:12_000]
    writer = RulesWriter()
    analysis = writer.analyse(story)
    segments = writer.script(story, analysis)
    answer = [{"kind": one.kind, "speaker": one.speaker or "", "text": one.text} for one in segments]
    again = faithful(story, {"segments": answer}, people(analysis), "en")
    check_script(story, again, analysis)
    assert [one.speaker for one in again if one.kind == "dialogue"][:5] == [
        one.speaker for one in segments if one.kind == "dialogue"
    ][:5]


def test_scripts_without_blanks() -> None:
    story = "小狐狸坐在树下。\n\n“你好！”小女孩说。"
    answer = [
        {"kind": "narration", "speaker": "", "text": "小狐狸坐在树下。"},
        {"kind": "dialogue", "speaker": "小女孩", "text": "你好！"},
        {"kind": "narration", "speaker": "", "text": "小女孩说。"},
    ]
    segments = script_of(answer, story)
    assert [(one.kind, one.text) for one in segments] == [
        ("narration", "小狐狸坐在树下。"),
        ("dialogue", "你好！"),
        ("narration", "小女孩说。"),
    ]
    assert segments[1].speaker == "小女孩"


@given(st.text(max_size=120))
def test_words_lie_in_the_text_in_order(text: str) -> None:
    words = words_of(text)
    places = [place for word in words for place in (word.start, word.end)]
    assert places == sorted(places) and all(0 <= place <= len(text) for place in places)


@given(st.text(alphabet=st.sampled_from('ab .\n。漢字"”'), max_size=400), st.integers(1, 60))
def test_windows_tile_the_text(text: str, most: int) -> None:
    spans = windows(text, most)
    assert "".join(text[start:end] for start, end in spans) == text
    assert all(weight(text[start:end]) <= max(most, 3) for start, end in spans)


# --- Analysis ----------------------------------------------------------------------------------------


def test_figures_keep_their_identity_from_window_to_window() -> None:
    known = Analysis(
        language="en",
        characters=(
            CharacterDraft(name="Mira", aliases=("the girl",), appearance="a girl"),
            CharacterDraft(name="Mr Okoro", appearance="a man"),
        ),
        sets=(SetDraft(name="The Harbour"),),
        props=(),
    )
    more = Analysis(
        language="en",
        characters=(
            CharacterDraft(name="The Girl", aliases=("Mira Vance",), appearance="another girl", gender="female"),
            CharacterDraft(name="Okoro", aliases=("Mr Okoro",), appearance="a tall man"),
            CharacterDraft(name="The Fox", appearance="a fox"),
        ),
        sets=(SetDraft(name="the harbour"), SetDraft(name="Forest")),
        props=(PropDraft(name="bell"),),
    )
    whole = joined(known, more)
    assert [one.name for one in whole.characters] == ["Mira", "Mr Okoro", "The Fox"]
    assert whole.characters[0].aliases == ("the girl", "Mira Vance")
    assert (whole.characters[0].appearance, whole.characters[0].gender) == ("a girl", "female")
    assert [one.name for one in whole.sets] == ["The Harbour", "Forest"]


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({"sets": []}, "no sets"),
        ({"language": "English, I think"}, "ISO 639-1"),
        ({"characters": analysis_answer()["characters"] * 5000}, "at most 40"),
        ({"characters": [CharacterDraft(name="...", appearance="x").model_dump(mode="json")]}, "no name"),
        ({"characters": [CharacterDraft(name="Mira").model_dump(mode="json")]}, "appearance"),
    ],
)
def test_what_an_analysis_may_not_be(change: dict[str, Any], reason: str) -> None:
    with pytest.raises(BadAnswer, match=reason):
        read_analysis(analysis_answer(**change))


def test_names_and_texts_are_made_fit_to_keep() -> None:
    long = {**analysis_answer()["characters"][0], "name": "Mi\nra\x00", "appearance": "word " * 5000}
    character = read_analysis(analysis_answer(characters=[long])).characters[0]
    assert character.name == "Mi ra" and len(character.appearance) <= 800


# --- Scenes and shots --------------------------------------------------------------------------------

SCENE: dict[str, Any] = {
    "first_segment": 0,
    "title": "At the harbour",
    "set_name": "harbour",
    "characters": ["the girl", "Tomas"],
    "props": [],
    "time_of_day": "dawn",
    "weather": "clear",
    "mood": "quiet",
}


def test_scenes_cover_every_segment_under_exact_names() -> None:
    answer = {"scenes": [SCENE, {**SCENE, "first_segment": 7, "set_name": "Forest"}]}
    scenes = read_scenes(answer, SEGMENTS, CAST)
    check_scenes(scenes, SEGMENTS, CAST)
    assert [(one.first_segment, one.last_segment, one.set_name) for one in scenes] == [
        (0, 6, "Harbour"),
        (7, 7, "Forest"),
    ]
    assert scenes[0].characters == ("Mira", "Tomas")


@pytest.mark.parametrize(
    ("scenes", "reason"),
    [
        ([], "no scenes"),
        ([{**SCENE, "first_segment": 1}], "begin with 0"),
        ([SCENE, SCENE], "rise"),
        ([SCENE, {**SCENE, "first_segment": 99}], "last segment is 7"),
        ([{**SCENE, "set_name": "Paris"}], "Harbour, Forest"),
        ([{**SCENE, "characters": ["Napoleon"]}], "Mira, Tomas"),
    ],
)
def test_what_scenes_may_not_be(scenes: list[dict[str, Any]], reason: str) -> None:
    with pytest.raises(BadAnswer, match=reason):
        read_scenes({"scenes": scenes}, SEGMENTS, CAST)


def shots_answer(number: int) -> dict[str, Any]:
    return {"shots": [{**SHOT, "take": at} for at in range(number)]}


def test_one_shot_for_each_take_and_the_speaker_is_seen() -> None:
    answer = shots_answer(len(TAKES))
    answer["shots"][5] |= {"framing": "insert", "subjects": ["lantern"]}
    shots = read_shots(answer, TAKES, CAST)
    check_shots(shots, TAKES, CAST)
    assert (shots[5].framing, shots[5].subjects) == ("close_up", ("Tomas", "lantern"))


@pytest.mark.parametrize("number", [0, 1, len(TAKES) - 1, len(TAKES) + 1, 5000])
def test_any_other_number_of_shots_is_refused(number: int) -> None:
    with pytest.raises(BadAnswer, match="exactly one shot"):
        read_shots(shots_answer(number), TAKES, CAST)


def test_shots_of_the_wrong_takes_or_of_strangers_are_refused() -> None:
    twice = shots_answer(len(TAKES))
    twice["shots"][1]["take"] = 0
    with pytest.raises(BadAnswer, match="each once"):
        read_shots(twice, TAKES, CAST)
    stranger = shots_answer(len(TAKES))
    stranger["shots"][0]["subjects"] = ["Napoleon"]
    with pytest.raises(BadAnswer, match="Shot 0"):
        read_shots(stranger, TAKES, CAST)
