"""The addresses, one module per room of the API. `ROOMS` is the list that the application registers."""

from __future__ import annotations

from flask import Blueprint

from server.api import (
    account,
    events,
    generations,
    health,
    media,
    projects,
    runs,
    settings,
    shots,
    timeline,
    video,
    voices,
)

ROOMS: tuple[Blueprint, ...] = (
    health.room,
    projects.room,
    runs.room,
    events.room,
    timeline.room,
    video.room,
    shots.room,
    generations.room,
    media.room,
    account.room,
    settings.room,
    voices.room,
)
