"""Files of the media folder: what they are, what they were before, what was said of them."""

from __future__ import annotations

from sqlalchemy import ForeignKey, Index
from sqlalchemy.orm import Mapped, mapped_column

from pipeline.store.models.base import Base, Object, Timed, utc_now


class MediaFile(Base):
    """A file in the media folder, named by its content. `origin` is engine, provider or upload."""

    __tablename__ = "media_files"

    sha256: Mapped[str] = mapped_column(primary_key=True)
    ext: Mapped[str]
    size: Mapped[int]
    mime: Mapped[str]
    meta: Mapped[Object] = mapped_column(default=dict)
    origin: Mapped[str] = mapped_column(default="engine")
    verdict: Mapped[Object] = mapped_column(default=dict)
    created_at: Mapped[str] = mapped_column(default=utc_now)


class Version(Base):
    """A picture or clip that is or was shown at a place, so that an earlier one can come back.

    `subject_type` is characters, sets, props or shots; `slot` is reference_image, first_frame, last_frame, video or
    lipsync; `source` is generated, upload or edit. `earlier_text`: made from inputs that had changed when it came.
    """

    __tablename__ = "versions"
    __table_args__ = (Index(None, "subject_type", "subject_id", "slot", "id"), {"sqlite_autoincrement": True})

    id: Mapped[int] = mapped_column(primary_key=True)
    project_id: Mapped[int] = mapped_column(ForeignKey("projects.id", ondelete="CASCADE"), index=True)
    subject_type: Mapped[str]
    subject_id: Mapped[int]
    slot: Mapped[str]
    media_url: Mapped[str]
    meta: Mapped[Object | None]
    source: Mapped[str] = mapped_column(default="generated")
    earlier_text: Mapped[bool] = mapped_column(default=False)
    generation_id: Mapped[str | None]
    prompt: Mapped[str] = mapped_column(default="")
    created_at: Mapped[str] = mapped_column(default=utc_now)


class ImageAnalysis(Timed, Base):
    """What a vision model saw in a picture. `status` is pending, done, failed or needs_setup."""

    __tablename__ = "image_analyses"

    sha256: Mapped[str] = mapped_column(primary_key=True)
    status: Mapped[str] = mapped_column(default="pending")
    caption: Mapped[str] = mapped_column(default="")
    details: Mapped[Object | None]
    provider: Mapped[str] = mapped_column(default="")
    model: Mapped[str] = mapped_column(default="")
    error: Mapped[Object | None]


class Verdict(Base):
    """One answer of a moderation check. Rows are only added.

    `checkpoint` is input or output; `outcome` is passed, flagged, error or unknown ("no verdict": the checker is not
    set up or could not tell); `reason` is one of the product's own words (nudity, underage, ...). Scores and thresholds
    are kept as they were used.
    """

    __tablename__ = "verdicts"
    __table_args__ = (Index(None, "sha256"), Index(None, "generation_id"), {"sqlite_autoincrement": True})

    id: Mapped[int] = mapped_column(primary_key=True)
    at: Mapped[str] = mapped_column(default=utc_now)
    project_id: Mapped[int | None]
    generation_id: Mapped[str | None]
    sha256: Mapped[str | None]
    checkpoint: Mapped[str]
    check: Mapped[str] = mapped_column("check_name")
    provider: Mapped[str]
    rating: Mapped[str] = mapped_column(default="general")
    outcome: Mapped[str]
    reason: Mapped[str | None]
    scores: Mapped[Object] = mapped_column(default=dict)
    thresholds: Mapped[Object] = mapped_column(default=dict)
