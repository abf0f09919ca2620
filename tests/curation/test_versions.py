"""A version keeps where its lines came from, so its card comes from its own files; somebody forgotten is in none of them."""

import pytest

from bot import moderation
from curation import versions
from curation.card import LINEAGE_FILE, Basis, Card, recompute
from curation.dataset import TooFewExamples
from curation.gathering import build_now
from curation.prices import PRICES
from curation.versions import PartlyErased
from providers.quirks import OPENAI, Method
from storage.erasing import FILES_OF_PART
from storage.records import Actor, Correction, DatasetVersion, Judgement, Side
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


async def corrected_for_somebody(house: House) -> tuple[Actor, Correction]:
    """A customer asks something only they would ask, and a moderator's correction of the reply is approved."""
    store, now = house.store, house.workshop.now
    quill = await store.people.ensure_actor("slack", "T1/U1", "Quill", at=now())
    thread = await store.conversations.ensure(house.voice.id, "slack", "T1/C1/1.1", at=now())
    turn, _ = await store.conversations.record_turn(thread, "T1/C1/1.1", "I am Quill. Where is it?", quill.id, at=now())
    reply, _ = await store.conversations.save_reply(a_reply_to(turn, now(), "Who knows, Quill."), owner="w")
    draft = moderation.Draft("It sails tomorrow, Quill.", Judgement.WRONG)
    proposed = (await moderation.correct(store, house.admin, reply.id, draft, now=now())).record
    approved = await moderation.approve(store, house.admin, proposed.id, team_of_one=True, now=now())
    return quill, approved.record
