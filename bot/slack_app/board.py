"""What stands on Slack is brought up to what is true: cards, edited replies, a run's message. Looked at again and again.

Nothing here is told by a call: a decision made in the console, by another process or before a restart is found just the
same. Every message is intended before it is sent and is marked with the state it shows, so none is sent or changed twice.
"""

import asyncio
import contextlib
import logging
import zlib
from collections.abc import Awaitable, Callable, Iterable
from datetime import datetime, timedelta
from typing import TypeVar

from bot.diff import word_diff
from bot.slack_app import training
from bot.slack_app.blocks import Shown, decision, hand_over_card, review_card, run_card
from bot.slack_app.outgoing import (
    GONE,
    UNREACHABLE,
    Message,
    change,
    is_refused,
    post,
    reason,
    remove,
    sent_before,
    tell,
)
from bot.slack_app.parts import PLATFORM, Parts, place_of
from bot.slack_app.permalinks import permalink
from bot.slack_app.replying import GrowingReply, Thread
from bot.slack_app.workspaces import NotInstalled
from storage.errors import DatabaseUnavailable, NotFound
from storage.postings import LAST
from storage.records import Actor, Correction, CorrectionState, HandOver, Posting, PostingKind

T = TypeVar("T")

log = logging.getLogger(__name__)

LOOK_S = 2.0
AT_ONCE = 20  # of each kind at one look
STANDING = 100  # cards that are compared with what is true at one look, the newest
LEFT_AFTER = timedelta(minutes=1)  # an intended card that did not land by then is looked for, and sent
NEWS_FOR = timedelta(days=2)  # an older decision is no news to who proposed it
AGAIN_AFTER = timedelta(seconds=30)  # what did not work is not tried at every look


