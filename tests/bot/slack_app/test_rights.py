"""Who may do what, on every surface: customers and strangers get a polite no and change nothing; groups give rights."""

import pytest

from storage.records import CorrectionState
from tests.bot.slack_app.acting import (
    card_in,
    corrected,
    corrections,
    direct_messages,
    feedback_on,
    form_of,
    settled,
    whispered,
    words_of,
)
from tests.bot.slack_app.conftest import ANSWER, Shop
from tests.slack.forms import elements, with_ids
from tests.slack.place import Json, Message


async def state_of(shop: Shop) -> tuple[object, ...]:
    """Everything that a verb of the team could have changed."""
    await settled(shop)
    there = shop.workspace
    texts = [words_of(one) for one in await there.channel_messages(there.support)]
    hand_overs = [(one.id, one.taken_by) for one in await shop.store.hand_overs.all_open()]
    decided = [(one.id, one.state, one.corrected_text) for one in await corrections(shop)]
    return tuple(texts), tuple(hand_overs), tuple(decided)


async def prepared(shop: Shop) -> dict[str, Message]:
    """Something to act on for every verb: a reply, a review card, a hand-over's card and a person's answer."""
    there = shop.workspace
    question, reply = await shop.asked()
    await corrected(shop, reply, "Ahoy")
    review = await card_in(shop, there.review)
    other, other_reply = await shop.asked("And mine?")
    await there.click(there.second_customer, other_reply, "hand_over")
    triage = await card_in(shop, there.triage)
    answer = await there.say(there.second_customer, there.support, "Mine came.", question.ts)
    await there.rate(there.moderator, reply, good=False)
    whisper = await whispered(shop, there.moderator, 2)  # after that of the correction
    await settled(shop)
    return {"reply": reply, "review": review, "triage": triage, "answer": answer, "whisper": whisper, "other": other}


SURFACES = [
    ("button", "whisper", "open_correct", "moderator can correct a reply"),
    ("button", "whisper", "retract", "moderator can retract a reply"),
    ("shortcut", "reply", "ft_correct", "moderator can correct a reply"),
    ("shortcut", "reply", "ft_retract", "moderator can retract a reply"),
    ("shortcut", "reply", "ft_why", "moderator can see where an answer comes from"),
    ("button", "whisper", "why", "moderator can see where an answer comes from"),
    ("shortcut", "answer", "ft_teach", "moderator can teach from a thread"),
    ("shortcut", "answer", "ft_correct", "moderator can teach from a thread"),
    ("button", "review", "approve", "approver can approve a correction"),
    ("button", "review", "edit", "approver can edit a correction"),
    ("button", "review", "reject", "approver can reject a correction"),
    ("button", "review", "expire", "approver can say until when a correction holds"),
    ("button", "triage", "take", "moderator can take over a conversation"),
    ("button", "triage", "release", "moderator can give a conversation back"),
    ("sign", "reply", "pencil2", ""),
    ("sign", "reply", "wastebasket", ""),
    ("sign", "reply", "warning", ""),
    ("sign", "answer", "mortar_board", ""),
]


@pytest.mark.parametrize("who", ["customer", "stranger"])
async def test_customers_and_strangers_are_refused_every_verb_of_the_team_and_change_nothing(open_shop: Shop, who: str):
    there = open_shop.workspace
    person = there.people[who]
    on = await prepared(open_shop)
    for channel in (there.review, there.triage):  # somebody let them in where the team decides
        await there.api("conversations.invite", there.admin.token, channel=channel.id, users=person.user_id)
    before, heard = await state_of(open_shop), 0
    for surface, what, verb, refusal in SURFACES:
        match surface:
            case "button":
                await there.click(person, on[what], verb, even_if_hidden=True)
            case "shortcut":
                await there.shortcut(person, on[what], verb)
            case _:
                await there.react(person, on[what], verb)
        await settled(open_shop)
        if refusal:  # a sign is everybody's: who only decorates with it is not lectured
            heard += 1
            said = (await whispered(open_shop, person, heard)).text
            article = "an" if refusal.startswith("approver") else "a"
            assert said == f"Only {article} {refusal}, and {person.name} is not one."
        assert await state_of(open_shop) == before, (surface, verb)
        assert there.open_view(person) is None
    assert len(there.ephemerals(person)) == heard
    assert await direct_messages(open_shop, person) == []
    assert [feedback.flagged for feedback in await feedback_on(open_shop, on["reply"])] == [
        False
    ]  # the moderator's own


async def test_a_form_opened_with_a_right_that_is_gone_by_now_saves_nothing(shop: Shop):
    there = shop.workspace
    there.wire.usergroups.members["S0MODS"] = [there.moderator.user_id]
    async with shop.serving(slack_moderators="S0MODS"):
        _, reply = await shop.asked()
        await there.shortcut(there.moderator, reply, "ft_correct")
        await form_of(shop, there.moderator)
        await lose_the_group(shop)
        await there.submit(there.moderator, {"text": "Ahoy"})
        assert (await whispered(shop, there.moderator)).text.startswith("Only a moderator can correct a reply")
        assert await corrections(shop) == []


async def lose_the_group(shop: Shop) -> None:
    there = shop.workspace
    there.wire.usergroups.members["S0MODS"] = []
    event = {"type": "subteam_members_changed", "subteam_id": "S0MODS", "team_id": there.team.team_id}
    await there.deliver(there.event(event))
    await settled(shop)


