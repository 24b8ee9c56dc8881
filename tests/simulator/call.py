"""One request and one answer, free of sockets. Hides how bodies are parsed and how files inside them are shortened."""

from __future__ import annotations

import base64
import binascii
import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from tests.simulator.faults import Fault

SHOWN_DATA = 200
LARGE_BODY = 20_000
SECRET_HEADERS = ("authorization", "x-api-key")


@dataclass
class Answer:
    """What goes back: an HTTP status, a body and headers."""

    status: int
    body: bytes = b""
    content_type: str = "application/json"
    headers: dict[str, str] = field(default_factory=dict)

    @classmethod
    def json(cls, value: Any, status: int = 200, headers: Mapping[str, str] | None = None) -> Answer:
        return cls(status, json.dumps(value, ensure_ascii=False).encode(), headers=dict(headers or {}))

    @classmethod
    def html(cls, status: int, text: str = "Bad gateway") -> Answer:
        page = f"<!DOCTYPE html><html><head><title>{status}</title></head><body><h1>{text}</h1></body></html>"
        return cls(status, page.encode(), "text/html; charset=utf-8")


@dataclass
class Call:
    """One request as it came, and what the simulator found out about it.

    `path` is the whole path without the query; header names are in lower case; `origin` is http://host:port.
    """

    number: int
    at: float
    method: str
    path: str
    query: dict[str, str]
    headers: dict[str, str]
    raw: bytes
    origin: str
    provider: str = ""
    operation: str = ""
    model: str = ""
    names: dict[str, str] = field(default_factory=dict)
    faults: list[Fault] = field(default_factory=list)
    job: str = ""
    generation: str = ""
    status: int = 0
    delivered: bool = False
    body_bytes: int = 0
    body_sha256: str = ""

    def __post_init__(self) -> None:
        self.body_bytes, self.body_sha256 = len(self.raw), hashlib.sha256(self.raw).hexdigest()

    @property
    def body(self) -> Any:
        """The JSON body; None where there is none or it is not JSON."""
        if not hasattr(self, "_body"):
            try:
                self._body: Any = json.loads(self.raw) if self.raw else None
            except ValueError:
                self._body = None
        return self._body

    def let_go(self) -> None:
        """Once answered: a large body is kept without the files inside it."""
        if len(self.raw) > LARGE_BODY:
            self._body = shortened(self.body)
            self.raw = b""

    def fault(self, *kinds: str) -> Fault | None:
        """The first fault of one of these kinds that this call meets."""
        return next((fault for fault in self.faults if fault.kind in kinds), None)

    def shown(self) -> dict[str, Any]:
        """The log's entry: data URIs shortened to type, digest and size; keys cut to scheme and last four signs."""
        headers = {name: _masked(value) if name in SECRET_HEADERS else value for name, value in self.headers.items()}
        return {
            "number": self.number,
            "at": self.at,
            "provider": self.provider,
            "operation": self.operation,
            "model": self.model,
            "method": self.method,
            "path": self.path,
            "query": self.query,
            "headers": headers,
            "body": shortened(self.body),
            "body_bytes": self.body_bytes,
            "body_sha256": self.body_sha256,
            "faults": [fault.kind for fault in self.faults],
            "status": self.status,
            "delivered": self.delivered,
            "job": self.job,
            "generation": self.generation,
        }


def _masked(value: str) -> str:
    scheme, _, secret = value.rpartition(" ")
    return f"{scheme} …{secret[-4:]}".strip()


def shortened(value: Any) -> Any:
    """The same JSON with every long data URI replaced by `data:<type>,<sha256:digest of the content, bytes>`."""
    if isinstance(value, dict):
        return {key: shortened(item) for key, item in value.items()}
    if isinstance(value, list):
        return [shortened(item) for item in value]
    if isinstance(value, str) and value.startswith("data:") and len(value) > SHOWN_DATA:
        content_type, data = read_data_uri(value) or ("?", value.encode())
        return f"data:{content_type},<sha256:{hashlib.sha256(data).hexdigest()}, {len(data)} bytes>"
    return value


def read_data_uri(uri: str) -> tuple[str, bytes] | None:
    """(content type, content) of a base64 data URI; None if it is not one."""
    head, comma, payload = uri.partition(",")
    if not comma or not head.startswith("data:") or not head.endswith(";base64"):
        return None
    try:
        return head[5:-7].split(";")[0] or "text/plain", base64.b64decode(payload, validate=True)
    except (binascii.Error, ValueError):
        return None
