"""AWS Rekognition: moderation labels, age ranges and celebrities, through boto3.

Hides its taxonomy, that a face's age is a range, and that boto3 knows limits per read only.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import Future
from pathlib import Path
from typing import Any, ClassVar

from pipeline.providers.chat import Failing
from pipeline.providers.failures import FailureKind, ProviderFailure
from pipeline.providers.moderators import Answer, Check, Compute, Label, worst
from pipeline.settings import Settings

PRICE_MICROS = 1_000  # a picture, for each question
ADULT = 18
CONNECT_S = 10.0
LEAST_CONFIDENCE = 20  # below it nothing is told; thresholds are ours
# Its labels, by themselves or as the parent of others. What is not here is no reason to refuse a story's picture.
LABELS: dict[str, Label] = {
    "Explicit": "nudity",
    "Explicit Nudity": "nudity",
    "Explicit Sexual Activity": "nudity",
    "Exposed Male Genitalia": "nudity",
    "Exposed Female Genitalia": "nudity",
    "Exposed Buttocks or Anus": "nudity",
    "Exposed Female Nipple": "nudity",
    "Sex Toys": "nudity",
    "Non-Explicit Nudity of Intimate parts and Kissing": "suggestive",
    "Non-Explicit Nudity": "suggestive",
    "Obstructed Intimate Parts": "suggestive",
    "Swimwear or Underwear": "suggestive",
    "Suggestive": "suggestive",
    "Graphic Violence": "offensive",
    "Visually Disturbing": "offensive",
    "Hate Symbols": "offensive",
}
_THROTTLED = ("Throttling", "ThrottlingException", "ProvisionedThroughputExceededException", "LimitExceededException")
_AUTH = ("UnrecognizedClient", "InvalidSignature", "AccessDenied", "ExpiredToken", "InvalidClientTokenId")
_INVALID = ("ImageTooLarge", "InvalidImageFormat", "InvalidParameter", "ValidationException", "InvalidS3Object")


class Rekognition:
    name: ClassVar[str] = "rekognition"
    label: ClassVar[str] = "AWS Rekognition"
    checks: ClassVar[frozenset[Check]] = frozenset({"visual", "age", "celebrity"})
    grown_up: ClassVar[bool] = True

    def __init__(self, settings: Settings, compute: Compute) -> None:
        self._settings = settings
        secret = settings.aws_secret_access_key
        self._failing = Failing(self.name, self.label, "AWS_ACCESS_KEY_ID", secret.get_secret_value() if secret else "")
        self._client: Any = None
        self._lock = threading.Lock()

    def missing(self) -> str | None:
        has = self._settings.aws_access_key_id and self._settings.aws_secret_access_key
        return None if has else "AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY"

    def check(self, check: Check, pictures: Sequence[Path]) -> Answer:
        read = {"visual": self._labels, "age": self._ages, "celebrity": self._celebrities}[check]
        found = [read(picture.read_bytes()) for picture in pictures]
        told = [one for one in found if one is not None]
        return Answer(worst(told), known=bool(told), cost_micros=self.price(check, len(pictures)))

    def price(self, check: Check, pictures: int) -> int:
        return PRICE_MICROS * pictures

    def close(self) -> None:
        with self._lock:
            client, self._client = self._client, None
        if client is not None:
            client.close()

    # --- The three questions --------------------------------------------------------------------

    def _labels(self, picture: bytes) -> dict[Label, float]:
        reply = self._ask("detect_moderation_labels", Image={"Bytes": picture}, MinConfidence=LEAST_CONFIDENCE)
        if not isinstance(reply.get("ModerationModelVersion", ""), str):
            raise self._unreadable()  # whoever garbles this may have garbled an empty list too
        said: list[dict[Label, float]] = [{"nudity": 0.0}]
        for one in self._listed(reply, "ModerationLabels"):
            label = LABELS.get(str(one.get("Name"))) or LABELS.get(str(one.get("ParentName")))
            if label is not None:
                said.append({label: self._number(one, "Confidence") / 100})
        return worst(said)

    def _ages(self, picture: bytes) -> dict[Label, float] | None:
        """None where no face was found: that is no sign of an adult."""
        faces = self._listed(
            self._ask("detect_faces", Image={"Bytes": picture}, Attributes=["AGE_RANGE"]), "FaceDetails"
        )
        said: list[dict[Label, float]] = []
        for face in faces:
            ages = face.get("AgeRange")
            if isinstance(ages, Mapping):
                low, high = self._number(ages, "Low"), self._number(ages, "High")
                said.append({"minor": _share_below(low, high)})
        return worst(said) if said else None

    def _celebrities(self, picture: bytes) -> dict[Label, float]:
        faces = self._listed(self._ask("recognize_celebrities", Image={"Bytes": picture}), "CelebrityFaces")
        return worst(
            [{"celebrity": 0.0}, *({"celebrity": self._number(one, "MatchConfidence") / 100} for one in faces)]
        )

    # --- The wire -------------------------------------------------------------------------------

    def _ask(self, action: str, **body: Any) -> dict[str, Any]:
        from botocore.exceptions import BotoCoreError, ClientError

        call: Callable[..., Any] = getattr(self._sdk(), action)
        try:
            reply = _within(self._settings.provider_timeout_s, lambda: call(**body))
        except ClientError as error:
            told = error.response.get("Error", {})
            code = str(told.get("Code"))
            raise self._failing.failure(_kind(code), f"{code}: {told.get('Message', '')}") from None
        except TimeoutError:
            raise self._failing.failure("transient", "no answer in time", charged=True) from None
        except (BotoCoreError, ValueError, TypeError, KeyError, AttributeError) as error:
            # botocore's parser raises what a body of another shape leads it to.
            raise self._failing.failure("transient", f"{type(error).__name__}: {error}", charged=True) from None
        if not isinstance(reply, dict):
            raise self._unreadable()
        return reply

    def _listed(self, reply: Mapping[str, Any], name: str) -> list[Mapping[str, Any]]:
        found = reply.get(name)
        if not isinstance(found, list) or not all(isinstance(one, Mapping) for one in found):
            raise self._unreadable()
        return found

    def _number(self, one: Mapping[str, Any], name: str) -> float:
        value = one.get(name)
        if isinstance(value, bool) or not isinstance(value, (int, float)):
            raise self._unreadable()
        return float(value)

    def _unreadable(self) -> ProviderFailure:
        return self._failing.failure("transient", "its answer has no verdict in it", charged=True)

    def _sdk(self) -> Any:
        import boto3
        from botocore.config import Config

        settings = self._settings
        token = settings.aws_session_token
        with self._lock:
            if self._client is None:
                assert settings.aws_access_key_id is not None and settings.aws_secret_access_key is not None
                self._client = boto3.session.Session(
                    aws_access_key_id=settings.aws_access_key_id.get_secret_value(),
                    aws_secret_access_key=settings.aws_secret_access_key.get_secret_value(),
                    aws_session_token=token.get_secret_value() if token else None,
                    region_name=settings.aws_region,
                ).client(
                    "rekognition",
                    endpoint_url=settings.aws_endpoint_url,
                    config=Config(
                        connect_timeout=CONNECT_S,
                        read_timeout=settings.provider_timeout_s,
                        retries={"total_max_attempts": 1},
                    ),
                )
            return self._client


def _share_below(low: float, high: float) -> float:
    """How much of an age range is under age."""
    if high < ADULT:
        return 1.0
    return 0.0 if low >= ADULT else (ADULT - low) / (high - low + 1)


def _kind(code: str) -> FailureKind:
    if code in _THROTTLED:
        return "rate_limit"
    if code.startswith(_AUTH):
        return "auth"
    return "invalid_input" if code.startswith(_INVALID) else "transient"


def _within(seconds: float, call: Callable[[], Any]) -> Any:
    """What `call` returns or raises; TimeoutError when that takes longer. It is left behind then."""
    future: Future[Any] = Future()

    def work() -> None:
        try:
            future.set_result(call())
        except BaseException as error:
            future.set_exception(error)

    threading.Thread(target=work, daemon=True, name="rekognition").start()
    return future.result(seconds)
