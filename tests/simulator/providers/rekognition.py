"""AWS Rekognition as JSON 1.1: one address, the action in X-Amz-Target, requests signed. Base: /aws."""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
import io
from typing import Any, ClassVar
from urllib.parse import quote

from PIL import Image, UnidentifiedImageError

from tests.simulator.call import Answer, Call
from tests.simulator.faults import Fault
from tests.simulator.providers.base import Model, Provider, Route
from tests.simulator.providers.chat_completions import charge_sync
from tests.simulator.schemas import choice, listed, number, obj, problems, text

SERVICE = "RekognitionService."
LARGEST = 5 * 1024 * 1024
IMAGE = obj(Bytes=text(shortest=1), S3Object={"type": "object"})
ACTIONS = {
    "DetectModerationLabels": obj(("Image",), Image=IMAGE, MinConfidence=number(0, 100)),
    "DetectFaces": obj(
        ("Image",), Image=IMAGE, Attributes=listed(choice("DEFAULT", "ALL", "AGE_RANGE", "GENDER", "SMILE"))
    ),
    "RecognizeCelebrities": obj(("Image",), Image=IMAGE),
}
DEFAULTS: dict[str, dict[str, Any]] = {
    "DetectModerationLabels": {"ModerationLabels": [], "ContentTypes": [], "ModerationModelVersion": "7.0"},
    "DetectFaces": {"FaceDetails": []},
    "RecognizeCelebrities": {"CelebrityFaces": [], "UnrecognizedFaces": []},
}


class Rekognition(Provider):
    """A responder for `aws` and an action (`DetectFaces` …) gets the picture's bytes and gives the answer's fields."""

    name = "aws"
    mounts = ("aws",)
    bases: ClassVar = {"AWS_ENDPOINT_URL": "/aws"}
    keys: ClassVar = {"AWS_ACCESS_KEY_ID": "AKIASIMULATED", "AWS_SECRET_ACCESS_KEY": "simulated-secret"}

    def build_routes(self) -> list[Route]:
        return [Route("POST", "/aws/?", "moderate", self.act)]

    def error(self, status: int, message: str, kind: str = "") -> Answer:
        kind = kind or ("InternalServerError" if status >= 500 else "InvalidParameterException")
        answer = Answer.json({"__type": kind, "Message": message}, status, {"x-amzn-ErrorType": kind})
        answer.content_type = "application/x-amz-json-1.1"
        return answer

    def turn_away(self, call: Call, fault: Fault) -> Answer:
        if fault.kind == "rate_limit":
            kind = "ProvisionedThroughputExceededException" if call.number % 2 else "ThrottlingException"
            return self.error(400, "Rate exceeded", kind)
        if fault.kind == "unauthorised":
            return self.error(
                400, "The security token included in the request is invalid.", "UnrecognizedClientException"
            )
        return super().turn_away(call, fault)

    def model_of(self, call: Call) -> str:
        return call.headers.get("x-amz-target", "").removeprefix(SERVICE)

    def authorised(self, call: Call) -> bool:
        return bool(call.headers.get("authorization"))

    def act(self, call: Call) -> Answer:
        if not call.headers.get("content-type", "").startswith("application/x-amz-json-1.1"):
            return self.error(400, "Unsupported content type", "SerializationException")
        if call.model not in ACTIONS or not call.headers["x-amz-target"].startswith(SERVICE):
            return self.error(400, "", "UnknownOperationException")
        if why := wrongly_signed(call, self.world.options.get("aws_secret", "simulated-secret")):
            return self.error(403, why, "InvalidSignatureException")
        if wrong := problems(ACTIONS[call.model], call.body):
            return self.error(400, f"{wrong[0].field}: {wrong[0].message}", "ValidationException")
        picture = _picture(call.body["Image"])
        if isinstance(picture, tuple):
            return self.error(400, picture[1], picture[0])
        model = Model(call.model, "check", {}, lambda studio, params: None, lambda params: 1_000)
        charge_sync(self, call, model, {"action": call.model, "sha256": hashlib.sha256(picture).hexdigest()})
        scripted = self.world.scripted_answer(self.name, call.model, picture) or {}
        answer = Answer.json({**DEFAULTS[call.model], **scripted})
        answer.content_type = "application/x-amz-json-1.1"
        return answer


def _picture(image: dict[str, Any]) -> bytes | tuple[str, str]:
    """The content, or (type, message) of the error."""
    if "Bytes" not in image:
        return "InvalidS3ObjectException", "Unable to get object metadata from S3."
    try:
        data = base64.b64decode(image["Bytes"], validate=True)
    except (binascii.Error, ValueError):
        return "SerializationException", "Bytes is not base64"
    if len(data) > LARGEST:
        return "ImageTooLargeException", "Image size is too large"
    try:
        with Image.open(io.BytesIO(data)) as opened:
            form = opened.format
            opened.load()
    except (UnidentifiedImageError, OSError):
        form = None
    return data if form in ("JPEG", "PNG") else ("InvalidImageFormatException", "Request has invalid image format")


def wrongly_signed(call: Call, secret: str) -> str:
    """Why the signature (version 4) does not hold; "" if it does."""
    scheme, _, rest = call.headers["authorization"].partition(" ")
    given = dict(part.strip().partition("=")[::2] for part in rest.split(","))
    scope = given.get("Credential", "").split("/")[1:]
    if scheme != "AWS4-HMAC-SHA256" or len(scope) != 4 or scope[2:] != ["rekognition", "aws4_request"]:
        return "Authorization header is not of the form that is needed"
    names = given.get("SignedHeaders", "").split(";")
    if (
        "host" not in names
        or "x-amz-target" not in names
        or not call.headers.get("x-amz-date", "").startswith(scope[0])
    ):
        return "host, x-amz-target and x-amz-date have to be signed"
    lines = "".join(f"{name}:{' '.join(call.headers.get(name, '').split())}\n" for name in names)
    query = "&".join(
        f"{quote(key, safe='-_.~')}={quote(value, safe='-_.~')}" for key, value in sorted(call.query.items())
    )
    body = hashlib.sha256(call.raw).hexdigest()
    canonical = "\n".join((call.method, quote(call.path, safe="/-_.~") or "/", query, lines, ";".join(names), body))
    to_sign = "\n".join(
        (scheme, call.headers["x-amz-date"], "/".join(scope), hashlib.sha256(canonical.encode()).hexdigest())
    )
    key = f"AWS4{secret}".encode()
    for part in scope:
        key = hmac.digest(key, part.encode(), "sha256")
    right = hmac.digest(key, to_sign.encode(), "sha256").hex()
    return (
        ""
        if hmac.compare_digest(right, given.get("Signature", ""))
        else ("The request signature we calculated does not match the signature you provided.")
    )
