"""Amazon's services through boto3: one way to ask them, and what they tell of the key.

Hides that boto3 knows limits per read only, and that its parsers raise whatever a body of another shape leads them to.
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from concurrent.futures import Future
from typing import Any, ClassVar

from pipeline.providers import INQUIRY_S, Account
from pipeline.providers.chat import Failing
from pipeline.providers.failures import FailureKind
from pipeline.settings import Settings

MISSING = "AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY"
CONNECT_S = 10.0
_THROTTLED = ("Throttling", "ProvisionedThroughputExceeded", "LimitExceeded")
_AUTH = (
    "UnrecognizedClient", "InvalidSignature", "AccessDenied", "ExpiredToken", "InvalidClientTokenId",
    "SignatureDoesNotMatch", "IncompleteSignature", "MissingAuthenticationToken", "OptInRequired", "401", "403",
)  # fmt: skip
_INVALID = ("ImageTooLarge", "InvalidImageFormat", "InvalidParameter", "ValidationException", "InvalidS3Object")


def missing(settings: Settings) -> str | None:
    """The settings without which nothing can be asked; None: they are there."""
    return None if settings.aws_access_key_id and settings.aws_secret_access_key else MISSING


class Service:
    """A service of the account whose key is set (`rekognition`, `sts`). Safe for any number of threads."""

    def __init__(self, settings: Settings, service: str, failing: Failing, *, timeout_s: float) -> None:
        self._settings = settings
        self._service = service
        self._failing = failing
        self._timeout_s = timeout_s
        self._client: Any = None
        self._lock = threading.Lock()

    def ask(self, action: str, **body: Any) -> dict[str, Any]:
        """One request, never repeated. Raises ProviderFailure; `accepted` there: it had left, and may be charged."""
        from botocore.exceptions import BotoCoreError, ClientError
        from botocore.parsers import ResponseParserError

        call: Callable[..., Any] = getattr(self._sdk(), action)
        try:
            reply = _within(self._timeout_s, lambda: call(**body), self._service)
        except ClientError as error:
            told = error.response.get("Error", {})
            code = str(told.get("Code"))
            raise self._failing.failure(_kind(code), f"{code}: {told.get('Message', '')}") from None
        except TimeoutError:
            raise self._failing.failure("transient", "no answer in time", charged=True) from None
        except (BotoCoreError, ResponseParserError, ValueError, TypeError, KeyError, AttributeError) as error:
            raise self._failing.failure("transient", f"{type(error).__name__}: {error}", charged=True) from None
        if not isinstance(reply, dict):
            raise self._failing.failure("transient", "its answer cannot be read", charged=True)
        return reply

    def close(self) -> None:
        with self._lock:
            client, self._client = self._client, None
        if client is not None:
            client.close()

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
                    self._service,
                    endpoint_url=settings.aws_endpoint_url,
                    config=Config(
                        connect_timeout=CONNECT_S,
                        read_timeout=self._timeout_s,
                        retries={"total_max_attempts": 1},
                    ),
                )
            return self._client


class Aws:
    """The account behind the key, as STS tells it: every key may ask that, whatever else it may do."""

    name: ClassVar[str] = "aws"
    label: ClassVar[str] = "AWS"
    key_setting: ClassVar[str] = "aws_access_key_id"

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        secret = settings.aws_secret_access_key
        self._failing = Failing(self.name, self.label, MISSING, secret.get_secret_value() if secret else "")

    def missing(self) -> str | None:
        return missing(self._settings)

    def account(self) -> Account:
        """Whose key it is. Costs nothing. Raises ProviderFailure."""
        service = Service(self._settings, "sts", self._failing, timeout_s=INQUIRY_S)
        try:
            told = service.ask("get_caller_identity")
        finally:
            service.close()
        number, arn = told.get("Account"), told.get("Arn")
        if not isinstance(arn, str) or not arn.startswith("arn:") or not str(number).isdigit():
            raise self._failing.failure("transient", "its answer names no account")
        return Account(f"{arn.rpartition(':')[2][:80]} of account {number}", note=self._note())

    def _note(self) -> str:
        said = "AWS takes the key and tells no balance; whether it may use Rekognition shows with the first check."
        asked = "rekognition" in self._settings.moderation_checkers.lower()
        return said if asked else f"{said} MODERATION_CHECKERS does not name rekognition, so it is not asked."


def _kind(code: str) -> FailureKind:
    if code.startswith(_THROTTLED):
        return "rate_limit"
    if code.startswith(_AUTH):
        return "auth"
    return "invalid_input" if code.startswith(_INVALID) else "transient"


def _within(seconds: float, call: Callable[[], Any], name: str) -> Any:
    """What `call` returns or raises; TimeoutError when that takes longer. It is left behind then."""
    future: Future[Any] = Future()

    def work() -> None:
        try:
            future.set_result(call())
        except BaseException as error:
            future.set_exception(error)

    threading.Thread(target=work, daemon=True, name=name).start()
    return future.result(seconds)
