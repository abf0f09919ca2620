"""The approvers' card: one per correction, decided on in place, true wherever the decision was made; and what is heard of it."""

from datetime import timedelta

import pytest

from bot import moderation
from bot.office import board as boards
from bot.office import posting
from storage.records import Actor, Correction, CorrectionState, Right
from tests.bot.discord_app.acting import card_in, corrected, direct, field, saying, told, until_said
from tests.bot.discord_app.conftest import Shop
from tests.discord.place import Message

DECIDING = ["Approve", "Edit", "Reject", "Holds until…"]


async def proposed(shop: Shop, text: str = "It is *almost* there.", **filled: object) -> tuple[Correction, Message]:
    """A correction that the moderator proposed, and its card."""
    _, reply = await shop.asked()
    correction = await corrected(shop, reply, text, **filled)  # type: ignore[arg-type]
    return correction, await card_in(shop, shop.guild.review)


async def someone(shop: Shop, *rights: Right, name: str = "Noor") -> Actor:
    """Somebody who works in the console."""
    return await shop.store.people.ensure_actor("console", name, name, frozenset(rights), at=shop.clock())


async def heard(shop: Shop, number: int = 1) -> list[str]:
    """What the moderator was told in private, once there is so much of it."""

    def found() -> list[Message]:
        shop.running.app.parts.wake_board()
        said = direct(shop, shop.guild.moderator)
        return said if len(said) >= number else []

    return [one.text for one in await shop.guild.until(found)]


@pytest.fixture
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    """The board looks often, and waits for nobody."""
    monkeypatch.setattr(boards, "LOOK_S", 0.02)
    monkeypatch.setattr(posting, "LEFT_AFTER", timedelta(0))
    monkeypatch.setattr(boards, "AGAIN_AFTER", timedelta(0))


async def test_the_card_shows_what_changes_and_why_and_asks_for_a_decision(open_shop: Shop):
    _, card = await proposed(open_shop, reason="tone", note="Be *honest*", scope="everyone")
    lines = card.shown.split("\n")
    assert lines[:4] == [
        "**Correction by moderator** · Not how we sound",
        "**Question**  Where is my parcel?",
        "It is ~~on its way.~~ **\\*almost\\* there.**",
        "-# Note: Be \\*honest\\*",
    ]
    assert "[See the thread](https://discord.com/channels/" in lines[4]
    assert lines[4].endswith(" · Every brand here")
    assert card.labels == DECIDING


async def test_approving_closes_the_card_in_place_and_its_proposer_hears_once(open_shop: Shop):
    there = open_shop.guild
    correction, card = await proposed(open_shop)
    await there.click(there.approver, card, label="Approve")
    assert told(open_shop, there.approver) == "Approved. It goes into the next dataset."
    closed = await until_said(open_shop, card, "**Approved** by approver")
    assert closed.labels == ["Mark as critical"]
    assert await heard(open_shop) == [
        "**approver approved** your correction of “Where is my parcel?”. It goes into the next dataset."
    ]
    assert (await open_shop.store.corrections.get(correction.id)).state is CorrectionState.APPROVED
    assert len(there.said_by_bot(there.review)) == 1
    nonces = [one.body["nonce"] for one in there.rest.sent("POST", "/messages") if one.body.get("nonce")]
    assert (
        len(nonces) == len(set(nonces)) == 3
    )  # the answer, the card, the notice: Discord sends none twice by its nonce


async def test_an_approved_card_says_what_is_critical_wherever_that_was_said(open_shop: Shop):
    there = open_shop.guild
    correction, card = await proposed(open_shop)
    await there.click(there.approver, card, label="Approve")
    approved = await until_said(open_shop, card, "**Approved** by approver")
    await there.click(there.approver, approved, label="Mark as critical")
    marked = await until_said(open_shop, card, "**Approved** by approver · critical")
    assert marked.labels == ["Not critical any more"]
    assert (await open_shop.store.corrections.get(correction.id)).is_critical
    noor = await someone(open_shop, Right.APPROVER)
    await moderation.set_critical(open_shop.store, noor, correction.id, False, now=open_shop.clock())

    def again() -> Message | None:
        open_shop.running.app.parts.wake_board()
        stands = there.reread(card)
        return stands if stands is not None and "critical" not in stands.shown else None

    assert (await there.until(again)).labels == ["Mark as critical"]


