"""Everything a team does in a chat, once, as one list of acts and the sentences that came back."""

import json
import re
from dataclasses import replace
from datetime import datetime, timedelta
from typing import cast

from bot import moderation
from storage.ids import new_id
from storage.records import (
    PROGRAM_ACTOR_ID,
    Correction,
    CorrectionState,
    Doubt,
    Judgement,
    Preference,
    Right,
    RunState,
    Trigger,
)
from tests.bot.parity.sides import Discord, Side
from tests.curation.report.scenes import an_evaluation, sample


def before_confirming(text: str) -> str:
    """What is said before a person is told how to confirm, which each platform has its own way for."""
    return text.split(" To do it,")[0]


async def story(side: Side) -> dict[str, str]:
    """Run every act; what the person who did it was told, by act."""
    there = cast(Discord, side)  # both have the same methods, each with messages of its own
    told: dict[str, str] = {}
    await _judging(there, told)
    await _correcting(there, told)
    await _teaching(there, told)
    await _handing_over(there, told)
    await _disputing(there, told)
    await _doubting(there, told)
    await _drafting(there, told)
    await _asking_for(there, told)
    await _training(there, told)
    await _comparing(there, told)
    return told


async def _judging(there: Discord, told: dict[str, str]) -> None:
    reply = await there.ask("Where is my parcel?")
    told["good"] = await there.rate("customer", reply, good=True)
    told["undo"] = await there.press_last("customer", "undo")
    told["not right"] = await there.rate("customer", reply, good=False)
    told["say what was wrong"] = await there.explain("customer")
    told["a moderator's not right"] = await there.rate("moderator", reply, good=False)
    told["menu: good"] = await there.menu("moderator", reply, "good")
    told["menu: flag"] = await there.menu("moderator", reply, "flag")
    told["sign: not right"] = await there.sign("moderator", reply, "wrong")
    told["sign taken back"] = await there.sign("moderator", reply, "wrong", off=True)
    told["menu: why"] = await there.menu("moderator", reply, "why")
    told["sign: correct"] = await there.sign("moderator", reply, "correct")
    told["sign: retract"] = await there.sign("moderator", reply, "retract")


async def _correcting(there: Discord, told: dict[str, str]) -> None:
    reply = await there.ask("say First")
    told["correct"] = await there.correct("moderator", reply, "The first")
    told["take back"] = await there.press_last("moderator", "take_back")
    told["correct again"] = await there.correct("moderator", reply, "The first")
    await there.correct("moderator", reply, "The very first", edits=True)
    card = await there.card("review", "very first")
    told["a moderator approves"] = await there.press("moderator", card, "approve")
    told["holds until"] = await there.fill("approver", card, "expire", {"day": "2999-12-01"})
    card = await there.card("review", "Holds until 1 December 2999")
    told["holds for good"] = await there.fill("approver", card, "expire", {"day": ""})
    told["revise"] = await there.fill("approver", card, "edit", {"text": "The very best"})
    told["approve"] = await there.press("approver", await there.card("review", "very best"), "approve")
    card = await there.card("review", "Approved by")
    told["a moderator marks as critical"] = await there.press("moderator", card, "mark_critical")
    told["mark as critical"] = await there.press("approver", card, "mark_critical")
    card = await there.card("review", "· critical")
    told["not critical any more"] = await there.press("approver", card, "unmark_critical")
    reply = await there.ask("say Second")
    await there.correct("moderator", reply, "The second")
    card = await there.card("review", "Second")
    told["reject"] = await there.fill("approver", card, "reject", {"note": "No."})
    await there.rate("moderator", reply, good=False)
    told["retract"] = await there.press_last("moderator", "retract")


async def _teaching(there: Discord, told: dict[str, str]) -> None:
    reply = await there.ask("say Third")
    answer = await there.answers("moderator", reply, "It is the third.")
    told["teach"] = await there.menu("moderator", answer, "teach")
    told["teach the bot's own"] = await there.menu("moderator", reply, "teach")
    told["sign: teach"] = await there.sign("moderator", answer, "teach")
    told["sign: teach taken back"] = await there.sign("moderator", answer, "teach", off=True)


async def _handing_over(there: Discord, told: dict[str, str]) -> None:
    reply = await there.ask("say Fourth")
    told["get a human"] = await there.need_human("customer", reply)
    told["get a human again"] = await there.need_human("customer", reply)
    card = await there.card("triage", "Fourth")
    told["take"] = await there.press("moderator", card, "take")
    told["resolve"] = await there.press("moderator", card, "release")


async def _disputing(there: Discord, told: dict[str, str]) -> None:
    """Two approved answers, and later a third, that cannot all be right."""
    store, office = there.store, there.shop.running.app.parts
    ann = await store.people.ensure_actor("console", "ann", "Ann", frozenset(Right), at=office.now())

    async def approved(*days: int) -> None:
        for n in days:
            saved, _ = await store.corrections.propose(_answer(there.voice.id, ann.id, n, office.now()))
            await moderation.approve(store, ann, saved.id, team_of_one=True, now=office.now())
        office.wake_board()

    await approved(5, 14)
    card = await there.card("review", "5 day and 14 day")
    told["a moderator settles"] = await there.press("moderator", card, "settle_first")
    filled = {"settlement": "second", "day": "2999-12-01"}
    told["settle from a day on"] = await there.fill("approver", card, "settle_on", filled)
    await there.card("review", "newer answer holds from 1 December 2999 on, and the older one until then")
    await approved(30)
    told["both"] = await there.press("approver", await there.card("review", "14 day and 30 day"), "settle_both")


