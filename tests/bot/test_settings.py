"""Settings come from one place, and every problem is told at once."""

import re
from pathlib import Path

import pytest
from pydantic import SecretStr

from bot.settings import Settings, SettingsMissing, SettingsWrong, load_settings

ROOT = Path(__file__).parent.parent.parent


@pytest.fixture(autouse=True)
def _clean(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.chdir(tmp_path)
    for name in list(Settings.model_fields):
        monkeypatch.delenv(f"FINETONE_{name.upper()}", raising=False)


def test_nothing_needs_to_be_set():
    settings = load_settings()
    assert settings.is_embedded
    assert settings.is_sqlite
    assert settings.store_url.endswith("/data/app.sqlite")


def test_every_missing_setting_is_named_in_one_error():
    with pytest.raises(
        SettingsMissing, match=r"FINETONE_API_KEY, FINETONE_BASE_MODEL are not set\. Copy \.env\.example"
    ):
        load_settings(provider="openai")


def test_every_wrong_value_is_named_in_one_error(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("FINETONE_CONSOLE_PORT", "99999")
    monkeypatch.setenv("FINETONE_MARGIN", "lots")
    with pytest.raises(SettingsWrong) as wrong:
        load_settings()
    assert "FINETONE_CONSOLE_PORT is '99999'" in str(wrong.value)
    assert "FINETONE_MARGIN is 'lots'" in str(wrong.value)


@pytest.mark.parametrize("host", ["0.0.0.0", "192.168.1.5"])
def test_the_console_is_not_offered_to_the_network(host: str):
    with pytest.raises(SettingsWrong, match="SSH tunnel"):
        load_settings(console_host=host)


def test_an_unknown_database_is_refused_with_the_two_that_work():
    with pytest.raises(SettingsWrong, match=r"begins with 'mysql'.*postgresql\+psycopg"):
        load_settings(database_url="mysql://x")


def test_an_env_file_is_read_and_an_empty_line_in_it_is_the_default(tmp_path: Path):
    (tmp_path / ".env").write_text("FINETONE_VOICE_NAME=puffin\nFINETONE_CONSOLE_PORT=\n")
    settings = load_settings()
    assert (settings.voice_name, settings.console_port) == ("puffin", 8321)


def test_a_key_never_shows_in_print():
    assert "sk-secret" not in repr(load_settings(provider="openai", api_key="sk-secret", base_model="m"))


def test_the_example_file_names_every_setting_with_its_default():
    example = (ROOT / ".env.example").read_text()
    named = dict(re.findall(r"^# FINETONE_([A-Z_]+)=(.*)$", example, re.MULTILINE))
    assert set(named) == {name.upper() for name in Settings.model_fields}
    for name, field in Settings.model_fields.items():
        default = field.get_default(call_default_factory=True, validated_data={})
        default = default.get_secret_value() if isinstance(default, SecretStr) else default
        shown = (
            {True: "true", False: "false", None: ""}.get(default, default)
            if isinstance(default, bool | None)
            else default
        )
        assert named[name.upper()] == (f"{shown:g}" if isinstance(shown, float) else str(shown)), name


def test_a_schedule_and_a_time_zone_that_are_none_are_both_named():
    with pytest.raises(SettingsWrong) as refused:
        load_settings(time_zone="Berlin", retrain_schedule="nightly")
    assert "FINETONE_TIME_ZONE is 'Berlin', which is no time zone" in str(refused.value)
    assert "FINETONE_RETRAIN_SCHEDULE: 'nightly' is no schedule" in str(refused.value)


def test_off_topic_questions_belong_to_what_is_built_as_served():
    with pytest.raises(SettingsWrong, match=r"FINETONE_OFF_TOPIC is 0.2, and FINETONE_AS_SERVED is false"):
        load_settings(off_topic=0.2, as_served=False)
    assert load_settings(off_topic=0.2).off_topic == 0.2


def test_a_short_prompt_is_needed_to_be_trained_with():
    with pytest.raises(SettingsMissing, match="FINETONE_BAKE_PROMPT is true, but FINETONE_SHORT_PROMPT is not set"):
        load_settings(bake_prompt=True)
