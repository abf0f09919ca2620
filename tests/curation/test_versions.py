"""A version keeps where its lines came from, so its card comes from its own files; somebody forgotten is in none of them."""

import json
from dataclasses import replace

import pytest

from bot import moderation
from curation import versions
from curation.as_served import AsServed
from curation.card import LINEAGE_FILE, Basis, Card, recompute
from curation.dataset import TRAIN_FILE, TooFewExamples
from curation.gathering import Press, build_now
from curation.marks import MarkPolicy
from curation.prices import PRICES
from curation.versions import PartlyErased
from providers.quirks import OPENAI, TUNER, Method
from storage.erasing import FILES_OF_PART
from storage.records import (
    Actor,
    ChannelMode,
    Correction,
    CorrectionState,
    DatasetVersion,
    Held,
    Hold,
    Judgement,
    Part,
    PromptKind,
    Right,
    Role,
    Side,
)
from tests.curation.conftest import House, words
from tests.storage.scenes import a_reply_to


def basis(house: House) -> Basis:
    return Basis("words", 3, house.voice.system_prompt, PRICES, targets=(("openai", "gpt-4o-mini"),))


async def freeze(house: House) -> DatasetVersion:
    return await versions.freeze(
        house.store, house.voice, house.workshop.press, by=house.admin.id, at=house.workshop.now()
    )


async def card(house: House, version: DatasetVersion) -> Card:
    return await versions.card_of(house.store, version.id, basis(house), words)


async def test_every_number_of_a_card_comes_from_the_versions_own_files(house: House):
    await house.approve(*range(12))
    version = await freeze(house)
    files = await house.store.datasets.files(version.id)
    shown = await card(house, version)
    assert shown == recompute(version.id, files, basis(house), words)
    sides = shown.numbers.sides
    assert (sides["train"].examples, sides["held_out"].examples) == (version.train_count, version.held_out_count)
    assert sides["train"].tokens == version.train_tokens
    assert shown.numbers.counts["moderator"] == {house.admin.id: 12}
    assert shown.numbers.torn_groups == 0
    assert files[LINEAGE_FILE].count(b"\n") == 12


async def test_the_same_corrections_are_the_same_version_and_a_new_one_is_another(house: House):
    await house.approve(*range(12))
    first = await freeze(house)
    assert (await freeze(house)).id == first.id
    await house.approve(12)
    second = await freeze(house)
    found = await versions.diff(house.store, first.id, second.id)
    assert (len(found.added), len(found.removed), len(found.moved), found.unchanged) == (1, 0, 0, 12)


async def test_too_few_are_not_frozen_but_can_be_looked_at(house: House):
    await house.approve(1, 2)
    with pytest.raises(TooFewExamples):
        await freeze(house)
    press = versions.keeping_everything(house.workshop.press)
    looked_at = await build_now(house.store, house.voice, press, at=house.workshop.now())
    assert len(looked_at.train) + len(looked_at.held_out) == 2


async def test_an_export_is_what_is_trained_on_and_a_corrected_reply_a_pair(house: House):
    await house.approve(*range(12))
    _, made = await corrected_for_somebody(house)
    version = await freeze(house)
    (side,) = {line.part for line in await house.store.datasets.lines(version.id) if line.correction_id == made.id}
    sft = await versions.export_for(house.store, version.id, side, OPENAI, Method.SFT, limits=None)
    assert sft.content == await house.store.datasets.file(version.id, FILES_OF_PART[side][0])
    pairs = await versions.export_for(house.store, version.id, side, OPENAI, Method.DPO, limits=None)
    assert made.id in {id for line in pairs.lines for id in line.example_ids}
    assert b"Who knows, [name 1]." in pairs.content
    shown = await card(house, version)
    assert shown.numbers.counts["channel"]["slack/T1/C1"] == 1
    assert shown.numbers.counts["kind"] == {"import": 12, "correction": 1}


async def test_somebody_forgotten_is_in_no_card_no_diff_and_no_next_version(house: House):
    await house.approve(*range(20))  # enough on either side, whichever the forgotten one stood on
    quill, made = await corrected_for_somebody(house)
    version = await freeze(house)
    assert made.id in {line.correction_id for line in await house.store.datasets.lines(version.id)}
    await house.store.erasures.erase_person(quill, by=house.admin.id, at=house.workshop.now())
    with pytest.raises(PartlyErased, match="somebody asked to be forgotten"):
        await card(house, version)
    with pytest.raises(PartlyErased):
        await versions.export_for(house.store, version.id, Side.TRAIN, OPENAI, Method.SFT, limits=None)
    following = await freeze(house)
    assert following.id != version.id
    assert made.id not in {line.correction_id for line in await house.store.datasets.lines(following.id)}
    everything = b"".join((await house.store.datasets.files(version.id)).values())
    assert b"Quill" not in everything + b"".join((await house.store.datasets.files(following.id)).values())


