"""One provider's HTTP, through its package's own authenticated client: what is sent, how long it may take, and what
an answer means.

Hides the difference that money hangs on: whether a request that failed had been sent in full. A paid submit is one
POST; when its answer is lost after that point the job may exist, and only then the failure is `ambiguous`.
"""

from __future__ import annotations

import contextlib
import json
import re
import ssl
import threading
import time
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from functools import cache, cached_property
from typing import Any
from urllib.parse import urlsplit

import httpx

from pipeline.providers.deadline import bounded, deadline, is_local
from pipeline.providers.failures import FailureKind, ProviderFailure, told_to_wait

CONNECT_S = 10.0
UPLOAD_FACTOR = 5  # an upload, with all its attempts, may take so many times as long as any other exchange
UPLOAD_ATTEMPTS = 3
TELL_S = 10.0
LARGEST_ANSWER = 8 * 1024 * 1024
LONGEST_RAW = 300

MODERATION = re.compile(
    r"E005|flagged|nsfw|content[ _-]*polic|moderat|prohibited content|(?<!case[- ])sensitive|safety(?![_a-z])",
    re.IGNORECASE,
)
BILLING = re.compile(r"insufficient|balance|\bcredits?\b|billing|payment|spend(ing)? limit", re.IGNORECASE)
NO_CREDIT = re.compile(r"insufficient (credit|balance|fund)|(exhausted|out of) (credit|balance)|top up", re.IGNORECASE)
BAD_INPUT = re.compile(
    r"invalid|unsupported|not supported|must be|should be|required|missing|too (long|short|large|small|big|many)"
    r"|exceed|out of range|at (least|most)|cannot (identify|read|open|decode)|maximum|minimum|validation",
    re.IGNORECASE,
)
_RESETS = re.compile(r"resets? in ~?(\d+(?:\.\d+)?) ?s", re.IGNORECASE)
_DATA_URI = re.compile(r"data:[\w/+.-]+;base64,[A-Za-z0-9+/=]+")


@dataclass(frozen=True)
class Reply:
    """An answer read to its end."""

    status: int
    headers: Mapping[str, str]
    body: bytes

    @property
    def ok(self) -> bool:
        return 200 <= self.status < 300

    @classmethod
    def of(cls, body: bytes) -> Reply:
        """What is posted to us, read the same way."""
        return cls(200, {}, body)

    @cached_property
    def text(self) -> str:
        return self.body.decode("utf-8", "replace")

    @cached_property
    def data(self) -> Any:
        """Its JSON; None where it is none (a gateway's HTML, say)."""
        try:
            return json.loads(self.body)
        except ValueError:
            return None

    @property
    def fields(self) -> dict[str, Any]:
        return self.data if isinstance(self.data, dict) else {}


class Lost(Exception):
    """The exchange broke. `sent`: the request had left in full, so the other side may have acted on it."""

    def __init__(self, sent: bool, cause: str) -> None:
        super().__init__(cause)
        self.sent = sent
        self.cause = cause


Refusal = Callable[[Reply], "tuple[FailureKind, str, str | None] | None"]


