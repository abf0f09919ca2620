"""Drafts on Slack: where a draft's card stands, and the reply that it becomes. What is decided about it is the office's."""

from dataclasses import replace

from bot import moderation
from bot.answering import Desk
from bot.office import drafts
from bot.office.cards import PlatformRefused
from bot.office.verbs import Said
from bot.slack_app.blocks import Shown, context, draft_card
from bot.slack_app.markup import words
from bot.slack_app.noticing import Thread
from bot.slack_app.outgoing import UNREACHABLE, Message, is_refused, post, put_right, reason, sent_before
from bot.slack_app.parts import Parts, place_of
from bot.slack_app.payloads import Place, SlackChannel
from bot.slack_app.permalinks import permalink
from bot.slack_app.replying import GrowingReply
from storage.records import Actor, Posting, Reply, Turn


async def offer(parts: Parts, desk: Desk, turn: Turn, place: Place, *, takes_over: bool = False) -> str:
    """Answer a question without sending the answer, and put it before the moderators."""
    channel = parts.rules.review_channel
    review = SlackChannel(place.team, channel).key if channel else ""
    return await drafts.offer(parts, SlackTable(parts, place.team), desk, turn, review, takes_over=takes_over)


async def send(parts: Parts, actor: Actor, reply_id: str, team: str, *, is_first_try: bool = True) -> str:
    """Send a draft as it stands now. Returns the sentence to say. Raises NotAllowed."""
    said = await drafts.send(parts, SlackTable(parts, team), actor, reply_id, is_first_try=is_first_try)
    return said.text


async def edit_and_send(
    parts: Parts, actor: Actor, reply_id: str, draft: moderation.Draft, team: str, *, is_first_try: bool
) -> Said:
    """Send a draft in a moderator's words, proposed as its correction where they differ. Raises NotAllowed, TextRefused."""
    table = SlackTable(parts, team)
    return await drafts.edit_and_send(parts, table, actor, reply_id, draft, is_first_try=is_first_try)


async def drop(parts: Parts, actor: Actor, reply_id: str, team: str, *, is_first_try: bool = True) -> str:
    """Do not send a draft; it counts as flagged. Raises NotAllowed."""
    said = await drafts.drop(parts, SlackTable(parts, team), actor, reply_id, is_first_try=is_first_try)
    return said.text


class SlackTable:
    """A `bot.office.drafts.Table`: a workspace's drafts lie in its review channel. Raises what Slack raises."""

    def __init__(self, parts: Parts, team: str) -> None:
        self._parts = parts
        self._team = team

    async def put(self, posting: Posting, turn: Turn, reply: Reply, *, seeks: bool) -> str:
        parts, channel = self._parts, SlackChannel.of(posting.place).id
        client, bot = await parts.client(self._team), await parts.workspaces.bot(self._team)
        subject = f"draft/{turn.id}"
        if seeks and (ts := await sent_before(client, bot.user, channel, subject, posting.created_at)):
            return ts
        place = Place.of(turn.key)
        link = await permalink(client, place.channel, place.ts)
        shown = draft_card(reply, turn.question, link, parts.rules.domains)
        return (await post(client, channel, shown, subject=subject)).ts

    async def send(self, turn: Turn, reply: Reply) -> None:
        """Raises PlatformRefused where Slack said no."""
        parts = self._parts
        place = place_of(turn, await parts.store.conversations.get(turn.conversation_id))
        thread = Thread(place, "", self._team, is_first=False)
        try:
            async with GrowingReply(await parts.speech(self._team), thread, turn.id) as growing:
                await growing.finish(reply)
        except UNREACHABLE as error:
            if not is_refused(error):
                raise
            raise PlatformRefused(reason(error), is_final=True) from error

    async def close(self, card: Posting, turn: Turn, reply: Reply, said: str) -> None:
        assert card.message_key is not None  # only cards that stand are closed
        parts, at = self._parts, Message(SlackChannel.of(card.place).id, card.message_key)
        shown = draft_card(replace(reply, text=reply.standing_text), turn.question, "", parts.rules.domains)
        decided = Shown(words(said), [*shown.blocks[:-1], context(f"*{words(said)}*")])
        await put_right(await parts.client(self._team), at, decided)
