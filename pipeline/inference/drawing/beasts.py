"""Figures that do not stand upright: on four legs, with wings, in a shell, with fins, coiled.

Coordinates are a figure's own: 1000 is a grown person's height, origin on the ground in its middle, looking right.
"""

from __future__ import annotations

from pipeline.drawn import Face
from pipeline.inference.drawing import animals, fourlegs
from pipeline.inference.drawing.design import Design
from pipeline.inference.drawing.heads import HEIGHT
from pipeline.inference.drawing.paint import Art
from pipeline.inference.drawing.palette import darker, lighter
from pipeline.inference.drawing.pose import Pose
from pipeline.inference.drawing.shapes import arc, oval, poly, ribbon, smooth
from pipeline.inference.drawing.species import BY_NAME, Species


def _kind(d: Design) -> Species:
    return d.species or BY_NAME["animal"]


def head_centre(d: Design, pose: Pose) -> tuple[float, float, float]:
    """Where the head's middle is and the head's height."""
    n = 1000 * d.height
    kind = _kind(d)
    low = 0.34 if pose.stance == "lie" else 0.0
    if kind.body == "four":
        return fourlegs.head_centre(d, pose)
    if "wader" in kind.marks:
        return n * 0.30, -n * 0.90 - _height(pose, n) * 0.5, n * 0.27
    if "neck" in kind.marks:
        return n * 0.30, -n * (1.02 - low * 0.5) - _height(pose, n), n * 0.32
    if kind.body == "bird":
        return n * 0.16, -n * (0.80 - low * 0.5) - _height(pose, n), n * 0.40
    if kind.body == "owl":
        return 0.0, -n * 0.74, n * 0.5
    if kind.body == "shell":
        return n * 0.62, -n * 0.52, n * 0.46
    if kind.body == "fish":
        return n * 0.22, -n * 0.86, n * 0.62
    return n * 0.12, -n * 0.80, n * 0.44


def _height(pose: Pose, n: float) -> float:
    """How high a bird is over the ground."""
    return n * 0.9 if pose.stance == "fly" else 0.0


def draw(art: Art, d: Design, pose: Pose) -> Face:
    """Draws the figure and says where its mouth is."""
    n = 1000 * d.height
    body = _kind(d).body
    art.dim(0, 0, n * 0.62, 0.34, 0.14)
    if body == "four":
        fourlegs.draw_body(art, d, pose)
    else:
        {"bird": _bird, "owl": _owl, "shell": _shell, "fish": _fish}.get(body, _coil)(art, d, pose, n)
    x, y, size = head_centre(d, pose)
    with art.at(x, y, size / HEIGHT, pose.nod):
        animals.back(art, d)
        face = animals.head(art, d, pose)
    if d.scarf and not d.four_legged and "wader" not in _kind(d).marks:
        _neckerchief(art, d, x, y + size * 0.46, size)
    return face


def _neckerchief(art: Art, d: Design, x: float, y: float, size: float) -> None:
    if "neck" in _kind(d).marks:
        x, y = x - size * 0.26, y + size * 0.16
        wound = [(x - size * 0.36, y - size * 0.07, size * 0.07), (x - size * 0.06, y + size * 0.03, size * 0.09),
            (x + size * 0.23, y - size * 0.01, size * 0.08)]  # fmt: skip
        art.fill(ribbon(wound), d.scarf, shade=0.2, shadow=4)
    else:
        art.line(arc(x, y - size * 0.16, size * 0.36, size * 0.22, 14, 152), d.scarf, size * 0.17, shadow=4)
    tip = [(x - size * 0.12, y), (x + size * 0.14, y), (x + size * 0.06, y + size * 0.36),
        (x - size * 0.10, y + size * 0.30)]  # fmt: skip
    art.fill(smooth(tip), darker(d.scarf, 0.1), shade=0.2, shadow=3)


def _bird(art: Art, d: Design, pose: Pose, n: float) -> None:
    if "wader" in _kind(d).marks:
        _wader(art, d, pose, n)
        return
    if pose.stance == "fly":
        with art.at(0, -_height(pose, n)):
            _wing(art, d, n, 0.9 * pose.beat + 0.1, far=True)
            _plumage(art, d, n)
            _wing(art, d, n, pose.beat, far=False)
        return
    for x in (0.02, 0.14):
        art.line(poly([(n * x, -n * 0.32), (n * x + n * 0.02, -6)], False), "#c98a3a", n * 0.035)
        art.line(smooth([(n * x - n * 0.05, -4), (n * x + n * 0.02, -10), (n * x + n * 0.11, -4)], False), "#c98a3a",
            n * 0.035)  # fmt: skip
    _plumage(art, d, n)
    _folded(art, d, n)