def _answer(voice_id: str, by: str, days: int, at: datetime) -> Correction:
    """An imported answer, which nobody gave in a chat."""
    said = f"We refund within {days} days."
    origin, state = f"import:faq.csv:{days}", CorrectionState.PROPOSED
    question = "How long do returns take?"
    return Correction(
        new_id("corr", at),
        voice_id,
        None,
        None,
        origin,
        origin,
        (),
        question,
        None,
        said,
        Judgement.WRONG,
        "",
        state,
        by,
        at,
    )


async def _doubting(there: Discord, told: dict[str, str]) -> None:
    """Moderators are asked about replies that models disagree on."""
    store, office = there.store, there.shop.running.app.parts
    for act in ("good", "flag"):
        await there.ask(f"say Doubt {act}")
        asked = await store.doubts.asked_since(there.voice.id, office.now() - timedelta(days=1), 50)
        reply_id = next(each.reply_id for each in asked if each.question == f"say Doubt {act}")
        await store.doubts.choose([Doubt(reply_id, there.voice.id, 2, 0.9, office.now())], 9)
        office.wake_board()
        card = await there.card("review", f"Question say Doubt {act}")
        told[f"asked: {act}"] = await there.answer_doubt("moderator", card, act)


async def _drafting(there: Discord, told: dict[str, str]) -> None:
    told["channel"] = await there.command("admin", "channel")
    told["channel draft"] = await there.command("admin", "channel draft")
    told["send a draft"] = await there.press("moderator", await there.draft("One"), "send_draft")
    filled = {"text": "A better draft"}
    told["edit and send"] = await there.fill("moderator", await there.draft("Two"), "edit_draft", filled)
    told["drop"] = await there.press("moderator", await there.draft("Three"), "drop_draft")
    told["channel mention"] = await there.command("admin", "channel mention no-training")
    rules = {"hours": "Mon-Sun 00:00-24:00", "time_zone": "Europe/Berlin", "daily_cap": 500, "language": "German"}
    told["channel wrong hours"] = await there.configure("admin", rules | {"hours": "nine to five"})
    told["channel rules"] = await there.configure("admin", rules | {"cooldown": 90})
    told["channel no rules"] = await there.configure(
        "admin", {"hours": "always", "daily_cap": 0, "language": "none", "cooldown": 0}
    )


async def _asking_for(there: Discord, told: dict[str, str]) -> None:
    for command in ("queue", "pairs", "pairs 1 a", "models", "voice", "status", "dataset", "dataset newest"):
        told[command] = await there.command("admin", command)
    said, name, content = await there.file("admin", "dataset export")
    told["dataset export"] = f"{said} {name}\n{content}"
    said, name, content = await there.file("customer", "mydata")
    asked = [(one["question"], one["answer"]) for one in json.loads(content)["questions"]]
    told["mydata"] = f"{said} {name} {asked}"
    asked, done = await there.forget("customer")
    told["forget"], told["forget for good"] = before_confirming(asked), done


async def _comparing(there: Discord, told: dict[str, str]) -> None:
    """A run that compared two pairs; whose answer is A is drawn for each person, so that it differs between platforms."""
    runs, now = there.store.runs, there.shop.running.app.parts.now
    run, _ = await runs.request(there.voice.id, "base", Trigger.PERSON, PROGRAM_ACTOR_ID, at=now())
    compared = an_evaluation(sample(1, 0.2, 0.4), sample(2, 0.2, 0.4))
    await runs.save_evaluation(replace(compared, run_id=run.id))
    claimed = await runs.claim(run.id, "somebody", now=now(), lease_s=0)
    assert claimed is not None
    await runs.advance(run.id, claimed.epoch, run.state, RunState.STOPPED, at=now(), end_reason="It was no better.")
    told["a pair"] = _unordered(await there.pairs("moderator"))
    told["equally good"] = _unordered(await there.pick("moderator", "pick_same"))
    told["pressed again"] = _unordered(await there.pick("moderator", "pick_a"))
    told["pair 2"] = await there.command("moderator", "pairs 2 neither")
    chosen = [vote.preference for vote in await there.store.blind_pairs.of_run(run.id)]
    assert chosen == [Preference.NEITHER, Preference.UNFIT]


def _unordered(text: str) -> str:
    """What is said without the numbers of questions and the order of answers."""
    return " ".join(sorted(re.sub(r"\b[12]\b", "n", text).split()))


async def _training(there: Discord, told: dict[str, str]) -> None:
    await there.stock()
    told["preview"] = await there.preview()
    told["start"] = await there.start()
    told["pause"] = await there.run_press("pause_run")
    await there.until_run("paused")
    told["pause again"] = await there.command("admin", "pause")
    told["resume"] = await there.run_press("resume_run")
    told["resume again"] = await there.command("admin", "resume")
    told["cancel"] = await there.run_press("cancel_run")
    await there.until_run("Cancelled")
    await there.preview()
    await there.start()
    await there.until_run("Promoted")
    told["roll back"] = await there.run_press("roll_back")
    told["roll back twice"] = await there.run_press("roll_back")
    told["serve a named one"] = await there.command("admin", "rollback 1")
    told["release nothing"] = await there.command("admin", "release We read them.")
    told["pause nothing"] = await there.command("admin", "pause")
    told["cancel nothing"] = await there.command("admin", "cancel")
    told["search"] = await there.preview_search()
    told["start a search"] = await there.start("start_search")
    told["cancel a search"] = await there.command("admin", "cancel")
