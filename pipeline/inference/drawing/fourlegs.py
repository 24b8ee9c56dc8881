"""Animals on four legs: one outline from rump to throat, tapered legs, paws or hooves, what they wear at the neck.

Coordinates are a figure's own: 1000 is a grown person's height, origin on the ground in its middle, looking right.
"""

from __future__ import annotations

from dataclasses import dataclass

from pipeline.inference.drawing import animals
from pipeline.inference.drawing.design import Design
from pipeline.inference.drawing.paint import Art
from pipeline.inference.drawing.palette import darker, lighter, luma, mix
from pipeline.inference.drawing.pose import Pose
from pipeline.inference.drawing.shapes import Point, oval, poly, smooth
from pipeline.inference.drawing.species import BY_NAME, Species

_LONG_NECK = {"horse": 0.24, "unicorn": 0.24, "giraffe": 0.52, "deer": 0.2, "stag": 0.2, "donkey": 0.16, "dragon": 0.2,
    "pony": 0.18}  # fmt: skip
_LOW = {"crocodile": 0.5, "pig": 0.7}


@dataclass(frozen=True)
class Frame:
    """Lengths as shares of the whole height: of the legs, the trunk's depth, the belly's rise, the legs' thickness."""

    leg: float = 0.40
    depth: float = 0.31
    tuck: float = 0.05
    thick: float = 0.095


_FRAMES = {
    "fox": Frame(0.36, 0.29, 0.07, 0.082), "wolf": Frame(0.42, 0.31, 0.07, 0.09),
    "cat": Frame(0.37, 0.29, 0.03, 0.075), "dog": Frame(0.38, 0.33, 0.06, 0.10),
    "horse": Frame(0.45, 0.27, 0.04, 0.066), "unicorn": Frame(0.45, 0.27, 0.04, 0.066),
    "deer": Frame(0.46, 0.25, 0.06, 0.052), "stag": Frame(0.46, 0.26, 0.06, 0.056),
    "goat": Frame(0.38, 0.33, 0.02, 0.07), "sheep": Frame(0.32, 0.38, 0.0, 0.075),
    "cow": Frame(0.36, 0.38, 0.0, 0.09), "pig": Frame(0.30, 0.42, -0.01, 0.10),
    "elephant": Frame(0.34, 0.44, 0.0, 0.17), "giraffe": Frame(0.44, 0.22, 0.04, 0.056),
    "lion": Frame(0.38, 0.32, 0.06, 0.105), "tiger": Frame(0.38, 0.32, 0.05, 0.105),
}  # fmt: skip


def _kind(d: Design) -> Species:
    return d.species or BY_NAME["animal"]


def head_centre(d: Design, pose: Pose) -> tuple[float, float, float]:
    """Where the head's middle is and the head's height."""
    n, kind = 1000 * d.height, _kind(d)
    low = 0.34 if pose.stance == "lie" else 0.0
    size = n * (0.32 if n > 800 else 0.35 if n > 560 else 0.40)
    forward = 0.42 + _LONG_NECK.get(kind.name, 0.05) * 0.5 - (0.14 if pose.stance == "sit" else 0.0)
    return n * forward, -(n - size * 0.5) * _LOW.get(kind.name, 1.0) * (1 - low), size