class Board:
    """Keeps one platform's messages up to date."""

    def __init__(self, parts: Parts, home_team: Callable[[], Awaitable[str]]) -> None:
        self._parts = parts
        self._home_team = home_team  # the workspace whose channels the settings name
        self._wake = asyncio.Event()
        self._again_at: dict[str, datetime] = {}  # by our id of what did not work

    def wake(self) -> None:
        """Look now."""
        self._wake.set()

    async def serve(self, stop: asyncio.Event) -> None:
        """Look until `stop` is set."""
        while not stop.is_set():
            self._wake.clear()
            for duty in (
                self._proposals,
                self._reviews,
                self._decisions,
                self._hand_overs,
                self._hand_over_cards,
                self._edits,
                self._runs,
            ):
                try:
                    await duty()
                except DatabaseUnavailable as error:
                    log.warning("%s waits: %s", duty.__name__.strip("_"), error)
                except Exception:  # the outermost handler: one duty's mistake does not end the others
                    log.exception("%s failed", duty.__name__.strip("_"))
            waiting = [asyncio.ensure_future(self._wake.wait()), asyncio.ensure_future(stop.wait())]
            await asyncio.wait(waiting, timeout=LOOK_S, return_when=asyncio.FIRST_COMPLETED)
            for task in waiting:
                task.cancel()
                with contextlib.suppress(asyncio.CancelledError):
                    await task

    async def _each(self, things: Iterable[tuple[str, T]], do: Callable[[T], Awaitable[None]]) -> None:
        """Do it for each thing, by its id; one that Slack refuses waits a while and holds nobody up."""
        now = self._parts.now()
        self._again_at = {id: at for id, at in self._again_at.items() if at > now}
        for id, thing in things:
            if id in self._again_at:
                continue
            try:
                await do(thing)
            except (NotInstalled, NotFound, *UNREACHABLE) as error:
                log.warning("%s on Slack is behind: %s", id, reason(error))
                self._again_at[id] = now + AGAIN_AFTER

    # ------------------------------------------------------------ corrections

    async def _proposals(self) -> None:
        """A card for each correction of a reply that waits."""
        channel, store = self._parts.rules.review_channel, self._parts.store
        if not channel:
            return
        team = await self._home_team()

        async def offer(correction_id: str) -> None:
            correction = await store.corrections.get(correction_id)
            card = await self._review(correction)
            await self._posted(PostingKind.REVIEW, correction_id, team, channel, card, _state(correction))

        waiting = await store.postings.unshown_proposals(PLATFORM, self._parts.voice.id, AT_ONCE)
        await self._each(((id, id) for id in waiting), offer)

    async def _reviews(self) -> None:
        """Cards whose correction was edited or decided since."""
        store = self._parts.store

        async def update(card: Posting) -> None:
            correction = await store.corrections.get(card.subject)
            if card.shown == _state(correction):
                return
            await self._changed(card, await self._review(correction))
            await store.postings.shows(
                card.id, _state(correction) if correction.state is CorrectionState.PROPOSED else LAST
            )

        cards = await store.postings.decided_reviews(PLATFORM, AT_ONCE)
        cards += await store.postings.standing(PLATFORM, PostingKind.REVIEW, STANDING)
        await self._each({card.id: card for card in cards}.items(), update)

    async def _review(self, correction: Correction) -> Shown:
        people = await self._parts.store.people.actors(
            [id for id in (correction.proposed_by, correction.decided_by) if id is not None]
        )
        pieces = word_diff(correction.served_text or "", correction.corrected_text)
        decided_by = people[correction.decided_by].name if correction.decided_by in people else ""
        link = await self._link_to_reply(correction)
        return review_card(correction, pieces, people[correction.proposed_by].name, decided_by, link)

    async def _link_to_reply(self, correction: Correction) -> str:
        if correction.reply_id is None:
            return ""
        reply = await self._parts.store.conversations.reply(correction.reply_id)
        for posting in await self._parts.store.postings.of(PostingKind.REPLY, reply.turn_id):
            if posting.platform == PLATFORM and posting.message_key is not None and posting.removed_at is None:
                team, channel = posting.place.split("/")
                return await permalink(await self._parts.client(team), channel, posting.message_key)
        return ""

    async def _decisions(self) -> None:
        """Who proposed a correction hears once, in their own messages, what somebody else decided; with a card or without."""
        store, now = self._parts.store, self._parts.now()
        untold = await store.postings.untold_decisions(PLATFORM, self._parts.voice.id, now - NEWS_FOR, AT_ONCE)
        await self._each(((id, id) for id in untold), self._tell_proposer)

    async def _tell_proposer(self, correction_id: str) -> None:
        store = self._parts.store
        correction = await store.corrections.get(correction_id)
        people = await store.people.actors([correction.proposed_by, str(correction.decided_by)])
        team, user = people[correction.proposed_by].external_id.split("/")
        client = await self._parts.client(team)
        posting, is_new = await store.postings.intend(
            PLATFORM, PostingKind.NOTICE, correction.id, 0, f"{team}/{user}", at=self._parts.now()
        )
        if not is_new:  # another process tells
            return
        message = await tell(client, user, decision(correction, people[str(correction.decided_by)].name))
        if message is not None:
            await store.postings.landed(posting.id, message.ts, place=f"{team}/{message.channel}")

    # ------------------------------------------------------------ hand-overs

    async def _hand_overs(self) -> None:
        """A card for each conversation in a person's hands: to be taken, and to be given back."""
        rules, store = self._parts.rules, self._parts.store
        channel = rules.triage_channel or rules.review_channel
        if not channel:
            return
        team = await self._home_team()

        async def offer(hand_over: HandOver) -> None:
            conversation = await store.conversations.get(hand_over.conversation_id)
            known = await store.postings.of(PostingKind.HAND_OVER, hand_over.id)
            if conversation.platform == PLATFORM and (not known or known[0].message_key is None):
                card = await self._hand_over(hand_over)
                await self._posted(PostingKind.HAND_OVER, hand_over.id, team, channel, card, _stand(hand_over))

        await self._each(((hand_over.id, hand_over) for hand_over in await store.hand_overs.all_open()), offer)

    async def _hand_over_cards(self) -> None:
        """Cards of hand-overs that were taken or released since."""
        store = self._parts.store

        async def update(card: Posting) -> None:
            hand_over = await store.hand_overs.get(card.subject)
            if card.shown == _stand(hand_over):
                return
            await self._changed(card, await self._hand_over(hand_over))
            await store.postings.shows(card.id, LAST if hand_over.released_at is not None else _stand(hand_over))

        cards = await store.postings.standing(PLATFORM, PostingKind.HAND_OVER, STANDING)
        await self._each(((card.id, card) for card in cards), update)

    async def _hand_over(self, hand_over: HandOver) -> Shown:
        store = self._parts.store
        conversation = await store.conversations.get(hand_over.conversation_id)
        wanted = [id for id in (hand_over.asked_by, hand_over.taken_by) if id is not None]
        people: dict[str, Actor] = await store.people.actors(wanted)
        said: list[tuple[str, str]] = []
        for turn, reply in await store.conversations.recent_turns(conversation.id, limit=3):
            said.append(("Customer", turn.question))
            if reply is not None:
                said.append(("Bot", reply.text if reply.corrected_text is None else reply.corrected_text))
        team, channel, thread_ts = conversation.external_id.split("/")
        link = await permalink(await self._parts.client(team), channel, thread_ts)
        taken_by = people[hand_over.taken_by].name if hand_over.taken_by in people else ""
        return hand_over_card(hand_over, people[hand_over.asked_by].name, taken_by, said, link)

    # ------------------------------------------------------------ replies and runs

    async def _edits(self) -> None:
        """Posted replies whose words a moderator has changed."""
        behind = await self._parts.store.postings.unshown_edits(PLATFORM, AT_ONCE)
        await self._each(((posting.id, posting) for posting in behind), self._edit)

    async def _edit(self, posting: Posting) -> None:
        store = self._parts.store
        turn = await store.conversations.turn(posting.subject)
        reply = await store.conversations.reply_to(turn.id)
        if reply is None:
            return
        place = place_of(turn, await store.conversations.get(turn.conversation_id))
        speech = await self._parts.speech(place.team)
        n_parts = await GrowingReply(speech, Thread(place, "", place.team, is_first=False), turn.id).finish(reply)
        for extra in await store.postings.of(PostingKind.REPLY, turn.id):
            if extra.platform != PLATFORM or extra.part < n_parts:
                continue
            if extra.message_key is not None:  # the new words take fewer messages
                await remove(speech.client, Message(place.channel, extra.message_key))
            await store.postings.dropped(extra.id)
        now = await store.conversations.reply_to(turn.id)
        if now is not None and now.corrected_text == reply.corrected_text:
            await store.postings.shows(posting.id, "edited")

    async def _runs(self) -> None:
        """The messages that follow runs."""
        store = self._parts.store

        async def update(card: Posting) -> None:
            run = await store.runs.get(card.subject)
            lines, share = await training.progress_of(self._parts, run)
            stands = f"{run.state} {share if share is None else round(share, 2)}" if run.is_open else LAST
            if card.shown == stands:
                return
            await self._changed(card, run_card(run, lines, share))
            await store.postings.shows(card.id, stands)

        cards = await store.postings.standing(PLATFORM, PostingKind.RUN, AT_ONCE)
        await self._each(((card.id, card) for card in cards), update)

    # ------------------------------------------------------------ sending

    async def _posted(self, kind: PostingKind, subject: str, team: str, channel: str, card: Shown, shows: str) -> None:
        """Post a card once. A process that died after sending leaves its intent: the card is then looked for first."""
        store, now = self._parts.store, self._parts.now()
        posting, is_new = await store.postings.intend(PLATFORM, kind, subject, 0, f"{team}/{channel}", at=now)
        if posting.message_key is not None or not (is_new or posting.created_at < now - LEFT_AFTER):
            return
        client = await self._parts.client(team)
        ts = "" if is_new else await self._found(posting, team, channel)
        if not ts:
            try:
                ts = (await post(client, channel, card, subject=subject)).ts
            except UNREACHABLE as error:
                if is_refused(error):
                    await store.postings.dropped(posting.id)
                raise
        await store.postings.landed(posting.id, ts)
        await store.postings.shows(posting.id, shows if is_new else "")  # a found one may show something older

    async def _found(self, posting: Posting, team: str, channel: str) -> str:
        """The card that was sent for an intent whose answer never came, by the id it carries; "" where there is none."""
        bot, client = await self._parts.workspaces.bot(team), await self._parts.client(team)
        return await sent_before(client, bot.user, channel, posting.subject, posting.created_at)

    async def _changed(self, card: Posting, shown: Shown) -> None:
        """Change a card in place; one that somebody deleted is left alone."""
        assert card.message_key is not None
        team, channel = card.place.split("/")
        message = Message(channel, card.message_key)
        try:
            await change(await self._parts.client(team), message, shown, subject=card.subject)
        except UNREACHABLE as error:
            if reason(error) not in GONE | {"cant_update_message"}:
                raise
            await self._parts.store.postings.removed(card.id, at=self._parts.now())


def _state(correction: Correction) -> str:
    """What a card shows of a correction, in a word that changes when the card has to."""
    return f"{correction.state} {len(correction.corrected_text)} {_hash_of(correction.corrected_text)}"


def _hash_of(text: str) -> str:
    """Eight hex digits of a text, the same in every process."""
    return f"{zlib.crc32(text.encode()):08x}"


def _stand(hand_over: HandOver) -> str:
    return "released" if hand_over.released_at else "taken" if hand_over.taken_at else "asked"
