"""AWS Rekognition: moderation labels, age ranges and celebrities, through boto3.

Hides its taxonomy, and that a face's age is a range.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, ClassVar

from pipeline.providers import aws
from pipeline.providers.chat import Failing
from pipeline.providers.failures import ProviderFailure
from pipeline.providers.moderators import Answer, Check, Compute, Label, worst
from pipeline.settings import Settings

PRICE_MICROS = 1_000  # a picture, for each question
ADULT = 18
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


class Rekognition:
    name: ClassVar[str] = "rekognition"
    label: ClassVar[str] = "AWS Rekognition"
    checks: ClassVar[frozenset[Check]] = frozenset({"visual", "age", "celebrity"})
    grown_up: ClassVar[bool] = True

    def __init__(self, settings: Settings, compute: Compute) -> None:
        self._settings = settings
        secret = settings.aws_secret_access_key
        self._failing = Failing(self.name, self.label, "AWS_ACCESS_KEY_ID", secret.get_secret_value() if secret else "")
        self._service = aws.Service(settings, "rekognition", self._failing, timeout_s=settings.provider_timeout_s)

    def missing(self) -> str | None:
        return aws.missing(self._settings)

    def check(self, check: Check, pictures: Sequence[Path]) -> Answer:
        read = {"visual": self._labels, "age": self._ages, "celebrity": self._celebrities}[check]
        found = [read(picture.read_bytes()) for picture in pictures]
        told = [one for one in found if one is not None]
        return Answer(worst(told), known=bool(told), cost_micros=self.price(check, len(pictures)))

    def price(self, check: Check, pictures: int) -> int:
        return PRICE_MICROS * pictures

    def close(self) -> None:
        self._service.close()

    # --- The three questions --------------------------------------------------------------------

    def _labels(self, picture: bytes) -> dict[Label, float]:
        reply = self._service.ask("detect_moderation_labels", Image={"Bytes": picture}, MinConfidence=LEAST_CONFIDENCE)
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
            self._service.ask("detect_faces", Image={"Bytes": picture}, Attributes=["AGE_RANGE"]), "FaceDetails"
        )
        said: list[dict[Label, float]] = []
        for face in faces:
            ages = face.get("AgeRange")
            if isinstance(ages, Mapping):
                low, high = self._number(ages, "Low"), self._number(ages, "High")
                said.append({"minor": _share_below(low, high)})
        return worst(said) if said else None

    def _celebrities(self, picture: bytes) -> dict[Label, float]:
        faces = self._listed(self._service.ask("recognize_celebrities", Image={"Bytes": picture}), "CelebrityFaces")
        return worst(
            [{"celebrity": 0.0}, *({"celebrity": self._number(one, "MatchConfidence") / 100} for one in faces)]
        )

    # --- The wire -------------------------------------------------------------------------------

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


def _share_below(low: float, high: float) -> float:
    """How much of an age range is under age."""
    if high < ADULT:
        return 1.0
    return 0.0 if low >= ADULT else (ADULT - low) / (high - low + 1)
