"""Somebody asks to be forgotten: their words are gone everywhere, what descends from them is marked, everybody else's stays."""

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import replace

import pytest

from storage.erasing import ERASED_LINE, ERASED_NAME, as_json, person_hash
from storage.errors import NotFound
from storage.records import (
    Actor,
    Correction,
    CorrectionState,
    DatasetLine,
    Evaluation,
    Judgement,
    Message,
    Model,
    Part,
    PostingKind,
    Purpose,
    Reply,
    Role,
    Run,
    RunState,
    RunStep,
    SampleScore,
    Side,
    Trigger,
    Turn,
    Verdict,
)
from tests.storage.scenes import Scene, a_claimed_run, a_proposal, a_reply_to, a_version

SECRET = "My name is Zanzibar Quill and my parcel is lost."
VERSION = "ds_0123456789abcdef0123456789abcdef"


async def asks(scene: Scene, who: Actor, key: str, text: str, conversation: str = "thread") -> tuple[Turn, Reply]:
    """Somebody asks in a thread, and is answered; the turn and the reply."""
    store = scene.store
    thread = await store.conversations.ensure(scene.voice.id, "slack", conversation, at=scene.clock())
    turn, _ = await store.conversations.record_turn(thread, key, text, who.id, at=scene.clock())
    reply, _ = await store.conversations.save_reply(a_reply_to(turn, scene.clock(), f"About: {text}"), owner="w")
    return turn, reply


async def people(scene: Scene) -> tuple[Actor, Actor]:
    quill = await scene.store.people.ensure_actor("slack", "T1/U1", "Zanzibar Quill", at=scene.clock())
    return quill, await scene.store.people.ensure_actor("slack", "T1/U2", "Other", at=scene.clock())


async def approved(scene: Scene, reply: Reply, turn: Turn, history: Sequence[Message] = ()) -> Correction:
    proposal = replace(a_proposal(scene, reply), question=turn.question, history=tuple(history))
    saved, _ = await scene.store.corrections.propose(proposal)
    return await scene.store.corrections.decide(
        saved.id, CorrectionState.APPROVED, scene.moderator.id, "", at=scene.clock()
    )


async def frozen(scene: Scene, by_side: Mapping[Side, Sequence[Correction]]) -> str:
    """A version with a line for each correction."""
    files = {
        side: b"".join(json.dumps({"messages": [c.question]}).encode() + b"\n" for c in made)
        for side, made in by_side.items()
    }
    lines = [
        DatasetLine(VERSION, Part(side), position, 0, Role.ANSWER, f"group of {c.id}", c.id)
        for side, made in by_side.items()
        for position, c in enumerate(made)
    ]
    named = {"train.jsonl": files[Side.TRAIN], "held_out.jsonl": files[Side.HELD_OUT]}
    await scene.store.datasets.freeze(a_version(scene, VERSION), named, lines, {}, at=scene.clock())
    return VERSION


async def everything(scene: Scene) -> tuple[Actor, Turn, Correction, Correction, Run, Model]:
    """Quill and somebody else talk in one thread; both are corrected, trained on and evaluated."""
    store = scene.store
    quill, other = await people(scene)
    turn, reply = await asks(scene, quill, "1", SECRET)
    later, later_reply = await asks(scene, other, "2", "And mine?")
    mine = await approved(scene, reply, turn)
    history = (Message("user", SECRET), Message("assistant", f"About: {SECRET}"))
    theirs = await approved(scene, later_reply, later, history)
    await store.feedback.give(later_reply.id, quill.id, Judgement.WRONG, "Quill says no", True, at=scene.clock())
    version = await frozen(scene, {Side.TRAIN: [mine, theirs], Side.HELD_OUT: []})
    run = await a_claimed_run(scene)
    run = await store.runs.advance(
        run.id,
        run.epoch,
        run.state,
        RunState.FROZEN,
        at=scene.clock(),
        dataset_version_id=version,
        training_file_id="f-1",
    )
    sample = SampleScore(mine.id, SECRET, "On it!", "x", "y", 0.1, 0.2)
    for state in (RunState.SUBMITTED, RunState.TRAINING, RunState.SERVABLE):
        run = await store.runs.advance(run.id, run.epoch, run.state, state, at=scene.clock())
    await store.runs.save_evaluation(
        Evaluation(
            run.id,
            "base",
            "ft:1",
            (sample, replace(sample, correction_id=theirs.id, question="And mine?")),
            0.02,
            Verdict.BETTER,
            "Better.",
            scene.clock(),
        )
    )
    model = await store.models.ensure_tuned(scene.voice.id, run.id, "ft:1", "smol-135m", version, at=scene.clock())
    return quill, turn, mine, theirs, run, model


