"""What a file has to bring with it to be published: who made it, what was checked, and what was found.

Only `pipeline.generation.moderation` makes a `Clearance` (a test holds that); `MediaStore.publish` writes what it says
as verdict rows, in the transaction that makes the file known.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

from sqlalchemy.orm import Session

from pipeline.errors import EngineFailed
from pipeline.store.models import Verdict

Checkpoint = Literal["input", "output"]
Outcome = Literal["passed", "flagged", "error", "unknown"]
Rating = Literal["general", "mature"]
Origin = Literal["checked", "embedded", "assembled", "sound", "upload"]


class NotCleared(EngineFailed):
    """A file was to be published that nobody has cleared: a fault of the program's own, never of the user's."""


@dataclass(frozen=True)
class Finding:
    """One answer of one checker. `unknown`: no verdict; it is not set up, or could not tell."""

    check: str
    provider: str
    outcome: Outcome
    reason: str | None = None
    scores: Mapping[str, float] = field(default_factory=dict)
    thresholds: Mapping[str, float] = field(default_factory=dict)


@dataclass(frozen=True)
class Clearance:
    """Leave to publish. `sha256`: the content that was checked, and the only one that it holds for (None: any)."""

    origin: Origin
    findings: tuple[Finding, ...]
    sha256: str | None = None
    checkpoint: Checkpoint = "output"
    rating: Rating = "general"
    project_id: int | None = None
    generation_id: str | None = None

    def admits(self, sha256: str) -> bool:
        """Whether the file of this content may be published on its strength."""
        flagged = any(one.outcome == "flagged" for one in self.findings)
        return bool(self.findings) and not flagged and self.sha256 in (None, sha256)

    def record(self, session: Session, sha256: str) -> None:
        """Adds a verdict row for each finding."""
        record(
            session,
            self.findings,
            sha256,
            checkpoint=self.checkpoint,
            rating=self.rating,
            project_id=self.project_id,
            generation_id=self.generation_id,
        )

    @property
    def summary(self) -> dict[str, Any]:
        """For the file's own row."""
        return {"source": self.origin, "flagged": False, "rating": self.rating}


def record(
    session: Session,
    findings: tuple[Finding, ...],
    sha256: str,
    *,
    checkpoint: Checkpoint,
    rating: Rating,
    project_id: int | None = None,
    generation_id: str | None = None,
) -> None:
    """Adds a verdict row for each finding."""
    session.add_all(
        Verdict(
            project_id=project_id,
            generation_id=generation_id,
            sha256=sha256,
            checkpoint=checkpoint,
            check=one.check,
            provider=one.provider,
            rating=rating,
            outcome=one.outcome,
            reason=one.reason,
            scores=dict(one.scores),
            thresholds=dict(one.thresholds),
        )
        for one in findings
    )
