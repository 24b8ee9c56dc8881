"""Which network addresses a name from outside may lead to: providers' results and upload places, users' callbacks.

Hides the forms in which a private address can be written (decimal, hexadecimal, IPv4 inside IPv6) and that a name can
mean several machines, or another one the next moment: it is looked up once, every address that it has must be allowed,
and the caller connects to the one that is returned, never to the name.
"""

from __future__ import annotations

import ipaddress
import socket
from collections.abc import Callable, Sequence
from typing import Literal

Reach = Literal["public", "local", "any"]
"""`public`: the internet alone; `local`: this machine and its private network too; `any`: wherever it leads."""
Resolve = Callable[[str, int], Sequence[str]]
"""From (host, port) to the addresses that the name has now. Raises OSError where it has none."""

_NAT64 = ipaddress.ip_network("64:ff9b::/96")


class AddressForbidden(PermissionError):
    """The name leads where it may not."""


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


def _allowed(address: str, reach: Reach) -> bool:
    ip = _meant(ipaddress.ip_address(address.partition("%")[0]))
    if reach == "any":
        return True
    if ip.is_global and not ip.is_multicast:
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
    return ip.ipv4_mapped or ip.sixtofour or ip
