"""`finetone migrate`: where it goes, by the settings, before anything is spent."""

from typing import Any

import pytest
from pydantic import SecretStr

from bot.migrate_cli import settings_there
from bot.settings import Settings, SettingsMissing, SettingsWrong


def settings(**chosen: Any) -> Settings:
    return Settings(_env_file=None, **chosen)  # type: ignore[call-arg]


HOSTED: dict[str, Any] = {"provider": "openai", "api_key": SecretStr("sk-1"), "base_model": "gpt-4.1-mini"}


def test_another_base_of_the_same_vendor_is_reached_as_the_first_is():
    there = settings_there(settings(**HOSTED), "", "gpt-4.1")
    assert (there.provider, there.base_model, there.api_key.get_secret_value()) == ("openai", "gpt-4.1", "sk-1")


def test_another_vendor_gets_its_own_key_and_never_the_first_ones():
    with pytest.raises(SettingsMissing, match="FINETONE_MIGRATE_KEY is not set, and nebius needs it"):
        settings_there(settings(**HOSTED), "nebius", "llama")
    there = settings_there(settings(**HOSTED, migrate_key=SecretStr("neb-1")), "nebius", "llama")
    assert (there.provider, there.api_key.get_secret_value(), there.api_url) == ("nebius", "neb-1", "")


def test_home_again_needs_no_key():
    there = settings_there(settings(**HOSTED), "tuner", "smollm2-135m-instruct")
    assert there.is_embedded
    assert there.api_key.get_secret_value() == ""


@pytest.mark.parametrize(
    ("provider", "error", "said"),
    [
        ("mistral", SettingsWrong, "--provider is 'mistral': choose one of tuner, openai, azure"),
        ("azure", SettingsMissing, "FINETONE_MIGRATE_KEY, FINETONE_MIGRATE_URL are not set"),
    ],
)
def test_what_is_missing_or_unknown_is_named(provider: str, error: type[Exception], said: str):
    with pytest.raises(error, match=said):
        settings_there(settings(), provider, "b")
