"""`/privacy`: one's own data as a file, and deleted when one has asked twice."""

import json

from tests.bot.discord_app.acting import card_in, corrected, stored, told
from tests.bot.discord_app.conftest import ANSWER, Shop


async def test_ones_own_data_is_a_file_and_nobody_elses(open_shop: Shop):
    there = open_shop.guild
    _, reply = await open_shop.asked("Where is *my* parcel? 📦")
    await there.mention(there.second_customer, there.support, "And mine?")
    await there.react(there.customer, reply, "👎")
    answer = await there.slash(there.customer, there.support, "privacy export")
    assert answer.message is not None
    [(name, content)] = there.files(answer.message).items()
    assert name == "my-data.json"
    data = json.loads(content)
    assert (data["name"], data["id"]) == ("customer", str(there.customer.id))
    assert [(one["question"], one["answer"]) for one in data["questions"]] == [("Where is *my* parcel? 📦", ANSWER)]
    assert [one["judgement"] for one in data["judgements"]] == ["wrong"]
    assert "And mine?" not in content.decode()


async def test_a_moderators_data_holds_their_corrections(open_shop: Shop):
    there = open_shop.guild
    _, reply = await open_shop.asked()
    await corrected(open_shop, reply, "Ahoy", note="Salty")
    answer = await there.slash(there.moderator, there.dm(there.moderator), "privacy export")
    assert answer.message is not None
    [content] = there.files(answer.message).values()
    data = json.loads(content)
    assert data["rights"] == ["moderator"]
    assert [(one["correction"], one["note"], one["state"]) for one in data["corrections"]] == [
        ("Ahoy", "Salty", "proposed")
    ]


async def test_deleting_asks_twice_and_takes_everything_off_discord(open_shop: Shop):
    there = open_shop.guild
    question, reply = await open_shop.asked()
    kept = await stored(open_shop, reply)
    await corrected(open_shop, reply, "Ahoy")
    card = await card_in(open_shop, there.review)
    asked = await there.slash(there.customer, there.support, "privacy delete")
    assert asked.message is not None
    assert asked.text == (
        "This deletes your 1 question, the answers, and every correction made from them. "
        "Nothing brings them back. To do it, press the button below."
    )
    assert asked.message.labels == ["Delete my questions"]
    assert there.reread(reply) is not None
    await there.click(there.customer, asked.message, label="Delete my questions")
    assert told(open_shop, there.customer).split("\n")[0] == (
        "Deleted: your 1 question, with the answers and the corrections made from them."
    )
    await there.until(lambda: (there.reread(reply), there.reread(card)) == (None, None))
    assert (await open_shop.store.conversations.reply(kept.id)).text == ""
    again = await there.slash(there.customer, there.support, "privacy delete")
    assert again.text == "There is nothing to delete."
    assert question.text.endswith("Where is my parcel?")


async def test_only_an_admin_deletes_somebody_elses(open_shop: Shop):
    there = open_shop.guild
    _, reply = await open_shop.asked()
    refused = await there.slash(there.moderator, there.support, "privacy delete", member=there.customer)
    assert refused.text == "Only an admin can delete another person's questions, and moderator is not one."
    unknown = await there.slash(there.moderator, there.support, "privacy delete", member=there.stranger)
    assert unknown.text == refused.text  # nor is anybody told who has asked
    never = await there.slash(there.admin, there.support, "privacy delete", member=there.stranger)
    assert never.text == "That person has never asked anything here."
    asked = await there.slash(there.admin, there.support, "privacy delete", member=there.customer)
    assert asked.message is not None
    assert (asked.text or "").startswith("This deletes customer's 1 question")
    await there.click(there.admin, asked.message, label="Delete their questions")
    await there.until(lambda: there.reread(reply) is None)
