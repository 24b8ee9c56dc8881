"""The providers' packages cost a second to load, so a process loads each with its first request."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

LOADED = """
import sys
from pipeline.providers import ADAPTERS, CHAT_ADAPTERS, load_adapter, load_chat_adapter
from pipeline.settings import load_settings

settings = load_settings(env_files=[], replicate_api_token="r8_x", fal_key="a:b", openai_api_key="x")
for name in ADAPTERS:
    if name != "local":
        adapter = load_adapter(name, settings)
        adapter.ready("image"), adapter.models(), adapter.voices("en"), adapter.base_urls()
for name in CHAT_ADAPTERS:
    load_chat_adapter(name, settings).ready()
print(sorted({"replicate", "fal_client", "openai", "anthropic", "cryptography"} & sys.modules.keys()))
"""


def test_asking_what_a_provider_can_do_loads_no_package() -> None:
    root = Path(__file__).resolve().parents[2]
    told = subprocess.run([sys.executable, "-c", LOADED], cwd=root, capture_output=True, text=True, timeout=60)
    assert told.stdout.strip() == "[]", told.stdout + told.stderr
