"""OpenAI's voices: the answer to a request is the sound itself, so there is no job to find again."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar, NoReturn

from pipeline.contracts import Output
from pipeline.errors import EngineFailed
from pipeline.providers import Account, Finished, Job, JobHandle, accounts
from pipeline.providers.catalogue import Slug
from pipeline.providers.chat import Failing, bounded_client, kind_of_refusal, never_sent
from pipeline.providers.deadline import deadline
from pipeline.providers.failures import ProviderFailure, told_to_wait
from pipeline.providers.remote import RemoteAdapter

if TYPE_CHECKING:
    from openai import OpenAI

LARGEST_SOUND = 64 * 1024 * 1024


class OpenAISpeech(RemoteAdapter):
    name: ClassVar[str] = "openai"
    label: ClassVar[str] = "OpenAI"
    key_setting: ClassVar[str] = "openai_api_key"
    _client: OpenAI | None = None

    def base_urls(self) -> tuple[str, ...]:
        return (self._settings.openai_base_url,)

    def account(self) -> Account:
        key, base_url = self._key(), self._settings.openai_base_url
        with accounts.inquiry(self.label, base_url, {"Authorization": f"Bearer {key}"}, secret=key) as wire:
            wire.inquire(f"{base_url}/models")
        return Account(note="OpenAI takes the key; it tells no balance. See platform.openai.com.")

    def poll(self, handle: JobHandle, job: Job) -> NoReturn:
        raise EngineFailed("OpenAI's speech has no jobs to poll.")

    def cancel(self, handle: JobHandle) -> None:
        """There is nothing to cancel."""

    def close(self) -> None:
        super().close()
        with self._lock:
            if self._client is not None:
                self._client.close()
            self._client = None

    def _post(self, slug: Slug, inputs: dict[str, Any], job: Job) -> Finished:
        import openai

        failing = Failing(self.name, "OpenAI", "OPENAI_API_KEY", self._key())
        out = job.folder / "speech.wav"
        try:
            out.write_bytes(self._sound({"model": slug.slug, **inputs}, failing))
        except openai.APIStatusError as error:
            kind = kind_of_refusal(error.status_code, str(error.message))
            raise failing.failure(
                # The answer is the result: whoever asks again knows that he may be paying twice.
                "ambiguous" if kind == "transient" else kind,
                str(error.message),
                retry_after_s=told_to_wait(error.response.headers),
            ) from None
        except openai.APIConnectionError as error:
            raise failing.failure(
                "transient" if never_sent(error) else "ambiguous", str(error.__cause__ or error)
            ) from None
        except ProviderFailure:
            raise
        except Exception as error:  # the HTTP package's own errors while the sound arrives
            if not type(error).__module__.startswith(("httpx", "httpcore")):
                raise
            raise failing.failure("ambiguous", f"{type(error).__name__}: {error}") from None
        return Finished((Output(path=out, ext="wav"),), {}, cost_micros=None)

    def _sound(self, body: dict[str, Any], failing: Failing) -> bytes:
        sound = bytearray()
        speech = self._sdk().audio.speech.with_streaming_response
        with deadline(self._settings.provider_timeout_s), speech.create(**body) as response:
            kind = response.headers.get("content-type", "")
            for chunk in response.iter_bytes():
                sound += chunk
                if len(sound) > LARGEST_SOUND:
                    raise failing.failure("ambiguous", "the sound is too large")
        if not sound or not kind.startswith(("audio/", "application/octet-stream")):
            raise failing.failure("ambiguous", f"{kind or 'nothing'} in place of sound")
        return bytes(sound)

    def _sdk(self) -> OpenAI:
        import openai

        with self._lock:
            if self._client is None:
                self._client = openai.OpenAI(
                    api_key=self._key(),
                    organization="",
                    project="",
                    base_url=self._settings.openai_base_url,
                    max_retries=0,
                    timeout=self._settings.provider_timeout_s,
                )
                bounded_client(self._client._client)
            return self._client
