"""Placeholders: typed, the same for the same value, never given twice, and nothing of the value left anywhere."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from curation.scrub import Finding, Kind, Person, Placeholders, Rules, findings, scrub_conversation

ANNA = Person(("Anna Berg",), ("anna.b",), ("U07QK2M4XR",))


def scrubbed(*texts: str, rules: Rules = Rules()) -> list[str]:  # noqa: B008  # frozen
    return [done.text for done in scrub_conversation(texts, Placeholders(b"salt"), rules)]


def test_the_same_value_has_the_same_number_through_a_conversation():
    assert scrubbed(
        "I am anna@example.com, or bob@example.com", "Bob@Example.com wrote from 203.0.113.7", "anna@example.com again"
    ) == ["I am [email 1], or [email 2]", "[email 2] wrote from [ip 1]", "[email 1] again"]


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("+44 7700 900123", "0044 (0)7700-900123"),
        ("4242 4242 4242 4242", "4242424242424242"),
        ("DE89 3704 0044 0532 0130 00", "de89370400440532013000"),
        ("2001:db8:0:0::1f", "2001:0DB8::1F"),
        ("bob@example.com", "bob (at) example (dot) com"),
        ("ａｎｎａ@example.com", "an\u200bna@example.com"),
        ("Anna Berg", "<@U07QK2M4XR>"),
        ("anna.b", "ANNA"),
    ],
)
def test_two_spellings_of_one_value_are_one(one: str, other: str):
    first, second = scrubbed(f"({one})", f"({other})", rules=Rules(people=(ANNA,)))
    assert first == second != f"({one})"


def test_two_people_and_two_extensions_are_two():
    bob = Person(("Bob Hale",))
    assert scrubbed("Anna and Bob and Anna Berg", rules=Rules(people=(ANNA, bob))) == [
        "[name 1] and [name 2] and [name 1]"
    ]
    assert scrubbed("+44 7700 900123 x1, +44 7700 900123 x2") == ["[phone 1], [phone 2]"]


def test_what_already_is_a_placeholder_keeps_its_number_and_its_meaning():
    assert scrubbed("[email 3] told [name 1]", "and bob@example.com") == ["[email 3] told [name 1]", "and [email 4]"]
    # Even when a participant is called like a kind.
    assert scrubbed("ask [email 1]", rules=Rules(people=(Person(("Email Name",)),))) == ["ask [email 1]"]


def test_numbers_go_on_where_an_earlier_scrubbing_of_the_conversation_ended():
    earlier = Placeholders(b"salt")
    scrub_conversation(["anna@example.com bob@example.com"], earlier)
    later = Placeholders(b"salt", earlier.numbers)
    (done,) = scrub_conversation(["carl@example.com, bob@example.com"], later)
    assert done.text == "[email 3], [email 2]"


def test_what_is_kept_of_a_value_is_a_hash_that_needs_the_salt():
    one, other = Placeholders(b"salt"), Placeholders(b"another")
    for placeholders in (one, other):
        scrub_conversation(["anna@example.com and 203.0.113.7"], placeholders)
    assert set(one.numbers.values()) == {1}
    assert not set(one.numbers) & set(other.numbers)
    assert "anna" not in repr(one) + repr(dict(one.numbers))
    with pytest.raises(ValueError, match="salt is empty"):
        Placeholders(b"")


def test_findings_stand_where_they_stood_in_the_original():
    text = "ａ@example.com, then +44 7700\u200b 900123 and password: a1b2c3d4!"
    (done,) = scrub_conversation([text], Placeholders(b"salt"))
    assert [text[f.start : f.end] for f in done.findings] == ["ａ@example.com", "+44 7700\u200b 900123", "a1b2c3d4!"]
    assert [f.kind for f in done.findings] == [Kind.EMAIL, Kind.PHONE, Kind.SECRET]


def test_hints_are_given_and_left_in_the_text():
    (done,) = scrub_conversation(["I live at 42 Maple Street, anna@example.com"], Placeholders(b"salt"))
    assert done.text == "I live at 42 Maple Street, [email 1]"
    assert done.hints == (Finding(Kind.ADDRESS, 10, 25),)


def test_nothing_in_means_nothing_out():
    assert scrub_conversation([], Placeholders(b"salt")) == ()
    assert scrubbed("", "Thanks!") == ["", "Thanks!"]


# What meets at the edges of a placeholder: whole values, their halves, signs, and words that announce one.
_PARTS = (
    "anna@example.com|@|a|.| |\n|(|)|[|]|-|/|::|[email 1]|[phone 12|[secret 2]|\u200b|\u202e|９|٣|ß|👍🏽|Anna|Berg|<@U07QK2M4XR>|"
    "+44 7700 900123|0171 3920041|020|7946|1234567|4242 4242 4242 4242|4242|DE89 3704 0044 0532 0130 00|DE89|3704|203.0.113.7|"
    "2001:db8::1f|1.2.3.4|tel |order |password: |hunter2!|token=|https://|https://u:p1@|?token=a1b2c3d4e5f6g7h8i9| (at) | dot |"
    "sk-Ab1Cd2Ef3Gh4Ij5Kl6Mn7|-----BEGIN PRIVATE KEY-----|x7Kp2mQ9vR4tW8zB3nL6cY1d"
)
PARTS = st.sampled_from(_PARTS.split("|"))


@given(st.lists(PARTS, max_size=14).map("".join) | st.text(max_size=60))
def test_scrubbing_scrubbed_text_changes_nothing(text: str):
    rules = Rules(people=(ANNA,))
    (done,) = scrub_conversation([text], Placeholders(b"salt"), rules)
    assert findings(done.text, rules) == ()
    (again,) = scrub_conversation([done.text], Placeholders(b"salt"), rules)
    assert (again.text, again.findings) == (done.text, ())


@given(st.lists(PARTS, max_size=14).map("".join))
def test_what_is_outside_the_findings_is_left_as_it_was(text: str):
    (done,) = scrub_conversation([text], Placeholders(b"salt"), Rules(people=(ANNA,)))
    rest = done.text
    for earlier, finding in zip((None, *done.findings), (*done.findings, None), strict=True):
        kept = text[earlier.end if earlier else 0 : finding.start if finding else len(text)]
        assert rest.startswith(kept)
        rest = rest[len(kept) :]
        if finding:
            assert rest.startswith(f"[{finding.kind} ")
            rest = rest[rest.index("]") + 1 :]
    assert rest == ""
