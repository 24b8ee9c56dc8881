"""fal: its queue, its storage, and webhooks signed with Ed25519.

The package gives credentials and headers. Its `submit` is not used: it sends the paid request up to ten times, after
timeouts too; nor its uploads, whose addresses are fixed when it is imported and which know no deadline.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import time
from collections.abc import Mapping
from contextlib import AbstractContextManager
from typing import Any, ClassVar

from pipeline.providers import Account, Callback, Finished, Job, JobHandle, Pending, Published, accounts
from pipeline.providers.catalogue import Slug, entries, slug_named
from pipeline.providers.failures import FailureKind, ProviderFailure
from pipeline.providers.http import MODERATION, Reply, Wire, authenticated, by_status, by_words, message_of
from pipeline.providers.inputs import FileKind
from pipeline.providers.outputs import details, flagged, media
from pipeline.providers.prices import believed
from pipeline.providers.remote import Remembered, RemoteAdapter
from pipeline.settings import Settings

INLINE_BYTES = 180_000
WEBHOOK_TOLERANCE_S = 300
TURNS_BELIEVED = 5  # so often a result has to be a server's error before it is taken for the job's end
PHASES = {"IN_QUEUE": "queued", "IN_PROGRESS": "running"}
REFUSED_CONTENT = ("content_policy_violation", "no_media_generated")
PASSING = (
    "generation_timeout",
    "downstream_service_error",
    "downstream_service_unavailable",
    "internal_server_error",
    "internal_error",
    "request_timeout",
    "startup_timeout",
)


class Fal(RemoteAdapter):
    name: ClassVar[str] = "fal"
    label: ClassVar[str] = "fal"
    key_setting: ClassVar[str] = "fal_key"

    def __init__(self, settings: Settings) -> None:
        super().__init__(settings)
        self._signers = Remembered(self._public_keys)
        self._turns: dict[str, int] = {}  # request → how often its result was a server's error

    def base_urls(self) -> tuple[str, ...]:
        settings = self._settings
        return (
            settings.fal_queue_base_url,
            settings.fal_run_base_url,
            settings.fal_rest_base_url,
            settings.fal_cdn_base_url,
        )

    def account(self) -> Account:
        """Prices are told to any good key, the balance to an ADMIN key only."""
        base_url = self._settings.fal_api_base_url
        slug = next(one.slug for entry in entries().values() for one in entry.slugs(self.name))
        with self._inquiry(self._key()) as wire:
            try:
                wire.inquire(f"{base_url}/models/pricing?endpoint_id={slug}")
            except ProviderFailure as failure:
                if failure.kind in ("auth", "billing"):
                    raise
        admin = self._settings.fal_admin_key
        with self._inquiry(admin.get_secret_value() if admin else self._key()) as wire:
            try:
                reply = wire.inquire(f"{base_url}/account/billing?expand=credits")
            except ProviderFailure as failure:
                if failure.kind in ("auth", "billing"):  # "no permission to access billing" sounds like either
                    which = "does not take FAL_ADMIN_KEY for one" if admin else "FAL_KEY is none; set FAL_ADMIN_KEY"
                    return Account(note=f"fal tells its balance to an ADMIN key only, and {which}.")
                raise
            credits = accounts.inside(reply, "credits")
            balance, unit = accounts.micros(credits.get("current_balance")), accounts.currency(credits.get("currency"))
            identity = accounts.name(wire, reply.fields.get("username"))
        if balance is None or unit is None:
            return Account(identity, note=accounts.UNREADABLE)
        return Account(identity, balance, unit)

    def published(self) -> Published:
        base_url = self._settings.fal_api_base_url
        slugs = {one.slug: one for entry in entries().values() for one in entry.slugs(self.name)}
        source = f"{base_url}/models/pricing"
        with self._inquiry(self._key()) as wire:
            told = wire.inquire(f"{source}?endpoint_id={','.join(slugs)}").fields.get("prices")
        entered = [one for one in (told if isinstance(told, list) else []) if isinstance(one, dict)]
        # A price in several parts (a run, a megapixel) is not told; the list price stands for those.
        wanted = [(slugs[name], one) for one in entered if (name := str(one.get("endpoint_id"))) in slugs]
        prices = {slug.slug: price for slug, one in wanted if (price := believed(slug, one)) is not None}
        ignored = tuple(slug.slug for slug, _ in wanted if slug.slug not in prices and len(slug.price) == 1)
        return Published(
            source,
            {slug: {str(unit): micros for unit, micros in price.items()} for slug, price in prices.items()},
            ignored,
        )

    def _inquiry(self, key: str) -> AbstractContextManager[Wire]:
        headers = {"Authorization": f"Key {key}"}
        return accounts.inquiry(self.label, self._settings.fal_api_base_url, headers, secret=key)

    def poll(self, handle: JobHandle, job: Job) -> Pending | Finished:
        found = self._wire.look(self._url(handle, "status")).fields
        status = str(found.get("status", ""))
        if status != "COMPLETED":
            return Pending(PHASES.get(status, "running"), status)
        failed = bool(found.get("error"))
        believed = failed or self._turns.get(handle.data["id"], 0) >= TURNS_BELIEVED
        try:
            result = self._wire.look(self._url(handle, "response"), over=_is_model_error)
        except ProviderFailure as failure:
            if failure.kind != "transient" or not believed:
                self._turns[handle.data["id"]] = self._turns.get(handle.data["id"], 0) + 1
                raise
            raise self._wire.ended(str(found.get("error") or failure.raw), kind="transient") from None
        self._turns.pop(handle.data["id"], None)
        if result.status == 400 and "in progress" in result.text:
            return Pending("running", status)
        if not result.ok:
            raise self._ended(result)
        if failed:
            kind = _kind_of(str(found.get("error_type") or ""), str(found["error"]), 500)
            raise self._wire.ended(str(found["error"]), kind=kind)
        return self._read(result.data, job)

    def cancel(self, handle: JobHandle) -> None:
        self._wire.tell("PUT", self._url(handle, "cancel"))

    def webhook(self, headers: Mapping[str, str], body: bytes, query: Mapping[str, str]) -> Callback:
        named = {name.lower(): value for name, value in headers.items()}
        if not self._signers.try_with(lambda keys: _signature_holds(keys, named, body)):
            raise self._unsigned("did not sign it")
        found = Reply.of(body).fields
        if not isinstance(found.get("request_id"), str):
            raise self._unsigned("names no request in it")
        # The address is not signed, so the slug that it carries has to be one of ours.
        slug = slug_named(self.name, query.get("slug", ""))
        handle = self._handle(slug.slug, {"request_id": found["request_id"]}) if slug is not None else None
        return Callback(found["request_id"], query.get("generation"), str(found.get("status", "")), handle)

    # --- What the provider wants ----------------------------------------------------------------

    def _connect(self, key: str) -> Wire:
        from fal_client.auth import AuthCredentials

        # The package's own client changes to another host when the first cannot be reached.
        client = authenticated({"Authorization": AuthCredentials("Key", key).header_value})
        timeout_s = self._settings.provider_timeout_s
        return Wire(self.name, client, base_urls=self.base_urls(), secret=key, timeout_s=timeout_s, refusal=_refusal)

    def _inline(self, kind: FileKind, size: int) -> bool:
        return kind == "image" and size <= INLINE_BYTES

    def _upload(self, content: bytes, name: str, mime: str) -> str:
        """To the CDN with a token of its own; where that fails, by way of the older storage."""
        try:
            return self._upload_to_cdn(content, name, mime)
        except ProviderFailure as failure:
            if failure.kind != "transient":
                raise
        return self._upload_to_storage(content, name, mime)

    def _upload_to_cdn(self, content: bytes, name: str, mime: str) -> str:
        rest, cdn = self._settings.fal_rest_base_url, self._settings.fal_cdn_base_url
        token = self._wire.ask("POST", f"{rest}/storage/auth/token?storage_type=fal-cdn-v3", json={})
        if not token.ok:
            raise self._wire.refused(token)
        headers = {
            "Authorization": f"{token.fields.get('token_type', 'Bearer')} {token.fields.get('token')}",
            "Content-Type": mime,
            "X-Fal-File-Name": name,
        }
        reply = self._wire.ask("POST", f"{cdn}/files/upload", content=content, headers=headers)
        if not isinstance(reply.fields.get("access_url"), str):
            raise self._wire.failure("transient", "did not take an upload", raw=reply.text)
        return str(reply.fields["access_url"])

    def _upload_to_storage(self, content: bytes, name: str, mime: str) -> str:
        url = f"{self._settings.fal_rest_base_url}/storage/upload/initiate?storage_type=gcs"
        where = self._wire.ask("POST", url, json={"file_name": name, "content_type": mime})
        if not where.ok:
            raise self._wire.refused(where)
        put, lies = where.fields.get("upload_url"), where.fields.get("file_url")
        if not isinstance(put, str) or not isinstance(lies, str):
            raise self._wire.failure("transient", "did not say where to upload to", raw=where.text)
        reply = self._wire.put_elsewhere("PUT", put, content=content, headers={"Content-Type": mime})
        if not reply.ok:
            raise self._wire.failure("transient", "did not take an upload", raw=reply.text)
        return lies

    def _post(self, slug: Slug, inputs: dict[str, object], job: Job) -> JobHandle:
        webhook = self._webhook_url(job, slug=slug.slug)
        params = {"fal_webhook": webhook} if webhook is not None else None
        reply = self._wire.submit(f"{self._settings.fal_queue_base_url}/{slug.slug}", inputs, params=params)
        if not isinstance(reply.fields.get("request_id"), str):
            raise self._wire.ambiguous(reply.text)
        return self._handle(slug.slug, reply.fields)

    def _handle(self, slug: str, found: Mapping[str, Any]) -> JobHandle:
        # Requests live under owner/alias, without the path below it.
        owner_alias = "/".join(slug.split("/")[:2])
        own = f"{self._settings.fal_queue_base_url}/{owner_alias}/requests/{found['request_id']}"
        return JobHandle(
            self.name,
            {
                "id": found["request_id"],
                "model": slug,
                "status_url": self._wire.trusted(found.get("status_url")) or f"{own}/status",
                "response_url": self._wire.trusted(found.get("response_url")) or own,
                "cancel_url": self._wire.trusted(found.get("cancel_url")) or f"{own}/cancel",
            },
        )

    def _url(self, handle: JobHandle, which: str) -> str:
        saved = self._wire.trusted(handle.data.get(f"{which}_url"))
        return saved or str(self._handle(handle.data["model"], {"request_id": handle.data["id"]}).data[f"{which}_url"])

    def _read(self, result: Any, job: Job) -> Finished:
        if flagged(result):
            raise self._wire.fruitless("the result was withheld as not safe", kind="moderation")
        outputs = media(result, job.request.capability)
        if not outputs:
            raise self._wire.fruitless("it returned nothing", kind="transient")
        return Finished(outputs, details(result, getattr(job.request, "text", None)), cost_micros=None)

    def _ended(self, reply: Reply) -> Exception:
        failure = self._wire.refused(reply, accepted=True)
        if failure.kind == "invalid_input":
            self._forget_uploads()
        return failure

    def _public_keys(self) -> tuple[bytes, ...]:
        found = self._wire.look(f"{self._settings.fal_rest_base_url}/.well-known/jwks.json").fields.get("keys")
        keys = [key.get("x") for key in found or () if isinstance(key, dict)]
        return tuple(_unpadded(key) for key in keys if isinstance(key, str))


def _is_model_error(reply: Reply) -> bool:
    """Whether an error in place of a result is the model's own, and so the job's end.

    A sentence with a 5xx may as well be the queue's own trouble: a job that is done must not be bought again for it.
    """
    if reply.status in (401, 403, 404, 408, 410, 429):
        return False
    return isinstance(reply.fields.get("detail"), list) if reply.status >= 500 else reply.status >= 400


def _refusal(reply: Reply) -> tuple[FailureKind, str, str | None] | None:
    """Both of fal's shapes: a list of problems with their places, or a sentence with an error type."""
    detail, kind = reply.fields.get("detail"), reply.fields.get("error_type")
    field: str | None = None
    if isinstance(detail, list) and detail and isinstance(detail[0], dict):
        first = detail[0]
        kind = first.get("type") or kind
        said = str(first.get("msg") or "")
        place = first.get("loc")
        field = ".".join(str(part) for part in place if part != "body") if isinstance(place, list) else None
    else:
        said = message_of(reply)
    kind = str(kind or reply.headers.get("x-fal-error-type") or "")
    return _kind_of(kind, said, reply.status), said, field or None


