"""The manifest: well formed, and not one permission more than something uses.

Slack's own manifest schema is published without a licence, so what validates here is a schema of ours of the same facts.
"""

import json
import re
from pathlib import Path
from typing import Any

import jsonschema
import pytest
from typer.testing import CliRunner

from bot.cli import app
from bot.settings import SettingsWrong
from bot.slack_app.manifest import EVENTS, OPTIONAL, SCOPES, SHORTCUTS, bot_scopes, left_out, manifest

HERE = Path(__file__).parent
APP = HERE.parent.parent.parent / "bot" / "slack_app"
SCHEMA = json.loads((HERE / "manifest.schema.json").read_text())
URL = "https://bot.example.com"

# What a Web API method needs, any one of a set (docs.slack.dev/reference/methods, read 2026-11-21); an empty set: any token.
NEEDED_BY_METHOD: dict[str, set[str]] = {
    "agents.sessions.setStatus": {"chat:write"},
    "apps.connections.open": set(),  # the app token, which has a scope of its own
    "assistant.threads.setStatus": {"assistant:write", "chat:write"},
    "assistant.threads.setSuggestedPrompts": {"assistant:write"},
    "auth.test": set(),
    "chat.appendStream": {"chat:write"},
    "chat.delete": {"chat:write"},
    "chat.getPermalink": set(),
    "chat.postEphemeral": {"chat:write"},
    "chat.postMessage": {"chat:write"},
    "chat.startStream": {"chat:write"},
    "chat.stopStream": {"chat:write"},
    "chat.update": {"chat:write"},
    "conversations.history": {"channels:history", "groups:history", "im:history"},
    "conversations.info": {"channels:read", "groups:read", "im:read", "mpim:read"},
    "conversations.open": {"im:write"},
    "conversations.replies": {"channels:history", "groups:history", "im:history"},
    "files.upload.v2": {"files:write"},  # slack_sdk's: files.getUploadURLExternal, then files.completeUploadExternal
    "reactions.add": {"reactions:write"},
    "reactions.remove": {"reactions:write"},
    "usergroups.list": {"usergroups:read"},
    "usergroups.users.list": {"usergroups:read"},
    "users.info": {"users:read"},
    "views.open": set(),
    "views.publish": set(),
    "views.update": set(),
}
# What an event needs, every one of a set (docs.slack.dev/reference/events, read 2026-11-21).
NEEDED_BY_EVENT: dict[str, set[str]] = {
    "agent_session_stopped": set(),
    "app_home_opened": set(),
    "app_mention": {"app_mentions:read"},
    "app_uninstalled": set(),
    "member_joined_channel": {"channels:read", "groups:read"},
    "message.channels": {"channels:history"},
    "message.groups": {"groups:history"},
    "message.im": {"im:history"},
    "reaction_added": {"reactions:read"},
    "reaction_removed": {"reactions:read"},
    "subteam_members_changed": {"usergroups:read"},
    "tokens_revoked": set(),
}
COMMANDS_AND_SHORTCUTS = {"commands"}


def methods_called() -> set[str]:
    """Every Web API method in the source of the app: `client.chat_postMessage(` is chat.postMessage."""
    source = "\n".join(file.read_text() for file in APP.glob("*.py"))
    names = {name.lower(): name for name in NEEDED_BY_METHOD}
    found = set(
        re.findall(
            r"\.((?:apps|assistant|agents|auth|chat|conversations|files|reactions|usergroups|users|views)_\w+)\(",
            source,
        )
    )
    return {names.get(call.replace("_", ".").lower(), call) for call in found}


def test_every_method_the_app_calls_is_known_and_allowed():
    called = methods_called()
    assert called >= {"chat.postMessage", "views.publish", "users.info", "auth.test"}
    for method in sorted(called):
        assert method in NEEDED_BY_METHOD, f"say which scope {method} needs"
        needed = NEEDED_BY_METHOD[method]
        assert not needed or needed & set(SCOPES), f"{method} needs one of {sorted(needed)}"


def test_every_event_is_allowed():
    for event in EVENTS:
        assert NEEDED_BY_EVENT[event] <= set(SCOPES), event


