"""One server process from start to end: what it refuses, what it holds, how it goes down.

Hides waitress, signals and exit codes. On SIGTERM (and Ctrl-C) running work is put away within ten seconds, its engines
are ended, and the process leaves with 0; the next start picks every film up.
"""

from __future__ import annotations

import functools
import logging
import signal
import sys
import threading
from types import FrameType
from typing import Any

import waitress
from flask import Flask

from pipeline.errors import DataFolderInUse, NeedsSetup, ProductError, StoreUnavailable
from pipeline.settings import Settings
from pipeline.store import DataFolder
from pipeline.store.failures import RESTORE_HINT
from server.app import create_app, create_damaged_app, largest_body
from server.channel import Channel, room_of
from server.safety import is_loopback
from server.wiring import Services, open_services

OK, INTERNAL, USAGE, IN_USE, UNAVAILABLE, NO_PORT = 0, 1, 2, 3, 4, 5
THREADS = 96  # a stream keeps one
_CLOSE_S = 8.0
log = logging.getLogger("server")


def serve(settings: Settings) -> int:
    """Runs until it is told to stop; returns the exit code."""
    refusal = refused_address(settings)
    if refusal is not None:
        return _say(refusal, USAGE)
    stop = threading.Event()
    _on_signals(stop)
    try:
        services = open_services(settings)
    except DataFolderInUse as failure:
        return _say(failure, IN_USE)
    except StoreUnavailable as failure:
        if RESTORE_HINT not in failure.hint:
            return _say(failure, UNAVAILABLE)
        _say(failure, UNAVAILABLE)
        return _until_stopped(settings, create_damaged_app(settings, failure, _backups(settings)), stop)
    except ProductError as failure:
        return _say(failure, UNAVAILABLE)
    try:
        return _until_stopped(settings, create_app(services), stop, services)
    finally:
        services.close(_CLOSE_S)


def refused_address(settings: Settings) -> ProductError | None:
    """Without a passphrase nobody but this machine may reach the server."""
    if is_loopback(settings.host) or settings.app_passphrase is not None:
        return None
    return NeedsSetup(
        f"HOST is {settings.host}, which other machines can reach, and no APP_PASSPHRASE is set.",
        hint="Set APP_PASSPHRASE to several words, or leave HOST at 127.0.0.1.",
    )


def _until_stopped(settings: Settings, app: Flask, stop: threading.Event, services: Services | None = None) -> int:
    try:
        server = waitress.create_server(
            app,
            host=settings.host,
            port=settings.port,
            threads=THREADS,
            connection_limit=512,
            channel_timeout=60,
            channel_request_lookahead=1,  # lets a stream see that its client has gone
            max_request_body_size=largest_body(app),
            ident="video-story",
            clear_untrusted_proxy_headers=True,
            **_proxy(settings),
        )
        _watch_arrivals(server, app)
    except OSError as failure:
        why = failure.strerror or type(failure).__name__
        return _say(
            NeedsSetup(
                f"The address {settings.host}:{settings.port} cannot be used: {why}.",
                hint="Set PORT to another number, or end the program that has it.",
            ),
            NO_PORT,
        )
    # Before the first request is read (they wait at the bound port): a film started meanwhile would be driven twice.
    if services is not None:
        picked_up = services.runner.recover()
        services.cleaner.wake()
        services.media.resume()
        if picked_up:
            log.info("picked up %d film(s) where they were left", len(picked_up))
    threading.Thread(target=_run, args=(server, stop), name="http", daemon=True).start()
    host = f"[{settings.host}]" if ":" in settings.host else settings.host
    port = getattr(server, "effective_port", None) or server.effective_listen[0][1]
    print(f"Video Story is at http://{host}:{port}", flush=True)
    stop.wait()
    log.info("stopping")
    return OK  # the process ends now, and the web server's threads with it; until then it goes on answering


def _proxy(settings: Settings) -> dict[str, Any]:
    """What waitress is told of a reverse proxy: the nearest one alone is believed."""
    if settings.trusted_proxy is None:
        return {}
    believed = {"x-forwarded-for", "x-forwarded-proto"}
    return {"trusted_proxy": settings.trusted_proxy, "trusted_proxy_count": 1, "trusted_proxy_headers": believed}


def _watch_arrivals(server: Any, app: Flask) -> None:
    """A name such as localhost can stand for several addresses, and each has a listener in the server's map."""
    channel = functools.partial(Channel, room=room_of(app))
    for listener in [server, *getattr(server, "map", {}).values()]:
        if hasattr(listener, "channel_class"):
            listener.channel_class = channel


def _run(server: Any, stop: threading.Event) -> None:
    try:
        server.run()
    except OSError as failure:
        if not stop.is_set():
            log.error("the web server ended: %s", failure)
    finally:
        stop.set()


def _on_signals(stop: threading.Event) -> None:
    def leave(number: int, frame: FrameType | None) -> None:
        stop.set()

    signal.signal(signal.SIGTERM, leave)
    signal.signal(signal.SIGINT, leave)


def _backups(settings: Settings) -> list[str]:
    """What there is to restore from, newest first."""
    try:
        found = [path for path in DataFolder(settings.data_dir).backups.iterdir() if not path.name.startswith(".")]
        return [str(path) for path in sorted(found, key=lambda path: path.stat().st_mtime, reverse=True)[:20]]
    except OSError:
        return []


def _say(failure: ProductError, code: int) -> int:
    print(f"video-story: {failure.sentence}", file=sys.stderr, flush=True)
    return code
