"""What WaveSpeed and Atlas Cloud share: a prediction in an envelope, its states, and errors inside an HTTP 200."""

from __future__ import annotations

from typing import Any

from pipeline.providers import Finished, Job, JobHandle, Pending
from pipeline.providers.http import Reply, Wire, authenticated, by_status, message_of
from pipeline.providers.outputs import flagged, media
from pipeline.providers.remote import RemoteAdapter

_DONE = ("completed", "succeeded")
_STOPPED = ("cancelled", "canceled", "timeout")
_WAITING = ("created", "queued", "pending", "starting")


class PredictionAdapter(RemoteAdapter):
    """An adapter for a service of this kind. Where a job is sent and looked at is the service's own."""

    def cancel(self, handle: JobHandle) -> None:
        """These services document no way to stop a job: it runs on, and what it makes is not fetched."""

    def _connect(self, key: str) -> Wire:
        client = authenticated({"Authorization": f"Bearer {key}"})
        timeout_s = self._settings.provider_timeout_s
        return Wire(self.name, client, base_urls=self.base_urls(), secret=key, timeout_s=timeout_s)

    def _state(self, found: dict[str, Any], job: Job) -> Pending | Finished:
        """What a prediction's fields say. Raises ProviderFailure when it ended without a result."""
        status = str(found.get("status", ""))
        if status in _DONE:
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
        if status in _STOPPED:
            raise self._wire.ended(str(found.get("error") or f"the job ended as {status}"), kind="transient")
        return Pending("queued" if status in _WAITING else "running", status)

    def _enveloped_error(self, reply: Reply) -> Exception:
        """The error that a reply with HTTP status 200 carries."""
        said = message_of(reply)
        kind = by_status(code_of(reply), said)
        return self._wire.failure(kind, f"refused: {self._wire.clean(said)}", raw=reply.text)


def enveloped(reply: Reply) -> dict[str, Any]:
    """What is in `data`, or the answer itself where there is no envelope."""
    inner = reply.fields.get("data")
    return inner if isinstance(inner, dict) else reply.fields


def code_of(reply: Reply) -> int:
    """The envelope's own status code; 0 where it has none."""
    code = reply.fields.get("code")
    return code if isinstance(code, int) else 0
