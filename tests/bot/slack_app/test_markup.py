"""Between Slack's markup and plain text: what may come in, and what may leave."""

import re

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bot.slack_app.markup import FALLBACK_LIMIT, fallback, inline, outgoing, plain, settled, words

BOT, TEAM = "U0BOT", {"U0MOD"}
OURS = ("puffin.example",)
REMOVED = "(link removed)"


@pytest.mark.parametrize(
    ("said", "read"),
    [
        pytest.param("", "", id="nothing"),
        pytest.param(f"<@{BOT}>", "", id="only the mention"),
        pytest.param(f"<@{BOT}|bot> where is it?", "where is it?", id="the mention goes"),
        pytest.param("ask <@U0MOD>", "ask @teammate", id="a teammate has no name"),
        pytest.param("ask <@U7|ann>", "ask @customer", id="a customer has no name"),
        pytest.param("see <#C1|general> and <#C2|>", "see #general and #channel", id="channels"),
        pytest.param("<!here> help <!subteam^S1|@help>", "@here help @help", id="calls"),
        pytest.param("<!date^1^{date}|today>", "today", id="a date"),
        pytest.param("<https://a.example/x>", "https://a.example/x", id="a link"),
        pytest.param("<https://a.example|a.example>", "https://a.example", id="a link Slack made"),
        pytest.param("<https://a.example|our site>", "our site (https://a.example)", id="a named link"),
        pytest.param("<mailto:a@b.example|a@b.example>", "a@b.example", id="an address"),
        pytest.param("<tel:+4930|+49 30>", "+49 30", id="a number"),
        pytest.param("1 &lt; 2 &amp;&amp; 3 &gt; 2", "1 < 2 && 3 > 2", id="signs"),
        pytest.param("&amp;lt;b&amp;gt;", "&lt;b&gt;", id="signs that were meant as they are"),
        pytest.param("wo ist 包裹? 🐦", "wo ist 包裹? 🐦", id="unicode"),
    ],
)
def test_what_a_person_wrote_is_read_without_slacks_markup(said: str, read: str):
    assert plain(said, BOT, TEAM) == read


@pytest.mark.parametrize(
    ("text", "sent"),
    [
        pytest.param("", "", id="nothing"),
        pytest.param("**bold** & `code`", "**bold** & `code`", id="Markdown stays"),
        pytest.param("<!channel> <@U1>", "&lt;!\u200dchannel&gt; &lt;@U1&gt;", id="tokens are text"),
        pytest.param("if a < b > c:", "if a &lt; b &gt; c:", id="signs"),
        pytest.param("[shop](https://puffin.example/a)", "[shop](https://puffin.example/a)", id="our link"),
        pytest.param("[shop](https://www.puffin.example)", "[shop](https://www.puffin.example)", id="below ours"),
        pytest.param("see https://puffin.example.", "see https://puffin.example.", id="our bare link"),
        pytest.param("call Tel:+49 30 or slack: us", "call Tel:+49 30 or slack: us", id="no link at all"),
    ],
)
def test_what_leaves_reads_the_same_and_rings_nobody(text: str, sent: str):
    assert outgoing(text, OURS) == sent


@pytest.mark.parametrize("call", ["@channel", "@HERE", "@everyone", "<!everyone>", "<!here|x>"])
def test_nobody_is_called_by_a_reply(call: str):
    assert not re.search(r"[@!](channel|here|everyone)", outgoing(f"Hi {call}!"), re.IGNORECASE)


@pytest.mark.parametrize(
    "link",
    [
        "https://evil.example/x",
        "HTTPS://EVIL.EXAMPLE",
        "ftp://evil.example",
        "mailto:a@evil.example",
        "www.evil.example",
        "<https://evil.example>",
        "<https://evil.example|puffin.example>",
        "[a](https://evil.example)",
        "![a](https://evil.example/pixel.png)",
        '[a](https://evil.example "title")',
        "[a](<https://evil.example>)",
        "[a](//evil.example)",
        "[a](evil.example)",
        "[a [b]](//evil.example)",
        "[a\\]](//evil.example)",
        "[a [b](https://evil.example) c](https://evil.example)",
        "[a][1]\n\n[1]: //evil.example",
        "[a][1]\n\n[1]: https://evil.example",
        "https://puffin.example@evil.example",
        "https://puffin.example:x@evil.example/",
        "https://evil.example/puffin.example",
        "https://evil.example#.puffin.example",
        "https://evil.example?.puffin.example",
        "https://evil.example\\.puffin.example/",
        "https://puffin.example.evil.example",
        "https://notpuffin.example",
        "https://[evil.example",
        "javascript://puffin.example/%0aalert(1)//evil.example",
    ],
)
def test_no_link_leaves_but_to_our_domains(link: str):
    sent = outgoing(f"Look: {link} now", OURS)
    targets = re.findall(r"\w*://[^\s)]*|mailto:\S+|www\.\S+|\]\([^)]+\)|^\[\w+\]: \S+", sent, re.MULTILINE)
    assert targets == []


def test_without_domains_no_link_leaves():
    assert outgoing("https://puffin.example") == REMOVED


def test_the_text_beside_the_blocks_is_in_slacks_own_markup_and_never_empty():
    assert fallback("**a** and __b__") == "*a* and *b*"
    assert fallback("") == "…"
    assert len(fallback("x" * 9_000)) == FALLBACK_LIMIT


def test_a_line_for_a_card_has_nothing_in_it_that_acts():
    line = inline("<!channel> *bold* `code`\n[x](https://puffin.example)")
    assert "<" not in line
    assert "\n" not in line
    assert "http" not in line
    assert "*bold*" not in line


GROWING = [
    "Your parcel is on its way.",
    "Ask <@U123> or <!channel> please.",
    "Ask @everyone and @here too.",
    "See [our page](https://puffin.example/a) or [theirs](https://evil.example/b) first.",
    "A picture ![a b](https://evil.example/p.png) and https://evil.example/x and more.",
    "| a | b |\n|---|---|\n| 1 | 2 |\n\n```python\nif a < b:\n    pass\n```\nDone [1] and [2].",
    "One\n\n\n\n\n\n\nTwo   three",
]


@pytest.mark.parametrize("text", GROWING)
def test_a_growing_text_shows_nothing_that_has_to_be_taken_back(text: str):
    whole = outgoing(text, OURS)
    for length in range(len(text)):
        assert whole.startswith(outgoing(settled(text[:length]), OURS))


@given(
    st.lists(st.sampled_from(["<", "!", "channel", ">", "@", "here", " ", "\n", "[a](", "https://evil.example", ")"]))
)
@settings(max_examples=200, deadline=None)
def test_no_part_of_a_growing_text_is_a_call_or_a_link(pieces: list[str]):
    text = "".join(pieces)
    for length in range(len(text) + 1):
        shown = outgoing(settled(text[:length]), OURS)
        assert "<" not in shown
        assert ">" not in shown
        assert "evil" not in shown
        assert not re.search(r"[@!](channel|here)\b", shown)


def test_a_sentence_keeps_our_commands_as_code_and_nothing_else_acts():
    said = words("*Model 3* serves. `/retrain rollback` goes back; `<!channel>` and `rm -rf` do not. <!here>")
    assert "`/retrain rollback`" in said
    assert "\u2060*\u2060Model 3" in said
    assert said.count("`") - said.count("\u2060`\u2060") == 2
    assert "<" not in said
