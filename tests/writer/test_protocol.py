from __future__ import annotations

import pickle

import pytest

from pipeline.contracts import (
    Analysis,
    CharacterDraft,
    PropDraft,
    SceneDraft,
    SegmentDraft,
    SetDraft,
    ShotDraft,
    Take,
)
from pipeline.writer.protocol import Writer, WriterFault, check_scenes, check_script, check_shots
from pipeline.writer.rules import RulesWriter

STORY = 'Tom ran. "Stop!" said Ann.'
ANALYSIS = Analysis(
    language="en",
    characters=(CharacterDraft(name="Ann"), CharacterDraft(name="Tom")),
    sets=(SetDraft(name="street"),),
    props=(PropDraft(name="key"),),
)
TAKE = Take(index=0, kind="narration", speaker=None, text="Tom ran.", start_ms=0, end_ms=900)


def segment(start: int, end: int, speaker: str | None = None) -> SegmentDraft:
    kind = "dialogue" if speaker else "narration"
    return SegmentDraft(kind=kind, text=STORY[start:end], speaker=speaker, start=start, end=end)  # type: ignore[arg-type]


GOOD = (segment(0, 8), segment(9, 16, "Ann"), segment(17, 26))


def test_the_rule_writer_is_a_writer() -> None:
    writer: Writer = RulesWriter()
    assert writer.analyse(STORY).language == "en"


def test_a_whole_script_passes() -> None:
    check_script(STORY, GOOD, ANALYSIS)


@pytest.mark.parametrize(
    ("segments", "reason"),
    [
        ((), "no segments"),
        (GOOD[:2], "leaves out this part of the story: 'said Ann.'"),
        ((GOOD[0], GOOD[2]), "leaves out this part"),
        ((GOOD[1], GOOD[0], GOOD[2]), "leaves out this part of the story: 'Tom ran."),
        ((GOOD[0], segment(5, 16, "Ann"), GOOD[2]), "Segment 1 spans 5..16"),
        ((*GOOD[:2], segment(17, 26).model_copy(update={"end": 99})), "stay within"),
        ((GOOD[0], segment(9, 16, "Bob"), GOOD[2]), "Unknown speaker 'Bob'; use one of: Ann, Tom"),
        ((GOOD[0].model_copy(update={"speaker": "Ann"}), *GOOD[1:]), "must not name a speaker"),
        ((GOOD[0].model_copy(update={"text": "…"}), *GOOD[1:]), "nothing to say"),
    ],
)
def test_a_bad_script_is_told_what_is_wrong(segments: tuple[SegmentDraft, ...], reason: str) -> None:
    with pytest.raises(WriterFault) as fault:
        check_script(STORY, segments, ANALYSIS)
    assert reason in fault.value.detail
    assert fault.value.code == "writer_fault"


def test_quotation_marks_and_space_need_no_segment() -> None:
    check_script("  “Hi.”  \n***\n ", (SegmentDraft(kind="dialogue", text="Hi.", speaker="Ann", start=3, end=6),))


@pytest.mark.parametrize(
    ("spans", "reason"),
    [
        ((), "no scenes"),
        (((0, 0), (2, 2)), "must start at 1"),
        (((0, 1), (1, 2)), "must start at 2"),
        (((0, 1),), "the last segment is 2"),
        (((1, 2),), "must start at 0"),
    ],
)
def test_scenes_leave_no_gap(spans: tuple[tuple[int, int], ...], reason: str) -> None:
    scenes = [SceneDraft(first_segment=a, last_segment=b, title="", set_name="street") for a, b in spans]
    with pytest.raises(WriterFault, match=reason):
        check_scenes(scenes, GOOD, ANALYSIS)


def test_scenes_name_only_what_is_known() -> None:
    scene = SceneDraft(
        first_segment=0, last_segment=2, title="", set_name="street", characters=("Ann",), props=("key",)
    )
    check_scenes([scene], GOOD, ANALYSIS)
    for update in ({"set_name": "moon"}, {"characters": ("Bob",)}, {"props": ("sword",)}):
        with pytest.raises(WriterFault, match="Unknown"):
            check_scenes([scene.model_copy(update=update)], GOOD, ANALYSIS)


def test_one_shot_per_take_of_known_subjects() -> None:
    shot = ShotDraft(framing="wide", subjects=("Tom", "key"))
    check_shots([shot], [TAKE], ANALYSIS)
    with pytest.raises(WriterFault, match="1 takes but 2 shots"):
        check_shots([shot, shot], [TAKE], ANALYSIS)
    with pytest.raises(WriterFault, match="Unknown subject 'Bob'"):
        check_shots([shot.model_copy(update={"subjects": ("Bob",)})], [TAKE], ANALYSIS)


def test_a_fault_survives_the_way_between_processes() -> None:
    again = pickle.loads(pickle.dumps(WriterFault("There are no scenes.")))
    assert (type(again), again.detail, again.code) == (WriterFault, "There are no scenes.", "writer_fault")
