"""What keeps other websites out, login or not: which hosts, which origins, what a browser may do with a page.

A page of another site can send requests to this address, and its own name can be made to point here (DNS rebinding); so
the Host header has to be ours, and a request that changes something has to come from our own page or from no page. What
only reads may be linked to from anywhere, but no other page may make it part of itself: it could not see the answer,
but would keep the server busy with streams and films.
"""

from __future__ import annotations

import ipaddress
import socket
from urllib.parse import urlsplit

from flask import Flask, Response, current_app, request

from pipeline.settings import Settings
from server.http import Refused

_LOOPBACK = frozenset({"localhost", "127.0.0.1", "::1"})
_SAFE = frozenset({"GET", "HEAD", "OPTIONS"})
_HEADERS = {
    "Content-Security-Policy": (
        "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; media-src 'self';"
        " connect-src 'self'; manifest-src 'self'; base-uri 'none'; form-action 'self'; frame-ancestors 'none'"
    ),
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Referrer-Policy": "no-referrer",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Permissions-Policy": "camera=(), microphone=(), geolocation=(), payment=(), usb=()",
}
_HSTS = f"max-age={365 * 24 * 3600}"


def is_loopback(host: str) -> bool:
    """Whether an address to listen on can only be reached from this machine."""
    return host in _LOOPBACK or (host.startswith("127.") and host.replace(".", "").isdigit())


def guard(app: Flask, settings: Settings) -> None:
    """Checks every request before anything else sees it, and marks every answer."""
    ours = set(_LOOPBACK) | {settings.host.lower()}
    reached = not is_loopback(settings.host)
    if reached:
        name = socket.gethostname().lower()
        ours |= {name, f"{name.partition('.')[0]}.local"}
    public = urlsplit(settings.public_url or "")
    if public.hostname:
        ours.add(public.hostname)
    app.extensions["tls_host"] = public.hostname if public.scheme == "https" else None

    def check() -> None:
        host = _hostname(f"//{request.headers.get('Host', '')}")
        # A browser that sends an address as the host went to that address: no name can have been made to point here.
        known = host in ours or host.endswith(".localhost") or is_loopback(host) or (reached and _is_address(host))
        if not known:
            raise Refused(
                "This server does not answer under that name.",
                hint="Open it as http://127.0.0.1, or set PUBLIC_URL to the address it is reached by.",
                code="wrong_host",
            )
        mine = _from_our_page(settings) if request.method not in _SAFE else not _built_in_elsewhere()
        if not mine:
            raise Refused("Another site's page may not do this.", code="forbidden")

    def mark(response: Response) -> Response:
        for name, value in _HEADERS.items():
            response.headers.setdefault(name, value)
        if by_tls():
            response.headers["Strict-Transport-Security"] = _HSTS
        if request.path.startswith("/api/"):
            response.headers.setdefault("Cache-Control", "no-store")
        return response

    app.before_request(check)
    app.after_request(mark)


def by_tls() -> bool:
    """Whether the client came by https: the proxy in TRUSTED_PROXY says so, or it used the https name of PUBLIC_URL."""
    public = current_app.extensions["tls_host"]
    return request.is_secure or (public is not None and _hostname(f"//{request.headers.get('Host', '')}") == public)


def _from_our_page(settings: Settings) -> bool:
    """Browsers say where a request comes from; programs (curl, scripts) send neither header and are let in."""
    if request.headers.get("Sec-Fetch-Site", "none") not in ("same-origin", "none"):
        return False
    origin = request.headers.get("Origin")
    if origin is None:
        return True
    try:
        said = urlsplit(origin.lower())
    except ValueError:
        return False
    public = urlsplit((settings.public_url or "").lower())
    if public.netloc and said.netloc == public.netloc:
        return said.scheme == public.scheme  # the same name without TLS may be anybody on the way
    return bool(said.netloc) and said.netloc == request.headers.get("Host", "").lower()


def _built_in_elsewhere() -> bool:
    """Whether a page of another site asks for data, rather than a person who follows a link there."""
    if request.headers.get("Sec-Fetch-Site", "none") in ("same-origin", "none"):
        return False
    said = (request.headers.get("Sec-Fetch-Mode"), request.headers.get("Sec-Fetch-Dest"))
    return request.path.startswith(("/api/", "/media/")) and said != ("navigate", "document")


def _is_address(host: str) -> bool:
    try:
        ipaddress.ip_address(host)
    except ValueError:
        return False
    return True


def _hostname(address: str) -> str:
    try:
        return (urlsplit(address).hostname or "").rstrip(".").lower()
    except ValueError:
        return ""
