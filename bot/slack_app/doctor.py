"""What Slack needs, looked at one by one: tokens, scopes, channels, user groups. Looks and changes nothing."""

# pyright: reportUnknownMemberType=false, reportUnknownVariableType=false, reportUnknownArgumentType=false
# (slack_sdk answers are loosely typed)

import json
from typing import Any

from slack_sdk.errors import SlackApiError
from slack_sdk.web.async_client import AsyncWebClient

from bot.doctor import Check, is_database_there
from bot.sealing import CannotUnseal, sealer
from bot.settings import Settings
from bot.slack_app.manifest import OPTIONAL, bot_scopes, left_out
from bot.slack_app.outgoing import UNREACHABLE, reason
from bot.slack_app.parts import PLATFORM
from bot.slack_app.people import Roster, roster_of
from bot.slack_app.workspaces import Workspaces, unreachable
from bot.text import listed
from storage.errors import DatabaseUnavailable
from storage.records import Right
from storage.store import open_store

NONE_INSTALLED = Check("Slack workspaces", True, "none has installed the app yet; /slack/install does it")
UNTOLD = "which events come, Slack does not tell: if mentions go unanswered, see the end of docs/slack.md"
INSTALL_AGAIN = (
    "Paste what `finetone slack manifest` prints under App Manifest on your app's page, then reinstall the app there."
)


async def check_slack(settings: Settings) -> list[Check]:
    """One line for each thing; one line in all where Slack is not set up."""
    if not _is_wanted(settings):
        return [Check("Slack", True, "not set up; docs/slack.md says how to begin")]
    found = [_check_way(settings)]
    async with Workspaces(settings.slack_api_url, _nobody) as workspaces:
        if app_token := settings.slack_app_token.get_secret_value():
            found.append(await _check_app_token(workspaces.speaking(None), app_token))
        tokens, problems = await _tokens(settings)
        found += problems
        for is_first, token in zip([True, *[False] * len(tokens)], tokens, strict=False):
            client = workspaces.speaking(token)
            checks, is_usable = await _check_bot(client, settings)
            found += checks
            if is_usable and is_first:  # the settings' channels and groups are those of the first workspace
                found += await _check_channels(client, settings)
                found += await _check_people(client, settings)
    return found


async def _nobody(_: str) -> None:
    return None


def _is_wanted(settings: Settings) -> bool:
    secrets = (settings.slack_bot_token, settings.slack_app_token, settings.slack_signing_secret)
    return bool(settings.slack_client_id) or any(secret.get_secret_value() for secret in secrets)


def _check_way(settings: Settings) -> Check:
    """How deliveries come in. A signing secret proves itself only when Slack delivers."""
    if settings.slack_app_token.get_secret_value():
        return Check("Slack deliveries", True, f"in Socket Mode; {UNTOLD}")
    if settings.slack_signing_secret.get_secret_value():
        return Check(
            "Slack deliveries", True, f"signed, at port {settings.slack_port}; the first delivery proves the secret"
        )
    return Check(
        "Slack deliveries",
        False,
        "set FINETONE_SLACK_APP_TOKEN for Socket Mode, or FINETONE_SLACK_SIGNING_SECRET for HTTP.",
    )


def _why(client: AsyncWebClient, error: BaseException, advice: str) -> str:
    """What Slack said and what to do; where it said nothing, that it cannot be reached."""
    if isinstance(error, SlackApiError):
        return f"Slack says {reason(error)}. {advice}"
    return str(unreachable(client.base_url, error))


async def _check_app_token(client: AsyncWebClient, token: str) -> Check:
    try:
        await client.apps_connections_open(app_token=token)
    except UNREACHABLE as error:
        advice = (
            "Make one with connections:write under Basic Information, App-Level Tokens, set it as FINETONE_SLACK_APP_TOKEN, "
            "and switch Socket Mode on."
        )
        return Check("Slack app token", False, _why(client, error, advice))
    return Check("Slack app token", True, "opens connections")


async def _tokens(settings: Settings) -> tuple[list[str], list[Check]]:
    """The bot's token in each workspace: the one of the settings, or those of the workspaces that installed the app."""
    if not settings.slack_client_id:
        token = settings.slack_bot_token.get_secret_value()
        missing = "not set. Copy the Bot User OAuth Token from Install App to FINETONE_SLACK_BOT_TOKEN."
        return ([token], []) if token else ([], [Check("Slack bot token", False, missing)])
    tokens: list[str] = []
    problems: list[Check] = []
    if not is_database_there(settings):
        return [], [NONE_INSTALLED]
    try:
        async with await open_store(settings.store_url) as store:
            installations = await store.installations.list(PLATFORM)
    except DatabaseUnavailable as error:
        return [], [Check("Slack workspaces", False, str(error))]
    for installation in installations:
        try:
            unsealer = sealer(settings.secret_key.get_secret_value(), settings.data_dir)
            tokens.append(str(json.loads(unsealer.unseal(installation.sealed))["token"]))
        except CannotUnseal as error:
            problems.append(Check(f"Slack workspace {installation.team}", False, str(error)))
    return tokens, problems if installations else [NONE_INSTALLED]


