"""Replicate: predictions, files, and webhooks signed with a shared secret.

The package gives the authenticated client and checks webhooks. Its `run` and its waiting are not used: they return None
for a job that is still under way after a minute; nor is its `files.create`, whose type refuses today's answers.
"""

from __future__ import annotations

import base64
import contextlib
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime, timedelta
from hashlib import sha256
from typing import Any, ClassVar

from pipeline.contracts import MediaRef
from pipeline.providers import Account, Callback, Finished, Job, JobHandle, Pending, accounts
from pipeline.providers.catalogue import Slug
from pipeline.providers.failures import FailureKind
from pipeline.providers.http import Reply, Wire, by_words, transport
from pipeline.providers.inputs import FileKind, Link, build
from pipeline.providers.outputs import media
from pipeline.providers.remote import Remembered, RemoteAdapter
from pipeline.settings import Settings

INLINE_BYTES = 180_000  # as base64 below the 256 KB up to which data URIs are taken
WEBHOOK_TOLERANCE_S = 300
CLOCK_SLACK = timedelta(seconds=5)
LOOKUP_PAGES = 10
FILE_MARK = "sha256:"
PHASES = {"starting": "queued", "processing": "running"}


class Replicate(RemoteAdapter):
    name: ClassVar[str] = "replicate"
    label: ClassVar[str] = "Replicate"
    key_setting: ClassVar[str] = "replicate_api_token"

    def __init__(self, settings: Settings) -> None:
        super().__init__(settings)
        self._signed = Remembered(self._secret)

    def base_urls(self) -> tuple[str, ...]:
        return (self._settings.replicate_base_url,)

    def account(self) -> Account:
        key, base_url = self._key(), self._settings.replicate_base_url
        with accounts.inquiry(self.label, base_url, {"Authorization": f"Bearer {key}"}, secret=key) as wire:
            found = wire.inquire(f"{base_url}/v1/account").fields
            identity = accounts.name(wire, found.get("username")) or accounts.name(wire, found.get("name"))
        return Account(identity, note="Replicate tells no balance; see replicate.com/account/billing.")

    def poll(self, handle: JobHandle, job: Job) -> Pending | Finished:
        return self._read(self._wire.look(self._status_url(handle)).fields, job)

    def cancel(self, handle: JobHandle) -> None:
        fallback = f"{self._api}/predictions/{handle.data['id']}/cancel"
        self._wire.tell("POST", self._wire.trusted(handle.data.get("cancel_url")) or fallback)

    def lookup(self, job: Job, submitted_after: datetime) -> JobHandle | None:
        """The newest prediction since then with the same model and the same input: its words and numbers, or its files
        where it has no words of its own."""
        slug = self._slug(job)
        told_apart = not {"prompt", "text"}.isdisjoint(slug.params)
        asked = build(slug, job.request, self._marker(slug, job))
        after = submitted_after if submitted_after.tzinfo else submitted_after.replace(tzinfo=UTC)
        for entry in self._since(after - CLOCK_SLACK):
            if entry.get("model") != slug.slug:
                continue
            given = entry.get("input")
            if not isinstance(given, dict) or not given:
                given = self._wire.look(f"{self._api}/predictions/{entry['id']}").fields.get("input") or {}
            if given and all(self._same(given.get(name), value, files=not told_apart) for name, value in asked.items()):
                return self._handle(entry)
        return None

    def _marker(self, slug: Slug, job: Job) -> Link:
        def mark(ref: MediaRef, kind: FileKind, shape: tuple[int, int] | None = None) -> str:
            content, _ = self._content(slug, job.file(ref), kind, shape)
            return FILE_MARK + sha256(content).hexdigest()

        return mark

    def _same(self, given: Any, asked: object, *, files: bool) -> bool:
        """`files`: their contents are compared too, which costs a request each."""
        if not isinstance(asked, str) or not asked.startswith(FILE_MARK):
            return isinstance(asked, list) or given == asked
        return not files or self._digest(given) == asked.removeprefix(FILE_MARK)

    def _digest(self, address: Any) -> str | None:
        """Of the file that a prediction's input names, without fetching it."""
        if not isinstance(address, str):
            return None
        if address.startswith("data:"):
            with contextlib.suppress(ValueError):
                return sha256(base64.b64decode(address.partition(",")[2])).hexdigest()
        if self._wire.trusted(address) is None:
            return None
        sums = self._wire.look(address, over=lambda reply: not reply.ok).fields.get("checksums")
        return sums.get("sha256") if isinstance(sums, dict) else None

    def webhook(self, headers: Mapping[str, str], body: bytes, query: Mapping[str, str]) -> Callback:
        found = Reply.of(body).fields
        if not self._signed.try_with(lambda key: _signature_holds(key, headers, body)):
            raise self._unsigned("did not sign it")
        if not isinstance(found.get("id"), str):
            raise self._unsigned("names no prediction in it")
        return Callback(found["id"], query.get("generation"), str(found.get("status", "")), self._handle(found))

    # --- What the provider wants ----------------------------------------------------------------

    @property
    def _api(self) -> str:
        return f"{self._settings.replicate_base_url}/v1"

    def _connect(self, key: str) -> Wire:
        from replicate.client import Client

        client = Client(api_token=key, base_url=self._settings.replicate_base_url, transport=transport())
        http = client._client
        # Its own retries sleep for as long as a server tells them to.
        http._transport.max_attempts = 1  # type: ignore[attr-defined]
        timeout_s = self._settings.provider_timeout_s
        return Wire(self.name, http, base_urls=self.base_urls(), secret=key, timeout_s=timeout_s, refusal=_refusal)

    def _inline(self, kind: FileKind, size: int) -> bool:
        return size <= INLINE_BYTES

    def _upload(self, content: bytes, name: str, mime: str) -> str:
        reply = self._wire.ask("POST", f"{self._api}/files", files={"content": (name, content, mime)})
        urls = reply.fields.get("urls")
        if not reply.ok:
            raise self._wire.refused(reply)
        if not isinstance(urls, dict) or not isinstance(urls.get("get"), str):
            raise self._wire.failure("transient", "did not say where an upload lies", raw=reply.text)
        return str(urls["get"])

    def _post(self, slug: Slug, inputs: dict[str, object], job: Job) -> JobHandle:
        body: dict[str, object] = {"input": inputs}
        url = f"{self._api}/models/{slug.slug}/predictions"
        if slug.version:  # community models are only served under a version
            url, body["version"] = f"{self._api}/predictions", f"{slug.slug}:{slug.version}"
        webhook = self._webhook_url(job)
        if webhook is not None:
            body |= {"webhook": webhook, "webhook_events_filter": ["completed"]}
        reply = self._wire.submit(url, body)
        if not isinstance(reply.fields.get("id"), str):
            raise self._wire.ambiguous(reply.text)
        return self._handle(reply.fields)

    def _handle(self, prediction: dict[str, Any]) -> JobHandle:
        urls = prediction.get("urls") or {}
        return JobHandle(
            self.name,
            {
                "id": prediction["id"],
                "model": prediction.get("model", ""),
                "status_url": urls.get("get"),
                "cancel_url": urls.get("cancel"),
                "created_at": prediction.get("created_at"),
            },
        )

    def _status_url(self, handle: JobHandle) -> str:
        fallback = f"{self._api}/predictions/{handle.data['id']}"
        return self._wire.trusted(handle.data.get("status_url")) or fallback

    def _read(self, found: dict[str, Any], job: Job) -> Pending | Finished:
        status = str(found.get("status", ""))
        if status == "succeeded":
            outputs = media(found.get("output"), job.request.capability)
            if outputs:
                return Finished(outputs, {"metrics": found.get("metrics") or {}}, cost_micros=None)
            if found.get("data_removed"):
                raise self._wire.failure("expired", "has removed the result already", accepted=True)
            raise self._wire.fruitless("it returned nothing, as it does when a result is withheld", kind="moderation")
        if status in ("failed", "canceled", "aborted"):
            said = str(found.get("error") or "")
            kind: FailureKind = by_words(said) if status == "failed" else "transient"
            if kind == "invalid_input":
                self._forget_uploads()
            raise self._wire.ended(said or f"the job was {status}", kind=kind)
        return Pending(PHASES.get(status, "running"), status)

    def _since(self, after: datetime) -> Iterator[dict[str, Any]]:
        url: str | None = f"{self._api}/predictions"
        for _ in range(LOOKUP_PAGES):
            if url is None:
                return
            page = self._wire.look(url).fields
            for entry in page.get("results") or ():
                if _created(entry) < after:
                    return
                yield entry
            url = self._wire.trusted(page.get("next"))

    def _secret(self) -> str:
        key = self._wire.look(f"{self._api}/webhooks/default/secret").fields.get("key")
        if not isinstance(key, str):
            raise self._wire.failure("transient", "did not tell the secret of its webhooks")
        return key


def _signature_holds(key: str, headers: Mapping[str, str], body: bytes) -> bool:
    from replicate.webhook import Webhooks, WebhookSigningSecret

    try:
        # Without a tolerance the package accepts any age, and so any replay.
        Webhooks.validate(
            headers=dict(headers),
            body=body.decode(),
            secret=WebhookSigningSecret(key=key),
            tolerance=WEBHOOK_TOLERANCE_S,
        )
    except ValueError:
        return False
    return True


def _refusal(reply: Reply) -> tuple[FailureKind, str, str | None] | None:
    """A 422 names the field at the start of its detail: "- input.width: Must be ..."."""
    if reply.status != 422:
        return None
    said = str(reply.fields.get("detail") or "")
    fields = reply.fields.get("invalid_fields")
    first = fields[0] if isinstance(fields, list) and fields and isinstance(fields[0], dict) else {}
    return "invalid_input", said, str(first["field"]) if "field" in first else None


def _created(entry: dict[str, Any]) -> datetime:
    try:
        at = datetime.fromisoformat(str(entry.get("created_at")))
    except ValueError:
        return datetime.now(UTC)
    return at if at.tzinfo else at.replace(tzinfo=UTC)
