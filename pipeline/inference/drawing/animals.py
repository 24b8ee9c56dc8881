"""Animal heads and tails. Coordinates are a head's own: about 212 units high, origin in its middle, looking right."""

from __future__ import annotations

from pipeline.drawn import Face
from pipeline.inference.drawing import hair, spines
from pipeline.inference.drawing.design import Design
from pipeline.inference.drawing.faces import INK, EyeSet, eyes, mouth
from pipeline.inference.drawing.paint import Art
from pipeline.inference.drawing.palette import darker, lighter, luma, mix
from pipeline.inference.drawing.pose import Pose
from pipeline.inference.drawing.shapes import Point, arc, box, oval, poly, smooth, star
from pipeline.inference.drawing.species import BY_NAME, Species

_RELAXED = ("calm", "happy", "thoughtful", "laugh", "asleep")


def _kind(d: Design) -> Species:
    return d.species or BY_NAME["animal"]


def beak_colour(d: Design) -> str:
    kind = _kind(d)
    return "#5d5a66" if kind.name == "crow" and _dark(d.coat) else "#e0a23c"


def back(art: Art, d: Design, rear: bool = False) -> None:
    """Ears, manes, horns: what lies behind the face, or (`rear`) before it where the head is seen from behind."""
    kind = _kind(d)
    if "mane" in kind.marks:
        for k in range(14):
            with art.at(0, 6, turn=k * 360 / 14):
                art.fill(smooth([(-34, -84), (0, -162), (34, -84)]), darker(mix(d.coat, "#8a3f1e", 0.62),
                    0.08 * (k % 2)), shadow=3)  # fmt: skip
        art.fill(oval(0, 6, 122), mix(d.coat, "#8a3f1e", 0.55))
    if "wool" in kind.marks:
        for x, y, r in ((-70, -50, 48), (-30, -88, 50), (30, -90, 50), (72, -52, 46), (-84, 6, 40), (84, 6, 38)):
            art.fill(oval(x, y, r), d.coat, shade=0.2, shadow=3)
    if "spines" in kind.marks:
        spines.crown(art, d.coat)
    if "horns" in kind.marks:
        for side in (-1, 1):
            art.fill(smooth([(side * 34, -82), (side * 58, -142), (side * 96, -164), (side * 84, -120),
                (side * 66, -72)]), "#d9c9a8", shade=0.35, shadow=3)  # fmt: skip
    if "antlers" in kind.marks:
        for side in (-1, 1):
            art.line(smooth([(side * 34, -84), (side * 66, -160), (side * 124, -214)], False), "#8a6a48", 15, shadow=5)
            for x, y, dx, dy in ((66, -160, 16, -66), (96, -190, 58, -10), (50, -126, 66, -22)):
                art.line(smooth([(side * x, y), (side * (x + dx * 0.6), y + dy * 0.5), (side * (x + dx), y + dy)],
                    False), "#8a6a48", 11)  # fmt: skip
    _ears(art, d, kind, rear)


def _ears(art: Art, d: Design, kind: Species, rear: bool) -> None:
    feathers = rear or kind.body == "owl"
    inner = mix(d.coat, "#e8a99a", 0.6) if not feathers else darker(d.coat, 0.04 if rear else 0.22)
    for side in (-1, 1):
        ear: dict[str, list[Point]] = {"pointed": [(side * 24, -78), (side * 70, -168), (side * 84, -158),
            (side * 94, -44)], "tuft": [(side * 30, -70), (side * 76, -156), (side * 84, -148), (side * 88, -50)],
            "long": [(side * 18, -78), (side * 22, -190), (side * 48, -254), (side * 76, -200), (side * 66, -70)],
            "floppy": [(side * 60, -84), (side * 104, -84), (side * 128, -10), (side * 112, 50), (side * 88, 30),
            (side * 74, -30)]}  # fmt: skip
        if kind.ears in ear:
            points = ear[kind.ears]
            art.fill(smooth(points), darker(d.coat, 0.16 if kind.ears == "floppy" else 0.06), shade=0.15, shadow=3)
            if kind.ears in ("pointed", "tuft", "long"):
                cx = sum(p[0] for p in points) / len(points)
                cy = sum(p[1] for p in points) / len(points)
                art.fill(smooth([(cx + (x - cx) * 0.56, cy + 8 + (y - cy) * 0.64) for x, y in points]), inner)
        elif kind.ears in ("round", "small"):
            big = {"mouse": 66, "elephant": 108, "bear": 42, "panda": 42, "monkey": 44}.get(
                kind.name, 38 if kind.ears == "round" else 26
            )
            reach = 1.2 if kind.name in ("elephant", "monkey") else 1.0
            x, y = side * (66 + big * 0.28) * reach, -70 + (56 if reach > 1 else 0)
            art.fill(
                oval(x, y, big, big), "#35323a" if kind.name == "panda" else darker(d.coat, 0.08), shade=0.15, shadow=3
            )
            if kind.name != "panda":
                art.fill(oval(x, y + 3, big * 0.62), inner)


