"""Which bytes of a film its buyer has got, and when it was all of them.

Hidden here: that ranges come in any order, overlap, and belong to one version of the film alone.
"""

from __future__ import annotations

from dataclasses import dataclass

from sqlalchemy.orm import Session

from pipeline.contracts import MediaRef
from pipeline.store.models import Delivery, Project, Spans, utc_now


@dataclass(frozen=True)
class Delivered:
    """`missing`: the bytes not yet written in full, as [first, last] pairs, both included, as in a Range header."""

    at: str | None
    missing: tuple[tuple[int, int], ...]


def written(session: Session, project_id: int, film: MediaRef, first: int, end: int) -> bool:
    """Notes that the film's bytes from `first` up to `end` were written in full; True when these were the last."""
    row = session.get(Delivery, (project_id, film.sha256))
    if row is None:
        row = Delivery(project_id=project_id, etag=film.sha256, size=film.size, covered=[])
        session.add(row)
    row.covered = merged([*row.covered, [first, end]])
    if row.delivered_at is not None or row.covered != [[0, film.size]]:
        return False
    row.delivered_at = utc_now()
    project = session.get(Project, project_id)
    if project is not None and project.film_url == film.url:
        project.delivered_at = row.delivered_at
    return True


def delivered(session: Session, project_id: int, film: MediaRef) -> Delivered:
    """How much of this version of the film has been delivered."""
    row = session.get(Delivery, (project_id, film.sha256))
    covered = row.covered if row is not None else []
    starts = [0, *(end for _, end in covered)]
    ends = [*(first for first, _ in covered), film.size]
    gaps = tuple((first, end - 1) for first, end in zip(starts, ends, strict=True) if first < end)
    return Delivered(row.delivered_at if row is not None else None, gaps)


def show_film(session: Session, project: Project, film: MediaRef) -> None:
    """Makes this the project's film. Another version than before has a delivery of its own."""
    project.film_url = film.url
    project.delivered_at = delivered(session, project.id, film).at


def merged(spans: Spans) -> Spans:
    """The same bytes in as few [first, end) pairs as it takes, in order."""
    found: Spans = []
    for first, end in sorted(spans):
        if found and first <= found[-1][1]:
            found[-1] = [found[-1][0], max(found[-1][1], end)]
        elif first < end:
            found.append([first, end])
    return found