def _wader(art: Art, d: Design, pose: Pose, n: float) -> None:
    """A bird on long legs, its neck one long S."""
    lift = _height(pose, n) * 0.5
    with art.at(0, -lift):
        if lift:
            for y in (-0.42, -0.40):
                art.line(poly([(-n * 0.24, n * y), (-n * 0.78, n * (y + 0.05))], False), "#c9a05a", n * 0.020)
            with art.at(0, -n * 0.14):
                _wing(art, d, n * 0.66, 0.9 * pose.beat + 0.1, far=True)
        else:
            for x, step in ((-0.04, pose.far_leg[0]), (0.05, pose.near_leg[0])):
                foot = n * (x + 0.004 * step)
                leg = [(n * x, -n * 0.40), (foot - n * 0.016, -n * 0.21), (foot, -4.0)]
                art.line(poly(leg, False), "#c9a05a", n * 0.022)
                art.line(poly([(foot - n * 0.03, -3), (foot + n * 0.07, -3)], False), "#c9a05a", n * 0.018)
        _wader_body(art, d, n)
        if lift:
            with art.at(0, -n * 0.14):
                _wing(art, d, n * 0.66, pose.beat, far=False)
        else:
            wing = [(n * 0.10, -n * 0.54), (n * 0.13, -n * 0.42), (-n * 0.06, -n * 0.345), (-n * 0.40, -n * 0.27),
                (-n * 0.22, -n * 0.46)]  # fmt: skip
            art.fill(smooth(wing), darker(d.coat, 0.16), shade=0.2, shadow=6)
            for k in range(3):
                art.line(smooth([(n * (0.06 - 0.08 * k), -n * (0.44 - 0.02 * k)), (-n * (0.12 + 0.07 * k),
                    -n * (0.365 - 0.018 * k))], False), darker(d.coat, 0.35), n * 0.010)  # fmt: skip


def _wader_body(art: Art, d: Design, n: float) -> None:
    art.fill(poly([(-n * 0.20, -n * 0.46), (-n * 0.50, -n * 0.27), (-n * 0.40, -n * 0.24), (-n * 0.14, -n * 0.34)]),
        darker(d.coat, 0.3), shade=0.2, shadow=5)  # fmt: skip
    art.fill(smooth([(n * 0.24, -n * 0.52), (n * 0.20, -n * 0.40), (n * 0.02, -n * 0.33), (-n * 0.22, -n * 0.33),
        (-n * 0.36, -n * 0.33), (-n * 0.20, -n * 0.47), (n * 0.04, -n * 0.58), (n * 0.18, -n * 0.60)]), d.coat,
        shade=0.28, shadow=7)  # fmt: skip
    neck = [(0.262, -0.905, 0.046), (0.196, -0.865, 0.048), (0.160, -0.800, 0.044), (0.182, -0.725, 0.044),
        (0.218, -0.650, 0.052), (0.214, -0.575, 0.070), (0.150, -0.500, 0.092)]  # fmt: skip
    art.fill(ribbon([(n * x, n * y, n * half) for x, y, half in neck]), d.coat, shade=0.16)
    throat = [(0.268, -0.880, 0.012), (0.220, -0.836, 0.014), (0.192, -0.790, 0.014), (0.212, -0.720, 0.016),
        (0.250, -0.645, 0.020), (0.252, -0.570, 0.022), (0.214, -0.480, 0.004)]  # fmt: skip
    art.fill(ribbon([(n * x, n * y, n * half) for x, y, half in throat]), d.pale, alpha=0.8)
    if d.scarf:
        tails = [(0.188, -0.730), (0.226, -0.728), (0.236, -0.636), (0.190, -0.630)]
        art.fill(smooth([(n * x, n * y) for x, y in tails]), darker(d.scarf, 0.12), shade=0.2, shadow=4)
        wound = [(0.108, -0.770, 0.022), (0.168, -0.748, 0.032), (0.228, -0.744, 0.026)]
        art.fill(ribbon([(n * x, n * y, n * half) for x, y, half in wound]), d.scarf, shade=0.2, shadow=5)


