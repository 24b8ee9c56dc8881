"""Settings: where values come from, what is refused, and that no secret is ever shown."""

from __future__ import annotations

from pathlib import Path

import pytest
from dotenv import dotenv_values
from hypothesis import given
from hypothesis import strategies as st
from pydantic import SecretStr

from pipeline.errors import InvalidInput
from pipeline.settings import Settings, load_settings, usable_cores

EXAMPLE = Path(__file__).parent.parent / ".env.example"


def env_file(folder: Path, text: str) -> Path:
    path = folder / "settings.env"
    path.write_text(text, encoding="utf-8")
    return path


def test_the_example_file_and_the_class_name_the_same_settings() -> None:
    assert set(dotenv_values(EXAMPLE)) == {name.upper() for name in Settings.model_fields}


def test_the_values_in_the_example_file_are_the_defaults() -> None:
    assert load_settings(env_files=[EXAMPLE]) == load_settings(env_files=[])


def test_every_blank_in_the_example_file_is_a_setting_without_a_fixed_default() -> None:
    plain = load_settings(env_files=[])
    blank = {name.lower() for name, value in dotenv_values(EXAMPLE).items() if not value}
    assert blank == {name for name in Settings.model_fields if getattr(plain, name) is None} | {"engine_workers"}


def test_the_names_and_defaults_that_operators_rely_on() -> None:
    plain = load_settings(env_files=[])
    assert (plain.host, plain.port, plain.data_dir) == ("127.0.0.1", 8000, Path.cwd() / "data")
    assert (plain.max_concurrent_videos, plain.max_story_words, plain.spend_cap_cents) == (3, 30_000, None)
    assert plain.engine_workers == usable_cores() >= 1


def test_the_environment_wins_over_the_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PORT", "9001")
    files = [env_file(tmp_path, "PORT=9002\nHOST=0.0.0.0\n")]
    assert (load_settings(env_files=files).port, load_settings(env_files=files).host) == (9001, "0.0.0.0")


def test_what_the_caller_gives_wins_over_all_and_none_means_not_given(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PORT", "9001")
    assert load_settings(env_files=[], port=9003).port == 9003
    assert load_settings(env_files=[], port=None).port == 9001


def test_the_env_file_of_the_working_directory_is_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("ENV_FILE")
    (tmp_path / ".env").write_text("PORT=9004\nDATA_DIR=films\nUNRELATED=1\n", encoding="utf-8")
    monkeypatch.chdir(tmp_path)
    settings = load_settings()
    assert (settings.port, settings.data_dir) == (9004, tmp_path / "films")


def test_another_file_can_be_named_in_place_of_env(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / ".env").write_text("PORT=9004\n", encoding="utf-8")
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("ENV_FILE", str(env_file(tmp_path, "PORT=9006\n")))
    assert load_settings().port == 9006
    monkeypatch.setenv("ENV_FILE", str(tmp_path / "gone"))
    with pytest.raises(InvalidInput, match="gone does not exist"):
        load_settings()


@pytest.mark.parametrize("blank", ["", "   "])
def test_a_blank_value_counts_as_not_set(blank: str, monkeypatch: pytest.MonkeyPatch) -> None:
    plain = load_settings(env_files=[])
    for name in Settings.model_fields:
        monkeypatch.setenv(name.upper(), blank)
    assert load_settings(env_files=[]) == plain


def test_a_blank_variable_leaves_the_files_value(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PORT", "")
    assert load_settings(env_files=[env_file(tmp_path, "PORT=9005\n")]).port == 9005


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("PORT", "eighty"),
        ("PORT", "70000"),
        ("MAX_CONCURRENT_VIDEOS", "0"),
        ("MAX_STORY_WORDS", "-1"),
        ("SPEND_CAP_CENTS", "1.5"),
        ("PUBLIC_URL", "films.example.org"),
        ("REPLICATE_BASE_URL", "ftp://example.org"),
        ("DATA_DIR", "~nobody-of-that-name/data"),
    ],
)
def test_a_bad_value_is_refused_by_name(name: str, value: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(name, value)
    with pytest.raises(InvalidInput) as refused:
        load_settings(env_files=[])
    assert refused.value.field == name
    assert name in refused.value.detail
    assert ".env" in refused.value.hint
    assert value not in refused.value.sentence


def test_a_file_that_is_no_text_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "settings.env"
    path.write_bytes(b"PORT=\xff\xfe\x00\n")
    with pytest.raises(InvalidInput, match=r"\.env cannot be read"):
        load_settings(env_files=[path])


def test_an_override_that_is_no_setting_is_a_programming_error() -> None:
    with pytest.raises(TypeError, match="colour"):
        load_settings(env_files=[], colour="red")


SECRETS = sorted(name for name, field in Settings.model_fields.items() if "SecretStr" in str(field.annotation))


def test_everything_that_sounds_secret_is_one() -> None:
    sounds = ("_key", "_token", "passphrase", "secret", "_key_id")
    assert sorted(name for name in Settings.model_fields if name.endswith(sounds) or "secret" in name) == SECRETS


@given(st.text(alphabet=st.characters(min_codepoint=33, max_codepoint=126), min_size=1).map(lambda text: f"§{text}"))
def test_a_secret_is_in_no_repr_and_no_dump(secret: str) -> None:
    settings = load_settings(env_files=[], **dict.fromkeys(SECRETS, secret))
    for shown in (repr(settings), str(settings), str(settings.model_dump()), settings.model_dump_json()):
        assert secret not in shown
    held = settings.fal_key
    assert isinstance(held, SecretStr) and held.get_secret_value() == secret


def test_web_addresses_lose_their_last_slash() -> None:
    assert (
        load_settings(env_files=[], public_url="https://films.example.org/").public_url == "https://films.example.org"
    )
