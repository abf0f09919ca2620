"""What stands on a platform is brought up to what is true: cards, edited replies, a run's message. Looked at again and again.

Nothing here is told by a call: a decision made in the console, by another process or before a restart is found just the
same. Every message is intended before it is sent and is marked with the state it shows, so none is sent or changed twice.
"""

import asyncio
import contextlib
import logging
from collections.abc import Awaitable, Callable, Iterable
from datetime import datetime, timedelta
from typing import TypeVar

from bot.office import disputes, doubts, hand_overs, learned, reviews
from bot.office.cards import (
    Card,
    DecisionNotice,
    FollowUp,
    PlatformRefused,
    RunCard,
    Surface,
)
from bot.office.office import Office
from bot.office.posting import posted
from bot.office.progress import progress_of
from bot.office.shown import shown, shown_of, stand_of
from curation.doubts import NOT_AGAIN
from storage.errors import DatabaseUnavailable, NotFound
from storage.postings import EDITED
from storage.records import Dispute, Doubt, HandOver, Posting, PostingKind
from storage.records.alarms import Alarm

T = TypeVar("T")

log = logging.getLogger(__name__)

LOOK_S = 2.0
AT_ONCE = 20  # of each kind at one look
STANDING = 100  # cards that are compared with what is true at one look, the newest
NEWS_FOR = timedelta(days=2)  # an older decision is no news to who proposed it
FOLLOW_UP_WITHIN = timedelta(days=1)  # an older silence is left alone: the setting was off then, or the program
DID_IT_HELP = "Did that help? Write here again if it did not, or ask for a person."
AGAIN_AFTER = timedelta(seconds=30)  # what did not work is not tried at every look


