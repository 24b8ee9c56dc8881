"""The web application: which addresses there are, over which services."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from flask import Flask, Response, request, send_from_directory

from pipeline.errors import NotFound, ProductError
from pipeline.settings import Settings
from server.api import ROOMS
from server.api import auth as logging_in
from server.auth import COOKIE, admit, login
from server.contract import declaration_of
from server.http import install_errors, problem
from server.metrics import Metrics
from server.safety import guard
from server.wiring import Services

PAGE = Path(__file__).parent / "page"
_OPEN = frozenset({"home", "page_file", "favicon", "healthz"})  # undeclared, and shown without a login
_BYTES_PER_WORD = 80  # room for a story of the longest kind, written as JSON with escapes
_LEAST_BODY = 2 << 20
_LARGEST_ID = (1 << 63) - 1  # what the database can compare with


def create_app(services: Services) -> Flask:
    """The application of a healthy server."""
    app = _bare_app(services.settings)
    app.extensions["services"] = services
    metrics = app.extensions["metrics"] = Metrics(services)
    metrics.install(app)
    for room in ROOMS:
        app.register_blueprint(room)
    return app


def create_damaged_app(settings: Settings, damage: ProductError, backups: list[str]) -> Flask:
    """The application over a database that must not be touched: it says what is wrong and how to get back."""
    app = _bare_app(settings)
    damage = ProductError(damage.detail, hint=damage.hint, code="store_damaged")

    @app.get("/healthz")
    def healthz() -> dict[str, object]:
        if not login().admits(request.cookies.get(COOKIE)):
            return {"status": "damaged", "code": damage.code}  # where things lie is nothing for strangers
        return {"status": "damaged", "code": damage.code, "detail": damage.sentence, "backups": backups}

    @app.route("/api/<path:_>", methods=["GET", "POST", "PUT", "PATCH", "DELETE"])
    @app.get("/media/<path:_>")
    @app.get("/readyz", defaults={"_": ""})
    def anything(_: str) -> Response:
        return problem(damage, backups=backups)

    app.register_blueprint(logging_in.room)
    return app


def body_limit(settings: Settings) -> int:
    """The largest body that is read, in bytes."""
    return max(_LEAST_BODY, settings.max_story_words * _BYTES_PER_WORD)


def largest_body(app: Flask) -> int:
    """What the web server has to let through, in bytes: beyond our own limit, so that most refusals are our own
    problems, and as much as the largest upload that a route takes.
    """
    declared = (declaration_of(view) for view in app.view_functions.values())
    uploads = [one.files.room for one in declared if one is not None and one.files is not None]
    return max([4 * int(app.config["MAX_CONTENT_LENGTH"]), *uploads])


def _bare_app(settings: Settings) -> Flask:
    """Errors, guards and the page, without an API."""
    app = Flask("video-story", static_folder=None)
    app.config["MAX_CONTENT_LENGTH"] = body_limit(settings)
    app.json.sort_keys = False  # type: ignore[attr-defined]
    app.json.ensure_ascii = False  # type: ignore[attr-defined]
    app.json.compact = True  # type: ignore[attr-defined]
    # No redirects between spellings of an address: what is not an address of ours is answered with a problem.
    app.url_map.merge_slashes = False
    app.url_map.redirect_defaults = False
    install_errors(app)
    guard(app, settings)
    admit(app, settings, _OPEN)

    @app.url_value_preprocessor
    def known_numbers(endpoint: str | None, values: dict[str, Any] | None) -> None:
        if any(isinstance(value, int) and value > _LARGEST_ID for value in (values or {}).values()):
            raise NotFound("There is nothing at this address.")

    @app.get("/")
    def home() -> Response:
        return _page_file("index.html")

    @app.get("/page/<path:name>")
    def page_file(name: str) -> Response:
        return _page_file(name)

    @app.get("/favicon.ico")
    def favicon() -> Response:
        return _page_file("icon.svg")

    return app


def _page_file(name: str) -> Response:
    response = send_from_directory(PAGE, name, max_age=0)
    response.headers["Cache-Control"] = "no-cache"
    return response
