"""A character looks the same in its portrait and in every frame, and its face is where the engine says it is."""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray

from pipeline.contracts import Look, MediaRef, ReferenceBrief
from pipeline.drawn import Face
from pipeline.inference.drawing import draw_frame, draw_reference
from pipeline.inference.drawing.design import design_of, species_of
from tests.inference.drawing.kit import FOX, KEY, OWL, ROSE, TOM, Picture, around_mouth, frame, place, read, share_near

CAST = [
    ROSE, FOX, OWL, Look(kind="character", name="Crow", appearance="a black crow"),
    Look(kind="character", name="Cat", appearance="a grey cat with a blue collar"),
    Look(kind="character", name="Ben", appearance="an old sailor with a full white beard and a navy coat",
        age_group="elder", gender="male"),
    Look(kind="character", name="Bear", appearance="a big brown bear"),
    Look(kind="character", name="Tortoise"),
    Look(kind="character", name="Grey Mare", appearance="a grey horse"),
    Look(kind="character", name="Robot", appearance="a silver robot"),
    Look(kind="character", name="Heron", appearance="a grey heron with a blue scarf"),
    Look(kind="character", name="Goose", appearance="a white goose"),
    Look(kind="character", name="Hedgehog", appearance="a hedgehog with brown spines"),
]  # fmt: skip


@pytest.mark.parametrize(
    ("look", "colours"), [(ROSE, ("top", "hair")), (TOM, ("top",)), (FOX, ("coat",)), (OWL, ("coat",))]
)
def test_the_palette_of_the_portrait_is_found_in_the_frames(
    tmp_path: Path, look: Look, colours: tuple[str, ...]
) -> None:
    design = design_of(look)
    where = place("snowfield")
    draw_reference(ReferenceBrief(subject=look), 384, 480, 1, tmp_path / "portrait.png")
    draw_frame(frame("medium", look, at=where), {}, 640, 360, 1, tmp_path / "frame.png")
    draw_frame(frame("medium", at=where), {}, 640, 360, 1, tmp_path / "empty.png")
    for colour in (getattr(design, name) for name in colours):
        assert share_near(read(tmp_path / "portrait.png"), colour) > 0.02
        empty = share_near(read(tmp_path / "empty.png"), colour)
        assert share_near(read(tmp_path / "frame.png"), colour) > empty + 0.01


OUTLINED = [
    ROSE, FOX, CAST[5], Look(kind="character", name="Hare", appearance="a brown hare in a green coat"),
    Look(kind="character", name="Wu", age_group="elder", gender="female", appearance="an old woman in a straw hat"),
    Look(kind="character", name="Hedgehog", appearance="a hedgehog with brown spines"),
]  # fmt: skip


@pytest.mark.parametrize("look", OUTLINED, ids=lambda look: look.name)
def test_the_outline_of_the_portrait_is_that_of_every_frame(tmp_path: Path, look: Look) -> None:
    """The head's and the shoulders', in every framing and light, cut out before a wall of one colour."""
    cv2.imwrite(str(tmp_path / "wall.png"), np.full((90, 160, 3), WALL[::-1], np.uint8))
    portrait = draw_reference(ReferenceBrief(subject=look), 768, 960, 1, tmp_path / "portrait.png").faces[0]
    known = outline(before_a_backdrop(read(tmp_path / "portrait.png")), portrait)
    for framing, time in (("wide", "day"), ("medium", "dusk"), ("close_up", "night"), ("over_shoulder", "morning")):
        wall = place("wall", time).model_copy(update={"image": MediaRef(sha256="0" * 64, ext="png", size=1)})
        images = {"wall": tmp_path / "wall.png"}
        meta = draw_frame(frame(framing, look, at=wall), images, 1280, 720, 1, tmp_path / "frame.png")
        seen = outline(np.linalg.norm(read(tmp_path / "frame.png") - WALL, axis=2) > 60, meta.faces[0])
        turned = seen[:, ::-1] if framing == "over_shoulder" else seen
        alike = (known & turned).sum() / (known | turned).sum()
        assert alike > 0.9, (framing, alike)


WALL = np.array([255, 0, 255])


