"""What Discord needs, looked at one by one: token, intent, servers, channels, roles, people. Looks and changes nothing."""

from collections.abc import Sequence
from dataclasses import dataclass

import discord
from discord.abc import GuildChannel

from bot.discord_app.outgoing import UNREACHABLE
from bot.discord_app.people import roster_of
from bot.discord_app.permissions import NEEDED, invite, missing
from bot.discord_app.serve import NO_CONTENT, TOKEN_REFUSED, aim, unreachable
from bot.doctor import Check
from bot.settings import Settings
from storage.records import Right

FOR_THE_TEAM = ("view_channel", "send_messages", "read_message_history", "embed_links", "attach_files")
ANSWERED_IN = (discord.TextChannel, discord.ForumChannel)


@dataclass(frozen=True, slots=True)
class Server:
    """A server as the bot finds it."""

    guild: discord.Guild
    me: discord.Member
    channels: Sequence[GuildChannel]


async def check_discord(settings: Settings) -> list[Check]:
    """One line for each thing; one line in all where Discord is not set up."""
    token = settings.discord_token.get_secret_value()
    if not token:
        return [Check("Discord", True, "not set up; docs/discord.md says how to begin")]
    aim(settings)
    async with discord.Client(intents=discord.Intents(guilds=True)) as client:
        try:
            await client.login(token)
            application = await client.application_info()
            found = [Check("Discord token", True, f"{application.name} ({application.id})"), _intent(application)]
            servers = [await _server(client, guild.id) async for guild in client.fetch_guilds(limit=200)]
        except discord.LoginFailure:
            return [Check("Discord token", False, TOKEN_REFUSED)]
        except UNREACHABLE as error:
            return [Check("Discord", False, str(unreachable(error)))]
        if not servers:
            nowhere = f"the bot is in none. Open {invite(application.id)} to add it to yours."
            return [*found, Check("Discord servers", False, nowhere)]
        found.append(Check("Discord servers", True, ", ".join(server.guild.name for server in servers)))
        for server in servers:
            found += _channels(server)
        return [
            *found,
            *_team_channels(servers, settings),
            _escalation(servers, settings),
            *await _people(servers, settings),
        ]


async def _server(client: discord.Client, guild_id: int) -> Server:
    guild = await client.fetch_guild(guild_id)
    me = await guild.fetch_member(client.user.id if client.user is not None else 0)
    return Server(guild, me, await guild.fetch_channels())


def _intent(application: discord.AppInfo) -> Check:
    """Whether the words of messages that do not mention the bot may be read."""
    flags = application.flags
    is_granted = flags.gateway_message_content or flags.gateway_message_content_limited
    return Check("Discord message content", is_granted, "may be read" if is_granted else NO_CONTENT)


def _channels(server: Server) -> list[Check]:
    """What the bot lacks in each channel that it sees; one line where it lacks nothing anywhere."""
    seen = [
        (channel, channel.permissions_for(server.me))
        for channel in server.channels
        if isinstance(channel, ANSWERED_IN) and channel.permissions_for(server.me).view_channel
    ]
    found = [
        Check(f"Discord #{channel.name}", False, _lacks(lacking))
        for channel, permissions in seen
        if (lacking := missing(permissions))
    ]
    if not seen:
        return [Check(f"Discord channels of {server.guild.name}", False, _lacks([NEEDED["view_channel"][0]]))]
    fine = len(seen) - len(found)
    return [
        *found,
        Check(f"Discord channels of {server.guild.name}", True, f"everything is allowed in {fine} of {len(seen)}"),
    ]


def _lacks(lacking: Sequence[str]) -> str:
    effects = {name: effect for name, effect in NEEDED.values()}
    why = "; ".join(f"{name} ({effects[name]})" for name in lacking)
    return f"the bot lacks {why}. Allow it in the channel's settings, or take View Channels from the bot there."


def _team_channels(servers: Sequence[Server], settings: Settings) -> list[Check]:
    """Whether the bot can write where the team is told."""
    wanted = (
        ("review", settings.discord_review_channel, "corrections are approved in the console only"),
        ("triage", settings.discord_triage_channel, "the team gets no card when a customer asks for a person"),
        ("ops", settings.discord_ops_channel, "trouble is told in the log only"),
    )
    return [
        _team_channel(servers, name, channel_id)
        if channel_id
        else Check(f"Discord {name} channel", True, f"not set, so {without}")
        for name, channel_id, without in wanted
    ]


def _team_channel(servers: Sequence[Server], name: str, channel_id: str) -> Check:
    what = f"Discord {name} channel"
    for server in servers:
        for channel in server.channels:
            if str(channel.id) == channel_id:
                lacking = missing(channel.permissions_for(server.me), FOR_THE_TEAM)
                if lacking:
                    said = f"the bot lacks {', '.join(lacking)} in #{channel.name}. Allow it in the channel's settings."
                    return Check(what, False, said)
                return Check(what, True, f"the bot can write in #{channel.name}")
    advice = f"Copy the channel's id to FINETONE_DISCORD_{name.upper()}_CHANNEL again."
    return Check(what, False, f"{channel_id} is no channel of the bot's servers. {advice}")


def _escalation(servers: Sequence[Server], settings: Settings) -> Check:
    """Whether the role that is to be rung can be: Discord rings a role for a bot only where everybody may name it."""
    what, role_id = "Discord escalation role", settings.discord_escalation_role
    if not role_id:
        return Check(what, True, "not set, so nobody is rung when a customer asks for a person")
    for server in servers:
        for role in server.guild.roles:
            if str(role.id) == role_id:
                if role.mentionable or server.me.guild_permissions.mention_everyone:
                    return Check(what, True, f"@{role.name} can be rung")
                said = f"@{role.name} cannot be rung. Switch on “Allow anyone to @mention this role” in the role's settings."
                return Check(what, False, said)
    return Check(what, False, f"{role_id} is no role of the bot's servers. Copy the role's id again.")


async def _people(servers: Sequence[Server], settings: Settings) -> list[Check]:
    """Who has which right, and which of the ids are nobody's."""
    roster = roster_of(settings.discord_moderators, settings.discord_approvers, settings.discord_admins)
    counts = [f"{len(roster.members[right])} for {right.value}s" for right in Right]
    nobody = (
        "" if roster.members[Right.ADMIN] else "; nobody may train from Discord until FINETONE_DISCORD_ADMINS is set"
    )
    roles = {str(role.id) for server in servers for role in server.guild.roles}
    strange = [id for id in sorted(roster.ids - roles) if not await _is_member(servers, id)]
    found = [Check("Discord rights", True, f"ids: {', '.join(counts)}{nobody}")]
    return found + [
        Check(f"Discord id {id}", False, "is neither a role nor a person in the bot's servers. Copy it again.")
        for id in strange
    ]


async def _is_member(servers: Sequence[Server], id: str) -> bool:
    if not id.isdigit():
        return False
    for server in servers:
        try:
            await server.guild.fetch_member(int(id))
        except discord.NotFound:
            continue
        return True
    return False