def head(art: Art, d: Design, pose: Pose) -> Face:
    """The face before the ears; says where the mouth is."""
    kind = _kind(d)
    if kind.muzzle in ("beak", "hook"):
        return _bird(art, d, kind, pose)
    if "robot" in kind.marks:
        return _robot(art, d, pose)
    _skull(art, d, kind)
    _marks(art, d, kind)
    face = _muzzle(art, d, kind, pose)
    if "hairmane" in kind.marks:
        dark = darker(d.coat, 0.5) if kind.name != "unicorn" else "#c9a2d4"
        art.fill(smooth([(-20, -128), (28, -122), (40, -70), (18, -34), (6, -66), (-14, -50), (-22, -84)]), dark,
            shade=0.2, shadow=3)  # fmt: skip
    if "horn" in kind.marks:
        art.fill(poly([(0, -96), (22, -210), (34, -92)]), "#ecd28a", shade=0.2, shadow=3)
    if "wool" in kind.marks:
        for x, r in ((-34, 28), (0, 34), (36, 28)):
            art.fill(oval(x, -92, r), d.coat, shade=0.2, shadow=2)
    if "spikes" in kind.marks:
        for x in (-40, 0, 40):
            art.fill(poly([(x - 18, -92), (x + 4, -138), (x + 22, -90)]), darker(d.coat, 0.3), shadow=2)
    if d.glasses:
        for x in (-30, 46):
            art.line(oval(x, -12, 28, 26), "#4a3a34", 4.5)
        art.line(arc(8, -14, 10, 7, 190, 160), "#4a3a34", 4.5)
    if d.hat and d.hat not in ("scarf", "bonnet"):
        hair.hat(art, d)
    return face


def _skull(art: Art, d: Design, kind: Species) -> None:
    if kind.muzzle == "long":
        shape = [(-92, -24), (-58, -92), (0, -108), (60, -92), (94, -24), (84, 32), (44, 78), (10, 98), (-30, 78),
            (-84, 32)]  # fmt: skip
    elif kind.muzzle == "wide":
        shape = [(-70, -40), (-46, -98), (2, -112), (52, -98), (76, -40), (68, 40), (66, 92), (12, 112), (-44, 92),
            (-60, 40)]  # fmt: skip
    else:
        shape = [(-98, -10), (-72, -82), (0, -106), (74, -82), (100, -10), (82, 64), (6, 100), (-76, 64)]
    colour = d.pale if kind.name in ("sheep",) else d.coat
    art.fill(smooth(shape), colour, shade=0.18, shadow=4)


