"""What all tables share: how Python types are stored, the clock of rows, the names of constraints."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any, ClassVar

from sqlalchemy import JSON, MetaData, Text
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column
from sqlalchemy.types import TypeEngine

Object = dict[str, Any]
Names = list[str]
Indices = list[int]
Counts = dict[str, int]
Spans = list[list[int]]
Objects = list[dict[str, Any]]

_PLAIN_JSON = JSON(none_as_null=True)


def utc_now() -> str:
    """The time of day in UTC, e.g. `2031-05-06T07:08:09.123Z`; sorts as text."""
    return datetime.now(UTC).isoformat(timespec="milliseconds")[:-6] + "Z"


class Base(DeclarativeBase):
    """The declarative base; constraints are named so that migrations can find them again."""

    metadata = MetaData(
        naming_convention={
            "ix": "ix_%(table_name)s_%(column_0_N_name)s",
            "uq": "uq_%(table_name)s_%(column_0_N_name)s",
            "fk": "fk_%(table_name)s_%(column_0_name)s",
            "pk": "pk_%(table_name)s",
        }
    )
    type_annotation_map: ClassVar[dict[Any, TypeEngine[Any]]] = {
        str: Text(),
        Object: _PLAIN_JSON,
        Names: _PLAIN_JSON,
        Indices: _PLAIN_JSON,
        Counts: _PLAIN_JSON,
        Spans: _PLAIN_JSON,
        Objects: _PLAIN_JSON,
    }


class Timed:
    """When a row was made and last changed."""

    created_at: Mapped[str] = mapped_column(default=utc_now)
    updated_at: Mapped[str] = mapped_column(default=utc_now, onupdate=utc_now)