def draw_body(art: Art, d: Design, pose: Pose) -> None:
    """Everything but the head."""
    n, kind = 1000 * d.height, _kind(d)
    frame, low = _FRAMES.get(kind.name, Frame()), _LOW.get(kind.name, 1.0)
    leg = n * (0.09 if pose.stance == "lie" else frame.leg * low)
    back = -leg - n * frame.depth * low
    sitting = pose.stance == "sit"
    root = (-n * 0.33, -n * 0.14) if sitting else (-n * 0.40, back + n * 0.09)
    animals.tail(art, d, root, n * (0.5 if kind.tail != "curl" else 0.62))
    if "wings" in kind.marks:
        art.fill(smooth([(-n * 0.1, back + 30), (-n * 0.5, back - n * 0.42), (-n * 0.2, back - n * 0.36),
            (-n * 0.02, back - n * 0.5), (n * 0.12, back + 20)]), darker(d.coat, 0.25), shade=0.3,
            shadow=8)  # fmt: skip
    _legs(art, d, pose, n, leg, back, frame, near=False)
    hx, hy, size = head_centre(d, pose)
    shape = smooth(_outline(n, leg, back, frame.tuck * n, (hx, hy, size), sitting))
    art.fill(shape, d.coat, shade=0.24, shadow=8)
    with art.inside(shape):
        _hide(art, d, kind, n, back, leg, hx)
    _growth(art, d, kind, n, back, (hx, hy, size))
    _legs(art, d, pose, n, leg, back, frame, near=True)
    if d.scarf or d.collar:
        _neckwear(art, d, n, back, (hx, hy, size))


def _outline(
    n: float, leg: float, back: float, tuck: float, head: tuple[float, float, float], sitting: bool
) -> list[Point]:
    hx, hy, size = head
    neck = [(hx - size * 0.36, hy + size * 0.02), (hx, hy - size * 0.1), (hx + size * 0.26, hy + size * 0.30)]
    if sitting:
        return [(-n * 0.10, back + n * 0.16), (n * 0.06, back + n * 0.02), *neck, (n * 0.31, back + n * 0.20),
            (n * 0.27, -leg * 0.86), (n * 0.06, -leg * 0.34), (-n * 0.10, -n * 0.02), (-n * 0.34, -n * 0.03),
            (-n * 0.37, -n * 0.22), (-n * 0.25, back + n * 0.34)]  # fmt: skip
    return [(-n * 0.34, back + n * 0.01), (-n * 0.06, back + n * 0.035), (n * 0.16, back), *neck,
        (n * 0.41, back + n * 0.15), (n * 0.33, -leg - n * 0.01), (n * 0.10, -leg + n * 0.005),
        (-n * 0.16, -leg - tuck), (-n * 0.34, -leg - n * 0.02), (-n * 0.435, back + n * 0.17),
        (-n * 0.42, back + n * 0.06)]  # fmt: skip


def _hide(art: Art, d: Design, kind: Species, n: float, back: float, leg: float, hx: float) -> None:
    bib = [(hx - n * 0.04, back - n * 0.02), (hx + n * 0.14, back - n * 0.02), (n * 0.46, back + n * 0.16),
        (n * 0.34, -leg + n * 0.04), (n * 0.25, -leg - n * 0.05), (n * 0.27, back + n * 0.14)]  # fmt: skip
    if "mask" in kind.marks:
        art.fill(smooth(bib), d.pale)
    if kind.name not in ("elephant", "horse", "unicorn", "donkey"):
        art.fill(oval(n * 0.02, -leg + n * 0.07, n * 0.34, n * 0.10), d.pale, alpha=0.7 if "mask" in kind.marks else
            0.28)  # fmt: skip
    if "patches" in kind.marks:
        for x, y, r in ((-0.28, 0.06, 0.14), (0.08, 0.16, 0.11), (0.28, 0.02, 0.10)):
            art.fill(oval(n * x, back + n * y, n * r, n * r * 0.8), darker(d.coat, 0.6))
    elif "stripes" in kind.marks:
        for k in range(7):
            x = -n * 0.38 + k * n * 0.11
            art.line(smooth([(x, back - 8), (x + n * 0.03, back + n * 0.12), (x, back + n * 0.2)], False),
                darker(d.coat, 0.65), n * 0.025)  # fmt: skip
    elif "spots" in kind.marks or "freckles" in kind.marks:
        tone = lighter(d.coat, 0.5) if "freckles" in kind.marks else darker(d.coat, 0.5)
        for k in range(14):
            art.fill(
                oval(-n * 0.36 + (k * 0.37 % 1) * n * 0.7, back + n * (0.03 + (k * 0.61 % 1) * 0.2), n * 0.026), tone
            )
    elif kind.name == "cat":
        for k in range(4):
            x = -n * 0.30 + k * n * 0.12
            art.line(smooth([(x, back), (x + n * 0.02, back + n * 0.06), (x + n * 0.01, back + n * 0.11)], False),
                darker(d.coat, 0.28), n * 0.022, alpha=0.7)  # fmt: skip


