"""WaveSpeed: predictions whose envelope says 200 even where the HTTP status does, and uploads to a signed address."""

from __future__ import annotations

from typing import Any, ClassVar

from pipeline.providers import Account, Finished, Job, JobHandle, Pending, accounts
from pipeline.providers.catalogue import Slug
from pipeline.providers.http import Reply, Wire, authenticated, by_status, message_of
from pipeline.providers.outputs import flagged, media
from pipeline.providers.remote import RemoteAdapter

PHASES = {"created": "queued", "queued": "queued", "pending": "queued"}


class WaveSpeed(RemoteAdapter):
    name: ClassVar[str] = "wavespeed"
    label: ClassVar[str] = "WaveSpeed"
    key_setting: ClassVar[str] = "wavespeed_api_key"

    def base_urls(self) -> tuple[str, ...]:
        return (self._settings.wavespeed_base_url,)

    def account(self) -> Account:
        key, base_url = self._key(), self._settings.wavespeed_base_url
        with accounts.inquiry(self.label, base_url, {"Authorization": f"Bearer {key}"}, secret=key) as wire:
            reply = wire.inquire(f"{base_url}/balance")
            code = reply.fields.get("code")
            if isinstance(code, int) and code >= 400:
                said = wire.clean(message_of(reply))
                raise wire.failure(by_status(code, said), f"refused: {said}", raw=reply.text)
        balance = accounts.micros(accounts.inside(reply, "data").get("balance"))
        return Account(balance_micros=balance, note="" if balance is not None else accounts.UNREADABLE)

    def poll(self, handle: JobHandle, job: Job) -> Pending | Finished:
        url = self._wire.trusted(handle.data.get("response_url")) or self._result_url(handle.data["id"])
        reply = self._wire.look(url)
        code = reply.fields.get("code")
        if isinstance(code, int) and code >= 400:
            raise self._enveloped(code, reply, job=True)
        found = enveloped(reply)
        status = str(found.get("status", ""))
        if status in ("completed", "succeeded"):
            if flagged(found):
                raise self._wire.fruitless("the result was withheld as not safe", kind="moderation")
            outputs = media(found.get("outputs"), job.request.capability)
            if not outputs:
                raise self._wire.fruitless("it returned nothing", kind="transient")
            return Finished(outputs, {}, cost_micros=None)
        if status == "failed":
            raise self._wire.ended(str(found.get("error") or ""))
        if status == "deleted":
            raise self._wire.failure("expired", "has deleted this job", accepted=True)
        if status in ("cancelled", "timeout"):
            raise self._wire.ended(str(found.get("error") or f"the job ended as {status}"), kind="transient")
        return Pending(PHASES.get(status, "running"), status)

    def cancel(self, handle: JobHandle) -> None:
        """The service documents no way to stop a job: it runs on, and what it makes is not fetched."""

    # --- What the provider wants ----------------------------------------------------------------

    def _connect(self, key: str) -> Wire:
        client = authenticated({"Authorization": f"Bearer {key}"})
        timeout_s = self._settings.provider_timeout_s
        return Wire(self.name, client, base_urls=self.base_urls(), secret=key, timeout_s=timeout_s)

    def _upload(self, content: bytes, name: str, mime: str) -> str:
        about = {"filename": name, "size": len(content), "content_type": mime}
        where = self._wire.ask("POST", f"{self._settings.wavespeed_base_url}/media/uploads", json=about)
        if not where.ok:
            raise self._wire.refused(where)
        found = enveloped(where)
        target, lies = found.get("upload"), found.get("download_url")
        if not isinstance(target, dict) or not isinstance(target.get("url"), str) or not isinstance(lies, str):
            raise self._wire.failure("transient", "did not say where to upload to", raw=where.text)
        headers = target.get("headers") if isinstance(target.get("headers"), dict) else {"Content-Type": mime}
        reply = self._wire.put_elsewhere(
            str(target.get("method") or "PUT"), target["url"], content=content, headers=headers
        )
        if not reply.ok:
            raise self._wire.failure("transient", "did not take an upload", raw=reply.text)
        return lies

    def _post(self, slug: Slug, inputs: dict[str, object], job: Job) -> JobHandle:
        reply = self._wire.submit(f"{self._settings.wavespeed_base_url}/{slug.slug}", inputs)
        code = reply.fields.get("code")
        if isinstance(code, int) and code >= 400:
            raise self._enveloped(code, reply, job=False)
        found = enveloped(reply)
        if not isinstance(found.get("id"), str):
            raise self._wire.ambiguous(reply.text)
        urls = found.get("urls") if isinstance(found.get("urls"), dict) else {}
        assert urls is not None
        response_url = self._wire.trusted(urls.get("get")) or self._result_url(found["id"])
        return JobHandle(self.name, {"id": found["id"], "model": slug.slug, "response_url": response_url})

    def _result_url(self, request_id: str) -> str:
        return f"{self._settings.wavespeed_base_url}/predictions/{request_id}/result"

    def _enveloped(self, code: int, reply: Reply, *, job: bool) -> Exception:
        """An error inside an HTTP 200."""
        if code >= 500 and not job:
            return self._wire.ambiguous(reply.text)
        said = message_of(reply)
        return self._wire.failure(by_status(code, said), f"refused: {self._wire.clean(said)}", raw=reply.text)


def enveloped(reply: Reply) -> dict[str, Any]:
    """What is in `data`, or the answer itself where there is no envelope."""
    inner = reply.fields.get("data")
    return inner if isinstance(inner, dict) else reply.fields
