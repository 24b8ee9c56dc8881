"""Brings a provider's result here. Hides what an address from outside may not do: lead to this machine or its network,
redirect there, never end, be too large, or be a web page.

The name is resolved once and the connection goes to that very address, so a name cannot be made to mean another machine
between the check and the request.
"""

from __future__ import annotations

import errno
import ipaddress
import socket
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import urljoin, urlsplit

from pipeline.contracts import RemoteMedia
from pipeline.errors import BadMedia, ProductError
from pipeline.store import failures

if TYPE_CHECKING:  # loaded when first used: a killed film is not to wait for it
    import httpx

MOST_BYTES = {"image": 64 << 20, "audio": 128 << 20, "video": 1 << 30}
_REDIRECTS = 3
_CONNECT_S = 10.0
_READ_S = 20.0


class FetchFailed(ProductError):
    """The file could not be fetched this time; trying again may help, unless it is `gone`."""

    code = "download_failed"
    gone = False


class FetchGone(FetchFailed):
    """The address has expired or never existed."""

    code = "result_expired"
    gone = True


class Forbidden(ProductError):
    """The address leads where nothing of a provider's can be."""

    code = "address_forbidden"


@dataclass(frozen=True)
class _Place:
    """An address that was looked up: the connection goes to `ip`."""

    url: str
    host: str
    ip: str

    @property
    def direct(self) -> httpx.URL:
        import httpx

        return httpx.URL(self.url).copy_with(host=self.ip)

    @property
    def host_header(self) -> str:
        return urlsplit(self.url).netloc.rpartition("@")[2]


def fetch(media: RemoteMedia, out: Path, *, local: bool = False, total_s: float = 300.0) -> None:
    """Writes the file to `out`. `local`: addresses of this machine are allowed (the provider itself is local).

    Raises FetchFailed, FetchGone, Forbidden, BadMedia (a web page, too large), DiskFull. No file is left then.
    """
    import httpx

    deadline = time.monotonic() + total_s
    most = MOST_BYTES[media.kind]
    try:
        with _open(media.url, local, deadline) as response, out.open("wb") as file:
            _copy(response, file.write, most, deadline)
    except httpx.TimeoutException as problem:
        out.unlink(missing_ok=True)
        raise FetchFailed("The provider's file server was too slow.") from problem
    except httpx.HTTPError as problem:
        out.unlink(missing_ok=True)
        raise FetchFailed(f"The provider's file could not be fetched ({type(problem).__name__}).") from problem
    except OSError as problem:
        out.unlink(missing_ok=True)
        product = failures.of_os(problem, out.parent)
        if product is None or problem.errno not in (errno.ENOSPC, errno.EROFS, errno.EACCES):
            raise FetchFailed("The provider's file could not be fetched.") from problem
        raise product from problem
    except ProductError:
        out.unlink(missing_ok=True)
        raise


@contextmanager
def _open(url: str, local: bool, deadline: float) -> Iterator[httpx.Response]:
    import httpx

    with httpx.Client(timeout=httpx.Timeout(_READ_S, connect=_CONNECT_S), trust_env=False) as client:
        for _ in range(_REDIRECTS + 1):
            place = _looked_up(url, local)
            request = client.build_request(
                "GET",
                place.direct,
                headers={"Host": place.host_header, "Accept-Encoding": "identity"},
                extensions={"sni_hostname": place.host},
            )
            _in_time(deadline)
            response = client.send(request, stream=True)
            try:
                if response.status_code not in (301, 302, 303, 307, 308):
                    _refuse(response)
                    yield response
                    return
                url = urljoin(url, response.headers.get("location", ""))
            finally:
                response.close()
    raise Forbidden("The provider's file address redirects too often.")


def _refuse(response: httpx.Response) -> None:
    if response.status_code in (401, 403, 404, 410):
        raise FetchGone(f"The provider's file is no longer there ({response.status_code}).")
    if response.status_code not in (200, 206):
        raise FetchFailed(f"The provider's file server answered {response.status_code}.")
    if response.headers.get("content-type", "").lower().startswith(("text/html", "application/json")):
        raise BadMedia("The provider's file is a web page.", hint="It has to be fetched again.")


def _copy(response: httpx.Response, write: object, most: int, deadline: float) -> None:
    assert callable(write)
    promised = response.headers.get("content-length", "")
    if promised.isdigit() and int(promised) > most:
        raise BadMedia(f"The provider's file is larger than {most >> 20} MB.")
    got = 0
    for block in response.iter_raw():  # as it comes: a drip must not fill a buffer first
        got += len(block)
        if got > most:
            raise BadMedia(f"The provider's file is larger than {most >> 20} MB.")
        write(block)
        _in_time(deadline)
    if promised.isdigit() and got != int(promised):
        raise FetchFailed(f"The provider's file came in part ({got} of {promised} bytes).")


def _in_time(deadline: float) -> None:
    if time.monotonic() > deadline:
        raise FetchFailed("The provider's file took too long to fetch.")


def _looked_up(url: str, local: bool) -> _Place:
    parts = urlsplit(url)
    host = parts.hostname or ""
    if parts.scheme != "https" and not (local and parts.scheme == "http"):
        raise Forbidden("The provider's file address is not an https address.")
    try:
        port = parts.port or (443 if parts.scheme == "https" else 80)
        found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    except (OSError, ValueError, UnicodeError) as problem:
        raise FetchFailed("The provider's file server is not known.") from problem
    addresses = [str(one[4][0]) for one in found]
    for address in addresses:
        if not _allowed(address, local):
            raise Forbidden("The provider's file address leads into a private network.")
    return _Place(url, host, addresses[0])


def _allowed(address: str, local: bool) -> bool:
    ip = ipaddress.ip_address(address.partition("%")[0])
    mapped = getattr(ip, "ipv4_mapped", None) or getattr(ip, "sixtofour", None)
    if mapped is not None:
        ip = mapped
    if ip.is_loopback:
        return local
    return ip.is_global and not ip.is_multicast
