"""What a voice demands of each answer: declared as plain data, and a sentence for each answer that does not keep to it."""

import socket
from typing import Any

import pytest

from curation.checks import ChecksWrong, Failure, Schema, declared, failures, says

SHAPE = {
    "type": "object",
    "required": ["answer"],
    "properties": {"answer": {"$ref": "#/$defs/text"}, "links": {"type": "array", "items": {"type": "string"}}},
    "additionalProperties": False,
    "$defs": {"text": {"type": "string", "minLength": 1}},
}


def only(answer: str, **checks: Any) -> str | None:
    """The sentence of the one check declared; None where it passes."""
    found = failures(answer, declared(checks))
    return found[0].sentence if found else None


def test_an_answer_that_keeps_to_everything():
    checks = declared(
        {"language": "en", "length": {"most_words": 20}, "required": ["— the Puffin crew"], "forbidden": ["guarantee"]}
    )
    assert failures("You can send it back in 30 days.\n— The  Puffin crew", checks) == ()


def test_every_failure_is_told_in_the_declared_order():
    checks = declared({"forbidden": ["cheap"], "required": ["Puffin"], "length": {"most_words": 3}, "language": "de"})
    assert failures("This is the cheap one for you.", checks) == (
        Failure("language", "It is in English, not in German."),
        Failure("length", "It has 7 words; at most 3 are allowed."),
        Failure("required", "It does not say “Puffin”."),
        Failure("forbidden", "It says “cheap”."),
    )


def test_an_answer_too_short_for_a_language_passes():
    assert only("OK!", language="de") is None


@pytest.mark.parametrize(
    ("bounds", "answer", "sentence"),
    [
        ({"least_words": 1}, "  ", "It has 0 words; at least 1 are asked for."),
        ({"least_words": 2}, "Yes.", "It has 1 word; at least 2 are asked for."),
        ({"most_words": 2}, "Yes of course", "It has 3 words; at most 2 are allowed."),
        ({"most_words": 2}, " Yes sir \n", None),
        ({"most_characters": 4}, "Yes!!", "It has 5 characters; at most 4 are allowed."),
        ({"most_characters": 4}, "はい！👍", None),
        ({"least_characters": 2}, "👍", "It has 1 character; at least 2 are asked for."),
    ],
)
def test_length(bounds: dict[str, int], answer: str, sentence: str | None):
    assert only(answer, length=bounds) == sentence


@pytest.mark.parametrize(
    ("answer", "phrase", "is_said"),
    [
        ("That is CHEAP.", "cheap", True),
        ("That is the cheapest.", "cheap", False),
        ("uncheap", "cheap", False),
        ("the\nPuffin   crew", "The puffin crew", True),
        ("don’t worry", "don't worry", True),
        ("Straße 5", "STRASSE 5", True),
        ("ﬁne", "fine", True),
        ("100 % sure", "100 %", True),
        ("1100 %", "100 %", False),
        ("送料は無料です", "無料", True),
        ("Hey @anna!", "hey @", True),
        ("a+b", "a+b", True),
        ("aab", "a+b", False),
        ("", "x", False),
    ],
)
def test_a_phrase_is_said_as_whole_words(answer: str, phrase: str, is_said: bool):
    assert says(answer, phrase) is is_said


@pytest.mark.parametrize(
    ("answer", "sentence"),
    [
        ('{"answer": "Yes."}', None),
        (' {"answer": "Yes.", "links": []}\n', None),
        ("Yes.", "It is not JSON: Expecting value: line 1 column 1 (char 0)."),
        ('{"answer": ""}', "It does not have the declared shape: $.answer does not keep to “minLength”."),
        ('{"links": ["a"]}', "It does not have the declared shape: $ does not keep to “required”."),
        (
            '{"answer": "x", "links": ["a", 3]}',
            "It does not have the declared shape: $.links[1] does not keep to “type”.",
        ),
        ('{"answer": NaN}', "It is not JSON: NaN is not a JSON number."),
        ("[" * 100_000, "It is not JSON that can be read: it is nested too deeply."),
    ],
    ids=["fits", "fits-with-space", "prose", "empty", "missing", "inside", "not-a-number", "bomb"],
)
def test_json(answer: str, sentence: str | None):
    assert only(answer, json_schema=SHAPE) == sentence


