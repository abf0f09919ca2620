"""Whatever people do, in any order: every line of every version comes from what stands, and from nothing of who was forgotten."""

import asyncio
import json
import shutil
import tempfile
from collections import defaultdict
from collections.abc import Coroutine, Iterator, Sequence
from pathlib import Path
from typing import Any, TypeVar, cast

import pytest
from hypothesis import HealthCheck, Phase, settings
from hypothesis import strategies as st
from hypothesis.stateful import Bundle, RuleBasedStateMachine, initialize, multiple, rule, run_state_machine_as_test

from bot import disputing, moderation
from curation import versions
from curation.card import LEFT_OUT_FILE, LINEAGE_FILE, RATINGS_FILE, Basis, recompute
from curation.cleaning import require_clean, rules_for
from curation.dataset import Rules, TooFewExamples, version_id
from curation.gathering import Press
from curation.marks import MarkPolicy
from curation.normal import normalised
from curation.prices import PRICES
from storage.disputes import blocked
from storage.errors import AlreadyDecided
from storage.records import (
    Actor,
    CorrectionState,
    DatasetLine,
    DatasetVersion,
    DisputeKind,
    Judgement,
    Part,
    Right,
    Role,
    Settlement,
)
from storage.store import open_store
from tests.conftest import Clock
from tests.curation.conftest import words
from tests.storage.scenes import a_reply_to

T = TypeVar("T")

CUSTOMERS = ("Quillwort", "Ravenna", "Sorrel")
WORDS_OF = {"Quillwort": "thistlewick", "Ravenna": "gumberry", "Sorrel": "moonpetal"}  # what only they say
ASKED = (
    "where is the parcel that I ordered from you at the beginning of last month?",
    "can I send the umbrella back when it has been out in the rain already?",
    "which of your coats would you take to a very wet and stormy island?",
    "do you like the sea?",
    "who repairs a bent handle?",
)
WAYS = ("{asked}", "dear {word}, {asked}", "my {word}: {asked} Write to {name}@wonder.example.")
ANSWERS = (
    "It takes 14 days, and we tell you when it leaves the nest.",
    "It takes 30 days, and we tell you when it leaves the nest.",
    "It takes 14 days, and we will tell you when it leaves the nest.",
    "Certainly, {name}: write to the crew at {name}@wonder.example and we look after it.",
    "No, that is not possible at all.",
)
NOTHING: Any = cast(Any, multiple)()  # added to a bundle
PICK = st.integers(0, 29)
BESIDE = (LINEAGE_FILE, LEFT_OUT_FILE, RATINGS_FILE)  # where lines came from: ids and hashes, which look like secrets
RULES = Rules(1, 1, 0.3, context_tokens=120, marks=MarkPolicy(moderators=1, trust=0.0))
PRESS = Press(RULES, words, "words")


