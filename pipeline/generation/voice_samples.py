"""What a voice sounds like: one sentence in its own language, spoken by the embedded engine when it is first asked for.

Hides the sentences and that samples are kept: the engine speaks the same every time, so the media store has each once.
"""

from __future__ import annotations

import threading
import tomllib
from collections.abc import Iterable
from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory

from pipeline.contracts import Output, SpeechRequest, Voice
from pipeline.errors import NotFound
from pipeline.film.sound import encode_aac
from pipeline.generation.chain import EMBEDDED, ProviderChain
from pipeline.generation.moderation.clearances import by_our_engine
from pipeline.providers import Finished, Job
from pipeline.store import Store

_SENTENCES = Path(__file__).with_name("voice_samples.toml")
_COUNTING = "1, 2, 3, 4, 5."  # read out in any language


class VoiceSamples:
    """One per store. Safe for any number of threads."""

    def __init__(self, store: Store, chain: ProviderChain) -> None:
        self._store = store
        self._chain = chain
        self._urls: dict[tuple[str, str], str] = {}

    def among(self, voices: Iterable[Voice]) -> list[tuple[Voice, bool]]:
        """The voices, each with whether it can be heard at no cost: whether it is one of the embedded engine's."""
        own: dict[str, set[str]] = {}
        found = []
        for voice in voices:
            if voice.language not in own:
                embedded = self._chain.adapter(EMBEDDED).voices(voice.language)
                own[voice.language] = {one.id for one in embedded}
            found.append((voice, voice.id in own[voice.language]))
        return found

    def url(self, voice_id: str, language: str) -> str:
        """Where the sample lies; it is spoken now if it has to be. Raises NotFound for a voice that is not embedded."""
        known = self._urls.get((voice_id, language))
        if known is not None and self._store.media.exists(known):
            return known
        if all(voice_id != voice.id for voice in self._chain.adapter(EMBEDDED).voices(language)):
            raise NotFound("There is no sample of this voice.", hint="Only the built-in voices have one.")
        url = self._spoken(voice_id, language)
        self._urls[voice_id, language] = url
        return url

    def _spoken(self, voice_id: str, language: str) -> str:
        request = SpeechRequest(text=_sentence(language), voice=voice_id, language=language)
        media = self._store.media
        with media.draft(".m4a") as sound, TemporaryDirectory(dir=sound.parent) as folder:
            job = Job(request, media.path, Path(folder), threading.Event())
            spoken = self._chain.adapter(EMBEDDED).submit(job)
            assert isinstance(spoken, Finished) and isinstance(spoken.outputs[0], Output)
            encode_aac(spoken.outputs[0].path, sound)
            return media.publish(sound, ext="m4a", verdict=by_our_engine()).url


def _sentence(language: str) -> str:
    sentences = _sentences()
    return sentences.get(language.lower(), sentences.get(language.lower().partition("-")[0], _COUNTING))


@cache
def _sentences() -> dict[str, str]:
    return tomllib.loads(_SENTENCES.read_text(encoding="utf-8"))