async def corrected_for_somebody(
    house: House, key: str = "1.1", question: str = "I am Quill. Where is it?"
) -> tuple[Actor, Correction]:
    """A customer asks something only they would ask, and a moderator's correction of the reply is approved."""
    store, now = house.store, house.workshop.now
    quill = await store.people.ensure_actor("slack", "T1/U1", "Quill", at=now())
    thread = await store.conversations.ensure(house.voice.id, "slack", f"T1/C1/{key}", at=now())
    turn, _ = await store.conversations.record_turn(thread, f"T1/C1/{key}", question, quill.id, at=now())
    reply, _ = await store.conversations.save_reply(a_reply_to(turn, now(), "Who knows, Quill."), owner="w")
    draft = moderation.Draft("It sails tomorrow, Quill.", Judgement.WRONG)
    proposed = (await moderation.correct(store, house.admin, reply.id, draft, now=now())).record
    approved = await moderation.approve(store, house.admin, proposed.id, team_of_one=True, now=now())
    return quill, approved.record


# ---------------------------------------------------------------- marks


async def marked(house: House, judgement: Judgement, key: str, question: str, *who: str) -> str:
    """A customer asks, the bot answers, and these moderators judge it; the reply's id."""
    store, now = house.store, house.workshop.now
    quill = await store.people.ensure_actor("slack", "T1/U1", "Quill", at=now())
    thread = await store.conversations.ensure(house.voice.id, "slack", f"T1/C1/{key}", at=now())
    turn, _ = await store.conversations.record_turn(thread, f"T1/C1/{key}", question, quill.id, at=now())
    reply, _ = await store.conversations.save_reply(a_reply_to(turn, now(), f"About {key}, Quill."), owner="w")
    for name in who:
        actor = await store.people.ensure_actor("slack", f"T1/{name}", name, frozenset({Right.MODERATOR}), at=now())
        await store.feedback.give(reply.id, actor.id, judgement, "", judgement is not Judgement.GOOD, at=now())
    return reply.id


def marking(house: House) -> Press:
    press = house.workshop.press
    return replace(press, rules=replace(press.rules, marks=MarkPolicy(moderators=2)))


async def frozen_with_marks(house: House) -> tuple[DatasetVersion, str, str]:
    await house.approve(*range(12))
    good = await marked(house, Judgement.GOOD, "1.1", "Do you ship to Norway? I am Quill.", "mia", "mo")
    await marked(house, Judgement.GOOD, "2.1", "Is it vegan?", "mia")
    bad = await marked(house, Judgement.WRONG, "3.1", "Where is my parcel?", "mia")
    press = marking(house)
    version = await versions.freeze(house.store, house.voice, press, by=house.admin.id, at=house.workshop.now())
    return version, good, bad


async def test_what_moderators_agree_is_good_is_learned_and_what_they_flag_is_a_label(house: House):
    version, good, bad = await frozen_with_marks(house)
    by_reply = {line.reply_id: line for line in await house.store.datasets.lines(version.id) if line.reply_id}
    assert {id: (line.part, line.role) for id, line in by_reply.items()} == {
        good: (Part.TRAIN, Role.ANSWER),
        bad: (Part.FLAGGED, Role.ANSWER),
    }
    everything = b"".join((await house.store.datasets.files(version.id)).values())
    assert b"Do you ship to Norway? I am [name 1]." in everything
    assert b"Quill" not in everything
    assert (await card(house, version)).numbers.counts["kind"] == {"import": 12, "mark": 1}


async def test_marks_make_labels_for_kto_and_nothing_for_other_methods_but_what_is_good(house: House):
    version, good, _ = await frozen_with_marks(house)
    made = {
        method: await versions.export_for(house.store, version.id, Side.TRAIN, TUNER, method, limits=None)
        for method in Method
    }
    rows = [json.loads(line) for line in made[Method.KTO].content.splitlines()]
    labels = {row["completion"][0]["content"]: row["label"] for row in rows}
    told = {text: label for text, label in labels.items() if text.startswith("About")}
    assert told == {"About 1.1, [name 1].": True, "About 3.1, [name 1].": False}
    assert good in {id for line in made[Method.SFT].lines for id in line.example_ids}
    assert b"About 3.1" not in made[Method.SFT].content + made[Method.DPO].content


async def test_a_channel_whose_words_may_not_be_trained_on_gives_no_marks(house: House):
    now = house.workshop.now()
    await house.store.channels.set("slack", "T1/C1", ChannelMode.AUTO, False, house.admin.id, at=now)
    version, *_ = await frozen_with_marks(house)
    assert not [line for line in await house.store.datasets.lines(version.id) if line.reply_id]


