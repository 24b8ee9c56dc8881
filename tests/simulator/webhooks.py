"""Webhooks to the client: signing, sending, and the ways in which they go wrong."""

from __future__ import annotations

import base64
import hashlib
import hmac
import http.client
import json
import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlsplit

from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from tests.simulator.clock import Clock
from tests.simulator.jobs import Job

Sign = Callable[[str, int, bytes], dict[str, str]]
RETRY_AFTER = (2.0, 10.0, 30.0)
LATE = 120.0


@dataclass
class Sent:
    """One attempt to deliver; status 0: nobody answered."""

    job: str
    url: str
    event: str
    headers: dict[str, str]
    body: Any
    status: int


@dataclass
class Mailer:
    """Sends events of jobs on threads of its own. `log` has every attempt, oldest first."""

    clock: Clock
    log: list[Sent] = field(default_factory=list)
    stopped: bool = False
    _held: dict[str, list[Callable[[], None]]] = field(default_factory=dict)
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def post(self, job: Job, event: str, body: Any, sign: Sign, *, last: bool) -> None:
        """One event; `last` is told for the one that ends the job. Faults of the job change how it arrives."""
        if not job.webhook or job.fault("webhook_lost"):
            return
        if job.fault("webhook_forged"):
            honest = sign

            def forged(message: str, at: int, raw: bytes) -> dict[str, str]:
                return honest(message, at, raw + b" ")

            sign = forged
        message = f"msg_{hashlib.sha256(f'{job.id}|{event}'.encode()).hexdigest()[:24]}"

        def send() -> None:
            self._start(job, event, message, body, sign, 0)

        if job.fault("webhook_out_of_order") and not last:
            with self._lock:
                self._held.setdefault(job.id, []).append(send)
            return
        fault = job.fault("webhook_late")
        if fault and last:
            late = self.clock.scaled(LATE) if fault.seconds is None else fault.seconds
            self.clock.call_at(self.clock.now() + late, send)
        else:
            send()
        if last:
            with self._lock:
                held = self._held.pop(job.id, [])
            for number, early in enumerate([*held, *([send, send] if job.fault("webhook_repeated") else [])], 1):
                self.clock.call_at(self.clock.now() + self.clock.scaled(5.0 * number) + 0.05 * number, early)

    def _start(self, job: Job, event: str, message: str, body: Any, sign: Sign, attempt: int) -> None:
        if not self.stopped:
            threading.Thread(target=self._send, args=(job, event, message, body, sign, attempt), daemon=True).start()

    def _send(self, job: Job, event: str, message: str, body: Any, sign: Sign, attempt: int) -> None:
        raw = json.dumps(body).encode()
        headers = {"Content-Type": "application/json", **sign(message, int(self.clock.now()), raw)}
        status = _post(job.webhook, headers, raw)
        with self._lock:
            self.log.append(Sent(job.id, job.webhook, event, headers, body, status))
        if not 200 <= status < 300 and attempt < len(RETRY_AFTER) and not self.stopped:
            due = self.clock.now() + self.clock.scaled(RETRY_AFTER[attempt])
            self.clock.call_at(due, lambda: self._start(job, event, message, body, sign, attempt + 1))


def _post(url: str, headers: dict[str, str], raw: bytes) -> int:
    """The status of the answer; redirects are not followed; 0 if there is none."""
    parts = urlsplit(url)
    kind = http.client.HTTPSConnection if parts.scheme == "https" else http.client.HTTPConnection
    try:
        connection = kind(parts.hostname or "", parts.port, timeout=5)
        try:
            connection.request("POST", f"{parts.path or '/'}{'?' + parts.query if parts.query else ''}", raw, headers)
            answer = connection.getresponse()
            answer.read()
            return answer.status
        finally:
            connection.close()
    except (OSError, http.client.HTTPException, ValueError):
        return 0


class SharedSecret:
    """Replicate's scheme: HMAC-SHA256 over `id.timestamp.body` with a secret that the client can ask for."""

    def __init__(self, seed: int) -> None:
        self._key = hashlib.sha256(f"webhook secret {seed}".encode()).digest()

    @property
    def secret(self) -> str:
        return "whsec_" + base64.b64encode(self._key).decode()

    def sign(self, message: str, at: int, raw: bytes) -> dict[str, str]:
        mac = hmac.digest(self._key, f"{message}.{at}.".encode() + raw, "sha256")
        signature = "v1," + base64.b64encode(mac).decode()
        return {"webhook-id": message, "webhook-timestamp": str(at), "webhook-signature": signature}


class SigningKey:
    """fal's scheme: Ed25519 over four lines, with public keys at a well-known address."""

    def __init__(self, seed: int) -> None:
        self._key = Ed25519PrivateKey.from_private_bytes(hashlib.sha256(f"signing key {seed}".encode()).digest())
        self._old = Ed25519PrivateKey.from_private_bytes(hashlib.sha256(f"retired key {seed}".encode()).digest())

    def jwks(self) -> dict[str, Any]:
        """A retired key stands first, so that a client has to try each."""
        return {"keys": [self._public(self._old, "retired"), self._public(self._key, "current")]}

    def signer(self, request_id: str, user: str) -> Sign:
        def sign(message: str, at: int, raw: bytes) -> dict[str, str]:
            lines = "\n".join((request_id, user, str(at), hashlib.sha256(raw).hexdigest()))
            return {
                "X-Fal-Webhook-Request-Id": request_id,
                "X-Fal-Webhook-User-Id": user,
                "X-Fal-Webhook-Timestamp": str(at),
                "X-Fal-Webhook-Signature": self._key.sign(lines.encode()).hex(),
            }

        return sign

    @staticmethod
    def _public(key: Ed25519PrivateKey, name: str) -> dict[str, str]:
        raw = key.public_key().public_bytes(serialization.Encoding.Raw, serialization.PublicFormat.Raw)
        x = base64.urlsafe_b64encode(raw).rstrip(b"=").decode()
        return {"kty": "OKP", "crv": "Ed25519", "kid": name, "x": x}


def unsigned(message: str, at: int, raw: bytes) -> dict[str, str]:
    """For providers that document no signature."""
    return {}