def _plumage(art: Art, d: Design, n: float) -> None:
    """Tail, body, neck and breast."""
    nape = (n * 0.02, -n * 0.86) if "neck" not in _kind(d).marks else (n * 0.08, -n * 0.70)
    art.fill(poly([(-n * 0.22, -n * 0.42), (-n * 0.66, -n * 0.26), (-n * 0.60, -n * 0.16), (-n * 0.50, -n * 0.14),
        (-n * 0.14, -n * 0.26)]), darker(d.coat, 0.25), shade=0.2, shadow=5)  # fmt: skip
    art.fill(smooth([(n * 0.32, -n * 0.74), (n * 0.38, -n * 0.5), (n * 0.20, -n * 0.24), (-n * 0.12, -n * 0.20),
        (-n * 0.34, -n * 0.40), (-n * 0.10, -n * 0.62), nape]), d.coat, shade=0.28, shadow=7)  # fmt: skip
    if "neck" in _kind(d).marks:
        neck = [(0.32, -1.06, 0.06), (0.21, -0.96, 0.078), (0.19, -0.84, 0.08), (0.23, -0.70, 0.10),
            (0.20, -0.52, 0.13)]  # fmt: skip
        art.fill(ribbon([(n * x, n * y, n * half) for x, y, half in neck]), d.coat, shade=0.1)
    art.fill(smooth([(n * 0.30, -n * 0.64), (n * 0.34, -n * 0.46), (n * 0.16, -n * 0.26), (n * 0.02, -n * 0.30),
        (n * 0.16, -n * 0.5)]), d.pale, alpha=0.9)  # fmt: skip


def _wing(art: Art, d: Design, n: float, beat: float, *, far: bool) -> None:
    """A spread wing, `beat` from -1 (down) to 1 (up)."""
    with art.at(n * (0.06 if far else -0.02), -n * 0.56, turn=10 + 44 * beat):
        wing = smooth([(n * 0.16, n * 0.02), (-n * 0.10, -n * 0.16), (-n * 0.62, -n * 0.20), (-n * 0.86, -n * 0.06),
            (-n * 0.58, n * 0.06), (-n * 0.14, n * 0.16)])  # fmt: skip
        art.fill(wing, darker(d.coat, 0.28 if far else 0.14), shade=0.2, shadow=6)
        for k in range(3):
            art.line(smooth([(-n * (0.16 + 0.16 * k), n * 0.08), (-n * (0.36 + 0.16 * k), -n * 0.02)], False),
                darker(d.coat, 0.36), n * 0.012)  # fmt: skip


def _folded(art: Art, d: Design, n: float) -> None:
    wing = [(n * 0.10, -n * 0.58), (n * 0.16, -n * 0.40), (-n * 0.08, -n * 0.26), (-n * 0.42, -n * 0.24),
        (-n * 0.16, -n * 0.48)]  # fmt: skip
    art.fill(smooth(wing), darker(d.coat, 0.16), shade=0.2, shadow=6)
    for k in range(3):
        art.line(smooth([(n * (0.06 - 0.08 * k), -n * (0.40 - 0.03 * k)), (-n * (0.10 + 0.08 * k), -n * 0.29)], False),
            darker(d.coat, 0.35), n * 0.012)  # fmt: skip


def _owl(art: Art, d: Design, pose: Pose, n: float) -> None:
    art.fill(smooth([(0, -n * 0.9), (n * 0.34, -n * 0.62), (n * 0.36, -n * 0.26), (n * 0.16, -n * 0.04),
        (-n * 0.16, -n * 0.04), (-n * 0.36, -n * 0.26), (-n * 0.34, -n * 0.62)]), d.coat, shade=0.28,
        shadow=8)  # fmt: skip
    art.fill(smooth([(0, -n * 0.62), (n * 0.22, -n * 0.44), (n * 0.18, -n * 0.12), (-n * 0.18, -n * 0.12),
        (-n * 0.22, -n * 0.44)]), d.pale)  # fmt: skip
    if _kind(d).name == "owl":
        for row in range(4):
            for k in range(4 - row % 2):
                x = (-0.13 + k * 0.087 + 0.044 * (row % 2)) * n
                art.line(arc(x, -n * (0.42 - row * 0.075), n * 0.032, n * 0.03, 0, 180), darker(d.coat, 0.1), n * 0.014)
    for side in (-1, 1):
        art.fill(smooth([(side * n * 0.30, -n * 0.60), (side * n * 0.42, -n * 0.34), (side * n * 0.26, -n * 0.06),
            (side * n * 0.20, -n * 0.34)]), darker(d.coat, 0.2), shade=0.2, shadow=5)  # fmt: skip
        for k in range(3):
            art.line(poly([(side * n * 0.1 + (k - 1) * n * 0.04, -n * 0.06), (side * n * 0.1 + (k - 1) * n * 0.05, 0)],
                False), "#c98a3a", n * 0.03)  # fmt: skip