def _marks(art: Art, d: Design, kind: Species) -> None:
    marks = kind.marks
    if "mask" in marks:
        art.fill(smooth([(-92, 0), (-50, 8), (-8, 40), (10, 96), (-34, 78), (-82, 40)]), d.pale)
        art.fill(smooth([(94, 0), (60, 8), (28, 40), (10, 96), (48, 78), (84, 40)]), d.pale)
    if "spines" in marks:
        spines.hairline(art, d.coat)
        art.fill(smooth([(-56, 12), (-44, -36), (6, -58), (60, -38), (80, 10), (66, 62), (12, 96), (-44, 66)]), d.pale)
    if "panda" in marks:
        for x, turn in ((-36, 20), (48, -20)):
            with art.at(x, -6, turn=turn):
                art.fill(oval(0, 0, 26, 34), "#35323a")
    if "bandit" in marks:
        art.fill(smooth([(-90, -18), (-30, -34), (8, -20), (48, -34), (94, -18), (70, 16), (8, 4), (-66, 16)]),
            darker(d.coat, 0.55))  # fmt: skip
    if "stripe" in marks:
        art.fill(smooth([(-16, -106), (8, -110), (34, -106), (36, 0), (30, 60), (-12, 60), (-18, 0)]), "#f1ede4")
        for side in (-1, 1):
            art.fill(smooth([(8 + side * 62, -84), (8 + side * 92, -30), (8 + side * 78, 56), (8 + side * 66, 20)]),
                "#f1ede4")  # fmt: skip
    if "stripes" in marks:
        for x, y in ((-4, -96), (-30, -88), (24, -90)):
            art.line(smooth([(x, y), (x + 3, y + 34)], False), darker(d.coat, 0.65), 9)
        for side in (-1, 1):
            for k in range(3):
                art.line(smooth([(side * 94, -16 + k * 26), (side * 62, -10 + k * 24)], False), darker(d.coat, 0.65), 8)
    if "spots" in marks or "freckles" in marks:
        tone = lighter(d.coat, 0.55) if "freckles" in marks else darker(d.coat, 0.5)
        for x, y in ((-52, -60), (-24, -82), (22, -84), (54, -62), (-76, 10), (80, 8), (0, -62)):
            art.fill(oval(x, y, 7), tone)
    if "patches" in marks:
        art.fill(smooth([(24, -104), (78, -70), (76, 10), (40, 20), (22, -40)]), darker(d.coat, 0.55))
    if "apeface" in marks:
        art.fill(smooth([(-62, -40), (-26, -60), (8, -42), (44, -60), (78, -40), (72, 50), (8, 92), (-60, 50)]), d.pale)


def _muzzle(art: Art, d: Design, kind: Species, pose: Pose) -> Face:
    nose = "#33262b"
    eye_y, gap = -14.0, 40.0
    mouth_at: tuple[float, float, float] = (12, 66, 44)
    if "spines" in kind.marks:
        art.fill(smooth([(-20, 44), (10, 14), (54, 12), (104, 26), (116, 44), (84, 62), (30, 84), (-14, 74)]),
            lighter(d.pale, 0.12), shade=0.12)  # fmt: skip
        art.fill(oval(112, 32, 15, 13), nose)
        art.fill(oval(108, 27, 5, 3.5), "#ffffff", alpha=0.5)
        mouth_at, eye_y, gap = (50, 60, 34), -12, 32
    elif kind.muzzle == "long":
        art.fill(smooth([(-30, 26), (10, 4), (54, 26), (58, 62), (14, 100), (-30, 62)]), d.pale, shade=0.12, shadow=2)
        art.fill(smooth([(-10, 22), (14, 14), (38, 22), (30, 42), (14, 48), (-2, 42)]), nose)
        art.fill(oval(10, 24, 6, 4), "#ffffff", alpha=0.5)
        mouth_at = (14, 68, 40)
    elif kind.muzzle == "wide":
        tone = d.pale if kind.name in ("cow", "crocodile", "dragon") else lighter(d.coat, 0.35)
        art.fill(smooth([(-52, 52), (12, 28), (76, 52), (78, 92), (12, 118), (-54, 92)]), tone, shade=0.15, shadow=2)
        for x in (-14, 38):
            art.fill(oval(x, 58, 8, 6), darker(tone, 0.5))
        mouth_at, eye_y, gap = (12, 86, 50), -22, 48
    elif kind.muzzle == "disc":
        art.fill(oval(12, 26, 38, 28), d.pale, shade=0.15, shadow=3)
        for x in (0, 24):
            art.fill(oval(x, 26, 6, 9), darker(d.pale, 0.45))
        mouth_at = (12, 72, 40)
    elif kind.muzzle == "flat":
        if "trunk" in kind.marks:
            art.line(smooth([(14, 20), (30, 80), (24, 140), (56, 168)], False), lighter(d.coat, 0.1), 46, shadow=9)
            mouth_at = (-30, 76, 34)
        elif kind.name == "duck":
            art.fill(
                smooth([(-42, 34), (14, 18), (70, 34), (78, 62), (14, 82), (-50, 62)]), "#e89a3a", shade=0.2, shadow=3
            )
            mouth_at = (14, 54, 56)
            return _face(art, d, kind, pose, eye_y, gap, mouth_at, "#e89a3a")
        elif "popeyes" in kind.marks:
            for x in (-50, 56):
                art.fill(oval(x, -88, 38, 36), d.coat, shade=0.15, shadow=2)
            art.fill(smooth([(-86, 44), (6, 30), (92, 44), (60, 84), (6, 98), (-60, 84)]), d.pale)
            mouth_at, eye_y, gap = (6, 54, 74), -88, 53
        else:
            art.fill(oval(10, 20, 9, 6), darker(d.coat, 0.4))
    else:
        art.fill(smooth([(-36, 50), (-16, 26), (12, 22), (40, 26), (62, 50), (42, 82), (12, 90), (-20, 82)]), d.pale,
            shade=0.12, shadow=2)  # fmt: skip
        art.fill(smooth([(-8, 26), (12, 20), (32, 26), (12, 44)]), nose if kind.name != "cat" else "#c9737a")
        mouth_at = (12, 66, 38)
    if "whiskers" in kind.marks or kind.name == "mouse":
        for side in (-1, 1):
            for k in (-1, 0, 1):
                art.line(smooth([(12 + side * 40, 54 + k * 9), (12 + side * 104, 48 + k * 20)], False), "#f6f1e8", 2.2,
                    alpha=0.85)  # fmt: skip
    skin = d.coat if kind.muzzle == "flat" and "popeyes" not in kind.marks and "apeface" not in kind.marks else d.pale
    if kind.muzzle == "wide" and kind.name not in ("cow", "crocodile", "dragon"):
        skin = lighter(d.coat, 0.35)
    return _face(art, d, kind, pose, eye_y, gap, mouth_at, skin)