async def test_marks_of_somebody_forgotten_leave_every_version(house: House):
    version, good, bad = await frozen_with_marks(house)
    quill = await house.store.people.find("slack", "T1/U1")
    assert quill is not None
    await house.store.erasures.erase_person(quill, by=house.admin.id, at=house.workshop.now())
    everything = b"".join((await house.store.datasets.files(version.id)).values())
    assert b"Norway" not in everything
    assert b"parcel" not in everything
    assert (await house.store.datasets.get(version.id)).erased_at is not None
    at = house.workshop.now()
    following = await versions.freeze(house.store, house.voice, marking(house), by=house.admin.id, at=at)
    assert not {line.reply_id for line in await house.store.datasets.lines(following.id)} & {good, bad}


async def test_marks_given_since_a_hold_wait_for_it(house: House):
    at = house.workshop.now()
    await house.store.holds.place(Hold("hold_1", house.voice.id, Held.MARKS, at, "60 marks today."), house.admin.id)
    version, *_ = await frozen_with_marks(house)
    assert not [line for line in await house.store.datasets.lines(version.id) if line.reply_id]


async def test_a_line_that_speaks_for_another_names_it_and_goes_with_it(house: House):
    await house.approve(*range(12))
    _, first = await corrected_for_somebody(house)
    _, second = await corrected_for_somebody(house, "2.1", "I am Quill. Where is it??")
    version = await freeze(house)
    lines = [line for line in await house.store.datasets.lines(version.id) if line.role is Role.MERGED]
    assert [line.correction_id for line in lines] == [first.id]
    (line,) = await house.store.datasets.versions_with(second.id)
    assert (line.part, line.position) == (lines[0].part, lines[0].position)
    assert (await card(house, version)).numbers.merged == 1


# ---------------------------------------------------------------- prompt baking


async def test_a_version_can_be_built_with_the_short_prompt_and_says_what_a_reply_saves(house: House):
    full = "You are the voice of Puffin. Be kind, be brief and never promise a date."
    voice = await house.store.voices.ensure("puffin", full, "base", short_prompt="Puffin.", at=house.workshop.now())
    await house.approve(*range(12))
    press = replace(house.workshop.press, prompt=PromptKind.SHORT)
    version = await versions.freeze(house.store, voice, press, by=house.admin.id, at=house.workshop.now())
    assert version.prompt is PromptKind.SHORT
    assert b'"Puffin."' in await house.store.datasets.file(version.id, TRAIN_FILE)
    numbers = (await versions.card_of(house.store, version.id, replace(basis(house), full_prompt=full), words)).numbers
    assert (numbers.prompt_tokens, numbers.saved_tokens_per_reply) == (1, 14)


# ---------------------------------------------------------------- as served


async def test_a_version_is_built_with_the_fixes_that_would_be_shown_and_says_which(house: House):
    await house.approve(*range(12))
    at = house.workshop.now()
    for number, question in enumerate(
        ("How long is a gift voucher valid?", "Is a gift voucher valid for long, and how long?")
    ):
        proposal = replace(
            (await house.store.corrections.approved(house.voice.id))[0],
            id=f"corr_voucher_{number}",
            key=f"voucher {number}",
            origin=f"import:vouchers:{number}",
            question=question,
            corrected_text=f"Three years, and this is answer {number}.",
            state=CorrectionState.PROPOSED,
            decided_by=None,
            decided_at=None,
        )
        await house.store.corrections.propose(proposal)
        await house.store.corrections.decide(proposal.id, CorrectionState.APPROVED, house.admin.id, "", at=at)
    as_served = AsServed(None, 500, without=0)
    press = replace(house.workshop.press, as_served=as_served)
    version = await versions.freeze(house.store, house.voice, press, by=house.admin.id, at=house.workshop.now())
    assert version.card["shape"] == as_served.shape == "chat-1 fixes-1 recall-2:words"
    lines = await house.store.datasets.lines(version.id)
    (of_first,) = [line for line in lines if line.correction_id == "corr_voucher_0" and line.role is Role.ANSWER]
    (of_other,) = [line for line in lines if line.correction_id == "corr_voucher_1" and line.role is Role.ANSWER]
    shown = {(line.part, line.position): line.correction_id for line in lines if line.role is Role.FIX}
    assert shown.get((of_first.part, of_first.position)) in ("corr_voucher_1", None)
    assert shown.get((of_other.part, of_other.position)) in ("corr_voucher_0", None)
    both = {of_first.part, of_other.part}
    assert version.card["with_fixes"] == (len(shown) if both == {Part.TRAIN} else 0)
    for part, position in shown:
        side = Side(part)
        made = await versions.export_for(house.store, version.id, side, OPENAI, Method.SFT, limits=None)
        row = json.loads(made.content.splitlines()[position])["messages"]
        assert row[1]["content"].startswith(("How long is a gift", "Is a gift"))
        assert [m.get("weight") for m in row if m["role"] == "assistant"] == [0, None]
    assert shown