class Board:
    """Keeps one platform's messages up to date."""

    def __init__(self, office: Office, surface: Surface) -> None:
        self._office = office
        self._surface = surface
        self._wake = asyncio.Event()
        self._again_at: dict[str, datetime] = {}  # by our id of what did not work

    def wake(self) -> None:
        """Look now."""
        self._wake.set()

    async def serve(self, stop: asyncio.Event) -> None:
        """Look until `stop` is set."""
        while not stop.is_set():
            self._wake.clear()
            await self.look()
            waiting = [asyncio.ensure_future(self._wake.wait()), asyncio.ensure_future(stop.wait())]
            await asyncio.wait(waiting, timeout=LOOK_S, return_when=asyncio.FIRST_COMPLETED)
            for task in waiting:
                task.cancel()
                with contextlib.suppress(asyncio.CancelledError):
                    await task

    async def look(self) -> None:
        """Bring everything up to date once."""
        for duty in (
            self._withdrawn,
            self._proposals,
            self._reviews,
            self._decisions,
            self._disputes,
            self._dispute_cards,
            self._doubts,
            self._doubt_cards,
            self._hand_overs,
            self._hand_over_cards,
            self._edits,
            self._runs,
            self._follow_ups,
            self._alarms,
            self._learned,
            self._learned_cards,
        ):
            try:
                await duty()
            except DatabaseUnavailable as error:
                log.warning("%s waits: %s", duty.__name__.strip("_"), error)
            except Exception:  # the outermost handler: one duty's mistake does not end the others
                log.exception("%s failed", duty.__name__.strip("_"))

    @property
    def _at_once(self) -> int:
        """How many of a kind are looked at: what waits after a refusal takes nobody's place."""
        return AT_ONCE + len(self._again_at)

    async def _each(self, things: Iterable[tuple[str, T]], do: Callable[[T], Awaitable[object]]) -> None:
        """Do it for each thing, by its id; one that the platform refuses waits a while and holds nobody up."""
        now = self._office.now()
        self._again_at = {id: at for id, at in self._again_at.items() if at > now}
        for id, thing in things:
            if id in self._again_at:
                continue
            try:
                await do(thing)
            except (NotFound, PlatformRefused) as error:
                log.warning("%s on %s is behind: %s", id, self._office.platform, error)
                self._again_at[id] = now + AGAIN_AFTER

    async def _bring_up(self, posting: Posting, card: Card) -> None:
        """Change a card that shows something else than what is true; one that somebody deleted is left alone."""
        stands = shown(card)
        if posting.shown == stands:
            return
        if await self._surface.change(
            posting, card
        ):  # words that were withdrawn meanwhile set it back, and it is shown anew
            await self._office.store.postings.advance(posting.id, posting.shown, stands)
        else:
            await self._office.store.postings.removed(posting.id, at=self._office.now())

    # ------------------------------------------------------------ what was withdrawn

    async def _withdrawn(self) -> None:
        """Messages whose question was deleted, or whose asker was forgotten."""
        store = self._office.store

        async def remove(posting: Posting) -> None:
            await self._surface.remove(posting)
            await store.postings.removed(posting.id, at=self._office.now())

        behind = await store.postings.to_remove(self._office.platform, self._at_once)
        await self._each(((posting.id, posting) for posting in behind), remove)

    # ------------------------------------------------------------ corrections

    async def _proposals(self) -> None:
        """A card for each correction of a reply that waits."""
        office, place = self._office, await self._surface.place_of(PostingKind.REVIEW)
        if not place:
            return

        async def offer(correction_id: str) -> None:
            card = await reviews.card_of(office, await office.store.corrections.get(correction_id))
            await posted(office, self._surface, PostingKind.REVIEW, correction_id, place, card)

        waiting = await office.store.postings.unshown_proposals(office.platform, office.voice.id, self._at_once)
        await self._each(((id, id) for id in waiting), offer)

    async def _reviews(self) -> None:
        """Cards whose correction was edited or decided since."""
        office = self._office

        async def update(posting: Posting) -> None:
            correction = await office.store.corrections.get(posting.subject)
            if posting.shown != shown_of(correction):
                await self._bring_up(posting, await reviews.card_of(office, correction))

        cards = await office.store.postings.decided_reviews(office.platform, self._at_once)
        cards += await office.store.postings.standing(office.platform, PostingKind.REVIEW, STANDING)
        await self._each({card.id: card for card in cards}.items(), update)

    async def _decisions(self) -> None:
        """Who proposed a correction hears once, in their own messages, what somebody else decided; with a card or without."""
        office = self._office
        since = office.now() - NEWS_FOR
        untold = await office.store.postings.untold_decisions(office.platform, office.voice.id, since, self._at_once)
        await self._each(((id, id) for id in untold), self._tell_proposer)

    async def _tell_proposer(self, correction_id: str) -> None:
        """Told at most once: a process that dies in between, or a person who takes no messages, is not tried again."""
        store = self._office.store
        correction = await store.corrections.get(correction_id)
        people = await store.people.actors([correction.proposed_by, str(correction.decided_by)])
        proposer = people[correction.proposed_by]
        posting, is_new = await store.postings.intend(
            self._office.platform, PostingKind.NOTICE, correction.id, 0, proposer.external_id, at=self._office.now()
        )
        if not is_new:
            return
        notice = DecisionNotice(correction, people[str(correction.decided_by)].name)
        place = await self._surface.direct_place(proposer.external_id)
        await store.postings.landed(posting.id, await self._surface.post(place, notice, correction.id), place=place)

    # ------------------------------------------------------------ disputes

    async def _disputes(self) -> None:
        """A card for each open dispute, where corrections are approved."""
        office, place = self._office, await self._surface.place_of(PostingKind.DISPUTE)
        if not place:
            return
        still_open = {each.id: each for each in await office.store.disputes.open(office.voice.id)}
        unshown = await office.store.postings.unshown(office.platform, PostingKind.DISPUTE, still_open)

        async def offer(dispute: Dispute) -> None:
            card = await disputes.card_of(office, dispute)
            await posted(office, self._surface, PostingKind.DISPUTE, dispute.id, place, card)

        await self._each(((id, still_open[id]) for id in unshown[: self._at_once]), offer)

    async def _dispute_cards(self) -> None:
        """Cards of disputes that were voted on, settled, or came to nothing since."""
        office = self._office

        async def update(posting: Posting) -> None:
            await self._bring_up(
                posting, await disputes.card_of(office, await office.store.disputes.get(posting.subject))
            )

        cards = await office.store.postings.standing(office.platform, PostingKind.DISPUTE, STANDING)
        await self._each(((card.id, card) for card in cards), update)

    # ------------------------------------------------------------ doubts

    async def _doubts(self) -> None:
        """A card for each reply that moderators are asked about."""
        office, place = self._office, await self._surface.place_of(PostingKind.DOUBT)
        chosen = {each.reply_id: each for each in await doubts.to_show(office)} if place else {}
        if not chosen:
            return
        unshown = await office.store.postings.unshown(office.platform, PostingKind.DOUBT, chosen)

        async def ask(doubt: Doubt) -> None:
            card = await doubts.card_of(office, doubt.reply_id, doubt.askers)
            if not card.answered_by:
                await posted(office, self._surface, PostingKind.DOUBT, doubt.reply_id, place, card)

        await self._each(((id, chosen[id]) for id in unshown), ask)

    async def _doubt_cards(self) -> None:
        """Cards whose reply was judged or corrected since."""
        office = self._office
        since = office.now() - NOT_AGAIN

        async def update(posting: Posting) -> None:
            await self._bring_up(posting, await doubts.card_of(office, posting.subject, askers.get(posting.subject, 0)))

        cards = await office.store.postings.standing(office.platform, PostingKind.DOUBT, STANDING)
        known = await office.store.doubts.chosen_since(office.voice.id, since) if cards else []
        askers = {doubt.reply_id: doubt.askers for doubt, _ in known}
        await self._each(((card.id, card) for card in cards), update)

    # ------------------------------------------------------------ hand-overs

    async def _hand_overs(self) -> None:
        """A card for each conversation in a person's hands: to be taken, and to be given back."""
        office, store = self._office, self._office.store
        place = await self._surface.place_of(PostingKind.HAND_OVER)
        if not place:
            return

        async def offer(hand_over: HandOver) -> None:
            conversation = await store.conversations.get(hand_over.conversation_id)
            known = await store.postings.of(PostingKind.HAND_OVER, hand_over.id)
            if conversation.platform == office.platform and (not known or known[0].message_key is None):
                card = await hand_overs.card_of(office, hand_over)
                is_sent = await posted(office, self._surface, PostingKind.HAND_OVER, hand_over.id, place, card)
                if (
                    is_sent and (await hand_overs.card_of(office, hand_over)).said != card.said
                ):  # withdrawn while it was on its way
                    [sent] = await store.postings.of(PostingKind.HAND_OVER, hand_over.id)
                    await store.postings.shows(sent.id, "")

        await self._each(((hand_over.id, hand_over) for hand_over in await store.hand_overs.all_open()), offer)

    async def _hand_over_cards(self) -> None:
        """Cards of hand-overs that were taken or released since."""
        office, store = self._office, self._office.store

        async def update(posting: Posting) -> None:
            hand_over = await store.hand_overs.get(posting.subject)
            if posting.shown != stand_of(hand_over):
                await self._bring_up(posting, await hand_overs.card_of(office, hand_over))

        cards = await store.postings.standing(office.platform, PostingKind.HAND_OVER, STANDING)
        await self._each(((card.id, card) for card in cards), update)

    # ------------------------------------------------------------ replies and runs

    async def _edits(self) -> None:
        """Posted replies whose words a moderator has changed."""
        store = self._office.store

        async def show(posting: Posting) -> None:
            if await self._surface.show_edit(posting):  # words that were changed once more meanwhile are shown anew
                await store.postings.advance(posting.id, posting.shown, EDITED)

        behind = await store.postings.unshown_edits(self._office.platform, self._at_once)
        await self._each(((posting.id, posting) for posting in behind), show)

    async def _runs(self) -> None:
        """The messages that follow runs."""
        store = self._office.store

        async def update(posting: Posting) -> None:
            run = await store.runs.get(posting.subject)
            lines, share = await progress_of(store, run)
            await self._bring_up(posting, RunCard(run, lines, share))

        cards = await store.postings.standing(self._office.platform, PostingKind.RUN, self._at_once)
        await self._each(((card.id, card) for card in cards), update)

    # ------------------------------------------------------------ silence

    async def _follow_ups(self) -> None:
        """Ask back once where nobody said anything after a reply; not in conversations that were silent long before."""
        office, after = self._office, self._office.rules.follow_up_after
        if after is None:
            return
        until = office.now() - after
        silent = await office.store.postings.silent_conversations(
            office.platform, office.voice.id, until - FOLLOW_UP_WITHIN, until, AT_ONCE
        )
        await self._each(((id, id) for id in silent), self._follow_up)

    async def _follow_up(self, conversation_id: str) -> None:
        """At most once: a process that dies in between does not ask again."""
        office, store = self._office, self._office.store
        conversation = await store.conversations.get(conversation_id)
        [(_, reply)] = await store.conversations.recent_turns(conversation_id, limit=1)
        if reply is None:
            return
        place = await self._surface.channel_of(conversation)
        posting, is_new = await store.postings.intend(
            office.platform, PostingKind.FOLLOW_UP, conversation_id, 0, place, at=office.now()
        )
        if is_new:
            card = FollowUp(conversation, reply, DID_IT_HELP)
            await store.postings.landed(
                posting.id, await self._surface.post(place, card, f"follow-up/{conversation_id}")
            )

    # ------------------------------------------------------------ alarms

    async def _alarms(self) -> None:
        """Each alarm of the last days, once, where trouble is told; the console shows them in any case."""
        place = await self._surface.place_of(PostingKind.RUN)
        if not place:
            return
        office = self._office
        recent = await office.store.alarms.since(office.voice.id, office.now() - NEWS_FOR)

        async def tell(alarm: Alarm) -> None:
            subject = f"alarm/{alarm.key}"
            posting, is_new = await office.store.postings.intend(
                office.platform, PostingKind.NOTICE, subject, 0, place, at=office.now()
            )
            if is_new:  # at most once: a process that dies in between does not tell it again
                key = await self._surface.post(place, alarm, subject)
                await office.store.postings.landed(posting.id, key, place=place)

        await self._each(((alarm.key, alarm) for alarm in recent), tell)

    # ------------------------------------------------------------ learned

    async def _learned(self) -> None:
        """Who proposed corrections hears once, in their own messages, that a model which serves has learned them, or says them
        where another answer is right.
        """
        office = self._office
        untold = await office.store.learned.untold(
            office.platform, office.voice.id, office.now() - learned.NEWS_FOR, learned.MOST_AT_ONE_LOOK
        )
        await self._each(
            (
                (f"learned by {model_id}, {actor_id}", (model_id, actor_id, ids))
                for (model_id, actor_id), ids in untold.items()
            ),
            self._tell_learned,
        )

    async def _tell_learned(self, of: tuple[str, str, list[str]]) -> None:
        office, (model_id, actor_id, ids) = self._office, of
        person = (await office.store.people.actors([actor_id]))[actor_id]
        place = await self._surface.direct_place(person.external_id)
        card = await learned.card_of(office, model_id, actor_id, ids)
        await posted(office, self._surface, PostingKind.LEARNED, card.subject, place, card)
        for sent in await office.store.postings.of(PostingKind.LEARNED, card.subject):
            if sent.platform == office.platform and sent.message_key is not None:
                await office.store.learned.tell(model_id, actor_id, ids, sent.id, at=office.now())

    async def _learned_cards(self) -> None:
        """What was told of corrections that were erased since."""
        office = self._office

        async def update(posting: Posting) -> None:
            model_id, _, actor_id = posting.subject.partition("/")
            left = [each.correction_id for each in await office.store.learned.told_in(posting.id)]
            if left:
                await self._bring_up(posting, await learned.card_of(office, model_id, actor_id, left))
            else:
                await self._surface.remove(posting)
                await office.store.postings.removed(posting.id, at=office.now())

        cards = await office.store.postings.standing(office.platform, PostingKind.LEARNED, STANDING)
        await self._each(((card.id, card) for card in cards), update)
