"""The tables: everything that a project is, everything that was made for it, and the record of the making.

Hidden here: SQLite types. JSON columns hold plain lists and objects and are not tracked for changes inside them,
so assign a new value instead of altering the old one. Times of day are UTC ISO text with milliseconds
(`utc_now`); times on the narration's clock are integer milliseconds (`*_ms`); money is integer micro-dollars.
Status columns are written by `states.py` and `ledger.py` alone; the defaults here are the states things are born in.
"""

from pipeline.store.models.account import CreditEntry, Media, MoneyEntry
from pipeline.store.models.base import Base, Counts, Indices, Names, Object, Objects, Spans, Timed, utc_now
from pipeline.store.models.files import ImageAnalysis, MediaFile, Verdict, Version
from pipeline.store.models.hermes import Callback, Delivery
from pipeline.store.models.log import Answer, Event, Setting
from pipeline.store.models.story import Character, GuideImage, Project, Prop, Set
from pipeline.store.models.timeline import Scene, SceneCharacter, SceneProp, ScriptSegment, Shot
from pipeline.store.models.work import Generation, Job, Run, Step

__all__ = [
    "Answer",
    "Base",
    "Callback",
    "Character",
    "Counts",
    "CreditEntry",
    "Delivery",
    "Event",
    "Generation",
    "GuideImage",
    "ImageAnalysis",
    "Indices",
    "Job",
    "Media",
    "MediaFile",
    "MoneyEntry",
    "Names",
    "Object",
    "Objects",
    "Project",
    "Prop",
    "Run",
    "Scene",
    "SceneCharacter",
    "SceneProp",
    "ScriptSegment",
    "Set",
    "Setting",
    "Shot",
    "Spans",
    "Step",
    "Timed",
    "Verdict",
    "Version",
    "utc_now",
]