def _kind_of(kind: str, said: str, status: int) -> FailureKind:
    if kind in REFUSED_CONTENT:
        return "moderation"
    if kind in PASSING or kind.startswith("runner_"):
        return "transient"
    if status >= 500:
        return "moderation" if MODERATION.search(said) else "transient"
    if status == 422:  # some endpoints say even this in a sentence, without a type
        return "moderation" if by_words(said) == "moderation" else "invalid_input"
    return by_status(status, f"{kind} {said}")


def _unpadded(text: str) -> bytes:
    try:
        return base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))
    except (ValueError, binascii.Error):
        return b""


def _signature_holds(keys: tuple[bytes, ...], headers: Mapping[str, str], body: bytes) -> bool:
    from cryptography.exceptions import InvalidSignature
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

    names = ("request-id", "user-id", "timestamp", "signature")
    request_id, user_id, sent_at, signature = (headers.get(f"x-fal-webhook-{name}", "") for name in names)
    try:
        # Against the clock on the wall: the time is the sender's.
        if abs(time.time() - int(sent_at)) > WEBHOOK_TOLERANCE_S:
            return False
        told = "\n".join((request_id, user_id, sent_at, hashlib.sha256(body).hexdigest())).encode()
        given = bytes.fromhex(signature)
    except ValueError:
        return False
    for key in keys:
        try:
            Ed25519PublicKey.from_public_bytes(key).verify(given, told)
        except (InvalidSignature, ValueError):
            continue
        return True
    return False
