"""Atlas Cloud: one address for every video model, which the body names."""

from __future__ import annotations

from typing import ClassVar

from pipeline.providers import Finished, Job, JobHandle, Pending
from pipeline.providers.catalogue import Slug
from pipeline.providers.predictions import PredictionAdapter, code_of, enveloped


class Atlas(PredictionAdapter):
    name: ClassVar[str] = "atlas"
    label: ClassVar[str] = "Atlas Cloud"
    key_setting: ClassVar[str] = "atlascloud_api_key"

    def base_urls(self) -> tuple[str, ...]:
        return (self._settings.atlascloud_base_url,)

    def poll(self, handle: JobHandle, job: Job) -> Pending | Finished:
        reply = self._wire.look(f"{self._settings.atlascloud_base_url}/model/prediction/{handle.data['id']}")
        state = self._state(enveloped(reply), job)
        if isinstance(state, Pending) and code_of(reply) >= 400:
            raise self._enveloped_error(reply)
        return state

    # --- What the provider wants ----------------------------------------------------------------

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
        if 400 <= code_of(reply) < 500:
            raise self._enveloped_error(reply)
        raise self._wire.ambiguous(reply.text)