def test_every_event_is_done_something_about():
    """One that is subscribed to and dropped costs everybody: a stop button that stops nothing is worse than none."""
    source = (APP / "app.py").read_text()
    for event in EVENTS:
        assert f'"{event.split(".")[0]}"' in source, event


def test_no_scope_is_asked_for_that_nothing_uses():
    by_methods = {scope for method in methods_called() for scope in NEEDED_BY_METHOD[method]}
    by_events = {scope for event in EVENTS for scope in NEEDED_BY_EVENT[event]}
    assert set(SCOPES) - by_methods - by_events == COMMANDS_AND_SHORTCUTS
    # Of the scopes that only one of several methods' alternatives asks for, those stay that an event needs as well.
    only_alternatives = {"im:read", "mpim:read"}
    assert not only_alternatives & set(SCOPES)


def test_every_shortcut_of_the_manifest_does_something_and_every_one_that_does_is_in_it():
    from bot.slack_app.presses import SHORTCUTS as DONE

    assert {callback for callback, _, _ in SHORTCUTS} == DONE


@pytest.mark.parametrize(
    "made",
    [
        manifest("Finetone"),
        manifest("Finetone", events_url=f"{URL}/slack/events", redirect_urls=(f"{URL}/slack/oauth_redirect",)),
        manifest(
            "A name that is much longer than the thirty-five characters Slack allows, or even than eighty of them"
        ),
    ],
    ids=["socket mode", "http", "long name"],
)
def test_the_manifest_is_well_formed(made: dict[str, Any]):
    jsonschema.validate(made, SCHEMA)


def test_the_schema_refuses_what_slack_refuses():
    made = manifest("Finetone")
    made["features"]["shortcuts"][0]["name"] = "x" * 25
    with pytest.raises(jsonschema.ValidationError):
        jsonschema.validate(made, SCHEMA)


def test_socket_mode_needs_no_address_and_http_names_it_everywhere():
    in_socket_mode = manifest("Finetone")
    assert in_socket_mode["settings"]["socket_mode_enabled"] is True
    assert URL not in json.dumps(in_socket_mode)
    printed = CliRunner().invoke(app, ["slack", "manifest", "--url", f"{URL}/", "--name", "Puffin"])
    made = json.loads(printed.stdout)
    assert made["display_information"]["name"] == "Puffin"
    assert made["settings"]["socket_mode_enabled"] is False
    events = f"{URL}/slack/events"
    settings = made["settings"]
    assert settings["event_subscriptions"]["request_url"] == settings["interactivity"]["request_url"] == events
    assert {command["url"] for command in made["features"]["slash_commands"]} == {events}
    assert made["oauth_config"]["redirect_urls"] == [f"{URL}/slack/oauth_redirect"]


def test_what_is_printed_is_the_manifest_and_nothing_else():
    printed = CliRunner().invoke(app, ["slack", "manifest"])
    assert printed.exit_code == 0
    assert json.loads(printed.stdout)["oauth_config"]["scopes"]["bot"] == bot_scopes()


# ---------------------------------------------------------------- what one can do without


def test_what_can_be_left_out_is_left_out_with_the_events_that_need_it():
    made = manifest("Finetone", without=left_out("files:write, usergroups:read"))
    jsonschema.validate(made, SCHEMA)
    assert set(SCOPES) - set(made["oauth_config"]["scopes"]["bot"]) == {"files:write", "usergroups:read"}
    heard = set(made["settings"]["event_subscriptions"]["bot_events"])
    assert set(EVENTS) - heard == {"subteam_members_changed"}
    granted = set(SCOPES) - set(OPTIONAL)
    assert all(NEEDED_BY_EVENT[event] <= granted for event in heard)


def test_a_setting_leaves_them_out_of_what_is_printed(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("FINETONE_SLACK_WITHOUT", "files:write")
    printed = json.loads(CliRunner().invoke(app, ["slack", "manifest"]).stdout)
    assert printed["oauth_config"]["scopes"]["bot"] == bot_scopes(["files:write"])


def test_what_the_app_cannot_work_without_is_not_left_out():
    said = "FINETONE_SLACK_WITHOUT names chat:write, x. Only files:write and usergroups:read can be left out."
    with pytest.raises(SettingsWrong, match=re.escape(said)):
        left_out("chat:write,files:write,x")