async def _check_bot(client: AsyncWebClient, settings: Settings) -> tuple[list[Check], bool]:
    """The bot's token and what it may do; whether it can be used at all."""
    try:
        answer = await client.auth_test()
    except UNREACHABLE as error:
        said = _why(
            client, error, "Copy the Bot User OAuth Token (xoxb-…) from Install App to FINETONE_SLACK_BOT_TOKEN."
        )
        return [Check("Slack bot token", False, said)], False
    headers = {str(name).lower(): str(value) for name, value in answer.headers.items()}
    granted = set(listed(headers.get("x-oauth-scopes", "")))
    without = left_out(settings.slack_without)
    wanted = set(bot_scopes(without))
    missing, extra = sorted(wanted - granted), sorted(granted - wanted)
    said = f"{len(wanted)} of {len(wanted)} granted" + (f"; not needed: {', '.join(extra)}" if extra else "")
    said += "".join(f"; without {scope}, {OPTIONAL[scope]}" for scope in sorted(without))
    if missing:
        said = f"missing {', '.join(missing)}. {INSTALL_AGAIN}"
    return [
        Check("Slack bot token", True, f"{answer.get('user')} in {answer.get('team')} ({answer.get('team_id')})"),
        Check("Slack scopes", not missing, said),
    ], True


async def _check_channels(client: AsyncWebClient, settings: Settings) -> list[Check]:
    """Whether the bot sits in the channels it is to write in."""
    wanted = (
        ("review", settings.slack_review_channel, "corrections are approved in the console and on Home only"),
        ("triage", settings.slack_triage_channel, "nobody is told in Slack when a customer asks for a person"),
        ("ops", settings.slack_ops_channel, "a run is told to whoever starts it, trouble only in the log"),
    )
    return [
        await _check_channel(client, name, channel)
        if channel
        else Check(f"Slack {name} channel", True, f"not set, so {without}")
        for name, channel, without in wanted
    ]


async def _check_channel(client: AsyncWebClient, name: str, channel_id: str) -> Check:
    what = f"Slack {name} channel"
    try:
        answer = await client.conversations_info(channel=channel_id)
    except UNREACHABLE as error:
        advice = (
            "Copy the id from the end of the channel's details to "
            f"FINETONE_SLACK_{name.upper()}_CHANNEL, and invite the bot: a private channel is invisible to it before."
        )
        return Check(what, False, f"{channel_id}: {_why(client, error, advice)}")
    channel: dict[str, Any] = answer.get("channel") or {}
    if not channel.get("is_member"):
        return Check(what, False, f"the bot is not in #{channel.get('name')}. Write /invite @Finetone there.")
    return Check(what, True, f"the bot is in #{channel.get('name')}")


async def _check_people(client: AsyncWebClient, settings: Settings) -> list[Check]:
    """Who has which right, and whether the user groups named can be read."""
    roster = roster_of(settings.slack_moderators, settings.slack_approvers, settings.slack_admins)
    counts = [f"{len(roster.members[right])} for {right.value}s" for right in Right]
    nobody = "" if roster.members[Right.ADMIN] else "; nobody may train from Slack until FINETONE_SLACK_ADMINS is set"
    found = [Check("Slack rights", True, f"ids: {', '.join(counts)}{nobody}")]
    return found + [await _check_group(client, group) for group in sorted(_groups(roster))]


def _groups(roster: Roster) -> set[str]:
    ids = {id.rsplit("/", 1)[-1] for ids in roster.members.values() for id in ids}
    return {id for id in ids if id.startswith("S")}


async def _check_group(client: AsyncWebClient, group: str) -> Check:
    try:
        answer = await client.usergroups_users_list(usergroup=group)
    except UNREACHABLE as error:
        said = _why(client, error, "Copy the id (S…) from the group's menu; nobody has a right by it meanwhile.")
        return Check(f"Slack user group {group}", False, said)
    members = answer.get("users") or []
    return Check(f"Slack user group {group}", True, f"{len(members)} in it")
