"""The job of filming one scene anew: its shots planned again from its text, and laid on the clock at once.

Hides what of the scene changes hands meanwhile: work on its shots and the making of the film count on the shots as they
are, so neither goes on beside it.
"""

from __future__ import annotations

import threading
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from pipeline.contracts import Render, digest
from pipeline.errors import Conflict
from pipeline.runner.job_kinds import LIVE, Asked, Made
from pipeline.runner.single import Single
from pipeline.runner.unit_jobs import Row, Sort, UnitJobs
from pipeline.stage import Stage
from pipeline.stages.shots import SceneAnew
from pipeline.store.laying import LOOKS, is_hand_made
from pipeline.store.models import Job, Scene, Shot

SCENE = Sort("scene", "shots", "scenes", "text")


class SceneJobs(UnitJobs):
    """`film` for one; the rest is for `Jobs`."""

    def film(
        self, session: Session, scene_id: int, *, force: bool = False, render: Render | None = None
    ) -> tuple[Job, bool]:
        """(job, whether it is new), as `ask`. `force` gives up what a user has changed in the shots by hand.

        Raises NotFound, NeedsSetup, Conflict.
        """
        self._refuse_beside_work_on_shots(session, scene_id)
        return self.ask(session, scene_id, render=render, another=False, wish={"force": force})

    @staticmethod
    def _refuse_beside_work_on_shots(session: Session, scene_id: int) -> None:
        shots = select(Shot.id).where(Shot.scene_id == scene_id)
        at_work = select(Job.id).where(Job.target_type == "shots", Job.target_id.in_(shots), Job.status.in_(LIVE))
        if session.scalar(at_work.limit(1)) is not None:
            raise Conflict("Shots of this scene are being made.", hint="Wait for that, or cancel it.")

    def _more_inputs(self, session: Session, row: Row) -> dict[str, Any]:
        return {"shots": {str(shot.id): _look_of(shot) for shot in _shots_of(session, row.id)}}

    def _stage(self, job: Asked) -> Stage | None:
        return SceneAnew(force=bool(job.inputs["wish"]["force"]))

    def run(self, job: Asked, cancel: threading.Event) -> Made:
        made = super().run(job, cancel)
        with self._store.db.read() as session:
            scene = session.get(Scene, job.target_id)
            told = self._told(session, job)
        text = f"Scene {scene.idx + 1 if scene else ''} was filmed anew: {told['total']} shots"
        counts = [f"{len(told[name])} {name}" for name in ("changed", "added", "removed", "kept") if told[name]]
        return Made(f"{text} ({', '.join(counts) or 'as they were'}).", made.apply)

    def _result(self, session: Session, job: Asked, single: Single) -> dict[str, Any]:
        return self._told(session, job)

    @staticmethod
    def _told(session: Session, job: Asked) -> dict[str, Any]:
        """Ids of shots: what became of them. `kept`: as a user has edited them."""
        before: dict[str, str] = job.inputs["shots"]
        now = _shots_of(session, job.target_id)
        ids = {str(shot.id) for shot in now}
        return {
            "total": len(now),
            "changed": [shot.id for shot in now if before.get(str(shot.id), "") not in ("", _look_of(shot))],
            "added": [shot.id for shot in now if str(shot.id) not in before],
            "removed": [int(one) for one in before if one not in ids],
            "kept": [shot.id for shot in now if is_hand_made(shot)],
        }


def _shots_of(session: Session, scene_id: int) -> list[Shot]:
    return list(session.scalars(select(Shot).where(Shot.scene_id == scene_id).order_by(Shot.idx)))


def _look_of(shot: Shot) -> str:
    return digest([getattr(shot, name) for name in LOOKS], shot.text)
