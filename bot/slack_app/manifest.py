"""Pure: the app's manifest: what it may do in a workspace, and what for. Each scope is here because something needs it.

Format: docs.slack.dev, app manifests, read 2026-11-21. Every scope that is added later makes each workspace authorise anew.
"""

from collections.abc import Collection
from typing import Any

from bot.settings import SettingsWrong
from bot.text import listed

SCOPES: dict[str, str] = {
    "app_mentions:read": "hear mentions",
    "assistant:write": "suggest prompts in direct messages",
    "channels:history": "hear follow-ups and questions in public channels it is in",
    "channels:read": "know the channels it is in",
    "chat:write": "answer",
    "commands": "/retrain, /finetone and the message shortcuts",
    "files:write": "examples, and what is kept about somebody, as a file to who asks for it",
    "groups:history": "the same in private channels it is in",
    "groups:read": "the same in private channels",
    "im:history": "hear direct messages",
    "im:write": "tell moderators what became of their corrections",
    "reactions:read": "moderators' signs on answers",
    "reactions:write": "eyes on a question that takes a moment",
    "usergroups:read": "who is a moderator, approver or admin by user group",
    "users:read": "names in the review list",
}

OPTIONAL: dict[str, str] = {
    "files:write": "nobody gets examples or their own data as a file",
    "usergroups:read": "user groups give no rights, and no channel can be kept to them",
}
"""Scopes that FINETONE_SLACK_WITHOUT may leave out, and what is missing then."""

EVENTS = (
    "agent_session_stopped",
    "app_home_opened",
    "app_mention",
    "app_uninstalled",
    "member_joined_channel",
    "message.channels",
    "message.groups",
    "message.im",
    "reaction_added",
    "reaction_removed",
    "subteam_members_changed",
    "tokens_revoked",
)

SHORTCUTS = (
    ("ft_good", "Mark as good answer", "This answer is as it should be"),
    ("ft_correct", "Correct this answer", "Write what it should have been"),
    ("ft_flag", "Flag this answer", "A moderator should have a look"),
    ("ft_teach", "Teach from this", "Let the bot learn from a person's answer"),
    ("ft_why", "Why this answer?", "Which model gave it, and since when it serves"),
    ("ft_retract", "Retract this answer", "Take the bot's message back"),
)

PROMPTS = (
    ("Where is my order?", "Where is my order?"),
    ("How do I return something?", "How do I return something?"),
    ("I need a person", "I would like to talk to a person, please."),
)


EVENTS_OF = {"usergroups:read": frozenset({"subteam_members_changed"})}  # events that Slack gives with a scope alone


def left_out(setting: str) -> frozenset[str]:
    """The scopes that FINETONE_SLACK_WITHOUT names, apart by commas. Raises SettingsWrong for one that is needed."""
    named = frozenset(listed(setting))
    if needed := sorted(named - OPTIONAL.keys()):
        raise SettingsWrong(
            f"FINETONE_SLACK_WITHOUT names {', '.join(needed)}. Only {' and '.join(OPTIONAL)} can be left out."
        )
    return named


def bot_scopes(without: Collection[str] = ()) -> list[str]:
    """Every scope but those left out, in order."""
    return sorted(set(SCOPES) - set(without))


def manifest(
    name: str, *, events_url: str = "", redirect_urls: tuple[str, ...] = (), without: Collection[str] = ()
) -> dict[str, Any]:
    """The manifest of an app called `name`, without these scopes; Socket Mode where no `events_url` is given."""
    unheard = {event for scope in without for event in EVENTS_OF.get(scope, ())}
    at: dict[str, Any] = {"request_url": events_url} if events_url else {}
    command_at: dict[str, Any] = {"url": events_url} if events_url else {}
    oauth: dict[str, Any] = {"scopes": {"bot": bot_scopes(without)}}
    if redirect_urls:
        oauth["redirect_urls"] = list(redirect_urls)
    return {
        "display_information": {
            "name": name[:35],
            "description": "Answers questions in your brand's voice and learns from corrections.",
            "background_color": "#1d2733",
        },
        "features": {
            "agent_view": {
                "agent_description": "Answers customers' questions; your moderators correct it, and it learns.",
                "suggested_prompts": [{"title": title, "message": message} for title, message in PROMPTS],
            },
            "app_home": {
                "home_tab_enabled": True,
                "messages_tab_enabled": True,
                "messages_tab_read_only_enabled": False,
            },
            "bot_user": {"display_name": name[:80], "always_online": True},
            "shortcuts": [
                {"name": label, "type": "message", "callback_id": callback, "description": description}
                for callback, label, description in SHORTCUTS
            ],
            "slash_commands": [
                {
                    **command_at,
                    "command": "/retrain",
                    "description": "Train on what was approved, after a preview",
                    "usage_hint": "[dry-run | status | cancel | rollback | promote N | release WHY]",
                    "should_escape": True,
                },
                {
                    **command_at,
                    "command": "/finetone",
                    "description": "Queue, models, examples, this channel's settings, and your own data",
                    "usage_hint": "[queue | models | voice | dataset | channel | mydata | forget | help]",
                    "should_escape": True,
                },
            ],
        },
        "oauth_config": oauth,
        "settings": {
            "event_subscriptions": {**at, "bot_events": [event for event in EVENTS if event not in unheard]},
            "interactivity": {"is_enabled": True, **at},
            "org_deploy_enabled": False,
            "socket_mode_enabled": not events_url,
            "token_rotation_enabled": False,
        },
    }