class Shop(RuleBasedStateMachine):
    replies = Bundle("replies")
    proposals = Bundle("proposals")
    migrated_sqlite_file: Path
    built = 0  # of all examples: a machine that never builds proves nothing

    def __init__(self) -> None:
        super().__init__()
        self.folder = tempfile.TemporaryDirectory()
        self.loop = asyncio.Runner()
        self.clock = Clock()
        path = Path(self.folder.name) / "app.sqlite"
        shutil.copy(self.migrated_sqlite_file, path)
        self.store = self.loop.run(open_store(f"sqlite:///{path}"))
        self.voice = self.do(self.store.voices.ensure("puffin", "Be kind.", "base", at=self.clock()))
        self.ada = self.person("console", "ada", frozenset(Right))
        self.moderators = [self.person("console", name, frozenset({Right.MODERATOR})) for name in ("mo", "mia")]
        self.customers = [self.person("slack", name) for name in CUSTOMERS]
        self.forgotten: set[str] = set()
        self.asked = 0
        self.sides: dict[str, Part] = {}  # correction id → where it ever stood

    def teardown(self) -> None:
        """Whatever was done, a version is built at its end."""
        try:
            self.build()
        finally:
            self.loop.run(self.store.close())
            self.loop.close()
            self.folder.cleanup()

    def do(self, work: Coroutine[Any, Any, T]) -> T:
        return self.loop.run(work)

    def person(self, platform: str, name: str, rights: frozenset[Right] = frozenset()) -> Actor:
        key = f"T1/{name.upper()}01" if platform == "slack" else name
        return self.do(self.store.people.ensure_actor(platform, key, name, rights, at=self.clock()))

    # ------------------------------------------------------------ what people do

    @initialize(
        begun=st.lists(st.tuples(st.integers(0, 2), st.integers(0, 3), PICK, PICK, PICK), min_size=4, max_size=9)
    )
    def begin(self, begun: list[tuple[int, int, int, int, int]]) -> None:
        """Some replies are marked, some corrected, some both, so that there is something to build."""
        for who, thread, asked, way, answer in begun:
            reply = self.ask(who, thread, ASKED[asked % 5], WAYS[way % 3], "Who knows.")
            if way % 2:
                self.mark(reply, answer % 2, Judgement.GOOD if way % 5 else Judgement.WRONG)
            if asked % 4:
                self.correct_and_approve(reply, answer % 2, ANSWERS[answer % 5])

    @rule(reply=replies, who=st.integers(0, 1), answer=st.sampled_from(ANSWERS))
    def correct_and_approve(self, reply: tuple[str, str], who: int, answer: str) -> None:
        id = self.correct(reply, who, answer, edits=False)
        if isinstance(id, str):
            self.decide(id, "approve")

    @rule(
        target=replies,
        who=st.integers(0, 2),
        thread=st.integers(0, 3),
        asked=st.sampled_from(ASKED),
        way=st.sampled_from(WAYS),
        said=st.sampled_from(ANSWERS),
    )
    def ask(self, who: int, thread: int, asked: str, way: str, said: str) -> Any:
        """Customers share threads, so that one's words stand before another's question."""
        customer, name = self.customers[who], CUSTOMERS[who]
        if name in self.forgotten:
            return NOTHING
        self.asked += 1
        conversations, key = self.store.conversations, f"T1/C1/{thread}.1"
        place = self.do(conversations.ensure(self.voice.id, "slack", key, at=self.clock()))
        question = way.format(name=name, word=WORDS_OF[name], asked=asked)
        turn, _ = self.do(
            conversations.record_turn(place, f"T1/C1/{self.asked}.2", question, customer.id, at=self.clock())
        )
        text = said.format(name=name)
        reply, _ = self.do(conversations.save_reply(a_reply_to(turn, self.clock(), text), owner="w"))
        return reply.id, name

    @rule(reply=replies, who=st.integers(0, 4), judgement=st.sampled_from([Judgement.GOOD, Judgement.WRONG]))
    def mark(self, reply: tuple[str, str], who: int, judgement: Judgement) -> None:
        actor = [*self.moderators, *self.customers][who]
        if actor.name not in self.forgotten:
            self.do(moderation.mark(self.store, actor, reply[0], judgement, now=self.clock()))

    @rule(reply=replies, who=st.integers(0, 1))
    def unmark(self, reply: tuple[str, str], who: int) -> None:
        self.do(moderation.unmark(self.store, self.moderators[who], reply[0], now=self.clock()))

    @rule(target=proposals, reply=replies, who=st.integers(0, 1), answer=st.sampled_from(ANSWERS), edits=st.booleans())
    def correct(self, reply: tuple[str, str], who: int, answer: str, edits: bool) -> Any:
        reply_id, name = reply
        draft = moderation.Draft(answer.format(name=name), Judgement.WRONG, edits_posted=edits)
        if name in self.forgotten:
            return NOTHING
        try:
            work = moderation.correct(self.store, self.moderators[who], reply_id, draft, now=self.clock())
            return self.do(work).record.id
        except moderation.NotAllowed:  # it says what the reply says
            return NOTHING

    @rule(id=proposals, verb=st.sampled_from(["approve", "approve", "approve", "reject", "retract"]))
    def decide(self, id: str, verb: str) -> None:
        try:
            match verb:
                case "approve":
                    self.do(moderation.approve(self.store, self.ada, id, team_of_one=False, now=self.clock()))
                case "reject":
                    self.do(moderation.reject(self.store, self.ada, id, now=self.clock()))
                case _:
                    whose = self.do(self.store.corrections.get(id)).proposed_by
                    by = next(each for each in self.moderators if each.id == whose)
                    self.do(moderation.retract(self.store, by, id, now=self.clock()))
        except AlreadyDecided:
            pass

    @rule()
    def approve_all(self) -> None:
        waiting = self.do(self.store.corrections.list(self.voice.id, [CorrectionState.PROPOSED], limit=99))
        self.do(moderation.approve_all(self.store, self.ada, waiting, team_of_one=False, now=self.clock()))

    @rule(number=st.integers(0, 9), settlement=st.sampled_from(Settlement))
    def settle(self, number: int, settlement: Settlement) -> None:
        waiting = self.do(self.store.disputes.open(self.voice.id))
        if waiting and settlement is not Settlement.NEITHER:
            dispute = waiting[number % len(waiting)]
            assert dispute.kind is DisputeKind.CONTRADICTION
            self.do(disputing.settle(self.store, self.ada, dispute.id, settlement, now=self.clock()))

    @rule(who=st.integers(0, 2))
    def forget(self, who: int) -> None:
        if CUSTOMERS[who] in self.forgotten:
            return
        self.do(moderation.forget_person(self.store, self.ada, self.customers[who], now=self.clock()))
        self.forgotten.add(CUSTOMERS[who])
        self.nothing_is_left_of_the_forgotten()

    # ------------------------------------------------------------ what must hold

    @rule()
    def build(self) -> None:
        try:
            version = self.do(versions.freeze(self.store, self.voice, PRESS, by=self.ada.id, at=self.clock()))
        except TooFewExamples:
            return
        type(self).built += 1
        files = self.do(self.store.datasets.files(version.id))
        lines = self.do(self.store.datasets.lines(version.id))
        self.every_line_comes_from_what_stands(lines)
        self.no_side_has_anything_of_the_other(lines)
        self.the_card_is_what_the_files_say(version, files)
        trained_on = {name: files[name] for name in files if name not in BESIDE}
        require_clean(trained_on, rules_for(self.voice.system_prompt, ()))
        self.nothing_is_left_of_the_forgotten()

    def every_line_comes_from_what_stands(self, lines: list[DatasetLine]) -> None:
        blocked_ids = blocked(self.do(self.store.disputes.open(self.voice.id)))
        for line in lines:
            if line.correction_id is not None:
                correction = self.do(self.store.corrections.get(line.correction_id))
                assert correction.state is CorrectionState.APPROVED, line
                assert line.correction_id not in blocked_ids, line
            else:
                assert line.reply_id is not None
                assert (line.role, line.part is Part.HELD_OUT) == (Role.ANSWER, False)
                self.a_marked_reply_is_what_moderators_say(line.reply_id, is_good=line.part is Part.TRAIN)

    def a_marked_reply_is_what_moderators_say(self, reply_id: str, *, is_good: bool) -> None:
        given = self.do(self.store.feedback.for_reply(reply_id))
        counting = [one.judgement is Judgement.GOOD for one in given if one.actor_id in {m.id for m in self.moderators}]
        assert set(counting) == {is_good}
        states = {one.state for one in self.do(self.store.corrections.for_reply(reply_id))}
        assert states <= {CorrectionState.REJECTED, CorrectionState.RETRACTED}

    def no_side_has_anything_of_the_other(self, lines: list[DatasetLine]) -> None:
        sides: dict[str, set[bool]] = defaultdict(set)  # what must not be torn → whether it is held out
        for line in lines:
            is_held_out = line.part is Part.HELD_OUT
            sides[f"group {line.group_key}"].add(is_held_out)
            if line.correction_id is None or line.role is Role.FIX:
                continue
            correction = self.do(self.store.corrections.get(line.correction_id))
            sides[f"conversation {correction.conversation_id}"].add(is_held_out)
            sides[f"question {normalised(correction.question)}"].add(is_held_out)
            assert self.sides.setdefault(line.correction_id, line.part) is line.part
        assert not [name for name, held_out in sides.items() if len(held_out) > 1]

    def the_card_is_what_the_files_say(self, version: DatasetVersion, files: dict[str, bytes]) -> None:
        assert version.erased_at is None
        assert version_id({name: files[name] for name in files if name not in BESIDE}) == version.id
        basis = Basis("words", 3, self.voice.system_prompt, PRICES)
        shown = recompute(version.id, files, basis, words)
        assert shown == self.do(versions.card_of(self.store, version.id, basis, words))
        numbers = shown.numbers
        assert numbers.sides["train"].examples == version.train_count
        assert numbers.sides["train"].tokens == version.train_tokens
        assert numbers.sides["held_out"].examples == version.held_out_count
        assert numbers.torn_groups == 0
        assert dict(numbers.left_out) == version.card["left_out"]

    def nothing_is_left_of_the_forgotten(self) -> None:
        kept = self.do(self.store.datasets.list(self.voice.id, 99))
        told = "".join(json.dumps(dict(version.card)) for version in kept)
        for version in kept:
            told += b"".join(self.do(self.store.datasets.files(version.id)).values()).decode()
        for correction in self.do(self.store.corrections.list(self.voice.id, CorrectionState, limit=999)):
            said = [message.content for message in correction.history]
            told += "\n".join((*said, correction.question, correction.served_text or "", correction.corrected_text))
        for name in self.forgotten:
            assert name not in told
            assert WORDS_OF[name] not in told


