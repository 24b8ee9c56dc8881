"""Which network addresses a name from outside may lead to: providers' results and upload places, users' callbacks.

Hides the forms in which a private address can be written (decimal, hexadecimal, IPv4 inside IPv6) and that a name can
mean several machines, or another one the next moment: it is looked up once, every address that it has must be allowed,
and the caller connects to the one that is returned, never to the name.
"""

from __future__ import annotations

import ipaddress
import socket
import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Literal
from urllib.parse import urlsplit

Reach = Literal["public", "local", "any"]
"""`public`: the internet alone; `local`: this machine and its private network too; `any`: wherever it leads."""
Resolve = Callable[[str, int], Sequence[str]]
"""From (host, port) to the addresses that the name has now. Raises OSError where it has none."""

# Names that no public address has.
_OWN_NAMES = (".localhost", ".local", ".internal", ".lan", ".home.arpa")
_NAT64 = ipaddress.ip_network("64:ff9b::/96")
_COMPATIBLE = ipaddress.ip_network("::/96")
_FIRST_THAT_IS_NONE = 1 << 16  # :: and ::1 mean themselves


class AddressForbidden(PermissionError):
    """The name leads where it may not; says how in a few words, after "the address"."""


@dataclass(frozen=True)
class Place:
    """A URL whose host was looked up: the connection goes to `ip`, the request (and TLS) names `host`."""

    url: str
    host: str
    ip: str

    @property
    def host_header(self) -> str:
        return urlsplit(self.url).netloc.rpartition("@")[2]


def located(
    url: str, reach: Reach = "public", *, resolve: Resolve | None = None, within_s: float | None = None
) -> Place:
    """Where a URL leads. Of plain http only what may be `local` or `any`.

    Raises AddressForbidden, and OSError where the name has no address, or none within `within_s` seconds.
    """
    try:
        parts = urlsplit(url)
        host = parts.hostname or ""
        port = parts.port or (443 if parts.scheme == "https" else 80)
    except ValueError as problem:
        raise AddressForbidden("cannot be read") from problem
    if parts.scheme != "https" and not (reach != "public" and parts.scheme == "http"):
        raise AddressForbidden("is not an https address")
    asked = resolve or by_system
    try:
        ip = looked_up(host, port, reach, resolve=asked if within_s is None else _in_time(asked, within_s))
    except AddressForbidden as problem:
        raise AddressForbidden("leads into a private network") from problem
    except ValueError as problem:
        raise OSError(f"{host[:60]!r} is no name of a host") from problem
    return Place(url, host, ip)


def leads_inside(host: str) -> bool:
    """Whether a host is, in any spelling, an address that nobody outside may name; names are not looked up."""
    if host.rstrip(".").lower() == "localhost" or host.rstrip(".").lower().endswith(".localhost"):
        return True
    try:
        found = socket.getaddrinfo(host, None, flags=socket.AI_NUMERICHOST, type=socket.SOCK_STREAM)
    except (OSError, UnicodeError):
        return False
    return not all(_allowed(str(one[4][0]), "public") for one in found)


def _in_time(resolve: Resolve, seconds: float) -> Resolve:
    """The system's resolver knows no limit that a caller could set, so it is asked by a thread that may be left."""

    def asked(host: str, port: int) -> Sequence[str]:
        answers: list[Sequence[str] | Exception] = []

        def ask() -> None:
            try:
                answers.append(resolve(host, port))
            except Exception as problem:
                answers.append(problem)

        thread = threading.Thread(target=ask, name="resolver", daemon=True)
        thread.start()
        thread.join(seconds)
        if not answers:
            raise OSError(f"{host[:60]!r} was not found in {seconds:g} s")
        if isinstance(answers[0], Exception):
            raise answers[0]
        return answers[0]

    return asked


def by_system(host: str, port: int) -> list[str]:
    """The addresses of a host, as this machine's resolver knows them."""
    try:
        return [str(found[4][0]) for found in socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)]
    except UnicodeError as problem:
        raise OSError(f"{host[:60]!r} is no name of a host") from problem


def looked_up(host: str, port: int, reach: Reach = "public", *, resolve: Resolve = by_system) -> str:
    """The address to connect to, IPv4 first. Raises AddressForbidden, and OSError where the name has none."""
    found = list(dict.fromkeys(resolve(host, port)))
    if not found:
        raise OSError(f"{host[:60]!r} has no address")
    if not all(_allowed(address, reach) for address in found):
        raise AddressForbidden(f"{host[:60]!r} leads to an address that is not allowed")
    return sorted(found, key=lambda address: ":" in address)[0]


def of_own_network(host: str) -> bool:
    """Whether a host, as it is written, is this machine or one of its private network; no name is looked up."""
    name = host.lower().rstrip(".")
    try:
        return _allowed(name, "local") and not _allowed(name, "public")
    except ValueError:  # it is a name
        return bool(name) and ("." not in name or name.endswith(_OWN_NAMES))


def _allowed(address: str, reach: Reach) -> bool:
    ip = _meant(ipaddress.ip_address(address.partition("%")[0]))
    if reach == "any":
        return True
    if ip.is_global and not (ip.is_multicast or getattr(ip, "is_site_local", False)):
        return True
    # Link-local addresses are those of a cloud's metadata service; no provider runs there.
    return reach == "local" and (ip.is_loopback or ip.is_private) and not (ip.is_link_local or ip.is_unspecified)


def _meant(ip: ipaddress.IPv4Address | ipaddress.IPv6Address) -> ipaddress.IPv4Address | ipaddress.IPv6Address:
    """The IPv4 address that an IPv6 address stands for, where it does."""
    if ip.version == 4:
        return ip
    assert isinstance(ip, ipaddress.IPv6Address)
    if ip in _NAT64:
        return ipaddress.IPv4Address(int(ip) & 0xFFFFFFFF)
    if ip in _COMPATIBLE and int(ip) >= _FIRST_THAT_IS_NONE:
        return ipaddress.IPv4Address(int(ip))
    return ip.ipv4_mapped or ip.sixtofour or ip
