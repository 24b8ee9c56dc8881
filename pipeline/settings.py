"""What an operator can set, and the only place that reads the environment.

Hides where a value comes from: the environment wins over `.env` in the working directory, which wins over `.env` in
the project's folder, which wins over the default; ENV_FILE names one file to read in place of the two. A blank value
counts as not set. Secrets are `SecretStr`, so they appear in no repr, log or traceback.
"""

from __future__ import annotations

import math
import os
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated, Any

from pydantic import (
    AfterValidator,
    BeforeValidator,
    Field,
    SecretStr,
    ValidationError,
    field_validator,
    model_validator,
)
from pydantic_settings import BaseSettings, NoDecode, SettingsConfigDict

from pipeline.errors import InvalidInput

PROJECT_FOLDER = Path(__file__).resolve().parent.parent


def _web_address(value: str) -> str:
    if not value.startswith(("http://", "https://")):
        raise ValueError("it has to begin with http:// or https://")
    return value.rstrip("/")


def _model_prices(value: object) -> object:
    """`name=read/written, …` in dollars per million tokens, as {name: (read, written)}."""
    if not isinstance(value, str):
        return value
    found: dict[str, tuple[float, float]] = {}
    for part in filter(None, (one.strip() for one in value.split(","))):
        name, _, price = part.rpartition("=")
        try:
            asked, told = (float(one) for one in price.split("/"))
        except ValueError:
            asked = told = math.nan
        if not name.strip() or not (0 <= asked <= DEAREST and 0 <= told <= DEAREST):
            raise ValueError("it has to be name=dollars/dollars (a million tokens read/written), with commas between")
        found[name.strip()] = (asked, told)
    return found


DEAREST = 1_000.0  # dollars per million tokens
ModelPrices = Annotated[dict[str, tuple[float, float]], NoDecode, BeforeValidator(_model_prices)]
WebAddress = Annotated[str, AfterValidator(_web_address)]


def usable_cores() -> int:
    """How many cores this process may use: CPU affinity and, in a container, its CPU quota (rounded up)."""
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else (os.cpu_count() or 1)
    try:
        quota, period = Path("/sys/fs/cgroup/cpu.max").read_text().split()
        return max(1, min(cores, math.ceil(int(quota) / int(period))))
    except (OSError, ValueError):  # no such file, or "max": no quota
        return max(1, cores)