def test_versions_hold_what_stands_and_nothing_else_whatever_is_done(migrated_sqlite_file: Path) -> None:
    Shop.migrated_sqlite_file, Shop.built = migrated_sqlite_file, 0
    run_state_machine_as_test(
        Shop,
        settings=settings(
            max_examples=12,
            stateful_step_count=30,
            deadline=None,
            database=None,
            phases=[Phase.generate],  # the shortest failing sequence takes minutes to find; the first one says enough
            derandomize=True,
            suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large, HealthCheck.filter_too_much],
        ),
    )
    assert Shop.built > 10


# ---------------------------------------------------------------- sequences that once left something behind


@pytest.fixture
def shop(migrated_sqlite_file: Path) -> Iterator[Shop]:
    """A shop in which nothing was asked yet."""
    Shop.migrated_sqlite_file = migrated_sqlite_file
    opened = Shop()
    try:
        yield opened
    finally:
        opened.teardown()


def test_the_oldest_question_names_no_topic_once_who_asked_it_is_forgotten(shop: Shop) -> None:
    answered(shop, 2, ASKED[1:3])
    shop.correct_and_approve(shop.ask(0, 0, ASKED[0], WAYS[1], "Who knows."), 0, ANSWERS[0])
    shop.ask(1, 3, ASKED[3], WAYS[0], "Yes.")
    shop.correct_and_approve(shop.ask(1, 3, ASKED[0], WAYS[0], "Who knows."), 1, ANSWERS[0])
    shop.build()
    shop.forget(0)


