"""What a reply looks like: in parts, in files, with code whole, and with nothing in it that acts."""

import pytest

from bot.answering import NOTHING_ASKED
from bot.discord_app.shaping import FILE_NAME, IN_THE_FILE
from bot.settings import Settings
from tests.bot.discord_app.acting import corrected, until_said
from tests.bot.discord_app.conftest import ANSWER, Shop

BOUND = 2_000


async def replies(shop: Shop, text: str) -> list[str]:
    """The messages that the bot answers with when the model says `text`."""
    shop.provider.script = lambda model, messages: text
    question = await shop.guild.mention(shop.guild.customer, shop.guild.support, "Tell me")
    return [reply.text for reply in shop.guild.replies(question)]


@pytest.mark.parametrize(("length", "n_parts"), [(1, 1), (1_950, 1), (2_001, 2), (3_800, 2), (7_500, 4)])
async def test_a_long_answer_comes_in_parts_that_are_whole_together(open_shop: Shop, length: int, n_parts: int):
    parts = await replies(open_shop, "x" * length)
    assert len(parts) == n_parts
    assert sum(part.count("x") for part in parts) == length
    assert all(len(part) <= BOUND for part in parts)


async def test_buttons_stand_under_the_last_part_only_and_three_parts_are_numbered(open_shop: Shop):
    open_shop.provider.script = lambda model, messages: "\n\n".join(letter * 1_500 for letter in "abc")
    question = await open_shop.guild.mention(open_shop.guild.customer, open_shop.guild.support, "Tell me")
    first, second, third = open_shop.guild.replies(question)
    assert (first.labels, second.labels, third.labels) == ([], [], ["Helpful", "Not right", "Get a human"])
    assert [part.text.rsplit("\n", 1)[1] for part in (first, second, third)] == ["-# 1 of 3", "-# 2 of 3", "-# 3 of 3"]


async def test_an_answer_of_more_than_four_parts_is_a_file_with_its_beginning_above(open_shop: Shop):
    whole = "\n\n".join(f"Step {number}. {('long' * 20 + ' ') * 15}".strip() for number in range(12))
    open_shop.provider.script = lambda model, messages: whole
    question = await open_shop.guild.mention(open_shop.guild.customer, open_shop.guild.support, "Tell me")
    [reply] = open_shop.guild.replies(question)
    assert reply.text.startswith("Step 0. longlong")
    assert reply.text.endswith(IN_THE_FILE)
    assert open_shop.guild.files(reply)[FILE_NAME].decode() == whole
    assert reply.labels == ["Helpful", "Not right", "Get a human"]


async def test_where_files_are_not_allowed_all_parts_are_posted(open_shop: Shop):
    there = open_shop.guild
    await there.take_permission(there.support, "attach_files")
    parts = await replies(open_shop, "\n\n".join(str(number) * 1_800 for number in range(1, 7)))
    assert [part[0] for part in parts] == ["1", "2", "3", "4", "5", "6"]


async def test_code_that_is_cut_stays_code_in_every_part(open_shop: Shop):
    code = "\n".join(f"print({number})" for number in range(400))
    parts = await replies(open_shop, f"Run this:\n```python\n{code}\n```\nThat is all.")
    assert len(parts) > 2
    assert all(part.count("```") % 2 == 0 for part in parts)
    assert all("```python\n" in part for part in parts if "print(" in part)


async def test_a_fence_within_a_longer_fence_is_not_taken_for_its_end(open_shop: Shop):
    inner = "````markdown\n```python\n" + "\n".join(f"x = {number}" for number in range(300)) + "\n```\n````"
    parts = await replies(open_shop, inner)
    assert len(parts) > 1
    assert all(part.startswith("````markdown\n") for part in parts)
    assert all("\n````" in part for part in parts)


async def test_emoji_and_right_to_left_text_come_out_as_they_went_in(open_shop: Shop):
    said = "👩‍👩‍👧‍👦 שלום, החבילה בדרך 🚚 مرحبا"
    assert await replies(open_shop, said) == [said]
    parts = await replies(open_shop, "🚚" * 2_500)
    assert sum(part.count("🚚") for part in parts) == 2_500


@pytest.mark.parametrize(
    "attack",
    [
        "@everyone look",
        "@here look",
        "<@&{role}> look",
        "<@{person}> look",
        "<@!{person}> look",
        "[click](https://evil.example/x)",
        "https://evil.example/x",
        "discord.gg/free-nitro",
        "[join](https://discord.gg/abc)",
    ],
)
async def test_nothing_in_an_answer_rings_anybody_or_leads_away(open_shop: Shop, attack: str):
    there = open_shop.guild
    text = attack.format(role=there.moderators.id, person=there.second_customer.id)
    open_shop.provider.script = lambda model, messages: text
    question = await there.mention(there.customer, there.support, "Tell me")
    [reply] = there.replies(question)
    assert there.pinged(reply) == []
    for dead in ("@everyone", "@here", "<@", "evil.example", "discord.gg"):
        assert dead not in reply.text
    assert "look" in reply.text or "click" in reply.text or "join" in reply.text or "link removed" in reply.text


async def test_links_lead_to_the_operators_domains(shop: Shop):
    async with shop.opened(link_domains="acme.example"):
        [said] = await replies(
            shop, "See [help](https://acme.example/help), <https://docs.acme.example>, not http://a.b"
        )
    assert said == "See [help](https://acme.example/help), <https://docs.acme.example>, not (link removed)"


async def test_a_question_full_of_mentions_names_its_thread_harmlessly(open_shop: Shop):
    there = open_shop.guild
    question = await there.mention(there.customer, there.support, "**@everyone** `why`\n" + "is it late " * 20)
    thread = there.thread_of(question)
    assert thread is not None
    assert len(thread.name) <= 47
    assert "@everyone" not in thread.name
    assert "*" not in thread.name


async def test_under_an_answer_stands_whose_it_is(shop: Shop):
    shop.provider.script = lambda model, messages: "\n\n".join(letter * 1_500 for letter in "ab")
    async with shop.opened(discord_footer="AI  answer\n@everyone"):
        there = shop.guild
        question, _ = await shop.asked()
        first, last = there.replies(question)
        assert (first.text, last.text) == ("a" * 1_500, "b" * 1_500 + "\n-# AI answer @everyone")
        assert not there.pinged(last)
        nothing = await there.mention(there.customer, there.support, "")
        assert [reply.text for reply in there.replies(nothing)] == [NOTHING_ASKED]


async def test_under_an_answer_that_a_moderator_changed_stands_that_the_team_did(shop: Shop):
    async with shop.opened(discord_footer=Settings.model_fields["discord_footer"].default):
        _, reply = await shop.asked()
        assert reply.text == f"{ANSWER}\n-# AI answer, looked after by the team"
        await corrected(shop, reply, "Ahoy!", also=["for_training", "edit_posted"])
        await until_said(shop, reply, "Ahoy!\n-# Corrected by the team")
