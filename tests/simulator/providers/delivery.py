"""Where outputs and public uploads are fetched, for every provider: with ranges, until they expire. Base: /delivery."""

from __future__ import annotations

import re

from tests.simulator.call import Answer, Call
from tests.simulator.providers.base import Provider, Route


class Delivery(Provider):
    """`name` of a call here is the provider whose file it is."""

    name = "delivery"
    mounts = ("delivery",)

    def build_routes(self) -> list[Route]:
        path = "/delivery/(?P<provider>[^/]+)/[0-9a-f]+/[^/]+"
        return [
            Route("GET", path, "download", self.fetch, open=True),
            Route("HEAD", path, "download", self.fetch, open=True),
        ]

    def error(self, status: int, message: str, kind: str = "") -> Answer:
        return Answer(status, message.encode(), "text/plain")

    def fetch(self, call: Call) -> Answer:
        stored = self.world.files.at(call.path)
        if stored is None or (not stored.public and not super().authorised(call)):
            return self.error(404, "Not Found")
        call.job = stored.job
        headers = {"Accept-Ranges": "bytes", "ETag": f'"{stored.sha256[:32]}"'}
        span = re.fullmatch(r"bytes=(\d+)-(\d*)", call.headers.get("range", ""))
        if not span:
            return Answer(200, stored.data, stored.content_type, headers)
        size, first = len(stored.data), int(span[1])
        last = min(int(span[2]) if span[2] else size - 1, size - 1)
        if first > last:
            return Answer(416, b"", "text/plain", {"Content-Range": f"bytes */{size}"})
        headers["Content-Range"] = f"bytes {first}-{last}/{size}"
        return Answer(206, stored.data[first : last + 1], stored.content_type, headers)