def test_what_was_scrubbed_in_anothers_history_goes_with_who_said_it(shop: Shop) -> None:
    answered(shop, 2, ASKED[:3])
    shop.ask(0, 0, ASKED[1], WAYS[2], "Who knows.")
    shop.correct_and_approve(shop.ask(1, 0, ASKED[0], WAYS[0], "Who knows."), 1, ANSWERS[0])
    shop.build()
    shop.forget(0)


def test_a_version_that_is_built_again_without_the_forgotten_is_whole(shop: Shop) -> None:
    answered(shop, 2, ASKED[:3])
    good = shop.ask(1, 0, ASKED[3], WAYS[0], "I like it very much.")
    shop.mark(good, 0, Judgement.GOOD)
    shop.ask(0, 0, ASKED[1], WAYS[2], "Who knows.")
    shop.build()
    shop.forget(0)
    shop.build()
    assert Shop.built == 2


def test_what_was_trained_on_is_never_judged_by_however_groups_are_joined(shop: Shop) -> None:
    answered(shop, 2, ASKED)
    shop.build()
    for thread in range(1, len(ASKED)):  # the next thread's question, asked in this one as well
        shop.correct_and_approve(shop.ask(2, thread, ASKED[thread], WAYS[0], "Who knows."), 0, ANSWERS[4])
        shop.build()
    assert Shop.built > 1


def answered(shop: Shop, who: int, asked: Sequence[str]) -> None:
    Shop.built = 0
    for thread, question in enumerate(asked, 1):
        shop.correct_and_approve(shop.ask(who, thread, question, WAYS[0], "Who knows."), 0, ANSWERS[4])
