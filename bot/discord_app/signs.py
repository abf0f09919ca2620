"""Reactions: which verb each of them is, and where its answer is read, because a reaction cannot open a form or whisper.

What a thumb and a flag did is seen by the reaction itself, which stays; everything else is said in a direct message.
"""

import logging
from collections.abc import Collection, Mapping
from dataclasses import replace
from datetime import UTC, datetime

import discord

from bot.discord_app.answers import shown
from bot.discord_app.interactions import Feature, tell
from bot.discord_app.outgoing import GONE, UNREACHABLE, CannotSpeak, Shown, reason, send, understood
from bot.discord_app.parts import PLATFORM, Parts
from bot.discord_app.payloads import DIRECT, Payload, Person, Place, person_of
from bot.discord_app.payloads import Said as Message
from bot.discord_app.presses import remover
from bot.discord_app.quoting import named
from bot.discord_app.teaching import UNREAD, answer_at, teach
from bot.office import verbs
from bot.office.verbs import ANYBODYS, Said, Sign
from bot.problems import FOR_PEOPLE, sentence_of
from bot.settings import SettingsWrong
from bot.text import listed
from storage.errors import DatabaseUnavailable
from storage.records import Actor, Reply, Right

log = logging.getLogger(__name__)

SIGNS: Mapping[Sign, Collection[str]] = {
    Sign.GOOD: frozenset("👍✅✔👌💯"),
    Sign.WRONG: frozenset("👎❌❎"),
    Sign.FLAG: frozenset("🚩🚨⚠"),
    Sign.CORRECT: frozenset("✏📝"),
    Sign.RETRACT: frozenset("🗑🚫"),
    Sign.TEACH: frozenset("🎓📚"),
}
"""Reactions without skin tone, by what they stand for: the same pictures as on Slack."""
SILENT = frozenset({Sign.GOOD, Sign.FLAG})
JUDGEMENTS = frozenset({Sign.GOOD, Sign.WRONG, Sign.FLAG})
NONE_NAMED: Mapping[str, Sign] = {}
EVER = datetime(2015, 1, 1, tzinfo=UTC)  # Discord's own beginning
MOST_HEARD = 300  # under one message
HEARD = "sign/"
_TONES = dict.fromkeys([*range(0x1F3FB, 0x1F400), 0xFE0F])  # skin tones, and the sign that asks for a coloured picture


def signs_named(text: str) -> dict[str, Sign]:
    """Signs by emoji from a setting such as "good=parrot, wrong=81234": a picture, or a server's own by name or id.

    Raises SettingsWrong.
    """
    found: dict[str, Sign] = {}
    for item in listed(text):
        name, _, emoji = (part.strip() for part in item.partition("="))
        if name not in set(Sign) or not emoji:
            known = ", ".join(Sign)
            raise SettingsWrong(
                f"FINETONE_DISCORD_SIGNS has {item!r}: write one of {known}, then = and the emoji's name or id, "
                "such as good=parrot."
            )
        found[_bare(emoji.strip(":"))] = Sign(name)
    return found


def sign_of(emoji: str, named: Mapping[str, Sign] = NONE_NAMED) -> Sign | None:
    """What an emoji stands for, in any skin tone; a server's own is "name:id" and stands for what `named` says."""
    name, _, id = emoji.partition(":")
    if id:
        return named.get(id) or named.get(name)
    bare = _bare(emoji)
    return named.get(bare) or next((sign for sign, pictures in SIGNS.items() if bare in pictures), None)


def _bare(emoji: str) -> str:
    return emoji.translate(_TONES)


async def added(parts: Parts, payload: Payload, is_first_try: bool) -> str:
    """Somebody reacted."""
    return await _reacted(parts, payload, is_added=True)


async def removed(parts: Parts, payload: Payload, is_first_try: bool) -> str:
    """Somebody took a reaction back, and with it what it stood for."""
    return await _reacted(parts, payload, is_added=False)


async def cleared(parts: Parts, payload: Payload, is_first_try: bool) -> str:
    """Somebody of the server's staff took everybody's reactions away, or everybody's of one emoji."""
    emoji, place = payload["emoji"], Place(**payload["place"])
    only = None if emoji is None else sign_of(emoji, parts.rules.signs)
    if emoji is not None and only is None:
        return "not a sign of ours"
    for sign, user in await heard(parts, place):
        if only in (None, sign):
            await signed(parts, Person(user, "", (), place.guild), place, sign, is_added=False)
    return ""


async def _reacted(parts: Parts, payload: Payload, *, is_added: bool) -> str:
    sign = sign_of(payload["emoji"], parts.rules.signs)
    if sign is None:
        return "not a sign of ours"
    by = payload["by"]
    person = Person(by["id"], by["name"], tuple(by["roles"]), by["guild"])
    return await signed(parts, person, Place(**payload["place"]), sign, is_added=is_added)