def before_a_backdrop(picture: Picture) -> NDArray[np.bool_]:
    """What stands out: everything that no smooth change of colour leads to from the picture's sides."""
    calm = cv2.medianBlur(picture.astype(np.uint8), 7)
    height, width = calm.shape[:2]
    reached = np.zeros((height + 2, width + 2), np.uint8)
    for seed in [(x, y) for x in (0, width - 1) for y in range(0, height * 3 // 4, 16)]:
        cv2.floodFill(calm, reached, seed, (0, 0, 0), (3, 3, 3), (3, 3, 3), 4 | cv2.FLOODFILL_MASK_ONLY)
    return np.asarray(reached[1:-1, 1:-1] == 0)


def outline(covered: NDArray[np.bool_], face: Face) -> NDArray[np.bool_]:
    """What is covered about a mouth, four mouths' widths to either side, upright and always as large."""
    height, width = covered.shape
    reach = face.mouth_width * width * 4
    turn = cv2.getRotationMatrix2D((face.mouth_x * width, face.mouth_y * height), face.tilt, 48 / reach)
    turn[:, 2] += (48 - face.mouth_x * width, 60 - face.mouth_y * height)
    return np.asarray(cv2.warpAffine(covered.astype(np.uint8), turn, (96, 96)), np.bool_)


def test_an_animal_has_not_the_colour_of_its_scarf() -> None:
    plain, scarfed = (design_of(Look(kind="character", name="Hedgehog", appearance=told))
        for told in ("a hedgehog", "a hedgehog with a green scarf"))  # fmt: skip
    assert scarfed.coat == plain.coat and scarfed.scarf != plain.scarf


def test_a_design_depends_on_nothing_but_the_look() -> None:
    assert design_of(ROSE) == design_of(ROSE.model_copy(update={"mood": "sad"}))
    assert design_of(ROSE) != design_of(ROSE.model_copy(update={"name": "Lily", "appearance": ""}))


@pytest.mark.parametrize("look", CAST, ids=lambda look: look.name)
@pytest.mark.parametrize("framing", ["wide", "medium", "close_up"])
def test_the_mouth_lies_in_the_face(tmp_path: Path, look: Look, framing: str) -> None:
    meta = draw_frame(frame(framing, look, TOM), {}, 1280, 720, 1, tmp_path / "frame.png")
    (face,) = [face for face in meta.faces if face.name == look.name]
    assert 0 < face.mouth_x < 1 and 0 < face.mouth_y < 1
    assert 0.002 < face.mouth_width < 0.3
    skin = np.array([int(face.skin[i : i + 2], 16) for i in (1, 3, 5)])
    found = around_mouth(read(tmp_path / "frame.png"), face)
    assert np.linalg.norm(found - skin) < 46, f"{found} is not {skin}"


@pytest.mark.parametrize("framing", ["wide", "medium"])
def test_everybody_in_the_frame_has_a_face_once(tmp_path: Path, framing: str) -> None:
    meta = draw_frame(frame(framing, ROSE, TOM), {}, 640, 360, 1, tmp_path / "frame.png")
    assert sorted(face.name for face in meta.faces) == ["Rose", "Tom"]


def test_nobody_changes_sides_when_another_becomes_focal(tmp_path: Path) -> None:
    order = set()
    for framing, cast in (
        ("wide", (ROSE, TOM)),
        ("medium", (ROSE, TOM)),
        ("medium", (TOM, ROSE)),
        ("wide", (TOM, ROSE)),
    ):
        meta = draw_frame(frame(framing, *cast), {}, 320, 180, 1, tmp_path / "frame.png")
        order.add(tuple(face.name for face in sorted(meta.faces, key=lambda face: face.mouth_x)))
    assert len(order) == 1
    left, right = (ROSE, TOM) if order.pop()[0] == "Rose" else (TOM, ROSE)
    for focal, other in ((left, right), (right, left)):
        meta = draw_frame(frame("over_shoulder", focal, other), {}, 320, 180, 1, tmp_path / "frame.png")
        assert [face.name for face in meta.faces] == [focal.name]
        assert (meta.faces[0].mouth_x < 0.5) == (focal is left)


@pytest.mark.parametrize("line", [("Rose", "Tom"), ("Tom", "Rose")])
def test_the_scene_s_line_says_who_stands_where_and_looks_which_way(tmp_path: Path, line: tuple[str, str]) -> None:
    out = tmp_path / "frame.png"
    for framing in ("wide", "medium"):
        meta = draw_frame(frame(framing, ROSE, TOM, line=line), {}, 320, 180, 1, out)
        assert tuple(face.name for face in sorted(meta.faces, key=lambda face: face.mouth_x)) == line
    for look, partner in ((ROSE, TOM), (TOM, ROSE)):
        meta = draw_frame(frame("close_up", look, line=line, partner=partner.name), {}, 320, 180, 1, out)
        # Whoever looks to the right has the room before them there; when they do not talk, too.
        assert (meta.faces[0].mouth_x < 0.5) == (line.index(look.name) < line.index(partner.name))
        silent = draw_frame(frame("close_up", look, line=line), {}, 320, 180, 1, out)
        assert silent.faces[0].mouth_x == meta.faces[0].mouth_x


def test_a_prop_among_the_subjects_is_held_or_lies_in_view(tmp_path: Path) -> None:
    gem = Look(kind="prop", name="ruby", appearance="a blue diamond")
    for cast in ((TOM,), (FOX,)):
        for framing in ("wide", "medium"):
            pictures = []
            for shown in ((), (gem,)):
                draw_frame(frame(framing, *cast, props=shown), {}, 640, 360, 1, tmp_path / "frame.png")
                pictures.append(read(tmp_path / "frame.png"))
            changed = np.abs(pictures[0] - pictures[1]).max(axis=2) > 40
            assert changed.sum() > 60


def test_a_close_up_shows_the_focal_subject_alone_and_larger(tmp_path: Path) -> None:
    wide = draw_frame(frame("wide", ROSE, TOM), {}, 640, 360, 1, tmp_path / "wide.png")
    close = draw_frame(frame("close_up", ROSE, TOM), {}, 640, 360, 1, tmp_path / "close.png")
    assert [face.name for face in close.faces] == ["Rose"]
    assert close.faces[0].mouth_width > 3 * wide.faces[0].mouth_width


def test_places_and_props_have_no_faces(tmp_path: Path) -> None:
    for look in (place("palace hall"), KEY):
        assert draw_reference(ReferenceBrief(subject=look), 160, 160, 1, tmp_path / "x.png").faces == ()


@pytest.mark.parametrize(
    ("name", "appearance", "species"),
    [
        ("Reynard", "a sly red fox in a green coat", "fox"),
        ("The Hare", "", "rabbit"),
        ("Mrs Badger", "", "badger"),
        ("Robin", "", None),
        ("Robin", "a small brown bird", "bird"),
        ("Sara", "a woman as strong as a bear, with a wolf fur collar", None),
        ("Tim", "a boy with a pet mouse", None),
        ("Unit 7", "a rusty robot", "robot"),
        ("Ada", "", None),
    ],
)
def test_who_is_an_animal(name: str, appearance: str, species: str | None) -> None:
    found = species_of(Look(kind="character", name=name, appearance=appearance))
    assert (found.name if found else None) == species


def test_words_of_the_appearance_are_obeyed() -> None:
    design = design_of(
        Look(
            kind="character",
            name="Ada",
            gender="female",
            appearance="An old woman with grey hair in a bun, glasses, a blue dress and a red scarf",
        )
    )
    assert (design.age, design.hair_style, design.glasses, design.outfit) == ("elder", "bun", True, "dress")
    assert design.top == "#3d6ea8" and design.scarf == "#c0392f" and design.beard == ""
    bearded = design_of(
        Look(kind="character", name="Odd", appearance="a tall man with a long white beard and a pointed hat")
    )
    assert bearded.beard == "full" and bearded.hat == "pointed" and bearded.height > design.height


@pytest.mark.parametrize("framing", ["wide", "medium", "close_up", "over_shoulder"])
def test_people_at_sea_are_in_a_boat(tmp_path: Path, framing: str) -> None:
    """However near they are: wood lies across the foot of the picture, as it does not where they stand on land."""
    wood = []
    for where in ("open sea", "snowfield"):
        draw_frame(frame(framing, TOM, ROSE, at=place(where)), {}, 640, 360, 1, tmp_path / "frame.png")
        wood.append(share_near(read(tmp_path / "frame.png")[216:], "#8f5a38", 48))
    assert wood[0] > wood[1] + 0.03


@pytest.mark.parametrize(("framing", "action"), [("wide", "holds it"), ("wide", "walks"), ("medium", "holds it")])
def test_an_umbrella_covers_whoever_holds_it(tmp_path: Path, framing: str, action: str) -> None:
    umbrella = Look(kind="prop", name="umbrella", appearance="a red umbrella")
    brief = frame(framing, TOM, at=place("snowfield"), props=(umbrella,), action=action)
    (face,) = draw_frame(brief, {}, 1280, 720, 1, tmp_path / "frame.png").faces
    picture = read(tmp_path / "frame.png")
    draw_frame(frame(framing, TOM, at=place("snowfield"), action=action), {}, 1280, 720, 1, tmp_path / "bare.png")
    red = np.linalg.norm(picture - np.array([192, 57, 47]), axis=2) < 60
    red &= np.linalg.norm(picture - read(tmp_path / "bare.png"), axis=2) > 40
    rows, columns = np.nonzero(cv2.erode(red.astype(np.uint8), np.ones((9, 9), np.uint8)))
    assert rows.max() < face.mouth_y * 720, "over the face"
    assert abs((columns.min() + columns.max()) / 2 - face.mouth_x * 1280) < (columns.max() - columns.min()) * 0.2
