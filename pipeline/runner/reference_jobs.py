"""The job of making an entity's reference picture. Hides what is asked again, and whether its result may be shown.

A result is shown unless the user put another picture there or cleared the place while it was made. One that came when
the entity had been edited is shown only where nothing has ever been. It is kept as a version in any case.
"""

from __future__ import annotations

import threading
from typing import Any

from sqlalchemy import Select, select
from sqlalchemy.orm import Session

from pipeline.contracts import ImageRequest, Lane, digest
from pipeline.errors import Conflict, InvalidInput
from pipeline.generation.entities import ENTITIES, OWN_REFERENCE, Entity, EntityType, type_of
from pipeline.generation.generate import Generated, Generator
from pipeline.generation.reference_images import DEFAULT, Plan, Wish, plan, shown_model, stored_prompt
from pipeline.providers.catalogue import entries
from pipeline.runner.job_kinds import Asked, Errand, JobKind, Made
from pipeline.runner.jobs import Jobs
from pipeline.store import Store, versions
from pipeline.store.looks import show_reference
from pipeline.store.models import Job, Project, Version

KIND = "reference_image"


class ReferenceJobs(JobKind):
    """`ask` for one; the rest is for `Jobs`."""

    name = KIND
    lane = Lane.IMAGE

    def __init__(self, store: Store, generator: Generator, jobs: Jobs) -> None:
        self._store = store
        self._generator = generator
        self._jobs = jobs
        jobs.register(self)

    def ask(self, session: Session, entity: Entity, project: Project, wish: Wish) -> tuple[Job, bool]:
        """(job, whether it is new), in the caller's transaction; a new one is to be started when that is committed.

        Raises InvalidInput and MediaMissing (an extra reference), NeedsSetup, Conflict (nothing to edit).
        """
        if wish.edit_existing and not entity.reference_image_url:
            raise Conflict(
                f"{entity.name} has no reference picture to edit.",
                hint="Make or upload one first.",
                field="edit_existing",
            )
        _check_model(wish.model)
        self._generator.clear_halts()
        wanted = self._plan(session, project, entity, wish)
        same = digest(wanted.request.model_dump(exclude={"seed"}), wish, project.render_image)
        errand = Errand(KIND, type_of(entity), entity.id, same)
        live = self._jobs.live(session, errand)
        if live is not None:
            return live, False
        if self._has_been_made(session, entity):  # "again" means another one
            entity.variation += 1
            wanted = self._plan(session, project, entity, wish)
        inputs = {
            "request": wanted.request.model_dump(mode="json"),
            "wish": wish.model_dump(mode="json"),
            "text": wanted.text_digest,
            "prompt": stored_prompt(wish, wanted.request),
            "seen": entity.reference_image_url,
            "known": self._newest_version(session, entity),
            "render": project.render_image,
        }
        row = self._jobs.ask(
            session,
            errand,
            project_id=project.id,
            inputs=inputs,
            model=shown_model(wanted.request.model),
            estimate_micros=self._generator.estimate(wanted.request, project.render_image),
        )
        return row, True

    def _plan(self, session: Session, project: Project, entity: Entity, wish: Wish) -> Plan:
        def cap_of(model: str) -> int:
            return self._generator.reference_cap(model, project.render_image)

        return plan(session, self._store.media, project, entity, cap_of, wish)

    @staticmethod
    def _has_been_made(session: Session, entity: Entity) -> bool:
        made = select(Version.id).where(
            Version.subject_type == type_of(entity), Version.subject_id == entity.id, Version.source != "upload"
        )
        return session.scalars(made.limit(1)).first() is not None

    # --- For Jobs -------------------------------------------------------------------------------

    def run(self, job: Asked, cancel: threading.Event) -> Made:
        request = ImageRequest.model_validate(job.inputs["request"])
        made = self._generator.generate(
            request,
            project_id=job.project_id,
            unit_key=job.unit_key,
            render=job.inputs["render"],
            cancel=cancel,
        )
        return Made("A reference picture is made.", lambda session: self._settle(session, job, made))

    def late(self, session: Session, job: Asked, made: Generated) -> None:
        entity = _entity(session, job)
        if entity is None:
            return
        never = not versions.ever_filled(session, type_of(entity), entity.id, "reference_image")
        self._keep(session, job, entity, made)
        if never and session.get_one(Job, job.id).status == "failed":
            show_reference(session, entity, made.media.url)

    def _settle(self, session: Session, job: Asked, made: Generated) -> dict[str, Any]:
        result: dict[str, Any] = {
            "media_url": made.media.url,
            "shown": False,
            "earlier_text": False,
            "version_id": None,
        }
        entity = _entity(session, job)
        if entity is None:
            return result
        never = not versions.ever_filled(session, type_of(entity), entity.id, "reference_image")
        cleared = self._is_cleared(session, job, entity)
        version = self._keep(session, job, entity, made)
        result |= {"version_id": version.id, "earlier_text": version.earlier_text}
        if version.earlier_text:
            if never:
                show_reference(session, entity, made.media.url)
            return result | {"shown": never}
        if cleared or not self._is_newest_wish(session, job, entity):
            return result
        wish = Wish.model_validate(job.inputs["wish"])
        show_reference(session, entity, made.media.url)
        entity.reference_image_prompt = job.inputs["prompt"]
        own = set(entity.edited_fields or ()) - {OWN_REFERENCE}
        entity.edited_fields = sorted(own if wish.plain else own | {OWN_REFERENCE})
        return result | {"shown": True}

    def _keep(self, session: Session, job: Asked, entity: Entity, made: Generated) -> Version:
        wish = Wish.model_validate(job.inputs["wish"])
        project = session.get_one(Project, entity.project_id)
        now = self._plan(session, project, entity, wish)
        return versions.keep(
            session,
            entity.project_id,
            type_of(entity),
            entity.id,
            "reference_image",
            made.media.url,
            source="edit" if wish.edit_existing else "generated",
            earlier_text=now.text_digest != job.inputs["text"],
            prompt=job.inputs["prompt"],
            meta=made.media.meta,
        )

    @staticmethod
    def _newest_version(session: Session, entity: Entity) -> int:
        kept = versions.of(session, type_of(entity), entity.id, "reference_image")
        return kept[0].id if kept else 0

    def _is_cleared(self, session: Session, job: Asked, entity: Entity) -> bool:
        """The place is empty, and was filled when the job was asked for or since. Whoever asks again after that wants
        it filled."""
        if entity.reference_image_url is not None or session.get_one(Job, job.id).attempt > 1:
            return False
        if job.inputs["seen"] is not None:
            return True
        known = job.inputs.get("known", 0)
        given = versions.of(session, type_of(entity), entity.id, "reference_image")
        if any(one.source == "upload" and one.id > known for one in given):
            return True
        asked_at = session.get_one(Job, job.id).created_at
        ended = _other_results(job).where(Job.ended_at >= asked_at)
        return any((result or {}).get("shown") for result in session.scalars(ended))

    @staticmethod
    def _is_newest_wish(session: Session, job: Asked, entity: Entity) -> bool:
        """Nothing else was put there since it was asked for, but the result of an earlier job."""
        present = entity.reference_image_url
        if present is None or present == job.inputs["seen"]:
            return True
        asked_at = session.get_one(Job, job.id).created_at
        earlier = _other_results(job).where(Job.created_at <= asked_at)
        return any((result or {}).get("media_url") == present for result in session.scalars(earlier))


def _check_model(name: str) -> None:
    """Raises InvalidInput for a picture model that is not offered."""
    if name in ("", DEFAULT):
        return
    entry = entries().get(name)
    if entry is None or entry.kind != "image" or not entry.offered:
        said = f"There is no picture model called {name[:60]!r}."
        raise InvalidInput(said, hint="GET /api/models lists them.", field="model")


def _entity(session: Session, job: Asked) -> Entity | None:
    kind: EntityType = job.target_type  # type: ignore[assignment]
    entity: Entity | None = session.get(ENTITIES[kind], job.target_id)
    return entity


def _other_results(job: Asked) -> Select[dict[str, Any] | None]:
    """What other jobs made for the same entity."""
    same = (Job.kind == KIND, Job.target_type == job.target_type, Job.target_id == job.target_id)
    return select(Job.result).where(*same, Job.status == "done", Job.id != job.id)
