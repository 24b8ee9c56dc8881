"""Which writer reads a story: the built-in one, or language models where they are set up and wanted."""

from __future__ import annotations

from pipeline.errors import NeedsSetup
from pipeline.generation.chat import KEYS, TextChain
from pipeline.generation.questions import Errand
from pipeline.writer.llm import Desk, LlmWriter
from pipeline.writer.protocol import Writer


class Writers:
    """Both of them, for all runs. `render` is the project's choice for text: auto, preview or paid."""

    def __init__(self, embedded: Writer, chain: TextChain) -> None:
        self._embedded = embedded
        self._chain = chain

    def choose(self, errand: Errand, *, render: str, mode: str) -> Writer:
        """The writer for one errand. Raises NeedsSetup for `paid` without a language model."""
        if self._chain.wanted(render):
            return LlmWriter(Desk(self._chain, errand), mode=mode)
        return self._embedded

    def for_idea(self, errand: Errand, *, render: str) -> LlmWriter:
        """The writer that can make a story of an idea: no rules can. Raises NeedsSetup."""
        if self._chain.wanted(render):
            return LlmWriter(Desk(self._chain, errand))
        raise NeedsSetup(
            "Only a language model can write a story from an idea.",
            hint=f"Write the story yourself, or set {KEYS} and render_text to auto.",
            field="render_text",
        )

    def poor(self, writer: Writer) -> str | None:
        """What is poor about the set-up behind this writer, in words; None: nothing."""
        return self._chain.degraded() if isinstance(writer, LlmWriter) else None

    def recover(self) -> None:
        """At process start: closes the questions of a process that is gone."""
        self._chain.recover()

    def close(self) -> None:
        self._chain.close()
