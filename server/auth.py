"""Who may ask: a login by passphrase for people, a bearer token for the automation client.

Hides how a login is remembered. Its cookie is signed (itsdangerous) with a key that is made once and kept in the data
folder, and with the passphrase: so it outlives a restart and ends with the passphrase it was given for. What was logged
out is remembered until it would have expired. Every route that is not declared as open is closed (`admit`); a new route
is therefore closed until somebody opens it.
"""

from __future__ import annotations

import hashlib
import hmac
import ipaddress
import json
import logging
import math
import os
import secrets
import threading
import time
import unicodedata
from collections import deque
from collections.abc import Mapping
from dataclasses import dataclass
from http.cookies import CookieError, SimpleCookie
from typing import Any, cast

from flask import Flask, Response, current_app, request
from itsdangerous import BadData, URLSafeTimedSerializer

from pipeline.settings import Settings
from server.contract import declaration_of
from server.http import Refused

COOKIE = "video_story"
LASTS_S = 30 * 24 * 3600
PER_ADDRESS, IN_ALL, WINDOW_S = 10, 100, 15 * 60
_WEAK = 12
_MOST_ENDED = 1000
log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Session:
    """One login. Times are seconds since 1970."""

    id: str
    expires_at: int


class Attempts:
    """Wrong passphrases of the last quarter of an hour: ten for an address, a hundred in all, which also bounds what is
    remembered. An attempt counts when it begins, so that many at once are not one."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._made: deque[tuple[float, str]] = deque()

    def begin(self, address: str) -> float:
        """Counts an attempt and returns 0, or returns the seconds to wait until one may be made."""
        now = time.monotonic()
        network = _network(address)
        with self._lock:
            while self._made and self._made[0][0] <= now - WINDOW_S:
                self._made.popleft()
            own = [at for at, who in self._made if who == network]
            oldest = own[0] if len(own) >= PER_ADDRESS else self._made[0][0] if len(self._made) >= IN_ALL else None
            if oldest is not None:
                return max(1.0, oldest + WINDOW_S - now)
            self._made.append((now, network))
            return 0.0

    def succeeded(self, address: str) -> None:
        """Takes the attempts of an address back."""
        network = _network(address)
        with self._lock:
            self._made = deque(one for one in self._made if one[1] != network)


class Login:
    """The server's one login. Without a passphrase nobody has to log in."""

    def __init__(self, settings: Settings) -> None:
        secret = settings.app_passphrase
        self._passphrase = _normal(secret.get_secret_value()) if secret else ""
        self._hermes = settings.hermes_token.get_secret_value() if settings.hermes_token else ""
        self._attempts = Attempts()
        self._lock = threading.Lock()
        self._path = settings.data_dir / "login.json"
        self._key, self._ended = self._kept() if self.required else ("", {})
        if self.required and len(self._passphrase) < _WEAK:
            log.warning("APP_PASSPHRASE is short; four or more words are harder to guess")

    @property
    def required(self) -> bool:
        return bool(self._passphrase)

    def enter(self, passphrase: str, address: str) -> tuple[str, Session]:
        """The cookie's value for a new session. Raises Refused: wrong_passphrase, too_many_attempts."""
        wait_s = self._attempts.begin(address)
        if wait_s:
            minutes = math.ceil(wait_s / 60)
            raise TooManyAttempts(math.ceil(wait_s), f"Too many attempts to log in. Try again in {minutes} min.")
        if not _same(_normal(passphrase), self._passphrase):
            raise Refused("The passphrase is not right.", code="wrong_passphrase", field="passphrase")
        self._attempts.succeeded(address)
        session = Session(secrets.token_urlsafe(12), int(time.time()) + LASTS_S)
        return str(self._signer().dumps([session.id, session.expires_at])), session

    def session(self, cookie: str | None) -> Session | None:
        """The login that a cookie stands for, while it holds."""
        if not self.required or not cookie:
            return None
        try:
            name, expires_at = self._signer().loads(cookie, max_age=LASTS_S)
        except (BadData, ValueError, TypeError):
            return None
        with self._lock:
            return None if name in self._ended or expires_at <= time.time() else Session(name, expires_at)

    def leave(self, session: Session) -> None:
        """Ends one login, wherever its cookie has got to."""
        with self._lock:
            now = time.time()
            self._ended = {name: until for name, until in self._ended.items() if until > now}
            self._ended[session.id] = session.expires_at
            if len(self._ended) > _MOST_ENDED:
                self._key, self._ended = _new_key(), {}
            self._keep()

    def leave_everywhere(self) -> None:
        """Ends every login."""
        with self._lock:
            self._key, self._ended = _new_key(), {}
            self._keep()

    def admits(self, cookie: str | None) -> bool:
        return not self.required or self.session(cookie) is not None

    def admits_head(self, headers: Mapping[str, str]) -> bool:
        """The same for a request of which only the head is there, login or token; names are CGI's (`COOKIE`)."""
        if not self.required or self._bearer(headers.get("AUTHORIZATION", "")):
            return True
        try:
            cookie = SimpleCookie(headers.get("COOKIE", "")).get(COOKIE)
        except CookieError:
            return False
        return cookie is not None and self.admits(cookie.value)

    def check_bearer(self, authorization: str) -> None:
        """Raises Refused: hermes_closed, wrong_token."""
        if not self._hermes:
            raise Refused("The server has no HERMES_TOKEN, so these routes are closed.", code="hermes_closed")
        if not self._bearer(authorization):
            raise Refused("These routes take the bearer token of the automation client.", code="wrong_token")

    def _bearer(self, authorization: str) -> bool:
        scheme, _, token = authorization.partition(" ")
        return bool(self._hermes) and scheme.lower() == "bearer" and _same(token.strip(), self._hermes)

    def _signer(self) -> URLSafeTimedSerializer:
        return URLSafeTimedSerializer(
            f"{self._key}:{self._passphrase}", salt="login", signer_kwargs={"digest_method": hashlib.sha256}
        )

    def _kept(self) -> tuple[str, dict[str, int]]:
        try:
            kept = json.loads(self._path.read_text())
            return str(kept["key"]), {str(name): int(until) for name, until in kept["ended"].items()}
        except FileNotFoundError:
            pass
        except (OSError, ValueError, KeyError, TypeError, AttributeError):
            log.warning("login.json in the data folder could not be read; everybody has to log in again")
        self._key, self._ended = _new_key(), {}
        self._keep()
        return self._key, self._ended

    def _keep(self) -> None:
        """Without room on the disk logins still work, until the process ends."""
        beside = self._path.with_suffix(".new")
        try:
            beside.unlink(missing_ok=True)
            with os.fdopen(os.open(beside, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as file:
                json.dump({"key": self._key, "ended": self._ended}, file)
                file.flush()
                os.fsync(file.fileno())
            beside.replace(self._path)
        except OSError as failure:
            log.warning("logins could not be written to the data folder (%s)", failure.strerror)


class TooManyAttempts(Refused):
    """`retry_after` is in seconds."""

    code = "too_many_attempts"

    def __init__(self, retry_after: int, detail: str) -> None:
        super().__init__(detail)
        self.retry_after = retry_after


def login() -> Login:
    """The running server's login."""
    return cast(Login, current_app.extensions["login"])


def admit(app: Flask, settings: Settings, open_endpoints: frozenset[str]) -> Login:
    """Closes every route that is neither declared with `security=None` nor an undeclared one of `open_endpoints` (the
    page's own files). Routes with `security="hermes"` take the bearer token and nothing else."""
    found = Login(settings)
    app.extensions["login"] = found

    def check() -> None:
        security = _security(app, open_endpoints)
        if security == "hermes":
            found.check_bearer(request.headers.get("Authorization", ""))
        elif security is not None and not found.admits(request.cookies.get(COOKIE)):
            raise Refused("You have to log in first.", code="login_required")
        elif security is not None and found.required:
            _end_streams_with_the_login(found)

    def mark(response: Response) -> Response:
        if response.status_code == 401:
            scheme = "Bearer" if _security(app, open_endpoints) == "hermes" else "Cookie"
            response.headers.setdefault("WWW-Authenticate", f'{scheme} realm="video-story"')
        if found.required and _security(app, open_endpoints) is not None:
            # A proxy's cache must not hand on to strangers what was shown to somebody who is logged in.
            if "public" in response.headers.get("Cache-Control", ""):
                response.headers["Cache-Control"] = response.headers["Cache-Control"].replace("public", "private")
            response.vary.add("Cookie")
        return response

    app.before_request(check)
    app.after_request(mark)
    return found


def _security(app: Flask, open_endpoints: frozenset[str]) -> str | None:
    endpoint = request.endpoint
    if endpoint is None:
        return "login"  # which addresses there are is nobody's business either
    declaration = declaration_of(app.view_functions[endpoint])
    if declaration is not None:
        return declaration.security
    return None if endpoint in open_endpoints else "login"


def _end_streams_with_the_login(found: Login) -> None:
    cookie = request.cookies.get(COOKIE)
    gone: Any = request.environ.get("waitress.client_disconnected")
    if gone is not None:
        request.environ["waitress.client_disconnected"] = lambda: gone() or not found.admits(cookie)


def _new_key() -> str:
    return secrets.token_hex(32)


def _normal(passphrase: str) -> str:
    """Keyboards compose the same letters differently, and phones add a space at the end."""
    return unicodedata.normalize("NFC", passphrase).strip()


def _same(given: str, wanted: str) -> bool:
    """In constant time, whatever the lengths."""
    sums = [hashlib.sha256(text.encode("utf-8", "surrogatepass")).digest() for text in (given, wanted)]
    return hmac.compare_digest(*sums)


def _network(address: str) -> str:
    """An IPv6 client has a whole /64 to itself."""
    try:
        ip = ipaddress.ip_address(address.partition("%")[0])
    except ValueError:
        return address
    return str(ipaddress.ip_network((ip, 64), strict=False)) if ip.version == 6 else str(ip)
