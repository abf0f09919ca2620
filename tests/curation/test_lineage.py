"""From any line of any version to the reply, the moderator, the approver and the minute; and from each of those back to it."""

import json
from collections import defaultdict
from dataclasses import dataclass, replace
from datetime import datetime

import pytest

from bot import moderation
from bot.moderation import Draft
from curation import versions
from curation.marks import MarkPolicy
from storage.erasing import FILES_OF_PART
from storage.records import Actor, DatasetLine, Judgement, Part, Reply, Right, Role
from tests.curation.conftest import House
from tests.storage.scenes import a_reply_to

Place = tuple[str, Part, int]  # version id, part, position


@dataclass(frozen=True)
class Known:
    """What somebody did, written down while they did it. A mark has no approver but the moderators who agree."""

    reply_id: str
    moderator: str
    approver: str
    minute: datetime
    says: str


@dataclass
class Desk:
    """A house whose team writes down what it does."""

    house: House
    mo: Actor
    mia: Actor
    known: list[Known]
    asked: int = 0

    async def reply(self, question: str, text: str = "Who knows.") -> Reply:
        """A question in a conversation of its own, and what was said."""
        store, now = self.house.store, self.house.workshop.now
        self.asked += 1
        key = f"T1/C1/{self.asked}.1"
        thread = await store.conversations.ensure(self.house.voice.id, "slack", key, at=now())
        turn, _ = await store.conversations.record_turn(thread, key, question, self.mia.id, at=now())
        return (await store.conversations.save_reply(a_reply_to(turn, now(), text), owner="w"))[0]

    async def correct(self, by: Actor, question: str, answer: str) -> Known:
        """Corrected by one, approved by another."""
        store, now, reply = self.house.store, self.house.workshop.now, await self.reply(question)
        made = (await moderation.correct(store, by, reply.id, Draft(answer, Judgement.WRONG), now=now())).record
        at = now()
        await moderation.approve(store, self.house.admin, made.id, team_of_one=False, now=at)
        return self.note(Known(reply.id, by.name, self.house.admin.name, at, answer))

    async def mark(self, by: Actor, question: str, text: str, judgement: Judgement) -> Known:
        reply, at = await self.reply(question, text), self.house.workshop.now()
        await moderation.mark(self.house.store, by, reply.id, judgement, now=at)
        return self.note(Known(reply.id, by.name, "", at, text))

    def note(self, known: Known) -> Known:
        self.known.append(known)
        return known

    async def freeze(self) -> str:
        press = self.house.workshop.press
        rules = replace(press.rules, minimum_train=1, minimum_held_out=1, marks=MarkPolicy(moderators=1))
        now, by = self.house.workshop.now(), self.house.admin.id
        voice, press = self.house.voice, replace(press, rules=rules)
        return (await versions.freeze(self.house.store, voice, press, by=by, at=now)).id

    async def source(self, line: DatasetLine) -> Known:
        """Who and when, of a source of a line, by what the store tells anybody."""
        store = self.house.store
        if line.correction_id is not None:
            found = await store.corrections.get(line.correction_id)
            assert found.reply_id is not None
            assert found.decided_by is not None
            assert found.decided_at is not None
            people = await store.people.actors({found.proposed_by, found.decided_by})
            by, approver = people[found.proposed_by].name, people[found.decided_by].name
            return Known(found.reply_id, by, approver, found.decided_at, found.corrected_text)
        assert line.reply_id is not None
        (given,) = await store.feedback.for_reply(line.reply_id)
        reply = await store.conversations.reply(line.reply_id)
        return Known(reply.id, (await store.people.actor(given.actor_id)).name, "", given.given_at, reply.text)


@pytest.fixture
async def desk(house: House) -> Desk:
    """Corrections of two moderators, two of which say nearly the same, and two marked replies; in two versions."""
    now = house.workshop.now
    mo, mia = [
        await house.store.people.ensure_actor("console", name, name, {Right.MODERATOR}, at=now())
        for name in ("Mo", "Mia")
    ]
    desk = Desk(house, mo, mia, [])
    await desk.correct(mo, "Where is the parcel that I ordered last month?", "It leaves the nest tomorrow at noon.")
    await desk.correct(mia, "where is the parcel that I ordered last month", "It leaves the nest tomorrow at noon!")
    await desk.correct(mia, "Can a broken handle be mended?", "We mend handles of wood, but none of plastic.")
    await desk.correct(mo, "Which coat keeps a sailor dry?", "The yellow one, closed up to the chin.")
    await desk.mark(mo, "Do you like the sea?", "More than anything else.", Judgement.GOOD)
    await desk.mark(mia, "Who are you?", "Nobody you know.", Judgement.WRONG)
    return desk


async def test_every_line_leads_to_who_said_it_and_everybody_back_to_their_lines(desk: Desk):
    first = await desk.freeze()
    await desk.correct(mo := desk.mo, "Are umbrellas allowed on board?", "Only short ones, and only when it rains.")
    await desk.mark(mo, "May my dog come along?", "Dogs are welcome everywhere.", Judgement.GOOD)
    second = await desk.freeze()
    assert first != second

    places: dict[Known, list[Place]] = defaultdict(list)
    for version_id in (first, second):
        lines = await desk.house.store.datasets.lines(version_id)
        await every_line_has_one_answer_that_says_it(desk, version_id, lines)
        for line in lines:
            source = await desk.source(line)
            assert source in desk.known
            places[source].append((version_id, line.part, line.position))

    assert {len(places[known]) for known in desk.known[:6]} == {2}  # in both versions
    assert {len(places[known]) for known in desk.known[6:]} == {1}
    assert places[desk.known[0]] == places[desk.known[1]]  # one line speaks for both
    for known in desk.known:
        assert await found_again(desk, known.reply_id) == places[known]


async def every_line_has_one_answer_that_says_it(desk: Desk, version_id: str, lines: list[DatasetLine]) -> None:
    answers = {(line.part, line.position): line for line in lines if line.role is Role.ANSWER}
    assert len(answers) == sum(line.role is Role.ANSWER for line in lines)
    files = await desk.house.store.datasets.files(version_id)
    written = {
        (part, position): json.loads(row)["messages"][-1]["content"]
        for part in Part
        for position, row in enumerate(files.get(FILES_OF_PART[part][0], b"").splitlines())
    }
    assert {place: (await desk.source(line)).says for place, line in answers.items()} == written


async def found_again(desk: Desk, reply_id: str) -> list[Place]:
    """Every line that a reply led to, oldest version first: by its corrections, or as a marked reply."""
    store = desk.house.store
    corrected = await store.corrections.for_reply(reply_id)
    if corrected:
        lines = [line for one in corrected for line in await store.datasets.versions_with(one.id)]
    else:
        kept = reversed(await store.datasets.list(desk.house.voice.id, 99))
        lines = [line for one in kept for line in await store.datasets.lines(one.id) if line.reply_id == reply_id]
    return [(line.version_id, line.part, line.position) for line in lines]