class Settings(BaseSettings):
    """One field per setting; its name in upper case is the variable's. `.env.example` explains each."""

    model_config = SettingsConfigDict(
        env_file_encoding="utf-8",
        env_ignore_empty=True,
        extra="ignore",
        frozen=True,
        str_strip_whitespace=True,
    )

    # The server and its data
    host: str = "127.0.0.1"
    port: int = Field(8000, ge=0, le=65535)
    data_dir: Path = Path("data")
    app_passphrase: SecretStr | None = None
    hermes_token: SecretStr | None = None
    hermes_callbacks_private: bool = False
    inference_token: SecretStr | None = None
    public_url: WebAddress | None = None
    trusted_proxy: str | None = None
    inference_url: WebAddress | None = None

    # Limits
    max_concurrent_videos: int = Field(3, ge=1, le=64)
    moderation_checkers: str = "rekognition,openai,vision,bundled"
    max_story_words: int = Field(30_000, ge=1)
    spend_cap_cents: int | None = Field(None, ge=0)
    engine_workers: int = Field(default_factory=usable_cores, ge=1, le=256)
    provider_timeout_s: float = Field(60, gt=0, le=600)

    # Other builds of ffmpeg and ffprobe than the packaged ones
    ffmpeg_bin: Path | None = None
    ffprobe_bin: Path | None = None

    # Keys
    openrouter_api_key: SecretStr | None = None
    anthropic_api_key: SecretStr | None = None
    openai_api_key: SecretStr | None = None
    openai_compatible_api_key: SecretStr | None = None
    replicate_api_token: SecretStr | None = None
    fal_key: SecretStr | None = None
    fal_admin_key: SecretStr | None = None
    wavespeed_api_key: SecretStr | None = None
    atlascloud_api_key: SecretStr | None = None
    runpod_api_key: SecretStr | None = None
    runpod_endpoint_id: str | None = None
    aws_access_key_id: SecretStr | None = None
    aws_secret_access_key: SecretStr | None = None
    aws_session_token: SecretStr | None = None
    aws_region: str = "us-east-1"

    # Models (not set: the catalogue's own choice)
    openrouter_model: str | None = None
    anthropic_model: str | None = None
    openai_compatible_model: str | None = None
    vision_model: str | None = None
    model_prices: ModelPrices | None = None

    # Base URLs. Replicate's and Anthropic's packages add /v1 themselves.
    openrouter_base_url: WebAddress = "https://openrouter.ai/api/v1"
    anthropic_base_url: WebAddress = "https://api.anthropic.com"
    openai_base_url: WebAddress = "https://api.openai.com/v1"
    openai_compatible_base_url: WebAddress | None = None
    replicate_base_url: WebAddress = "https://api.replicate.com"
    fal_queue_base_url: WebAddress = "https://queue.fal.run"
    fal_run_base_url: WebAddress = "https://fal.run"
    fal_rest_base_url: WebAddress = "https://rest.fal.ai"
    fal_cdn_base_url: WebAddress = "https://v3.fal.media"
    fal_api_base_url: WebAddress = "https://api.fal.ai/v1"
    wavespeed_base_url: WebAddress = "https://api.wavespeed.ai/api/v3"
    atlascloud_base_url: WebAddress = "https://api.atlascloud.ai/api/v1"
    runpod_base_url: WebAddress = "https://api.runpod.ai/v2"
    aws_endpoint_url: WebAddress | None = None

    @model_validator(mode="before")
    @classmethod
    def _blank_is_unset(cls, values: dict[str, Any]) -> dict[str, Any]:
        return {name: value for name, value in values.items() if not (isinstance(value, str) and not value.strip())}

    @property
    def own_voices(self) -> Path:
        """Where the user puts voice files."""
        return self.data_dir / "voices"

    @field_validator("data_dir", "ffmpeg_bin", "ffprobe_bin")
    @classmethod
    def _absolute(cls, path: Path | None) -> Path | None:
        if path is None:
            return None
        try:
            return Path.cwd() / path.expanduser()
        except RuntimeError:  # ~nobody; pydantic only collects ValueError
            raise ValueError("the user after ~ is not known") from None


def load_settings(*, env_files: Sequence[Path] | None = None, **overrides: Any) -> Settings:
    """The settings for this process. `overrides` (field names; None means not given) win over everything.

    `env_files`: read these instead of the usual `.env` files, the last one winning. Raises InvalidInput, whose `field`
    is the variable's name; the message never repeats the value, which may be a key.
    """
    files = _usual_env_files() if env_files is None else env_files
    given = {name: value for name, value in overrides.items() if value is not None}
    unknown = sorted(given.keys() - Settings.model_fields.keys())
    if unknown:
        raise TypeError(f"no such setting: {', '.join(unknown)}")
    try:
        return Settings(_env_file=tuple(files), **given)
    except ValidationError as error:
        raise _unusable(error) from None
    except (OSError, UnicodeDecodeError) as error:
        raise InvalidInput(
            f"The settings file .env cannot be read: {type(error).__name__}.",
            hint="It has to be a readable text file in UTF-8; .env.example shows its form.",
            field=".env",
        ) from None


def _usual_env_files() -> Sequence[Path]:
    named = os.environ.get("ENV_FILE", "").strip()
    if not named:
        return [PROJECT_FOLDER / ".env", Path.cwd() / ".env"]
    if not Path(named).exists():  # pydantic-settings would pass over it, and with it over every key in it
        raise InvalidInput(
            f"The settings file {named} does not exist.",
            hint="Correct ENV_FILE, or unset it to read .env.",
            field="ENV_FILE",
        )
    return [Path(named)]


def _unusable(error: ValidationError) -> InvalidInput:
    problems = [(str(item["loc"][0]).upper(), item["msg"]) for item in error.errors(include_input=False)]
    said = "; ".join(f"{name}: {message.removeprefix('Value error, ')}" for name, message in problems)
    return InvalidInput(
        f"A setting cannot be used. {said}.",
        hint="Correct it in the environment or in .env; .env.example explains each setting.",
        field=problems[0][0],
    )
