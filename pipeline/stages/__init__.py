"""The steps of a film, in order.

`ORDER` has the ten that users see; writing a story (`story`) and reading it (`analysis`) come before them.
"""

from __future__ import annotations

from pipeline.stage import Stage
from pipeline.stages.analysis import AnalysisStage
from pipeline.stages.audio import AudioStage
from pipeline.stages.export import ExportStage
from pipeline.stages.frames import FramesStage
from pipeline.stages.lipsync import LipsyncStage
from pipeline.stages.refs import RefsStage
from pipeline.stages.scenes import ScenesStage
from pipeline.stages.script import ScriptStage
from pipeline.stages.shots import ShotsStage
from pipeline.stages.story import StoryStage
from pipeline.stages.videos import VideosStage
from pipeline.stages.voices import VoicesStage

ORDER: tuple[str, ...] = (
    "voices",
    "script",
    "audio",
    "scenes",
    "shots",
    "refs",
    "frames",
    "videos",
    "lipsync",
    "export",
)


def all_stages() -> tuple[Stage, ...]:
    return (
        StoryStage(),
        AnalysisStage(),
        VoicesStage(),
        ScriptStage(),
        AudioStage(),
        ScenesStage(),
        ShotsStage(),
        RefsStage(),
        FramesStage(),
        VideosStage(),
        LipsyncStage(),
        ExportStage(),
    )