def _face(
    art: Art,
    d: Design,
    kind: Species,
    pose: Pose,
    eye_y: float,
    gap: float,
    at: tuple[float, float, float],
    skin: str,
) -> Face:
    dark = "panda" in kind.marks or "bandit" in kind.marks or _dark(d.coat)
    brow = "" if pose.feeling in _RELAXED else darker(d.coat, 0.5) if not dark else lighter(d.coat, 0.35)
    cx = 14.0 if d.four_legged else 8.0
    feline = kind.name in ("cat", "tiger", "lion", "leopard")
    iris = "#c9b24a" if feline else INK
    if feline and pose.feeling in _RELAXED[:3]:
        for x in (cx - gap, cx + gap * 0.96):
            with art.at(x, eye_y, turn=-8 if x < cx else 8):
                art.fill(oval(0, 0, 18, 13.5), darker(d.coat, 0.45))
    elif dark:
        for x in (cx - gap, cx + gap * 0.96):
            art.fill(oval(x, eye_y, 16, 17), lighter(d.coat, 0.42))
    eyes(art, EyeSet((cx - gap, eye_y), (cx + gap * 0.96, eye_y), 12.5, brow, iris,
        white="popeyes" in kind.marks), pose, d.coat)  # fmt: skip
    if "teeth" in kind.marks:
        art.fill(box(at[0] - 9, at[1] + 2, 18, 15, 4), "#fbf8f0")
    if "goatee" in kind.marks:
        art.fill(smooth([(-8, 88), (36, 88), (22, 142), (8, 142)]), d.pale, shadow=2)
    if kind.name == "monster":
        for side in (-1, 1):
            art.fill(poly([(at[0] + side * 26, at[1]), (at[0] + side * 18, at[1] - 20), (at[0] + side * 10, at[1])]),
                "#fbf8f0")  # fmt: skip
    lip = darker(mix(skin, "#8a3a3a", 0.35), 0.42)
    if kind.muzzle in ("short", "long") and "spines" not in kind.marks:
        art.line(smooth([(at[0], at[1] - 25), (at[0], at[1] - 16)], False), lip, 3)
    return mouth(art, d.name, at[0], at[1], at[2], pose.feeling, skin, lip)


def _dark(colour: str) -> bool:
    return luma(colour) < 0.34


