"""The rest of fal: storage, CDN, webhook keys, billing, prices. Bases: /fal-rest, /fal-cdn and /fal-api/v1."""

from __future__ import annotations

import hashlib
from datetime import UTC, datetime
from typing import Any, ClassVar

from tests.simulator.call import Answer, Call
from tests.simulator.providers.base import Route
from tests.simulator.providers.fal import Fal
from tests.simulator.providers.fal_media_models import MODELS
from tests.simulator.schemas import Schema, obj, problems, text
from tests.simulator.world import DAY

TOKEN_LIFE = 3600.0
INITIATE = obj(("file_name", "content_type"), file_name=text(), content_type=text())
UNITS = {"image": "images", "video": "videos", "lips": "videos", "speech": "1000 characters", "upscale": "megapixels"}


class FalPlatform(Fal):
    mounts = ("fal-rest", "fal-cdn", "fal-api")
    bases: ClassVar = {
        "FAL_REST_BASE_URL": "/fal-rest",
        "FAL_CDN_BASE_URL": "/fal-cdn",
        "FAL_API_BASE_URL": "/fal-api/v1",
    }

    def build_routes(self) -> list[Route]:
        return [
            Route("POST", "/fal-rest/storage/auth/token", "token", self.token),
            Route("POST", "/fal-rest/storage/upload/initiate", "upload", self.initiate),
            Route("PUT", "/fal-rest/storage/upload/(?P<id>[0-9a-f]+)/(?P<name>.+)", "upload", self.put, open=True),
            Route(
                "GET",
                "/fal-rest/.well-known/jwks.json",
                "jwks",
                lambda call: Answer.json(self.signing.jwks()),
                open=True,
            ),
            Route("POST", "/fal-cdn/files/upload", "upload", self.upload, open=True),
            Route("GET", "/fal-api/v1/account/billing", "billing", self.billing),
            Route("GET", "/fal-api/v1/models/pricing", "pricing", self.pricing),
            Route("GET", "/fal-api/v1/models", "models", self.models),
        ]

    def token(self, call: Call) -> Answer:
        if call.query.get("storage_type") != "fal-cdn-v3":
            return self.error(422, "Unknown storage type", "invalid_request")
        expires = datetime.fromtimestamp(self.world.clock.now() + TOKEN_LIFE, UTC).isoformat()
        token = f"cdn-{hashlib.sha256(self.key(call).encode()).hexdigest()[:32]}"
        base = f"{call.origin}/fal-cdn"
        return Answer.json({"token": token, "token_type": "Bearer", "base_url": base, "expires_at": expires})

    def upload(self, call: Call) -> Answer:
        """Raw bytes, with the token from above or the key itself."""
        scheme, _, secret = call.headers.get("authorization", "").partition(" ")
        if not (scheme == "Key" and secret) and not (scheme == "Bearer" and secret.startswith("cdn-")):
            return self.error(401, "Unauthorized", "unauthorized")
        if not call.raw:
            return self.error(400, "Empty file", "invalid_request")
        return Answer.json({"access_url": self._kept(call, call.headers.get("x-fal-file-name", "file.bin"), call.raw)})

    def initiate(self, call: Call) -> Answer:
        if wrong := problems(INITIATE, call.body):
            return self.error(422, f"{wrong[0].field}: {wrong[0].message}", "invalid_request")
        if call.query.get("storage_type", "gcs") not in ("gcs", "fal-cdn-v3"):
            return self.error(422, "Unknown storage type", "invalid_request")
        name = call.body["file_name"].replace("/", "_")
        stored = self.world.files.put(self.name, "/delivery/fal", name, b"", call.body["content_type"], seconds=7 * DAY)
        upload = f"{call.origin}/fal-rest/storage/upload/{stored.token}/{name}"
        return Answer.json({"upload_url": upload, "file_url": call.origin + stored.path})

    def put(self, call: Call) -> Answer:
        stored = self.world.files.token(call.names["id"])
        if stored is None:
            return self.error(404, "No such upload", "not_found")
        stored.fill(call.raw)
        return Answer(200)

    def _kept(self, call: Call, name: str, data: bytes) -> str:
        told = call.headers.get("content-type", "application/octet-stream")
        stored = self.world.files.put(self.name, "/delivery/fal", name.replace("/", "_"), data, told, seconds=7 * DAY)
        return call.origin + stored.path

    def billing(self, call: Call) -> Answer:
        if self.world.options["fal_admin_marker"] not in self.key(call):
            return self.error(403, "This key does not have permission to access billing", "forbidden")
        found: dict[str, Any] = {"username": "simulated"}
        if call.query.get("expand") == "credits":
            used = sum(charge.micro_dollars for charge in self.world.bill.charges(self.name)) / 1_000_000
            found["credits"] = {"current_balance": round(100 - used, 6), "currency": "USD"}
        return Answer.json(found)

    def pricing(self, call: Call) -> Answer:
        asked = [one for one in call.query.get("endpoint_id", "").split(",") if one]
        unknown = [one for one in asked if one not in MODELS]
        if not asked or unknown:
            return self.error(404, f"Endpoint not found: {', '.join(unknown)}", "not_found")
        prices = []
        for slug in asked:
            model = MODELS[slug]
            price = {"endpoint_id": slug, "unit_price": _unit_price(slug), "unit": UNITS.get(model.kind, "requests")}
            prices.append({**price, "currency": "USD"})
        return Answer.json({"prices": prices, "has_more": False, "next_cursor": None})

    def models(self, call: Call) -> Answer:
        asked = [one for one in call.query.get("endpoint_id", "").split(",") if one in MODELS]
        found: list[dict[str, Any]] = []
        for slug in asked or list(MODELS):
            one: dict[str, Any] = {"endpoint_id": slug, "metadata": {"display_name": slug, "status": "active"}}
            if call.query.get("expand") == "openapi-3.0":
                one["openapi"] = {"openapi": "3.0.4", "components": {"schemas": {"Input": _plain(MODELS[slug].schema)}}}
            found.append(one)
        return Answer.json({"models": found, "has_more": False, "next_cursor": None})


def _plain(schema: Schema) -> Schema:
    return {key: value for key, value in schema.items() if not key.startswith("x-")}


def _unit_price(slug: str) -> float:
    """Of the smallest piece of work that the endpoint does."""
    sample = {"text": "x" * 1000, "prompt": "x" * 1000, "num_images": 1, "resolution": "480p", "num_frames": 81}
    return MODELS[slug].price(sample) / 1_000_000