def test_a_shape_that_repeats_itself_survives_any_depth():
    tree = {"type": "array", "items": {"$ref": "#"}}
    assert only("[[[]]]", json_schema=tree) is None
    assert only("[" * 700 + "]" * 700, json_schema=tree) in (
        None,
        "It is not JSON that can be read: it is nested too deeply.",
    )


def test_what_a_person_wrote_is_not_repeated():
    assert "anna@example.com" not in (only('{"answer": "x", "mail": "anna@example.com"}', json_schema=SHAPE) or "")


@pytest.mark.parametrize(
    ("checks", "message"),
    [
        ({"lenght": {}}, "Unknown checks: “lenght”. There are “language”, “length”"),
        ({"language": "tlh"}, "'tlh' cannot be checked. Known are ar, cs"),
        ({"language": 3}, "3 cannot be checked"),
        ({"length": {}}, "one or more of “least_words”"),
        ({"length": 80}, "one or more of “least_words”"),
        ({"length": {"most_words": -1}}, "'most_words': -1 cannot be used"),
        ({"length": {"most_words": True}}, "'most_words': True cannot be used"),
        ({"length": {"most_lines": 3}}, "'most_lines': 3 cannot be used"),
        ({"length": {"least_words": 9, "most_words": 3}}, "at least 9 and at most 3 words"),
        ({"required": "Puffin"}, "“required” wants a list"),
        ({"required": []}, "“required” wants a list"),
        ({"forbidden": ["a", " "]}, "“forbidden” wants a list"),
        ({"forbidden": ["a", 3]}, "“forbidden” wants a list"),
        ({"json_schema": True}, "A JSON schema is an object"),
        ({"json_schema": {"type": "objekt"}}, "itself wrong at \\$.type: 'objekt'"),
        (
            {"json_schema": {"$ref": "http://127.0.0.1:9/shape"}},
            "refers to “http://127.0.0.1:9/shape”; only what it holds",
        ),
        ({"json_schema": {"items": [{"$ref": "#/$defs/x"}]}}, "itself wrong"),
        ({"json_schema": {"items": {"$ref": "#/$defs/x"}}}, "refers to “#/\\$defs/x”, which it does not hold"),
    ],
)
def test_checks_that_cannot_be_used_are_refused_when_declared(checks: dict[str, Any], message: str):
    with pytest.raises(ChecksWrong, match=message):
        declared(checks)


def test_a_schema_never_goes_to_the_network(monkeypatch: pytest.MonkeyPatch):
    def refuse(*_: object) -> None:
        raise AssertionError("a connection was tried")

    monkeypatch.setattr(socket.socket, "connect", refuse)
    with pytest.raises(ChecksWrong):
        declared({"json_schema": {"allOf": [{"$ref": "http://192.0.2.1/shape"}]}})


def test_even_a_schema_that_was_not_declared_never_goes_to_the_network(monkeypatch: pytest.MonkeyPatch):
    tried: list[object] = []

    def refuse(_: socket.socket, address: object) -> None:
        tried.append(address)
        raise OSError("a connection was tried")

    monkeypatch.setattr(socket.socket, "connect", refuse)
    with pytest.raises(Exception, match=r"Unresolvable: http://192\.0\.2\.1/shape"):
        Schema({"$ref": "http://192.0.2.1/shape"}).failure("1")
    assert tried == []


def test_nothing_declared_asks_for_nothing():
    assert declared({}) == ()
    assert failures("", ()) == ()
