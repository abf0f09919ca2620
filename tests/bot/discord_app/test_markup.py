"""Between Discord's markup and plain text, both ways; nothing hostile gets through."""

import pytest

from bot.discord_app.markup import inline, outgoing, plain, settled, thread_name, words


@pytest.mark.parametrize(
    ("written", "read"),
    [
        ("<@9> where is it?", "where is it?"),
        ("<@!9> where is it?", "where is it?"),
        ("where <@9> is it?", "where  is it?"),
        ("<@1> said so", "@teammate said so"),
        ("<@2> said so", "@customer said so"),
        ("ask <@&7> in <#8>", "ask @role in #channel"),
        ("</retrain:5> and </model status:5>", "/retrain and /model status"),
        ("<:parcel:1> <a:dance:2>", ":parcel: :dance:"),
        ("since <t:1700000000:R>", "since"),
        ("see <id:guide>", "see"),
        ("1 < 2 and 3 > 2", "1 < 2 and 3 > 2"),
        ("<https://example.com>", "<https://example.com>"),
        ("<@9>", ""),
        ("", ""),
    ],
)
def test_what_a_person_wrote_is_read_without_ids(written: str, read: str):
    assert plain(written, "9", {"1": "@teammate", "2": "@customer"}) == read


@pytest.mark.parametrize(
    "hostile",
    [
        "@everyone",
        "@here",
        "<@123>",
        "<@!123>",
        "<@&123>",
        "<#123>",
        "<t:1700000000>",
        "<:a:1>",
        "[x](https://evil.example)",
        "[x](<https://evil.example>)",
        "![x](https://evil.example/p.png)",
        "[a[b]c](https://evil.example)",
        "https://evil.example",
        "HTTPS://EVIL.EXAMPLE",
        "<https://evil.example>",
        "www.evil.example",
        "steam://run/1",
        "mailto:a@evil.example",
        "https://user@evil.example",
        "https://acme.example@evil.example/",
        "https://acme.example.evil.example/",
        "https://evilacme.example",
        "discord.gg/abc",
        "https://discord.gg/abc",
        "https://discord.com/invite/abc",
        "discordapp.com/invite/abc",
    ],
)
def test_nothing_hostile_leaves(hostile: str):
    said = outgoing(f"so {hostile} it is", ["acme.example"])
    for alive in ("@everyone", "@here", "<@", "<#", "<t:", "<:a", "evil", "EVIL", "discord.gg", "invite/", "steam:"):
        assert alive not in said
    assert said.startswith("so ")
    assert said.endswith(" it is")


@pytest.mark.parametrize(
    "harmless",
    [
        "**bold** _it_ `code` ||secret|| > quote",
        "[help](https://acme.example/a)",
        "https://docs.acme.example/a?b=c#d",
        "```python\nif a < b > c:\n    pass\n```",
        "a@b.c costs 5 € – “really”",
        "שלום 👩‍👩‍👧‍👦 مرحبا",
    ],
)
def test_what_is_harmless_leaves_as_it_is(harmless: str):
    assert outgoing(harmless, ["acme.example"]) == harmless


def test_an_invite_leads_nowhere_even_where_discord_is_allowed():
    assert outgoing("https://discord.gg/abc", ["discord.gg"]) == "(link removed)"


@pytest.mark.parametrize(
    ("asked", "name"),
    [
        ("Where is my parcel?", "Where is my parcel?"),
        ("**Where**\n\nis `it`?", "Where is it?"),
        ("", "Your question"),
        ("***", "Your question"),
        ("<@1>", "@1"),
    ],
)
def test_a_thread_is_named_after_its_question(asked: str, name: str):
    assert thread_name(asked) == name


def test_a_threads_name_is_at_most_47_characters():
    assert len(thread_name("word " * 100)) <= 47
    assert thread_name("🚚" * 100).endswith("…")


def test_a_sentence_with_anybodys_words_formats_nothing_but_our_code():
    assert words("*Puffin* says: run `/model status` now") == r"\*Puffin\* says: run `/model status` now"
    assert words("an odd ` and *stars*") == r"an odd \` and \*stars\*"


def test_one_line_for_a_list_has_nothing_in_it_that_acts():
    assert inline("**a**\n<@1> `b`") == "\\*\\*a\\*\\* <\u2060@1\\> \\`b\\`"


@pytest.mark.parametrize(
    ("growing", "kept"),
    [
        ("Hello wor", "Hello "),
        ("Hello", ""),
        ("See [the help](https://acme", "See "),
        ("See [the help](https://acme.example) for", "See [the help](https://acme.example) "),
        ("", ""),
    ],
)
def test_a_growing_text_shows_only_what_will_not_change(growing: str, kept: str):
    assert settled(growing) == kept