async def test_no_word_of_theirs_is_left_anywhere_in_the_database(scene: Scene):
    quill, *_ = await everything(scene)
    assert "Quill" in await whole_database(scene)
    await scene.store.erasures.erase_person(quill, by=scene.moderator.id, at=scene.clock())
    left = await whole_database(scene)
    assert "Quill" not in left
    assert "parcel is lost" not in left
    assert "T1/U1" not in left
    assert "And mine?" in left


async def whole_database(scene: Scene) -> str:
    """Every row of every table as text."""
    from sqlalchemy import select

    from storage.schema import metadata

    database = scene.store._database  # pyright: ignore[reportPrivateUsage]
    async with database.reading() as connection:
        rows = [
            str(tuple(row))
            for table in metadata.sorted_tables
            for row in (await connection.execute(select(table))).all()
        ]
    return "\n".join(rows)


async def test_the_certificate_names_every_file_that_a_search_left_at_the_vendor(scene: Scene):
    quill, *_ = await everything(scene)
    search, _ = await scene.store.runs.request(
        scene.voice.id, "b", Trigger.PERSON, scene.moderator.id, at=scene.clock(), purpose=Purpose.SEARCH
    )
    claimed = await scene.store.runs.claim(search.id, "w", now=scene.clock(), lease_s=60)
    assert claimed is not None
    search = await scene.store.runs.advance(
        search.id, claimed.epoch, search.state, RunState.FROZEN, at=scene.clock(), dataset_version_id=VERSION
    )
    left = {"training_file": "f-2", "job": "job-2", "model": None}
    await scene.store.runs.plan_on(search, {"at_vendor": [left]}, at=scene.clock())
    done = await scene.store.erasures.erase_person(quill, by=scene.moderator.id, at=scene.clock())
    assert [held["training_file"] for held in done.detail["vendors"]] == ["f-1", "f-2"]
    assert {"run": search.id, **left} in done.detail["vendors"]


async def test_the_certificate_names_the_first_job_of_two_and_the_model_that_came_of_it(scene: Scene):
    quill, _, _, _, first, _ = await everything(scene)
    await scene.store.runs.advance(first.id, first.epoch, first.state, RunState.STOPPED, at=scene.clock())
    run = await a_claimed_run(scene)
    run = await scene.store.runs.advance(
        run.id, run.epoch, run.state, RunState.FROZEN, at=scene.clock(), dataset_version_id=VERSION
    )
    over = RunStep(run.id, 1, "f-2", "job-2", "ft:2", None, scene.clock(), scene.clock())
    await scene.store.runs.next_step(run, over, at=scene.clock())
    done = await scene.store.erasures.erase_person(quill, by=scene.moderator.id, at=scene.clock())
    assert {"run": run.id, "training_file": "f-2", "job": "job-2", "model": "ft:2"} in done.detail["vendors"]