def _bird(art: Art, d: Design, kind: Species, pose: Pose) -> Face:
    top = "#f3efe6" if "whitehead" in kind.marks else d.coat
    if "wader" in kind.marks:
        return _wader(art, d, kind, pose)
    art.fill(oval(0, 0, 92, 96), top, shade=0.18, shadow=4)
    if kind.name == "owl":
        for x in (-36, 46):
            art.fill(oval(x, -8, 48, 52), d.pale, shadow=2)
            art.fill(oval(x, -8, 27), "#e8b23c")
    elif kind.name == "penguin":
        art.fill(smooth([(-54, -20), (-20, -56), (8, -34), (36, -56), (72, -20), (60, 60), (8, 90), (-46, 60)]), d.pale)
    if "comb" in kind.marks:
        for x, y in ((-24, -98), (4, -112), (32, -100)):
            art.fill(oval(x, y, 20, 24), "#cf4037", shadow=2)
    if "bib" in kind.marks and luma(top) < 0.75:  # a robin has one, a gull or a dove has none
        art.fill(smooth([(-50, 50), (20, 30), (70, 50), (40, 100), (-30, 100)]), "#d97a48", alpha=0.9)
    dark = _dark(top)
    beak, brow = beak_colour(d), "" if pose.feeling in _RELAXED else darker(top, 0.5) if not dark else lighter(top, 0.4)
    if kind.name in ("owl", "penguin"):
        eyes(art, EyeSet((-32, -14), (44, -14), 14, brow, white=dark), pose, top)
        art.fill(smooth([(-8, 16), (14, 6), (36, 16), (30, 46), (14, 66), (0, 46)]), beak, shade=0.2, shadow=3)
        return mouth(art, d.name, 14, 40, 20, "calm", beak, darker(beak, 0.55))
    ring = lighter(top, 0.3) if dark else lighter(top, 0.55)
    art.fill(oval(36, -22, 21, 22), ring)
    eyes(art, EyeSet(None, (36, -22), 14, brow), pose, top)
    return _profile_beak(art, d, kind, beak)


def _wader(art: Art, d: Design, kind: Species, pose: Pose) -> Face:
    """A narrow head in profile, a dark crest trailing from the eye over the nape."""
    dark, pale = _dark(d.coat), lighter(d.coat, 0.55)
    art.fill(smooth([(-74, 2), (-50, -50), (8, -68), (64, -44), (88, 2), (68, 42), (6, 56), (-52, 44)]), d.coat,
        shade=0.18, shadow=4)  # fmt: skip
    art.fill(smooth([(-30, 30), (30, 2), (82, 2), (66, 40), (6, 54)]), pale, alpha=0.55)
    art.fill(smooth([(52, -40), (18, -60), (-36, -54), (-86, -22), (-140, 8), (-196, 54), (-130, 28), (-78, 14),
        (-36, -14), (14, -26)]), "#34303c", shadow=2)  # fmt: skip
    brow = "" if pose.feeling in _RELAXED else lighter(d.coat, 0.4) if dark else darker(d.coat, 0.5)
    art.fill(oval(42, -8, 17, 18), "#f4dc8a")
    eyes(art, EyeSet(None, (42, -8), 12.5, brow), pose, d.coat)
    beak = beak_colour(d)
    art.fill(smooth([(66, 24), (120, 28), (226, 32), (130, 48), (70, 46)]), darker(beak, 0.16), shade=0.2, shadow=3)
    art.fill(smooth([(68, 26), (72, 2), (110, 4), (232, 30), (130, 32)]), beak, shade=0.2, shadow=3)
    art.line(smooth([(72, 26), (130, 29), (214, 31)], False), darker(beak, 0.5), 3)
    art.fill(oval(98, 14, 5, 2.5), darker(beak, 0.5))
    return mouth(art, d.name, 124, 31, 30, "calm", darker(beak, 0.06), darker(beak, 0.5))


def _profile_beak(art: Art, d: Design, kind: Species, beak: str) -> Face:
    """A beak to where the head looks, its two halves parted by the line that opens."""
    hook = kind.muzzle == "hook"
    long = 40.0 if kind.name in ("goose", "crow") else 30.0 if hook else 14.0
    lower = [(44, 34), (84, 36), (116 + long * 0.7, 44), (96, 62), (52, 60)]
    upper = [(44, 36), (52, 4), (88, 2), (120 + long * 0.6, 22), (124 + long, 56 if hook else 44), (96, 40)]
    art.fill(smooth(lower), darker(beak, 0.16), shade=0.2, shadow=3)
    art.fill(smooth(upper), beak, shade=0.2, shadow=3)
    art.line(smooth([(50, 37), (90, 41), (118 + long * 0.8, 45)], False), darker(beak, 0.5), 3)
    art.fill(oval(74, 18, 4, 3), darker(beak, 0.5))
    return mouth(art, d.name, 102, 42, 24, "calm", darker(beak, 0.06), darker(beak, 0.5))


