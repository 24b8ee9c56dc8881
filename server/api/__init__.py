"""The addresses, one module per room of the API. `ROOMS` is the list that the application registers."""

from __future__ import annotations

from flask import Blueprint

from server.api import (
    account,
    archive,
    auth,
    credits,
    cutting,
    entities,
    events,
    generations,
    guides,
    health,
    hermes,
    images,
    jobs,
    media,
    money,
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
    auth.room,
    projects.room,
    archive.room,
    runs.room,
    events.room,
    timeline.room,
    cutting.room,
    video.room,
    hermes.room,
    shots.room,
    generations.room,
    media.room,
    credits.room,
    money.room,
    account.room,
    entities.room,
    guides.room,
    images.room,
    jobs.room,
    settings.room,
    voices.room,
)
