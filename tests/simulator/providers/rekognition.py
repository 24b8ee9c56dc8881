"""AWS: Rekognition as JSON 1.1 (the action in X-Amz-Target) and STS as a form, answered in XML. One address for both,
requests signed. Base: /aws."""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
import io
from typing import Any, ClassVar
from urllib.parse import parse_qs, quote
from xml.sax.saxutils import escape

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


STS = "https://sts.amazonaws.com/doc/2011-06-15/"
IDENTITY = {"Arn": "arn:aws:iam::123456789012:user/simulated", "UserId": "AIDASIMULATED", "Account": "123456789012"}


class Rekognition(Provider):
    """A responder for `aws` and an action (`DetectFaces` …) gets the picture's bytes and gives the answer's fields."""

    name = "aws"
    mounts = ("aws",)
    bases: ClassVar = {"AWS_ENDPOINT_URL": "/aws"}
    keys: ClassVar = {"AWS_ACCESS_KEY_ID": "AKIASIMULATED", "AWS_SECRET_ACCESS_KEY": "simulated-secret"}

    def build_routes(self) -> list[Route]:
        return [Route("POST", "/aws/?", "moderate", self.answer)]

    def operation_of(self, call: Call, route: Route) -> str:
        return "identity" if _is_form(call) else route.operation

    def answer(self, call: Call) -> Answer:
        return self.identity(call) if _is_form(call) else self.act(call)

    def error(self, status: int, message: str, kind: str = "") -> Answer:
        kind = kind or ("InternalServerError" if status >= 500 else "InvalidParameterException")
        answer = Answer.json({"__type": kind, "Message": message}, status, {"x-amzn-ErrorType": kind})
        answer.content_type = "application/x-amz-json-1.1"
        return answer

    def turn_away(self, call: Call, fault: Fault) -> Answer:
        if call.operation == "identity" and fault.kind == "unauthorised":
            kinds = {403: ("SignatureDoesNotMatch", 403), 0: ("InvalidClientTokenId", 403), 401: ("ExpiredToken", 401)}
            kind, status = kinds[fault.status]
            said = f"<Type>Sender</Type><Code>{kind}</Code><Message>The security token is invalid</Message>"
            return _xml(f"<ErrorResponse xmlns='{STS}'><Error>{said}</Error></ErrorResponse>", status)
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

    def identity(self, call: Call) -> Answer:
        if parse_qs(call.raw.decode()).get("Action") != ["GetCallerIdentity"]:
            return _xml("<ErrorResponse><Error><Code>InvalidAction</Code></Error></ErrorResponse>", 400)
        if wrongly_signed(call, self.world.options.get("aws_secret", "simulated-secret"), "sts"):
            return self.turn_away(call, Fault("unauthorised", status=403))
        said = "".join(f"<{name}>{escape(value)}</{name}>" for name, value in IDENTITY.items())
        return _xml(
            f"<GetCallerIdentityResponse xmlns='{STS}'><GetCallerIdentityResult>{said}</GetCallerIdentityResult>"
            "<ResponseMetadata><RequestId>1</RequestId></ResponseMetadata></GetCallerIdentityResponse>"
        )

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


def _is_form(call: Call) -> bool:
    return call.headers.get("content-type", "").startswith("application/x-www-form-urlencoded")


def _xml(text: str, status: int = 200) -> Answer:
    return Answer(status, text.encode(), "text/xml")


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


def wrongly_signed(call: Call, secret: str, service: str = "rekognition") -> str:
    """Why the signature (version 4) does not hold; "" if it does."""
    scheme, _, rest = call.headers["authorization"].partition(" ")
    given = dict(part.strip().partition("=")[::2] for part in rest.split(","))
    scope = given.get("Credential", "").split("/")[1:]
    if scheme != "AWS4-HMAC-SHA256" or len(scope) != 4 or scope[2:] != [service, "aws4_request"]:
        return "Authorization header is not of the form that is needed"
    names = given.get("SignedHeaders", "").split(";")
    if (
        "host" not in names
        or (service == "rekognition" and "x-amz-target" not in names)
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