def _robot(art: Art, d: Design, pose: Pose) -> Face:
    art.line(poly([(0, -100), (0, -140)], False), darker(d.coat, 0.3), 8)
    art.fill(oval(0, -146, 15), "#e0564a", shadow=2)
    for side in (-1, 1):
        art.fill(box(side * 98 - 14, -26, 28, 56, 10), darker(d.coat, 0.25), shadow=2)
    art.fill(box(-96, -100, 192, 196, 44), d.coat, shade=0.3, shadow=4)
    art.fill(box(-70, -64, 156, 132, 34), d.pale, shade=0.1, shadow=2)
    eyes(art, EyeSet((-26, -14), (46, -14), 17, "", "#2f7f9e"), pose, d.pale)
    return mouth(art, d.name, 10, 38, 54, pose.feeling, d.pale, darker(d.coat, 0.55))


def tail(art: Art, d: Design, root: Point, length: float) -> None:
    """A tail behind the body, to the left of `root`."""
    kind, (x, y), n = _kind(d), root, length
    if kind.tail == "bush":
        art.fill(smooth([(x, y), (x - n * 0.45, y + n * 0.12), (x - n * 0.86, y - n * 0.30),
            (x - n * 0.72, y - n * 0.74), (x - n * 0.40, y - n * 0.44), (x - n * 0.10, y - n * 0.16)]), d.coat,
            shade=0.2, shadow=5)  # fmt: skip
        art.fill(smooth([(x - n * 0.86, y - n * 0.32), (x - n * 0.74, y - n * 0.76), (x - n * 0.52, y - n * 0.56),
            (x - n * 0.66, y - n * 0.40)]), d.pale)  # fmt: skip
    elif kind.tail in ("thin", "tuft", "curl"):
        points = [(x, y), (x - n * 0.4, y + n * 0.02), (x - n * 0.62, y - n * 0.24), (x - n * 0.5, y - n * 0.56)]
        if kind.tail == "curl":
            points += [(x - n * 0.34, y - n * 0.58), (x - n * 0.36, y - n * 0.44)]
        art.line(smooth(points, False), mix(d.coat, "#d89a94", 0.5) if kind.tail == "thin" else d.coat,
            n * (0.055 if kind.tail != "curl" else 0.085), shadow=5)  # fmt: skip
        if kind.tail == "tuft":
            art.fill(oval(points[-1][0], points[-1][1], n * 0.09, n * 0.13), darker(d.coat, 0.5), shadow=2)
    elif kind.tail == "stub":
        art.fill(oval(x - n * 0.06, y - n * 0.04, n * 0.13),
            lighter(d.coat, 0.4) if kind.name in ("rabbit", "deer") else d.coat, shade=0.15, shadow=3)  # fmt: skip
    elif kind.tail == "thick":
        points = [(x, y - n * 0.1), (x - n * 0.3, y + n * 0.1), (x - n * 0.7, y - n * 0.1), (x - n * 0.5, y + n * 0.16),
            (x, y + n * 0.2)]  # fmt: skip
        art.fill(smooth(points), darker(d.coat, 0.1), shade=0.2, shadow=5)
    elif kind.tail == "hair":
        art.fill(smooth([(x + n * 0.05, y), (x - n * 0.22, y + n * 0.05), (x - n * 0.34, y + n * 0.5),
            (x - n * 0.24, y + n * 0.86), (x - n * 0.12, y + n * 0.4)]),
            darker(d.coat, 0.5) if kind.name != "unicorn" else "#c9a2d4", shade=0.2, shadow=4)  # fmt: skip
    elif kind.tail == "spike":
        art.fill(smooth([(x + n * 0.1, y - n * 0.12), (x - n * 0.5, y + n * 0.1), (x - n * 1.0, y - n * 0.1),
            (x - n * 1.1, y - n * 0.34), (x - n * 0.5, y + n * 0.3), (x + n * 0.1, y + n * 0.2)]), d.coat, shade=0.25,
            shadow=5)  # fmt: skip
        art.fill(star(x - n * 1.08, y - n * 0.32, n * 0.12, 3), darker(d.coat, 0.3))
