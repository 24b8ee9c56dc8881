"""Pictures by their content: what is known of them, and what a vision model sees in them."""

from __future__ import annotations

from collections.abc import Iterable

from flask import Blueprint
from sqlalchemy import select
from sqlalchemy.orm import Session

from pipeline.contracts import PICTURES, MediaRef
from pipeline.errors import NotFound
from pipeline.generation.entities import ENTITIES
from pipeline.projects.documents import AnalysisView, analyses_of
from pipeline.store.models import GuideImage, MediaFile, Project, Shot, Version
from server.api.jobs import JobView, job_view
from server.contract import WORK_PROBLEMS, Answer, Turn, api
from server.http import services

room = Blueprint("images", __name__, url_prefix="/api/images")


class ImageView(Answer):
    """`origin`: engine (our own drew it), provider or upload."""

    sha256: str
    url: str
    mime: str
    size: int
    origin: str
    analysis: AnalysisView
    created_at: str


@room.get("/<sha256>")
@api(answers={200: ImageView})
def read(sha256: str) -> ImageView:
    """Shows what is known of a picture."""
    with services().store.db.read() as session:
        row = _picture(session, sha256)
        url = _ref(row).url
        return ImageView(
            sha256=sha256,
            url=url,
            mime=row.mime,
            size=row.size,
            origin=row.origin,
            analysis=analyses_of(session.connection(), [url])[url],
            created_at=row.created_at,
        )


@room.post("/<sha256>/analyse")
@api(answers={202: JobView, 200: JobView}, problems=(*WORK_PROBLEMS, "media_missing"), spends=True)
def analyse(sha256: str, turn: Turn) -> tuple[JobView, int]:
    """Has a picture looked at (again): 202 with the job, 200 with one that is at it already.

    Pictures from outside are looked at by themselves; this is for those that nobody was set up for, for failures, and
    for drawings of the embedded engines.
    """
    parts = services()
    with parts.store.db.write(durable=True) as session:
        ref = _ref(_picture(session, sha256))
        parts.store.media.path(ref)
        row, fresh = parts.runner.analyses.ask(session, _project_of(session, ref.url), ref)
        session.refresh(row)
        answer, status = job_view(row), 202 if fresh else 200
        turn.keep(session, answer, status)
    if fresh:
        parts.runner.jobs.start(row.id)
    return answer, status


def noticed(session: Session, project_id: int, refs: Iterable[MediaRef]) -> list[str]:
    """Jobs for the pictures of an upload, in its transaction; `start_all` when that is committed."""
    found = (services().runner.analyses.notice(session, project_id, ref) for ref in refs)
    return [job_id for job_id in found if job_id is not None]


def start_all(job_ids: Iterable[str]) -> None:
    for job_id in job_ids:
        services().runner.jobs.start(job_id)


def _picture(session: Session, sha256: str) -> MediaFile:
    row = session.get(MediaFile, sha256)
    if row is None or row.ext not in PICTURES:
        raise NotFound("There is no such picture.")
    return row


def _ref(row: MediaFile) -> MediaRef:
    return MediaRef(sha256=row.sha256, ext=row.ext, size=row.size)


def _project_of(session: Session, url: str) -> int | None:
    """The project whose budget pays for a look at the picture: the newest that shows it; None: it is of no project."""
    entities = [select(kind.project_id).where(kind.reference_image_url == url) for kind in ENTITIES.values()]
    guides = [
        select(kind.project_id)
        .join(GuideImage, GuideImage.entity_id == kind.id)
        .where(GuideImage.entity_type == name, GuideImage.image_url == url)
        for name, kind in ENTITIES.items()
    ]
    shots = select(Shot.project_id).where((Shot.first_frame_url == url) | (Shot.last_frame_url == url))
    shown = [*entities, *guides, shots, select(Version.project_id).where(Version.media_url == url)]
    found = {project_id for query in shown for project_id in session.scalars(query)}
    live = select(Project.id).where(Project.id.in_(found), Project.deleted_at.is_(None)).order_by(Project.id.desc())
    return session.scalars(live.limit(1)).first()
