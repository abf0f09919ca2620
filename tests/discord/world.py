"""The guild every test starts with: six people, another bot, four roles, five channels and the bot with the least it needs."""

import discord
import simcord
from simcord.backend.models import Overwrite
from simcord.enums import ChannelType, OverwriteType

from tests.discord.place import Channel, Person, Role, World

STAFF = ("moderator", "approver", "admin")
PEOPLE = {  # name -> roles
    "customer": ("customers",),
    "second_customer": ("customers",),
    "moderator": ("moderators",),
    "approver": ("approvers",),
    "admin": ("admins",),
    "stranger": (),
}
STAFF_ROLES = ("moderators", "approvers", "admins")
TAGS = ("Answered", "Needs human", "Corrected")

# What the invite asks for: no Administrator, no Mention Everyone, Manage Threads only where tags are set.
LEAST = discord.Permissions(
    view_channel=True,
    send_messages=True,
    send_messages_in_threads=True,
    create_public_threads=True,
    read_message_history=True,
    add_reactions=True,
    embed_links=True,
    attach_files=True,
)
EVERYONE = discord.Permissions(
    view_channel=True,
    send_messages=True,
    send_messages_in_threads=True,
    create_public_threads=True,
    read_message_history=True,
    add_reactions=True,
    attach_files=True,
    use_application_commands=True,
)


def build_world(
    backend: simcord.Backend,
    name: str = "Acme",
    *,
    permissions: discord.Permissions = LEAST,
    shard: tuple[int, int] = (0, 1),
) -> World:
    """Build it. `permissions` are those of the bot's role; everyone's come on top. `shard` is (shard id, shard count)."""
    guild = backend.create_guild(name, shard_id=shard[0], shard_count=shard[1])
    backend.edit_role(guild.id, guild.id, {"permissions": EVERYONE.value})
    managed = next(role for role in guild.roles.values() if role.managed)
    backend.edit_role(guild.id, managed.id, {"permissions": permissions.value})
    roles = {role: _role(backend, guild.id, role) for role in ("customers", *STAFF_ROLES)}
    people: dict[str, Person] = {}
    for person, wears in PEOPLE.items():
        people[person] = Person(person, backend.make_user(person).id)
        backend.add_member(guild.id, people[person].id, roles=[roles[role].id for role in wears], announce=True)
    people["other_bot"] = Person("other_bot", backend.make_user("other_bot", bot=True).id)
    backend.add_member(guild.id, people["other_bot"].id, announce=True)

    allow = discord.Permissions(view_channel=True).value
    inside = [roles[role].id for role in STAFF_ROLES] + [managed.id]
    staff_only = [
        Overwrite(guild.id, OverwriteType.ROLE, deny=allow),
        *(Overwrite(role_id, OverwriteType.ROLE, allow=allow) for role_id in inside),
    ]
    channels = {"support": backend.create_channel(guild.id, "support")}
    for private in ("review", "triage", "ops"):
        overwrites = [Overwrite(one.target_id, one.type, one.allow, one.deny) for one in staff_only]
        channels[private] = backend.create_channel(guild.id, private, overwrites=overwrites)
    tags = {tag: backend.snowflake() for tag in TAGS}
    available = [
        {"id": str(tag_id), "name": tag, "moderated": False, "emoji_id": None, "emoji_name": None}
        for tag, tag_id in tags.items()
    ]
    channels["forum"] = backend.create_channel(guild.id, "forum", type=ChannelType.FORUM, available_tags=available)
    kinds = {channel: "forum" if channel == "forum" else "text" for channel in channels}
    return World(
        guild.id,
        Person(backend.bot_user.name, backend.bot_user.id),
        Role(managed.name, managed.id),
        people,
        roles,
        {one: Channel(one, stored.id, kinds[one], None) for one, stored in channels.items()},
        tags,
    )


def _role(backend: simcord.Backend, guild_id: int, name: str) -> Role:
    may = discord.Permissions(manage_guild=True, manage_threads=True, manage_messages=True)
    if name == "moderators":
        may = discord.Permissions(manage_messages=True, manage_threads=True)
    elif name != "admins":
        may = discord.Permissions.none()
    # A bot without Mention Everyone can ping only a role that is mentionable: here, the moderators.
    mentionable = name == "moderators"
    return Role(name, backend.create_role(guild_id, name, permissions=may.value, mentionable=mentionable).id)