async def test_nobody_waits_for_the_boards_next_look(shop: Shop, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(boards, "LOOK_S", 3_600.0)
    async with shop.opened():
        there = shop.guild
        _, card = await proposed(shop)
        await there.click(there.approver, card, label="Approve")
        await there.until(lambda: "**Approved**" in (there.reread(card) or card).shown)


async def test_rejecting_asks_why_and_the_proposer_reads_it(open_shop: Shop):
    there = open_shop.guild
    correction, card = await proposed(open_shop)
    form = await there.click(there.approver, card, label="Reject")
    assert form.modal is not None
    assert form.modal["title"] == "Reject the correction"
    (why,) = form.modal["components"]
    assert (why["label"], why["component"]["required"]) == ("Why? Who proposed it reads this.", True)
    sent = await there.submit(there.approver, {"note": "Not *true* <@1>"})
    assert sent.text == "Rejected. It will not be trained on."
    await until_said(open_shop, card, "**Rejected** by approver")
    assert await heard(open_shop) == [
        "**approver rejected** your correction of “Where is my parcel?”. It will not be trained on. "
        "Their note: “Not \\*true\\* <\u2060@1\\>”"
    ]
    assert (await open_shop.store.corrections.get(correction.id)).decision_note == "Not *true* <@1>"


async def test_a_decision_in_the_console_closes_the_card_and_nothing_in_it_acts(open_shop: Shop):
    correction, card = await proposed(open_shop)
    noor = await someone(open_shop, Right.APPROVER, name="*Noor* @everyone")
    note = "Not true [here](https://evil.example) <@&1> @here"
    await moderation.reject(open_shop.store, noor, correction.id, note=note, now=open_shop.clock())
    closed = await until_said(open_shop, card, "**Rejected** by ")
    assert "\\*Noor\\* @\u200deveryone" in closed.shown
    [said] = await heard(open_shop)
    assert "Their note: “Not true here" in said
    assert "evil" not in said
    assert "@here" not in said


async def test_the_second_to_decide_hears_who_was_faster(open_shop: Shop):
    there = open_shop.guild
    _, card = await proposed(open_shop)
    [approve] = [one for one in card.custom_ids if ":approve:" in one]
    answers = await there.click_together([there.approver, there.admin], card, custom_id=approve)
    said = sorted(answer.followups[0].text for answer in answers)
    assert said[0] == "Approved. It goes into the next dataset."
    assert " was faster: this correction was approved" in said[1]


async def test_rejecting_what_somebody_has_decided_says_who_was_faster(open_shop: Shop):
    there = open_shop.guild
    correction, card = await proposed(open_shop)
    noor = await someone(open_shop, Right.APPROVER)
    await moderation.approve(open_shop.store, noor, correction.id, team_of_one=False, now=open_shop.clock())
    refused = await there.click(there.admin, card, label="Reject")
    assert refused.modal is None
    assert refused.text is not None
    assert refused.text.startswith("Noor was faster: this correction was approved")


async def test_nobody_approves_their_own_in_a_team_of_more_than_one(open_shop: Shop):
    there = open_shop.guild
    _, reply = await open_shop.asked()
    await there.react(there.approver, reply, "✏️")
    await there.click(there.approver, direct(open_shop, there.approver)[0], label="Correct this answer")
    await there.submit(there.approver, {"text": "Mine @everyone"})
    card = await card_in(open_shop, there.review)
    await there.click(there.approver, card, label="Approve")
    assert told(open_shop, there.approver).startswith(
        "approver proposed “Mine @\u200deveryone”, so somebody else has to approve it."
    )
    assert (await card_in(open_shop, there.review)).labels == DECIDING


async def test_a_team_of_one_approves_its_own_and_is_not_told_what_it_did(shop: Shop):
    async with shop.opened(team_of_one=True):
        there = shop.guild
        await there.give_role(there.moderator, there.approvers)
        _, card = await proposed(shop)
        await there.click(there.moderator, card, label="Approve")
        await until_said(shop, card, "**Approved** by moderator")
        assert direct(shop, there.moderator) == []


async def test_an_edit_changes_the_words_on_the_card_before_they_are_approved(open_shop: Shop):
    there = open_shop.guild
    correction, card = await proposed(open_shop)
    opened = await there.click(there.approver, card, label="Edit")
    assert field(opened.modal, "text")["value"] == "It is *almost* there."
    sent = await there.submit(there.approver, {"text": "It is here."})
    assert sent.text == "Wording saved."
    edited = await until_said(open_shop, card, "**here.**")
    assert edited.labels == DECIDING
    await there.click(there.approver, edited, label="Approve")
    assert (await open_shop.store.corrections.get(correction.id)).corrected_text == "It is here."


async def test_what_is_taken_back_is_closed_without_telling_who_did_it(open_shop: Shop):
    there = open_shop.guild
    _, card = await proposed(open_shop)
    await there.click(there.moderator, there.ephemerals(there.moderator)[-1], label="Undo")
    assert (await until_said(open_shop, card, "**Retracted** by moderator")).labels == []
    assert direct(open_shop, there.moderator) == []


async def test_a_card_survives_a_restart_and_a_decision_made_meanwhile(open_shop: Shop):
    correction, card = await proposed(open_shop)
    noor = await someone(open_shop, Right.APPROVER)
    await moderation.approve(open_shop.store, noor, correction.id, team_of_one=False, now=open_shop.clock())
    await open_shop.crashes("bot-2")
    await until_said(open_shop, card, "**Approved** by Noor")
    assert len(await heard(open_shop)) == 1
    assert len(open_shop.guild.said_by_bot(open_shop.guild.review)) == 1


@pytest.mark.usefixtures("impatient")
async def test_a_card_whose_sending_was_never_answered_is_found_again(open_shop: Shop):
    there = open_shop.guild
    _, reply = await open_shop.asked()
    landed, lost = open_shop.store.postings.landed, []

    async def dies(posting_id: str, message_key: str, *, place: str | None = None):  # type: ignore[no-untyped-def]
        if not lost:
            lost.append(message_key)
            raise RuntimeError("of a test")
        return await landed(posting_id, message_key, place=place)

    open_shop.store.postings.landed = dies  # type: ignore[method-assign]
    await corrected(open_shop, reply, "Ahoy")
    card = await card_in(open_shop, there.review)
    await there.until(lambda: [one for one in there.rest.sent("GET", "/messages") if str(there.review.id) in one.path])
    await there.click(there.approver, card, label="Approve")
    await until_said(open_shop, card, "**Approved**")
    assert [str(one.id) for one in there.said_by_bot(there.review)] == lost


@pytest.mark.usefixtures("impatient")
async def test_a_card_that_discord_refuses_holds_up_no_other_and_waits(
    open_shop: Shop, monkeypatch: pytest.MonkeyPatch
):
    there = open_shop.guild
    monkeypatch.setattr(boards, "AGAIN_AFTER", timedelta(days=1))
    _, reply = await open_shop.asked()
    there.refuse("POST", f"/channels/{there.review.id}/messages", status=403, code=50013)
    await corrected(open_shop, reply, "First")
    await corrected(open_shop, reply, "Second")
    await card_in(open_shop, there.review, "Second")
    assert len(there.said_by_bot(there.review)) == 1
    open_shop.clock.advance(2 * 86_400)
    await card_in(open_shop, there.review, "First")
    assert len(there.said_by_bot(there.review)) == 2


async def test_what_people_write_does_nothing_on_a_card(open_shop: Shop):
    there = open_shop.guild
    hostile = "@everyone <@1> <@&2> <#3> **x** __y__ ~~z~~ ||s|| `c` [bank](https://evil.example) discord.gg/evil"
    _, reply = await open_shop.asked(f"say {hostile}")
    await corrected(open_shop, reply, f"No: {hostile} and more", note=hostile)
    card = await card_in(open_shop, there.review)
    shown = "\n".join(line for line in card.shown.split("\n") if "See the thread" not in line)
    assert there.pinged(card) == []
    bare = shown.replace("\\[", "").replace("\\]", "").replace("\\*", "").replace("\\|", "").replace("\\`", "")
    for acting in ("<@", "<#", "https://", "@everyone", "discord.gg/", "**x**", "||", "`", "]("):
        assert acting not in bare
    assert "https:\u2060//evil.example" in shown  # an approver sees where a link would lead


async def test_a_long_correction_fits_the_card(open_shop: Shop):
    there = open_shop.guild
    open_shop.provider.script = saying("\n\n".join("*_~|" * 300 for _ in range(3)))
    _, reply = await open_shop.asked("*" * 1_500)
    await corrected(open_shop, reply, "`" * 3_900, note="|" * 1_900, reason="tone")
    card = await card_in(open_shop, there.review)
    assert "shown in part" in card.shown
    assert card.labels == DECIDING
    assert len(card.shown) <= 4_000


async def test_a_deleted_card_is_not_posted_again(open_shop: Shop):
    there = open_shop.guild
    correction, card = await proposed(open_shop)
    with there.feed.unheard():
        await there.delete(there.moderator, card)
    noor = await someone(open_shop, Right.APPROVER)
    await moderation.approve(open_shop.store, noor, correction.id, team_of_one=False, now=open_shop.clock())
    assert len(await heard(open_shop)) == 1
    assert there.said_by_bot(there.review) == []


async def test_a_decision_is_heard_of_where_there_is_no_review_channel(shop: Shop):
    async with shop.opened(discord_review_channel=""):
        _, reply = await shop.asked()
        correction = await corrected(shop, reply, "Ahoy")
        noor = await someone(shop, Right.APPROVER)
        await moderation.approve(shop.store, noor, correction.id, team_of_one=False, now=shop.clock())
        [said] = await heard(shop)
        assert said.startswith("**Noor approved** your correction")
