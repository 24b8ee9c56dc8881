"""From the words of an action and a mood to a body's pose and a face's expression."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from math import cos, pi, radians, sin
from typing import Literal, cast

from pipeline.inference.drawing.words import Lots, Text

Feeling = Literal["calm", "happy", "laugh", "sad", "weep", "angry", "afraid", "surprised", "asleep", "thoughtful"]
Stance = Literal["stand", "walk", "run", "sit", "lie", "kneel", "fly"]
STRIDES = 24  # poses of one double step, or of one beat of wings
PERIOD_S = {"walk": 1.05, "run": 0.62, "fly": 0.55}  # of a double step in no hurry, or of a beat of wings
_STEP = {"walk": 1.45, "run": 2.5, "fly": 1.4}  # lengths of a leg that a double step covers
_SWING = {"walk": (22.0, 40.0), "run": (44.0, 84.0), "fly": (0.0, 0.0)}  # degrees: of the thigh, of the bent knee


@dataclass(frozen=True)
class Pose:
    """Limb angles in degrees from hanging straight down, positive towards where the figure faces.

    `near`/`far` arms are (upper, lower), legs likewise; `lean` tilts the body forwards, `nod` the head.
    """

    stance: Stance = "stand"
    feeling: Feeling = "calm"
    near: tuple[float, float] = (-12, 6)
    far: tuple[float, float] = (12, 4)
    near_leg: tuple[float, float] = (5, 3)
    far_leg: tuple[float, float] = (-6, -4)
    lean: float = 0.0
    nod: float = 0.0
    holding: bool = False
    blinking: bool = False
    swinging: bool = False  # arms go with the legs
    beat: float = 0.0  # of wings: -1 down, 1 up


_FEELINGS: Mapping[str, tuple[str, ...]] = {
    "asleep": ("sleep", "sleeps", "sleeping", "asleep", "slept", "dozes", "dozing", "snores", "dreaming"),
    "weep": ("weep", "weeps", "weeping", "wept", "cry", "cries", "crying", "cried", "sob", "sobs", "sobbing", "tears",
        "tearful"),
    "laugh": ("laugh", "laughs", "laughing", "laughed", "giggle", "giggles", "chuckles", "cheer", "cheers", "joy",
        "joyful", "delighted", "rejoices", "merry", "celebrates", "dances", "sings"),
    "angry": ("angry", "angrily", "anger", "furious", "rage", "argue", "argues", "arguing", "argued", "shout", "shouts",
        "shouting", "shouted", "quarrel", "quarrels", "scold", "scolds", "growls", "snarls", "fierce", "glares",
        "scowls", "fights", "fight", "threatens", "stern"),
    "afraid": ("afraid", "fear", "fearful", "scared", "frightened", "terrified", "trembles", "trembling", "shivers",
        "panic", "nervous", "anxious", "worried", "flees", "hides", "tense", "fearfully", "dread", "screams"),
    "surprised": ("surprised", "surprise", "astonished", "amazed", "gasp", "gasps", "gasped", "wonder", "startled",
        "shocked", "marvels", "astonishment", "exclaims"),
    "sad": ("sad", "sadly", "sadness", "sorrow", "sorrowful", "grief", "mourns", "lonely", "miserable", "melancholy",
        "sighs", "sighed", "gloomy", "tired", "weary", "ashamed", "sorry", "disappointed", "unhappy", "regret"),
    "happy": ("happy", "happily", "smile", "smiles", "smiling", "smiled", "glad", "cheerful", "proud", "kind", "gentle",
        "hope", "hopeful", "warm", "love", "grateful", "thanks", "pleased", "peaceful", "friendly", "grins", "hugs",
        "content", "tender", "playful", "excited"),
}  # fmt: skip
# A scene's mood only colours a face: not everybody trembles because a scene is tense.
_MOODS = {"happy": "happy", "laugh": "happy", "sad": "sad", "weep": "sad"}
_SHOWN = 0.6  # of the shots, a face shows the scene's mood in
_THINKING = (
    "think",
    "thinks",
    "thinking",
    "ponders",
    "wonders",
    "curious",
    "studies",
    "considers",
    "mysterious",
    "reads",
    "reading",
    "puzzled",
    "listens",
    "looks",
    "quiet",
)
_STANCES: Mapping[str, tuple[str, ...]] = {
    "run": ("run", "runs", "running", "ran", "flees", "chase", "chases", "chasing", "races", "hurries", "rushes",
        "dashes", "hurried", "sprint", "escape", "escapes", "leaps", "jumps", "gallops", "bolts", "fled", "rushed"),
    "walk": ("walk", "walks", "walking", "walked", "steps", "strolls", "wanders", "marches", "climbs", "climb",
        "travels", "enters", "leaves", "follows", "creeps", "approaches", "goes", "arrives", "crosses", "trudges",
        "wades", "came", "went", "limps", "searches", "sets off", "strides", "paces", "dances", "dancing"),
    "fly": ("fly", "flies", "flying", "flew", "soars", "soared", "flaps", "flapped", "hovers", "swoops", "swooped"),
    "lie": ("sleep", "sleeps", "sleeping", "asleep", "lie", "lies", "lying", "lay", "slept", "in bed", "snores",
        "unconscious"),
    "kneel": ("kneel", "kneels", "kneeling", "knelt", "crouch", "crouches", "prays"),
    "sit": ("sit", "sits", "sitting", "sat", "seated", "rides", "rows", "perches", "rests", "at the table", "eats",
        "writes"),
}  # fmt: skip
_GESTURES: Mapping[str, tuple[str, ...]] = {
    "wave": ("wave", "waves", "waving", "waved", "greets", "farewell", "hello", "goodbye", "beckons", "calls"),
    "point": ("point", "points", "pointing", "pointed", "shows", "gestures", "accuses"),
    "raise": ("cheer", "cheers", "raises", "lifts", "celebrates", "reaches", "throws", "jumps", "dances", "triumph",
        "surrender"),
    "hold": ("hold", "holds", "holding", "held", "carries", "carry", "carrying", "gives", "give", "takes", "offers",
        "hands", "reads", "brings", "picks", "opens", "lights", "plays", "drinks", "eats", "clutches", "examines",
        "writes", "finds", "shows", "lifts", "grips", "pulls", "raises", "reading"),
    "hips": ("argue", "argues", "angry", "scold", "scolds", "stern", "furious", "proud", "shouts"),
    "face": ("weep", "weeps", "weeping", "crying", "cries", "sobs", "thinks", "ponders", "gasps", "afraid", "worried",
        "whispers"),
    "hug": ("hug", "hugs", "embraces", "embrace", "comforts"),
}  # fmt: skip
# (near arm, far arm); a raised arm is the far one, because the near one would cross the face.
_GESTURE_ARMS: Mapping[str, tuple[tuple[float, float], tuple[float, float]]] = {
    "wave": ((-12, 6), (100, 168)),
    "point": ((-12, 6), (80, 86)),
    "raise": ((-140, -168), (140, 168)),
    "hold": ((26, 102), (-8, 104)),
    "hips": ((-42, 38), (46, -20)),
    "face": ((14, 138), (12, 6)),
    "hug": ((62, 96), (50, 84)),
}


def feeling_of(action: str, mood: str = "", who: str = "") -> Feeling:
    found = Text(action).first(_FEELINGS)
    if found is None and Lots("mood", who.lower(), action.lower()).number("shown") < _SHOWN:
        found = _MOODS.get(Text(mood).first(_FEELINGS) or "")
    if found is not None:
        return cast(Feeling, found)
    return "thoughtful" if Text(action).has(*_THINKING) else "calm"


# What arms do that the words leave idle: hanging, or a hand on the hip; one before the belly looks like an ache.
_IDLE: tuple[tuple[tuple[float, float], tuple[float, float]], ...] = (
    ((-12, 6), (12, 4)), ((-16, -4), (18, 8)), ((-42, 38), (14, 6)), ((-14, 8), (46, -20)), ((-10, 14), (20, 16)),
)  # fmt: skip


def _idle(who: str, action: str, listening: bool) -> tuple[tuple[float, float], tuple[float, float]]:
    return Lots("idle", who.lower(), action.lower()).pick("listening" if listening else "arms", _IDLE)


def pose_of(action: str, mood: str, actor: bool, listening: bool, who: str = "") -> Pose:
    """The pose of the one who acts, or (`actor` false) of someone who is by; `listening` to another's words.

    `who` and the action draw the lots for what the words leave open."""
    text = Text(action)
    feeling = feeling_of(action, mood, who)
    if not actor:
        together = text.has("they", "both", "together", "all", "everyone", "and")
        stance = _stance(text) if together else "stand"
        other: Feeling = (
            feeling if feeling not in ("asleep", "weep") or together else "sad" if feeling == "weep" else "calm"
        )
        arms = _idle(who, action, listening)
        return _legs(Pose(stance=stance, feeling=other, near=arms[0], far=arms[1]))
    gesture = text.first(_GESTURES) or ""
    near, far = _GESTURE_ARMS.get(gesture) or _idle(who, action, False)
    pose = Pose(stance=_stance(text), feeling=feeling, near=near, far=far, holding=gesture == "hold",
                nod=10 if feeling in ("sad", "weep") else -5 if feeling in ("laugh", "surprised") else 0)  # fmt: skip
    return _legs(pose, free=not gesture)


def holding(pose: Pose) -> Pose:
    """The pose with something in the near hand, unless the arms are busy otherwise."""
    near, far = _GESTURE_ARMS["hold"]
    far = far if abs(pose.far[0]) < 60 else pose.far
    return replace(pose, near=near, far=far, holding=True, swinging=False)


def _stance(text: Text) -> Stance:
    return cast(Stance, text.first(_STANCES) or "stand")


def _legs(pose: Pose, free: bool = True) -> Pose:
    if pose.stance in ("walk", "run", "fly"):
        lean = {"walk": 3, "run": 13}.get(pose.stance, 0)
        return stride(replace(pose, lean=lean, swinging=free), _FIRST)
    if pose.stance in ("sit", "kneel"):
        return replace(pose, near_leg=(84, 4), far_leg=(80, -4))
    return pose


_FIRST = STRIDES // 5  # what a picture shows: the near leg ahead


def stride(pose: Pose, step: int) -> Pose:
    """The pose `step` of STRIDES later in the gait that it shows; one without a gait stays as it is."""
    if pose.stance not in _SWING:
        return pose
    turn = 2 * pi * step / STRIDES
    thigh, knee = _SWING[pose.stance]

    def leg(turn: float) -> tuple[float, float]:
        upper = thigh * sin(turn)
        return upper, upper - knee * max(0.0, cos(turn + 0.35))

    near, far = pose.near, pose.far
    if pose.swinging and pose.stance != "fly":
        bend = 22 if pose.stance == "walk" else 80
        near = (-thigh * sin(turn), -thigh * sin(turn) + bend)
        far = (thigh * sin(turn), thigh * sin(turn) + bend)
    return replace(pose, near=near, far=far, near_leg=leg(turn), far_leg=leg(turn + pi), beat=sin(turn))


def later(pose: Pose, steps: int) -> Pose:
    """A picture's pose, so many steps later."""
    return stride(pose, _FIRST + steps)


def step_length(stance: str, leg: float) -> float:
    """How far a double step gets one with such legs, in the legs' unit."""
    return _STEP[stance] * leg


def drop(pose: Pose) -> float:
    """How far the hip sinks for the feet to stay on the ground, as a share of a leg's length."""
    return 1 - max(0.5 * (cos(radians(upper)) + cos(radians(lower))) for upper, lower in (pose.near_leg, pose.far_leg))