async def test_the_certificate_counts_and_names_what_was_touched_by_hashes_and_ids(scene: Scene):
    quill, _, mine, theirs, run, model = await everything(scene)
    before = await scene.store.datasets.file(VERSION, "train.jsonl")
    done = await scene.store.erasures.erase_person(quill, by=scene.moderator.id, at=scene.clock())
    after = await scene.store.datasets.file(VERSION, "train.jsonl")
    assert after == ERASED_LINE + b"\n" + ERASED_LINE + b"\n"
    assert (done.detail["questions"], done.detail["judgements"]) == (1, 1)
    assert done.detail["corrections"] == [mine.id]
    assert done.detail["corrections_without_their_words"] == [theirs.id]
    [version] = done.detail["versions"]
    assert (version["id"], version["lines"]) == (VERSION, 2)
    assert version["before"]["train.jsonl"] == hashlib.sha256(before).hexdigest()
    assert version["after"]["train.jsonl"] == hashlib.sha256(after).hexdigest()
    assert done.detail["models"] == [{"id": model.id, "number": 1, "name": "ft:1"}]
    assert done.detail["vendors"] == [{"run": run.id, "training_file": "f-1", "job": None, "model": None}]
    assert done.person_hash == person_hash(quill)
    assert await scene.store.erasures.list(5) == [done]
    assert json.loads(as_json(done))["person_sha256"] == done.person_hash
    assert "Quill" not in as_json(done)


async def test_what_descends_is_marked_and_what_others_wrote_stays_without_their_words(scene: Scene):
    quill, turn, mine, theirs, run, model = await everything(scene)
    at = scene.clock()
    await scene.store.erasures.erase_person(quill, by=scene.moderator.id, at=at)
    store = scene.store
    assert (await store.datasets.get(VERSION)).erased_at == at
    assert (await store.models.get(model.id)).erased_at == at
    assert (await store.conversations.turn(turn.id)).withdrawn_at == at
    assert (await store.corrections.get(mine.id)).state is CorrectionState.ERASED
    kept = await store.corrections.get(theirs.id)
    assert (kept.state, kept.question, kept.history) == (CorrectionState.APPROVED, "And mine?", ())
    assert [c.id for c in await store.corrections.approved(scene.voice.id)] == [theirs.id]
    evaluation = await store.runs.evaluation(run.id)
    assert evaluation is not None
    assert [sample.question for sample in evaluation.samples] == ["", ""]
    assert [sample.candidate_score for sample in evaluation.samples] == [0.2, 0.2]
    somebody = await store.people.actor(quill.id)
    assert (somebody.name, somebody.rights) == (ERASED_NAME, frozenset())
    again = await store.people.ensure_actor("slack", "T1/U1", "Zanzibar Quill", at=scene.clock())
    assert again.id != quill.id


async def test_a_person_who_said_nothing_leaves_an_empty_certificate_and_an_unknown_one_is_an_error(scene: Scene):
    _, other = await people(scene)
    done = await scene.store.erasures.erase_person(other, by=scene.moderator.id, at=scene.clock())
    assert (done.detail["questions"], done.detail["versions"], done.detail["models"]) == (0, [], [])
    with pytest.raises(NotFound, match="actor"):
        await scene.store.erasures.erase_person(replace(other, id="actor_x"), by=scene.moderator.id, at=scene.clock())


async def test_a_hand_overs_card_is_shown_anew_once_the_words_it_quotes_are_gone(scene: Scene):
    quill, _ = await people(scene)
    turn, _ = await asks(scene, quill, "1", SECRET)
    store = scene.store
    asked, _ = await store.hand_overs.ask(turn.conversation_id, "", quill.id, at=scene.clock())
    posting, _ = await store.postings.intend("slack", PostingKind.HAND_OVER, asked.id, 0, "T1/C1", at=scene.clock())
    await store.postings.shows(posting.id, "asked")
    await store.conversations.withdraw_question("slack", "1", at=scene.clock())
    assert (await store.postings.of(PostingKind.HAND_OVER, asked.id))[0].shown == ""
