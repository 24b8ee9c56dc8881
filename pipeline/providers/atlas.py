"""Atlas Cloud: one address for every video model, which the body names."""

from __future__ import annotations

from typing import ClassVar

from pipeline.providers import Finished, Job, JobHandle, Pending
from pipeline.providers.catalogue import Slug
from pipeline.providers.http import Reply, Wire, authenticated, by_status, message_of
from pipeline.providers.outputs import flagged, media
from pipeline.providers.remote import RemoteAdapter
from pipeline.providers.wavespeed import enveloped

DONE = ("completed", "succeeded")
PHASES = {"created": "queued", "queued": "queued", "pending": "queued", "starting": "queued"}


class Atlas(RemoteAdapter):
    name: ClassVar[str] = "atlas"
    label: ClassVar[str] = "Atlas Cloud"
    key_setting: ClassVar[str] = "atlascloud_api_key"

    def base_urls(self) -> tuple[str, ...]:
        return (self._settings.atlascloud_base_url,)

    def poll(self, handle: JobHandle, job: Job) -> Pending | Finished:
        reply = self._wire.look(f"{self._settings.atlascloud_base_url}/model/prediction/{handle.data['id']}")
        found = enveloped(reply)
        status = str(found.get("status", ""))
        if status in DONE:
            if flagged(found):
                raise self._wire.fruitless("the result was withheld as not safe", kind="moderation")
            outputs = media(found.get("outputs"), job.request.capability)
            if not outputs:
                raise self._wire.fruitless("it returned nothing", kind="transient")
            return Finished(outputs, {}, cost_micros=None)
        if status == "failed":
            raise self._wire.ended(str(found.get("error") or ""))
        if status in ("cancelled", "canceled", "timeout"):
            raise self._wire.ended(str(found.get("error") or f"the job ended as {status}"), kind="transient")
        if self._code(reply) >= 400:
            raise self._enveloped(reply)
        return Pending(PHASES.get(status, "running"), status)

    def cancel(self, handle: JobHandle) -> None:
        """The service documents no way to stop a job: it runs on, and what it makes is not fetched."""

    # --- What the provider wants ----------------------------------------------------------------

    def _connect(self, key: str) -> Wire:
        client = authenticated({"Authorization": f"Bearer {key}"})
        timeout_s = self._settings.provider_timeout_s
        return Wire(self.name, client, base_urls=self.base_urls(), secret=key, timeout_s=timeout_s)

    def _upload(self, content: bytes, name: str, mime: str) -> str:
        url = f"{self._settings.atlascloud_base_url}/model/uploadMedia"
        reply = self._wire.ask("POST", url, files={"file": (name, content, mime)})
        if not reply.ok:
            raise self._wire.refused(reply)
        for place in (enveloped(reply), reply.fields):
            for key in ("download_url", "url"):
                if isinstance(place.get(key), str):
                    return str(place[key])
        raise self._wire.failure("transient", "did not say where an upload lies", raw=reply.text)

    def _post(self, slug: Slug, inputs: dict[str, object], job: Job) -> JobHandle:
        url = f"{self._settings.atlascloud_base_url}/model/generateVideo"
        reply = self._wire.submit(url, {"model": slug.slug, **inputs})
        found = enveloped(reply)
        if isinstance(found.get("id"), str):
            return JobHandle(self.name, {"id": found["id"], "model": slug.slug})
        if 400 <= self._code(reply) < 500:
            raise self._enveloped(reply)
        raise self._wire.ambiguous(reply.text)

    def _code(self, reply: Reply) -> int:
        code = reply.fields.get("code")
        return code if isinstance(code, int) else 0

    def _enveloped(self, reply: Reply) -> Exception:
        """An error inside an HTTP 200."""
        said = message_of(reply)
        kind = by_status(self._code(reply), said)
        return self._wire.failure(kind, f"refused: {self._wire.clean(said)}", raw=reply.text)
