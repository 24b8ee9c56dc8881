"""Brings a provider's result here, and sends messages to addresses that users gave. Hides what an address from outside
may not do: lead to this machine or its network, redirect there, never end, be too large, or be a web page.

The name is resolved once and the connection goes to that very address, so a name cannot be made to mean another machine
between the check and the request.
"""

from __future__ import annotations

import errno
import threading
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import urljoin

from pipeline.addresses import AddressForbidden, Place, Reach, Resolve, located
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


def fetch(
    media: RemoteMedia, out: Path, *, local: bool = False, total_s: float = 300.0, resolve: Resolve | None = None
) -> None:
    """Writes the file to `out`. `local`: addresses of this machine and its network are allowed (the provider itself is
    local). `resolve`: who is asked for a name's addresses.

    Raises FetchFailed, FetchGone, Forbidden, BadMedia (a web page, too large), DiskFull. No file is left then.
    """
    import httpx

    deadline = time.monotonic() + total_s
    most = MOST_BYTES[media.kind]
    try:
        with _open(media.url, local, deadline, resolve) as response, out.open("wb") as file:
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


def post(url: str, body: bytes, headers: Mapping[str, str], *, private: bool = False, total_s: float = 15.0) -> int:
    """Sends a message and returns the status of the answer, whose body is not read; redirects are not followed.

    `private`: addresses of this machine and its networks are allowed, and http too. `total_s` is for all of it: the
    name's address, the connection, the message, the answer's head.
    Raises FetchFailed (trying again may help) and Forbidden.
    """
    import httpx

    deadline, step_s = time.monotonic() + total_s, total_s / 3
    place = _looked_up(url, "any" if private else "public", what="callback", within_s=step_s)
    timeout = httpx.Timeout(step_s, connect=min(_CONNECT_S, step_s))
    try:
        with (
            httpx.Client(timeout=timeout, trust_env=False) as client,
            _ended_after(client, deadline - step_s - time.monotonic()),
            client.stream(
                "POST",
                _direct(place),
                content=body,
                headers={**headers, "Host": place.host_header},
                extensions={"sni_hostname": place.host},
            ) as response,
        ):
            return response.status_code
    except httpx.HTTPError as problem:
        raise FetchFailed(f"The callback address did not answer ({type(problem).__name__}).") from problem


@contextmanager
def _open(url: str, local: bool, deadline: float, resolve: Resolve | None) -> Iterator[httpx.Response]:
    import httpx

    with (
        httpx.Client(timeout=httpx.Timeout(_READ_S, connect=_CONNECT_S), trust_env=False) as client,
        _ended_after(client, deadline - time.monotonic()),
    ):
        for _ in range(_REDIRECTS + 1):
            place = _looked_up(url, "local" if local else "public", resolve=resolve)
            request = client.build_request(
                "GET",
                _direct(place),
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


def _looked_up(
    url: str,
    reach: Reach,
    *,
    what: str = "provider's file",
    resolve: Resolve | None = None,
    within_s: float | None = None,
) -> Place:
    try:
        return located(url, reach, resolve=resolve, within_s=within_s)
    except AddressForbidden as problem:
        raise Forbidden(f"The {what} address {problem}.") from problem
    except OSError as problem:
        raise FetchFailed(f"The {what} server is not known.") from problem


def _direct(place: Place) -> httpx.URL:
    import httpx

    return httpx.URL(place.url).copy_with(host=place.ip)


@contextmanager
def _ended_after(client: httpx.Client, seconds: float) -> Iterator[None]:
    """The client's own limits are for each read: a head that drips would keep them all and never end."""
    timer = threading.Timer(max(0.0, seconds), client.close)
    timer.daemon = True
    timer.start()
    try:
        yield
    finally:
        timer.cancel()