class Wire:
    """`client` carries the key, so it is used for addresses under `base_urls` alone. `refusal` reads the provider's
    own error shapes: (kind, what it says, field), or None where the HTTP status has to do."""

    def __init__(
        self,
        provider: str,
        client: httpx.Client,
        *,
        base_urls: Iterable[str],
        secret: str,
        timeout_s: float,
        refusal: Refusal | None = None,
    ) -> None:
        self.provider = provider
        self._client = client
        self._origins = {_origin(url) for url in base_urls}
        self._local = any(is_local(urlsplit(url).hostname or "") for url in base_urls)
        self._secret = secret
        self._timeout_s = timeout_s
        self._refusal = refusal
        self._bare: httpx.Client | None = None
        self._lock = threading.Lock()

    # --- What adapters do -----------------------------------------------------------------------

    def submit(self, url: str, body: Mapping[str, Any], *, params: Mapping[str, str] | None = None) -> Reply:
        """The one paid POST. Raises ProviderFailure: "ambiguous" where the job may exist all the same."""
        self._own(url)
        try:
            reply = self._exchange("POST", url, json=body, params=params)
        except Lost as lost:
            if not lost.sent:
                raise self.failure("transient", "could not be reached", raw=lost.cause) from None
            raise self.ambiguous(lost.cause) from None
        if reply.ok and isinstance(reply.data, dict):
            return reply
        if reply.ok or reply.status >= 500 or reply.status in (408, 409):
            raise self.ambiguous(f"HTTP {reply.status}: {reply.text}")
        raise self.refused(reply)

    def look(self, url: str, *, over: Callable[[Reply], bool] = lambda reply: False) -> Reply:
        """A GET that costs nothing and may be repeated. `over`: which error answers are the job's own end, and are
        returned instead of raised."""
        self._own(url)
        try:
            reply = self._exchange("GET", url)
        except Lost as lost:
            raise self.failure("transient", "did not answer", raw=lost.cause) from None
        if (reply.ok and isinstance(reply.data, (dict, list))) or over(reply):
            return reply
        if reply.status in (404, 410) and isinstance(reply.data, dict):
            raise self.failure("expired", "no longer knows this job", accepted=True, raw=reply.text)
        if reply.ok or reply.status >= 500 or reply.status in (404, 408, 409):
            raise self.failure(
                "transient", "gave no usable answer", raw=f"HTTP {reply.status}: {reply.text}", reply=reply
            )
        raise self.refused(reply)

    def inquire(self, url: str) -> Reply:
        """A GET about the account, asked once: the answer is a JSON object. "transient" where there is none."""
        self._own(url)
        try:
            reply = self._exchange("GET", url)
        except Lost as lost:
            what = "did not answer" if lost.sent else "could not be reached"
            raise self.failure("transient", what, raw=lost.cause) from None
        if reply.ok and isinstance(reply.data, dict):
            return reply
        if reply.ok or reply.status == 408 or reply.status >= 500:
            raise self.failure("transient", "gave no usable answer", raw=f"HTTP {reply.status}: {reply.text}")
        raise self.refused(reply)

    def ask(self, method: str, url: str, **content: Any) -> Reply:
        """Any other exchange that costs nothing, sent again where that may help: uploads."""
        self._own(url)
        return self._repeat(method, url, content, self._client)

    def tell(self, method: str, url: str) -> None:
        """A word whose answer changes nothing, such as a cancel: said once, and briefly."""
        self._own(url)
        with contextlib.suppress(Lost):
            self._exchange(method, url, total_s=min(TELL_S, self._timeout_s))

    def put_elsewhere(self, method: str, url: str, **content: Any) -> Reply:
        """An upload to an address that the provider named: without the key, and never to a private address (a local
        one only where the provider's own address is local)."""
        if urlsplit(url).scheme != "https" and not self._local:
            raise self.failure("invalid_input", "named an upload address that is not safe", raw=url)
        return self._repeat(method, url, content, self._bare_client())

    def trusted(self, url: object) -> str | None:
        """The address if it is one of the provider's own: the key goes nowhere else."""
        return url if isinstance(url, str) and _origin(url) in self._origins else None

    def close(self) -> None:
        self._client.close()
        if self._bare is not None:
            self._bare.close()

    # --- What answers mean ----------------------------------------------------------------------

    def failure(
        self,
        kind: FailureKind,
        what: str,
        *,
        accepted: bool = False,
        field: str | None = None,
        raw: str = "",
        reply: Reply | None = None,
    ) -> ProviderFailure:
        return ProviderFailure(
            f"{self.provider} {what}.",
            provider=self.provider,
            kind=kind,
            accepted=accepted,
            field=field,
            raw=self.clean(raw),
            retry_after_s=retry_after(reply) if reply is not None else None,
        )

    def ambiguous(self, cause: str) -> ProviderFailure:
        what = "was sent this work, but its answer was lost: the work may be under way, and may be charged"
        return self.failure("ambiguous", what, raw=cause)

    def refused(self, reply: Reply, *, accepted: bool = False) -> ProviderFailure:
        """The failure that an error answer means."""
        own = self._refusal(reply) if self._refusal is not None else None
        kind, said, field = own or (by_status(reply.status, reply.text), message_of(reply), None)
        if kind == "expired":
            accepted = True
        what = f"refused: {self.clean(said)}" if said else f"refused (HTTP {reply.status})"
        return self.failure(kind, what.rstrip("."), accepted=accepted, field=field, raw=reply.text, reply=reply)

    def ended(self, said: str, *, kind: FailureKind | None = None, field: str | None = None) -> ProviderFailure:
        """The failure that a job's own error text means."""
        what = f"could not do it: {self.clean(said)}" if said else "could not do it and does not say why"
        return self.failure(kind or by_words(said), what.rstrip("."), accepted=True, field=field, raw=said)

    def fruitless(self, said: str, *, kind: FailureKind) -> ProviderFailure:
        """A job that ended well, and so is charged for, and gave nothing that can be used."""
        failure = self.ended(said, kind=kind)
        failure.billed = True
        return failure

    def clean(self, text: str) -> str:
        """Short, on one line, without the key and without files in it."""
        if self._secret:
            text = text.replace(self._secret, "[key]")
        return " ".join(_DATA_URI.sub("[file]", text).split())[:LONGEST_RAW]

    # --- The exchange ---------------------------------------------------------------------------

    def _own(self, url: str) -> None:
        if self.trusted(url) is None:
            raise self.failure("invalid_input", "named an address outside its own", raw=url)

    def _exchange(
        self, method: str, url: str, *, client: httpx.Client | None = None, total_s: float | None = None, **content: Any
    ) -> Reply:
        sent = False

        def trace(event: str, info: dict[str, Any]) -> None:
            nonlocal sent
            sent = sent or event == "http11.send_request_body.complete"

        total = self._timeout_s if total_s is None else total_s
        timeout = httpx.Timeout(min(total, self._timeout_s), connect=min(total, CONNECT_S))
        used = client or self._client
        try:
            with deadline(total):
                request = used.build_request(
                    method, url, timeout=timeout, **{key: value for key, value in content.items() if value is not None}
                )
                request.extensions["trace"] = trace
                return _read(used.send(request, stream=True, follow_redirects=False))
        except (httpx.HTTPError, httpx.InvalidURL, httpx.StreamError, OSError) as error:
            raise Lost(sent, f"{type(error).__name__}: {error}") from None

    def _repeat(self, method: str, url: str, content: dict[str, Any], client: httpx.Client) -> Reply:
        """Sends it until it is answered: a few times, all of them within one limit."""
        end = time.monotonic() + self._timeout_s * UPLOAD_FACTOR
        pause = threading.Event()
        for attempt in range(1, UPLOAD_ATTEMPTS + 1):
            left_s = max(0.1, end - time.monotonic())
            failure: ProviderFailure
            try:
                reply = self._exchange(method, url, client=client, total_s=left_s, **content)
            except Lost as lost:
                failure = self.failure("transient", "could not be reached", raw=lost.cause)
            else:
                if reply.status != 429 and reply.status < 500:
                    return reply
                kind: FailureKind = "rate_limit" if reply.status == 429 else "transient"
                failure = self.failure(kind, "gave no usable answer", raw=reply.text, reply=reply)
            wait_s = min(5.0, failure.retry_after_s or 0.25 * 2**attempt)
            if attempt == UPLOAD_ATTEMPTS or time.monotonic() + wait_s > end:
                raise failure
            pause.wait(wait_s)
        raise AssertionError("unreachable")

    def _bare_client(self) -> httpx.Client:
        with self._lock:
            if self._bare is None:
                self._bare = httpx.Client(transport=transport(public_only=not self._local))
            return self._bare


