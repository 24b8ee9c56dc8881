"""WaveSpeed: predictions whose envelope says 200 even where the HTTP status does, and uploads to a signed address."""

from __future__ import annotations

from typing import ClassVar

from pipeline.providers import Account, Finished, Job, JobHandle, Pending, accounts
from pipeline.providers.catalogue import Slug
from pipeline.providers.http import by_status, message_of
from pipeline.providers.predictions import PredictionAdapter, code_of, enveloped


class WaveSpeed(PredictionAdapter):
    name: ClassVar[str] = "wavespeed"
    label: ClassVar[str] = "WaveSpeed"
    key_setting: ClassVar[str] = "wavespeed_api_key"

    def base_urls(self) -> tuple[str, ...]:
        return (self._settings.wavespeed_base_url,)

    def account(self) -> Account:
        key, base_url = self._key(), self._settings.wavespeed_base_url
        with accounts.inquiry(self.label, base_url, {"Authorization": f"Bearer {key}"}, secret=key) as wire:
            reply = wire.inquire(f"{base_url}/balance")
            if code_of(reply) >= 400:
                said = wire.clean(message_of(reply))
                raise wire.failure(by_status(code_of(reply), said), f"refused: {said}", raw=reply.text)
        balance = accounts.micros(accounts.inside(reply, "data").get("balance"))
        return Account(balance_micros=balance, note="" if balance is not None else accounts.UNREADABLE)

    def poll(self, handle: JobHandle, job: Job) -> Pending | Finished:
        url = self._wire.trusted(handle.data.get("response_url")) or self._result_url(handle.data["id"])
        reply = self._wire.look(url)
        if code_of(reply) >= 400:
            raise self._enveloped_error(reply)
        return self._state(enveloped(reply), job)

    # --- What the provider wants ----------------------------------------------------------------

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
        if code_of(reply) >= 500:
            raise self._wire.ambiguous(reply.text)
        if code_of(reply) >= 400:
            raise self._enveloped_error(reply)
        found = enveloped(reply)
        if not isinstance(found.get("id"), str):
            raise self._wire.ambiguous(reply.text)
        urls = found.get("urls") if isinstance(found.get("urls"), dict) else {}
        assert urls is not None
        response_url = self._wire.trusted(urls.get("get")) or self._result_url(found["id"])
        return JobHandle(self.name, {"id": found["id"], "model": slug.slug, "response_url": response_url})

    def _result_url(self, request_id: str) -> str:
        return f"{self._settings.wavespeed_base_url}/predictions/{request_id}/result"