def _shell(art: Art, d: Design, pose: Pose, n: float) -> None:
    snail = _kind(d).name == "snail"
    if snail:
        art.fill(smooth([(-n * 0.7, 0), (-n * 0.3, -n * 0.14), (n * 0.4, -n * 0.2), (n * 0.7, -n * 0.5),
            (n * 0.82, -n * 0.4), (n * 0.7, 0)]), d.pale, shade=0.3, shadow=5)  # fmt: skip
    else:
        for x in (-0.42, -0.2, 0.24, 0.46):
            art.line(poly([(n * x, -n * 0.24), (n * (x + 0.04), -n * 0.06)], False), d.coat, n * 0.15, shadow=4)
        art.line(smooth([(n * 0.36, -n * 0.26), (n * 0.52, -n * 0.32), (n * 0.60, -n * 0.46)], False), d.coat, n * 0.18,
            shadow=5)  # fmt: skip
    tone = "#8a6a3f" if not snail else "#b5763f"
    dome = smooth([(-n * 0.64, -n * 0.16), (-n * 0.52, -n * 0.56), (-n * 0.06, -n * 0.80), (n * 0.38, -n * 0.56),
        (n * 0.50, -n * 0.16), (-n * 0.06, -n * 0.10)])  # fmt: skip
    art.fill(dome, tone, shade=0.3, shadow=8)
    with art.inside(dome):
        if snail:
            for k in range(4):
                art.line(oval(-n * 0.06, -n * 0.42, n * (0.42 - 0.11 * k), n * (0.32 - 0.085 * k)), darker(tone, 0.3),
                    n * 0.03)  # fmt: skip
        else:
            for x, y in ((-0.34, -0.36), (-0.06, -0.34), (0.22, -0.36), (-0.2, -0.62), (0.08, -0.62)):
                art.fill(poly([(n * (x + dx), n * (y + dy)) for dx, dy in ((-0.13, 0), (-0.065, -0.11), (0.065, -0.11),
                    (0.13, 0), (0.065, 0.11), (-0.065, 0.11))]), lighter(tone, 0.2), shadow=2)  # fmt: skip
        art.line(smooth([(-n * 0.7, -n * 0.18), (-n * 0.06, -n * 0.10), (n * 0.56, -n * 0.18)], False),
            lighter(tone, 0.35), n * 0.05)  # fmt: skip


def _fish(art: Art, d: Design, pose: Pose, n: float) -> None:
    y = -n * 0.86
    art.fill(smooth([(-n * 0.5, y), (-n * 0.96, y - n * 0.36), (-n * 0.84, y), (-n * 0.96, y + n * 0.36)]),
        darker(d.coat, 0.15), shade=0.2, shadow=5)  # fmt: skip
    art.fill(smooth([(-n * 0.1, y - n * 0.26), (n * 0.1, y - n * 0.54), (-n * 0.32, y - n * 0.40)]),
        darker(d.coat, 0.2), shadow=4)  # fmt: skip
    body = smooth([(n * 0.48, y), (n * 0.24, y - n * 0.32), (-n * 0.20, y - n * 0.28), (-n * 0.60, y),
        (-n * 0.20, y + n * 0.28), (n * 0.24, y + n * 0.32)])  # fmt: skip
    art.fill(body, d.coat, shade=0.35, shadow=7)
    for row in range(3):
        for k in range(3):
            art.line(arc(-n * (0.08 + 0.13 * k), y + (row - 1) * n * 0.12, n * 0.06, n * 0.06, 90, 180),
                lighter(d.coat, 0.3), n * 0.018)  # fmt: skip


def _coil(art: Art, d: Design, pose: Pose, n: float) -> None:
    for k, (rx, y) in enumerate(((0.52, 0.10), (0.42, 0.26), (0.30, 0.40))):
        art.fill(oval(0, -n * y, n * rx, n * 0.13), d.coat if k % 2 == 0 else lighter(d.coat, 0.1), shade=0.3, shadow=5)
    art.line(smooth([(-n * 0.2, -n * 0.42), (n * 0.10, -n * 0.5), (-n * 0.04, -n * 0.64), (n * 0.10, -n * 0.76)],
        False), d.coat, n * 0.17, shadow=6)  # fmt: skip