def transport(*, public_only: bool = False) -> httpx.HTTPTransport:
    """For every client that talks to providers.

    No connection is kept: one that the server closes at the moment of its reuse would turn a submit ambiguous.
    """
    limits = httpx.Limits(max_connections=None, max_keepalive_connections=0)
    plain = httpx.HTTPTransport(verify=_trust(), limits=limits)
    return bounded(plain, public_only=public_only)


@cache
def _trust() -> ssl.SSLContext:
    """The certificates that are trusted, read once for all providers."""
    return httpx.create_ssl_context()


def authenticated(headers: Mapping[str, str]) -> httpx.Client:
    """A client for a provider whose package has none that is safe to use, or that has no package."""
    return httpx.Client(headers=dict(headers), transport=transport())


def _read(response: httpx.Response) -> Reply:
    with contextlib.closing(response):
        body = bytearray()
        for chunk in response.iter_bytes():
            body += chunk
            if len(body) > LARGEST_ANSWER:
                raise httpx.ReadError("the answer is too large")
    return Reply(response.status_code, response.headers, bytes(body))


def _origin(url: str) -> str:
    try:
        parts = urlsplit(url)
        port = parts.port or {"http": 80, "https": 443}.get(parts.scheme)
        return f"{parts.scheme}://{(parts.hostname or '').casefold()}:{port}"
    except ValueError:
        return ""


def retry_after(reply: Reply) -> float | None:
    """Seconds to wait, from the header (seconds or a date) or from Replicate's sentence."""
    told = told_to_wait(reply.headers)
    if told is not None:
        return told
    said = _RESETS.search(reply.text) if reply.status == 429 else None
    return float(said.group(1)) if said else None


def by_status(status: int, text: str) -> FailureKind:
    """For errors whose body has no shape that we know: by HTTP status, then by words."""
    if status == 429:
        return "rate_limit"
    if status == 402:
        return "billing"
    if status in (401, 403):
        if status == 403 and MODERATION.search(text):
            return "moderation"
        return "billing" if BILLING.search(text) else "auth"
    if status in (404, 410):
        return "invalid_input"
    if status == 408 or status >= 500:
        return "transient"
    if NO_CREDIT.search(text):
        return "billing"
    return "moderation" if MODERATION.search(text) else "invalid_input"


def by_words(text: str) -> FailureKind:
    """For the error text of a job that failed: anything unknown may work the next time."""
    if MODERATION.search(text):
        return "moderation"
    return "invalid_input" if BAD_INPUT.search(text) else "transient"


def message_of(reply: Reply) -> str:
    """The sentence in an error body, whatever the provider calls it."""
    found: Any = reply.fields
    for key in ("detail", "error", "message", "msg", "title"):
        value = found.get(key) if isinstance(found, dict) else None
        if isinstance(value, dict):
            value = value.get("message")
        if isinstance(value, str) and value:
            return value
    return ""
