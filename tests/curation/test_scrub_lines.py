"""The last look at a dataset's final bytes: every string of every line, by line and place."""

import json

from curation.scrub import Finding, Kind, Located, Person, Rules, findings_in_lines


def line(*contents: str, **more: object) -> bytes:
    messages = [{"role": "user", "content": content} for content in contents]
    return json.dumps({"messages": messages, **more}, ensure_ascii=False).encode() + b"\n"


def test_a_finding_is_told_by_line_and_place():
    content = line("Thanks!") + line("Hello", "my\nmail is anna@example.com")
    assert list(findings_in_lines(content)) == [Located(2, "messages.1.content", Finding(Kind.EMAIL, 11, 27))]


def test_what_was_scrubbed_passes():
    assert list(findings_in_lines(line("[email 1] called [phone 2]", "my password is [secret 1]"))) == []


def test_every_string_is_looked_at():
    content = line("ok", note="203.0.113.7", **{"anna@example.com": [["+44 7700 900123"]]})
    assert [(found.place, found.finding.kind) for found in findings_in_lines(content)] == [
        ("note", Kind.IP),
        ("", Kind.EMAIL),
        ("anna@example.com.0.0", Kind.PHONE),
    ]


def test_escaped_text_is_read_as_what_it_says():
    content = json.dumps("anna\u200b@example.com call +44\u00a07700\u00a0900123").encode()
    assert [found.finding.kind for found in findings_in_lines(content)] == [Kind.EMAIL, Kind.PHONE]


def test_a_line_that_is_no_json_and_bytes_that_are_no_text_are_looked_at_all_the_same():
    content = b'{"broken": anna@example.com\n\xff\xfe bob@example.com\n\n\r\n7\nnull\n[]'
    assert [(found.line, found.place) for found in findings_in_lines(content)] == [(1, ""), (2, "")]


def test_no_bytes_no_findings():
    assert list(findings_in_lines(b"")) == []


def test_the_rules_hold_there_too():
    content = line("write to support@puffin.example")
    assert list(findings_in_lines(content, Rules(keep=frozenset({"@puffin.example"})))) == []


def test_a_sign_that_is_written_as_an_escape_is_read():
    assert [found.finding.kind for found in findings_in_lines(rb'"anna\u0040example.com"')] == [Kind.EMAIL]


def test_a_name_is_looked_for_in_lines_without_any_sign():
    rules = Rules(people=(Person(("Quillon Sprat",)),))
    assert [found.line for found in findings_in_lines(line("hello") + line("ask Quillon Sprat"), rules)] == [2]


def test_what_is_found_in_one_line_is_found_in_every_other():
    content = line("anna@example.com") + line("7 7") + line("7 7") + line("anna@example.com")
    assert [found.line for found in findings_in_lines(content)] == [1, 4]
