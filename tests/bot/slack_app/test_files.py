"""Files that the bot gives people: the examples to an admin, and to anybody what is kept about them."""

import json

import pytest

from bot.slack_app.commands import MAY_NOT_SEND
from tests.bot.slack_app.acting import card_in, corrected, settled, whispered
from tests.bot.slack_app.commanding import typed
from tests.bot.slack_app.conftest import ANSWER, Shop


async def approved(shop: Shop, text: str) -> None:
    """A customer's question, corrected and approved."""
    there = shop.workspace
    _, reply = await shop.asked()
    await corrected(shop, reply, text)
    await there.click(there.approver, await card_in(shop, there.review), "approve")
    await whispered(shop, there.approver)
    await settled(shop)


async def test_the_dataset_is_counted_shown_and_exported_to_an_admins_direct_messages(open_shop: Shop):
    there = open_shop.workspace
    for command in ("newest", "export"):
        said = (await typed(open_shop, there.admin, f"/finetone dataset {command}"))["text"]
        assert said == "There are no approved examples yet."
    await approved(open_shop, "Ahoy, *it* sails. ⛵ مرحبا")
    for command in ("/finetone dataset", "/finetone dataset stats"):
        counts = (await typed(open_shop, there.moderator, command))["text"]
        assert "*Approved*  1 correction" in counts
        assert "*To train on*  1 example, 1 correction new to the serving model" in counts
    newest = (await typed(open_shop, there.moderator, "/finetone dataset newest"))["text"]
    assert newest.startswith("*1 example, the newest first*\n• Where is my parcel? → Ahoy, ")
    said = (await typed(open_shop, there.admin, "/finetone dataset export"))["text"]
    assert said == (
        "Every approved example, one a line, as it is trained on. I have sent you the file as a direct message."
    )
    [(name, content)] = (await there.uploads(there.admin)).items()
    assert name == "puffin-examples.jsonl"
    [line] = content.splitlines()
    assert json.loads(line)["messages"][-1] == {"role": "assistant", "content": "Ahoy, *it* sails. ⛵ مرحبا"}
    [message] = await there.channel_messages(await there.dm(there.admin))
    assert message.text == "Every approved example, one a line, as it is trained on."
    assert await there.uploads(there.moderator) == {}


async def test_ones_own_data_is_a_file_and_nobody_elses(open_shop: Shop):
    there = open_shop.workspace
    _, reply = await open_shop.asked("Where is *my* parcel? 📦")
    other = await there.mention(there.second_customer, there.support, "And mine?")
    await open_shop.reply_to(other)
    await there.react(there.customer, reply, "thumbsdown")
    await settled(open_shop)
    said = (await typed(open_shop, there.customer, "/finetone mydata"))["text"]
    assert said == "Everything I keep about you. I have sent you the file as a direct message."
    [(name, content)] = (await there.uploads(there.customer)).items()
    assert name == "my-data.json"
    data = json.loads(content)
    assert data["id"] == f"{there.team.team_id}/{there.customer.user_id}"
    assert [one["question"] for one in data["questions"]] == ["Where is *my* parcel? 📦"]
    assert ANSWER in data["questions"][0]["answer"]
    assert [one["judgement"] for one in data["judgements"]] == ["wrong"]
    assert "And mine?" not in content
    assert await there.uploads(there.second_customer) == {}


async def test_a_workspace_whose_app_is_older_than_the_files_is_told_how_to_mend_it(open_shop: Shop):
    there = open_shop.workspace
    there.wire.faults.refuse("files.getUploadURLExternal", "missing_scope")
    assert (await typed(open_shop, there.customer, "/finetone mydata"))["text"] == MAY_NOT_SEND


@pytest.mark.parametrize("method", ["conversations.open", "files.completeUploadExternal"])
async def test_a_file_that_slack_refuses_is_said_not_to_have_been_sent(open_shop: Shop, method: str):
    there = open_shop.workspace
    there.wire.faults.refuse(method, "restricted_action")
    said = (await typed(open_shop, there.customer, "/finetone mydata"))["text"]
    assert said == "Slack did not take the file (restricted_action). Please try again later."
    assert await there.uploads(there.customer) == {}


async def test_a_file_whose_way_was_cut_is_sent_again(open_shop: Shop):
    there = open_shop.workspace
    there.wire.faults.cut("files.completeUploadExternal", after=False)
    _, response_url = await there.command(there.customer, there.support, "/finetone", "mydata")

    async def tried_again() -> bool:
        open_shop.clock.advance(120)  # past the lease
        return bool(there.responses(response_url))

    await there.until(tried_again, timeout_s=15)
    assert list(await there.uploads(there.customer)) == ["my-data.json"]