async def signed(parts: Parts, by: Person, place: Place, sign: Sign, *, is_added: bool = True) -> str:
    """Do what a sign stands for. Returns "" or why it stands for nothing. A person without a name is asked of Discord."""
    reply = await parts.reply_at(place.room_key, place.message)
    if reply is None and sign is not Sign.TEACH:
        return "not on an answer of ours"
    actor = await _actor(parts, by)
    if Right.MODERATOR not in actor.rights and sign not in ANYBODYS:
        return "a moderator's sign"
    try:
        said = await _done(parts, actor, place, sign, reply, is_added=is_added)
    except DatabaseUnavailable:
        raise
    except FOR_PEOPLE as error:
        said = Said(await sentence_of(parts.store, error))
    if sign in JUDGEMENTS:
        await _remember(parts, by, place, sign, is_added=is_added)
    parts.wake_board()
    if said.text and Right.MODERATOR in actor.rights and sign not in SILENT:
        await _say(parts, actor, place, said)
    return ""


async def _remember(parts: Parts, by: Person, place: Place, sign: Sign, *, is_added: bool) -> None:
    """Know which judgements were made by a sign, so that one which is taken back in a gap can be told from a press."""
    part = f"{_heard_under(place)}{by.id}/{sign}/"
    if is_added:
        await parts.store.channels.listened(PLATFORM, part, parts.now())
    else:
        await parts.store.channels.forget_listened(PLATFORM, part)


async def heard(parts: Parts, place: Place) -> list[tuple[Sign, str]]:
    """The signs heard under a message and not taken back, with who made them, as far as they are remembered."""
    noted = await parts.store.channels.listened_to(PLATFORM, _heard_under(place), EVER, MOST_HEARD)
    return [(Sign(sign), user) for user, sign in (part.split("/")[-3:-1] for part in noted)]


def _heard_under(place: Place) -> str:
    return f"{HEARD}{place.key}/"


async def _actor(parts: Parts, by: Person) -> Actor:
    """Who reacted, with today's roles: Discord tells them with a new reaction, and must be asked where one is taken back."""
    if by.name:
        return await parts.actor(by)
    guild = None if by.guild == DIRECT else parts.client.get_guild(int(by.guild))
    if guild is not None:
        try:
            return await parts.actor(person_of(await guild.fetch_member(int(by.id)), by.guild))
        except discord.NotFound:
            log.info("%s has left %s", by.id, by.guild)
    known = await parts.store.people.find(PLATFORM, by.id)
    return await parts.actor(by if known is None else replace(by, name=known.name))


async def _done(parts: Parts, actor: Actor, place: Place, sign: Sign, reply: Reply | None, *, is_added: bool) -> Said:
    if reply is None:
        return await _taught(parts, actor, place, is_added=is_added)
    return await verbs.signed(parts, actor, reply, sign, remover(parts), is_added=is_added)


async def _taught(parts: Parts, actor: Actor, place: Place, *, is_added: bool) -> Said:
    """Learn from the message under the reaction, which has to be read: a reaction carries no text."""
    room = parts.room(place.room_key)
    try:
        found = await understood(lambda: room.fetch_message(int(place.message)))
    except CannotSpeak as refused:
        if refused.code in GONE:
            return Said("")
        return Said(UNREAD)
    if str(found.author.id) == parts.me:
        return Said("")  # a card, or a notice of ours
    reference = found.reference
    message = Message(
        by=person_of(found.author, place.guild),
        place=place,
        text=found.content,
        is_mention=False,
        is_thread=bool(place.parent),
        reply_to=str(reference.message_id or "") if reference is not None else "",
        n_files=0,
        mentioned=tuple(person_of(user, place.guild) for user in found.mentions),
        is_lost=not place.parent,
    )
    if not is_added:
        return await verbs.unteach(parts, actor, await answer_at(parts, message))
    return await teach(parts, actor, message)


async def _say(parts: Parts, actor: Actor, place: Place, said: Said) -> None:
    """Tell a moderator in private; where they take no direct messages, what they may do next stands in the review channel."""
    message = shown(said, lambda verb: True)
    where = f"-# {place.link}"
    if await tell(parts, actor.external_id, replace(message, text=f"{message.text}\n{where}")) is not None:
        return
    review = parts.rules.review_channel
    if not review or message.view is None:
        return
    text = f"**{named(actor.name)}**  {message.text}\n{where}"
    try:
        await send(parts.room(f"{place.guild}/{review}"), Shown(text, message.view))
    except (CannotSpeak, *UNREACHABLE) as error:
        log.error("a moderator could be told neither in private nor in the review channel (%s)", reason(error))


FEATURE = Feature(hears={"reaction_added": added, "reaction_removed": removed, "reactions_cleared": cleared})
