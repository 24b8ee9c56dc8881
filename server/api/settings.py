"""The settings that can be changed while the server runs. The operator's, and every key, are in the environment."""

from __future__ import annotations

from flask import Blueprint

from pipeline.generation.preferences import Preferences
from server.contract import api, of_everything
from server.http import services

room = Blueprint("settings", __name__, url_prefix="/api/settings")


@room.get("")
@api(answers={200: Preferences}, polled=of_everything)
def read() -> Preferences:
    """Reads the settings that hold for all projects."""
    return services().runner.preferences.current


@room.patch("")
@api(body=Preferences, answers={200: Preferences})
def change(body: Preferences) -> Preferences:
    """Changes the given settings; they hold at once. Null goes back to the built-in way."""
    parts = services()
    with parts.store.db.write(durable=True) as session:
        parts.store.events.append(session, kind="project", text="The settings were changed.")
        return parts.runner.preferences.change(session, body)