async def test_a_user_group_gives_the_right_and_a_change_takes_it_at_once(shop: Shop):
    there = shop.workspace
    there.wire.usergroups.members["S0MODS"] = [there.customer.user_id]
    async with shop.serving(slack_moderators="S0MODS"):
        _, reply = await shop.asked()
        await there.react(there.customer, reply, "thumbsup")
        assert (await whispered(shop, there.customer)).text == "Thanks, noted as good."
        await lose_the_group(shop)
        await there.shortcut(there.customer, reply, "ft_retract")
        assert (await whispered(shop, there.customer, 2)).text.startswith("Only a moderator can retract")
        assert await there.reread(reply) is not None


async def test_where_slack_does_not_tell_who_is_in_a_group_nobody_is(shop: Shop):
    there = shop.workspace
    there.wire.usergroups.members["S0MODS"] = [there.moderator.user_id]
    there.wire.faults.refuse("usergroups.users.list", "missing_scope", times=9)
    async with shop.serving(slack_moderators="S0MODS"):
        _, reply = await shop.asked()
        await there.shortcut(there.moderator, reply, "ft_retract")
        assert (await whispered(shop, there.moderator)).text.startswith("Only a moderator can retract")
        assert await there.reread(reply) is not None


async def test_a_stranger_on_the_list_or_in_the_group_is_a_stranger_still(shop: Shop):
    there = shop.workspace
    there.wire.usergroups.members["S0MODS"] = [there.stranger.user_id]
    async with shop.serving(slack_moderators=f"S0MODS,{there.stranger.user_id}"):
        _, reply = await shop.asked()
        await there.shortcut(there.stranger, reply, "ft_retract")
        assert (await whispered(shop, there.stranger)).text.startswith("Only a moderator can retract")
        assert await there.reread(reply) is not None


async def test_a_moderator_may_not_decide_and_an_approver_may_also_correct(open_shop: Shop):
    there = open_shop.workspace
    _, reply = await open_shop.asked()
    correction = await corrected(open_shop, reply, "Ahoy")
    card = await card_in(open_shop, there.review)
    await there.click(there.moderator, card, "approve")
    assert (await whispered(open_shop, there.moderator, 2)).text.startswith("Only an approver can approve")
    assert (await open_shop.store.corrections.get(correction.id)).state is CorrectionState.PROPOSED
    await there.shortcut(there.approver, reply, "ft_correct")
    assert ANSWER in str(await form_of(open_shop, there.approver))


async def test_nobody_takes_back_what_somebody_else_proposed(open_shop: Shop):
    there = open_shop.workspace
    _, reply = await open_shop.asked()
    await corrected(open_shop, reply, "Ahoy")
    whisper = await whispered(open_shop, there.moderator)
    for person, refusal in ((there.approver, "Only the person who proposed"), (there.customer, "Only a moderator")):
        await there.click(person, whisper, "take_back")
        assert (await whispered(open_shop, person)).text.startswith(refusal)
    (correction,) = await corrections(open_shop)
    assert correction.state is CorrectionState.PROPOSED


async def test_an_undo_touches_only_ones_own_judgement(open_shop: Shop):
    there = open_shop.workspace
    _, reply = await open_shop.asked()
    await there.rate(there.customer, reply, good=True)
    await there.click(there.stranger, await whispered(open_shop, there.customer), "undo")
    assert (await whispered(open_shop, there.stranger)).text == "There was no judgement of yours to take back."
    assert len(await feedback_on(open_shop, reply)) == 1


@pytest.mark.parametrize("who", ["customer", "stranger"])
async def test_a_button_that_was_never_shown_to_them_refuses_them_too(open_shop: Shop, who: str):
    there = open_shop.workspace
    person = there.people[who]
    _, reply = await open_shop.asked()
    before = await state_of(open_shop)
    (_, human) = elements_called(reply, "hand_over")
    verbs = {
        "send_draft": "moderator can send a draft",
        "edit_draft": "moderator can correct a reply",
        "drop_draft": "moderator can drop a draft",
        "mark_critical": "approver can say which corrections are critical",
        "unmark_critical": "approver can say which corrections are critical",
        "pick_a": "moderator can judge pairs",
        "pick_neither": "moderator can judge pairs",
        "start_retrain": "admin can start a training run",
        "pause_run": "admin can pause a training run",
        "resume_run": "admin can resume a training run",
        "cancel_run": "admin can cancel a training run",
        "roll_back": "admin can roll back",
    }
    for number, (action, refusal) in enumerate(verbs.items(), start=1):
        forged = {**human, "action_id": action}
        message = Message(reply.channel, {**reply.raw, "blocks": [{"type": "actions", "elements": [forged]}]})
        await there.click(person, message, action)
        article = "an" if refusal.startswith(("admin", "approver")) else "a"
        said = (await whispered(open_shop, person, number)).text
        assert said == f"Only {article} {refusal}, and {person.name} is not one."
        assert await state_of(open_shop) == before


def elements_called(message: Message, action_id: str) -> tuple[Json, Json]:
    """A block of a message with its element of that name."""
    return next(found for found in elements(with_ids(message.blocks)) if found[1]["action_id"] == action_id)