def _growth(art: Art, d: Design, kind: Species, n: float, back: float, head: tuple[float, float, float]) -> None:
    """Mane, wool and spikes on the body."""
    hx, hy, size = head
    if "hairmane" in kind.marks:
        dark = darker(d.coat, 0.5) if kind.name != "unicorn" else "#c9a2d4"
        art.fill(smooth([(hx - size * 0.2, hy - size * 0.45), (hx - size * 0.46, hy + size * 0.05),
            (n * 0.08, back + n * 0.08), (n * 0.20, back + n * 0.12), (hx - size * 0.1, hy + size * 0.12)]), dark,
            shade=0.2, shadow=3)  # fmt: skip
    if "wool" in kind.marks:
        for k in range(13):
            art.fill(oval(-n * 0.40 + k % 7 * n * 0.125, back + n * 0.06 + (k // 7) * n * 0.17, n * 0.115),
                lighter(d.coat, 0.05), shade=0.18, shadow=2)  # fmt: skip
    if "spikes" in kind.marks:
        for k in range(7):
            x = -n * 0.38 + k * n * 0.105
            art.fill(poly([(x - n * 0.05, back + n * 0.04), (x, back - n * 0.07), (x + n * 0.05, back + n * 0.04)]),
                darker(d.coat, 0.3), shadow=2)  # fmt: skip


def _legs(
    art: Art, d: Design, pose: Pose, n: float, leg: float, back: float, frame: Frame, *, near: bool
) -> None:  # fmt: skip
    colour = d.coat if near else darker(d.coat, 0.2)
    w = n * frame.thick
    if pose.stance == "lie":
        for x in (0.24, -0.22):
            art.fill(oval(n * x, -n * 0.10, n * 0.14, n * 0.11), colour, shade=0.2, shadow=4 if near else 0)
            art.fill(oval(n * (x + 0.12), -w * 0.42, n * 0.15, w * 0.44), _sock(d, colour), shadow=3)
        return
    if pose.stance == "sit":
        x = n * (0.02 if near else 0.06)
        if near:
            art.fill(smooth([(x - n * 0.30, -n * 0.05), (x - n * 0.27, -n * 0.25), (x - n * 0.12, -n * 0.32),
                (x + n * 0.01, -n * 0.22), (x - n * 0.02, -n * 0.03)]), colour, shade=0.2, shadow=4)  # fmt: skip
        _paw(art, d, (x - n * 0.02, 0), w * 1.25, colour)
        _leg(art, d, (n * (0.20 if near else 0.25), -leg), leg, w, colour, 0, hind=False, near=near)
        return
    swing = pose.near_leg[0] * 0.8 if pose.stance in ("walk", "run") else 0.0
    for front in (True, False):
        x = n * ((0.25 if near else 0.33) if front else (-0.31 if near else -0.22))
        _leg(art, d, (x, -leg), leg, w, colour, swing if front == near else -swing, hind=not front, near=near)


def _leg(art: Art, d: Design, top: Point, leg: float, w: float, colour: str, swing: float, *, hind: bool,
         near: bool) -> None:  # fmt: skip
    """One leg from where it leaves the trunk down to its foot."""
    with art.at(*top, turn=-swing):
        if hind:
            points = [(-w * 1.15, -w * 0.9), (0, -w * 1.7), (w * 1.15, -w * 0.8), (w * 0.95, leg * 0.30),
                (w * 0.26, leg * 0.60), (w * 0.36, leg - w * 0.25), (-w * 0.40, leg - w * 0.25),
                (-w * 0.62, leg * 0.60), (-w * 0.98, leg * 0.26)]  # fmt: skip
        else:
            points = [(-w * 0.75, -w * 1.0), (0, -w * 1.5), (w * 0.75, -w * 0.9), (w * 0.62, leg * 0.35),
                (w * 0.42, leg * 0.66), (w * 0.44, leg - w * 0.25), (-w * 0.42, leg - w * 0.25),
                (-w * 0.46, leg * 0.62), (-w * 0.64, leg * 0.3)]  # fmt: skip
        shape = smooth(points)
        if near:  # its top melts into the trunk
            art.blend(shape, [(colour, 0.0), (colour, 0.9), (colour, 1.0), (colour, 1.0), (darker(colour, 0.08), 1.0)])
        else:
            art.fill(shape, colour)
        edge = points[2:] if hind else [*points[2:], points[0]]
        art.line(smooth(edge[:3], False), darker(colour, 0.3), w * 0.06, alpha=0.35)
        if "socks" in _kind(d).marks:
            sock = [(-w * 0.52, leg * 0.62), (w * 0.40, leg * 0.66), (w * 0.40, leg - w * 0.2), (-w * 0.42,
                leg - w * 0.2)]  # fmt: skip
            art.fill(smooth(sock), _sock(d, colour))
        _paw(art, d, (0, leg), w, colour)


def _sock(d: Design, colour: str) -> str:
    return mix(colour, "#33262b", 0.72) if "socks" in _kind(d).marks else colour


def _paw(art: Art, d: Design, foot: Point, w: float, colour: str) -> None:
    x, y = foot
    kind = _kind(d)
    if kind.muzzle == "wide" or kind.name in ("deer", "stag", "goat", "sheep", "pig"):
        hoof = poly([(x - w * 0.46, y - w * 0.42), (x + w * 0.48, y - w * 0.42), (x + w * 0.62, y), (x - w * 0.5, y)])
        art.fill(hoof, mix(darker(colour, 0.5), "#3a302c", 0.6), shadow=2)
        return
    tone = _sock(d, colour)
    art.fill(smooth([(x - w * 0.52, y - w * 0.34), (x, y - w * 0.62), (x + w * 0.62, y - w * 0.46),
        (x + w * 0.80, y - w * 0.12), (x + w * 0.5, y + w * 0.04), (x - w * 0.44, y + w * 0.04)]), tone,
        shadow=2)  # fmt: skip
    line = darker(tone, 0.35) if luma(tone) > 0.25 else lighter(tone, 0.3)
    for dx in (0.30, 0.56):
        art.line(smooth([(x + w * dx, y - w * 0.22), (x + w * (dx + 0.03), y - w * 0.02)], False), line, w * 0.055,
            alpha=0.7)  # fmt: skip


def _neckwear(art: Art, d: Design, n: float, back: float, head: tuple[float, float, float]) -> None:
    """A collar or a scarf across the neck under the head, following its roundness."""
    hx, hy, size = head
    a, b = (hx - size * 0.47, hy + size * 0.26), (hx + size * 0.29, hy + size * 0.48)
    middle = ((a[0] + b[0]) / 2 - size * 0.06, (a[1] + b[1]) / 2 + size * 0.20)
    band = smooth([a, (a[0] + size * 0.10, a[1] + size * 0.17), middle, (b[0] - size * 0.14, b[1] + size * 0.09), b],
        False)  # fmt: skip
    if d.collar:
        art.line(band, d.collar, size * 0.10, shadow=4)
        art.fill(oval(b[0] - size * 0.12, b[1] + size * 0.17, size * 0.065), "#e3b341", shade=0.2, shadow=2)
        return
    art.line(band, d.scarf, size * 0.17, shadow=5)
    x, y = b[0] - size * 0.14, b[1] + size * 0.06
    for dx, tone in ((-0.10, 0.14), (0.08, 0.06)):
        art.fill(smooth([(x - size * 0.05, y), (x + size * 0.07, y), (x + size * (dx + 0.12), y + size * 0.36),
            (x + size * (dx - 0.08), y + size * 0.38)]), darker(d.scarf, tone), shade=0.15, shadow=3)  # fmt: skip
    art.fill(oval(x + size * 0.01, y, size * 0.09, size * 0.085), d.scarf, shadow=2)
