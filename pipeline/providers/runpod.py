"""RunPod: serverless endpoints. Files travel inside the request, because it takes no uploads."""

from __future__ import annotations

from typing import Any, ClassVar

from pipeline.providers import Account, Finished, Job, JobHandle, Pending, accounts
from pipeline.providers.catalogue import Slug
from pipeline.providers.failures import FailureKind
from pipeline.providers.http import Wire, authenticated, by_words
from pipeline.providers.inputs import FileKind
from pipeline.providers.outputs import media
from pipeline.providers.remote import RemoteAdapter

PHASES = {"IN_QUEUE": "queued", "IN_PROGRESS": "running", "RUNNING": "running"}


class RunPod(RemoteAdapter):
    name: ClassVar[str] = "runpod"
    label: ClassVar[str] = "RunPod"
    key_setting: ClassVar[str] = "runpod_api_key"

    def base_urls(self) -> tuple[str, ...]:
        return (self._settings.runpod_base_url,)

    def account(self) -> Account:
        """Only an endpoint of one's own can be asked how it is."""
        endpoint = self._settings.runpod_endpoint_id
        if not endpoint:
            return super().account()
        key, base_url = self._key(), self._settings.runpod_base_url
        with accounts.inquiry(self.label, base_url, {"Authorization": f"Bearer {key}"}, secret=key) as wire:
            found = accounts.inside(wire.inquire(f"{base_url}/{endpoint}/health"), "workers")
        counted = [value for value in found.values() if isinstance(value, int) and not isinstance(value, bool)]
        workers = f" The endpoint has {sum(counted)} worker(s)." if counted else ""
        return Account(note=f"RunPod tells no balance; see its console.{workers}")

    def poll(self, handle: JobHandle, job: Job) -> Pending | Finished:
        found = self._wire.look(self._url(handle, "status")).fields
        status = str(found.get("status", ""))
        if status == "COMPLETED":
            outputs = media(found.get("output"), job.request.capability)
            if outputs:
                return Finished(outputs, {}, cost_micros=None)
            said = _said(found.get("output")) or "it returned nothing"
            raise self._wire.fruitless(said, kind=by_words(said))
        if status in ("FAILED", "CANCELLED", "TIMED_OUT"):
            said = _said(found) or _said(found.get("output"))
            kind: FailureKind = by_words(said) if status == "FAILED" else "transient"
            raise self._wire.ended(said or f"the job ended as {status}", kind=kind)
        return Pending(PHASES.get(status, "running"), status)

    def cancel(self, handle: JobHandle) -> None:
        self._wire.tell("POST", self._url(handle, "cancel"))

    # --- What the provider wants ----------------------------------------------------------------

    def _connect(self, key: str) -> Wire:
        client = authenticated({"Authorization": f"Bearer {key}"})
        timeout_s = self._settings.provider_timeout_s
        return Wire(self.name, client, base_urls=self.base_urls(), secret=key, timeout_s=timeout_s)

    def _inline(self, kind: FileKind, size: int) -> bool:
        return True

    def _post(self, slug: Slug, inputs: dict[str, object], job: Job) -> JobHandle:
        endpoint = self._settings.runpod_endpoint_id or slug.slug
        reply = self._wire.submit(f"{self._settings.runpod_base_url}/{endpoint}/run", {"input": inputs})
        if not isinstance(reply.fields.get("id"), str):
            raise self._wire.ambiguous(reply.text)
        return JobHandle(self.name, {"id": reply.fields["id"], "model": slug.slug, "endpoint": endpoint})

    def _url(self, handle: JobHandle, verb: str) -> str:
        return f"{self._settings.runpod_base_url}/{handle.data['endpoint']}/{verb}/{handle.data['id']}"


def _said(found: Any) -> str:
    """The error text in an answer, which may itself be an object."""
    error = found.get("error") if isinstance(found, dict) else None
    if isinstance(error, dict):
        error = error.get("message") or error.get("error_message")
    return error if isinstance(error, str) else ""
