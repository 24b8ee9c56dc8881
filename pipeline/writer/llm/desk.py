"""Where the writer's questions leave from: every one has the same system text, and is asked for one errand."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar

from pipeline.contracts import ChatRequest
from pipeline.generation.chat import TextChain
from pipeline.generation.questions import Errand
from pipeline.prompts import writing

T = TypeVar("T")


class Desk:
    def __init__(self, chain: TextChain, errand: Errand) -> None:
        self._chain = chain
        self._errand = errand

    def ask(
        self,
        purpose: str,
        prompt: str,
        schema: dict[str, Any],
        read: Callable[[dict[str, Any]], T],
        *,
        most_tokens: int = 8_000,
    ) -> T:
        """What `read` makes of the first answer that it accepts (it raises BadAnswer for others)."""
        request = ChatRequest(
            purpose=purpose,
            system=writing.system(),
            prompt=prompt,
            schema_name=purpose,
            answer_schema=schema,
            max_output_tokens=most_tokens,
        )
        return self._chain.ask(request, self._errand, read)
