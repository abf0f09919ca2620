"""What is found in a text, kind by kind: between ⟦kind|…⟧ stands what must be found, exactly, and all the rest must be left."""

from itertools import pairwise

import pytest

from bench.scrub_corpus import unmarked
from curation.scrub import Finding, Kind, Person, Rules, findings, hints

ANNA = Person(("Anna Berg", "Änne"), ("anna.b",), ("U07QK2M4XR",))
WILL = Person(("Will Stein",), ("wst",))

CASES = {
    "an empty text": "",
    "only emoji": "👍🏽👨‍👩‍👧‍👦",
    "plain words": "Thanks, that worked!",
    # e-mail
    "an address": "write to ⟦email|anna.b+x@mail.example.co.uk⟧.",
    "two addresses beside each other": "⟦email|a1@example.org⟧,⟦email|b2@example.org⟧",
    "an address in full width": "an ⟦email|ａｎｎａ＠ｅｘａｍｐｌｅ．ｃｏｍ⟧ senden",
    "an address with invisible characters in it": "my ⟦email|an\u200bna@exam\u00adple.com⟧ here",
    "an address of another alphabet": "пишите на ⟦email|почта@пример.рф⟧",
    "an address in a sentence without spaces": "宛先は⟦email|ken@example.jp⟧です",
    "an address spelled out": "it is ⟦email|anna (at) example (dot) com⟧ now",
    "an address spelled out in words": "I am ⟦email|bob at example dot com⟧",
    "an address spelled out in Spanish": "es ⟦email|ana arroba example punto es⟧",
    "an at that is no address": "look at example dot com, 3 @ 4.50, react@18.2.0, git@example.com:x/y, @anna",
    # phone
    "a number with its country": "call ⟦phone|+44 7700 900123⟧ now",
    "a number with its country, after 00": "⟦phone|0044 7700 900123⟧",
    "a number with a trunk zero": "⟦phone|+49 (0)171 3920041⟧",
    "a number with an extension": "⟦phone|(202) 555-0147 x123⟧",
    "a number as links have it": "https://wa.me/⟦phone|447700900123⟧",
    "a number in Arabic digits": "رقم هاتفي ⟦phone|٠٠٩٧١٥٠١٢٣٤٥٦٧⟧",
    "a number announced": "my phone: ⟦phone|3125550199⟧",
    "a number of no known region, announced": "telefon ⟦phone|0911 555 0188⟧ lütfen",
    "a national number in groups": "(⟦phone|030 23125 114⟧)",
    "an order number": "order number: 2025550199",
    "an order called about": "I called about order 2025550199",
    "a date and a time": "call on 2026-11-03 10 or 03.11.2026 12",
    "prices and counts": "12 345 678 and 1 2 3 4 5 6 7 8 9",
    "a postcode": "MA 02110-1301",
    # card, IBAN
    "a card": "card ⟦card|4242 4242 4242 4242⟧!",
    "a card with odd spaces": "⟦card|4242\u00a04242\u202f4242\u20094242⟧",
    "a card in full width": "⟦card|４２４２４２４２４２４２４２４２⟧",
    "a card in dots": "⟦card|3782.822463.10005⟧",
    "sixteen digits that do not check": "4242 4242 4242 4241",
    "sixteen digits of no network that check": "order 9000 0000 0000 0000 1",
    "an IBAN": "to ⟦iban|DE89 3704 0044 0532 0130 00⟧ Thanks",
    "an IBAN in small letters": "⟦iban|de89370400440532013000⟧",
    "an IBAN with letters in it": "⟦iban|FR14 2004 1010 0505 0001 3M02 606⟧",
    "an IBAN with a digit changed": "DE89 3704 0044 0532 0130 01",
    "an IBAN with a digit missing": "DE89 3704 0044 0532 0130 0",
    # IP
    "IPv4": "from ⟦ip|203.0.113.77⟧:8443",
    "IPv4 that nobody should click": "⟦ip|198[.]51[.]100[.]7⟧",
    "IPv6": "[⟦ip|2001:db8:85a3::8a2e:370:7334⟧]:443",
    "addresses of nobody": "127.0.0.1 0.0.0.0 255.255.255.0 192.168.1.1 8.8.8.8 ::1 224.0.0.1",
    "versions": "Version 1.2.3.4, v2.3.4.5, numpy>=1.2.3.4, 1.2.3.4.5, 300.1.2.3",
    "times and paths of C++": "10:20:30:40 std::a::b 00:1B:44:11:3A:B7",
    # secrets
    "a key of OpenAI's": "use ⟦secret|s¦k-proj-Ab1Cd2Ef3Gh4Ij5Kl6Mn7⟧ here",
    "a key of GitHub's": "⟦secret|gh¦p_Ab1Cd2Ef3Gh4Ij5Kl6Mn7Op8Qr9St0Uv1Wx2⟧",
    "a token of Slack's": "⟦secret|xo¦xb-123456789012-AbCdEfGhIjKl⟧",
    "a key of AWS": "⟦secret|AK¦IA2345672345672345⟧",
    "a JWT": "⟦secret|ey¦JhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxMjM0NTY3ODkwIn0.abcdefghijk⟧",
    "a private key": "⟦secret|-----BEGIN EC PRIVATE KEY-----\nMHcCAQEEIAbc+/def\n-----END EC PRIVATE KEY-----⟧ is mine",
    "a private key that was cut off": "⟦secret|-----BEGIN PRIVATE KEY-----\nMIIEvQIBADANBgkqhkiG9w0B⟧",
    "a webhook of Slack's": "https://hooks.slack.com/services/⟦secret|T01ABCDEF/B01ABCDEF/abcdefghijklmnopqrstuvwx⟧",
    "a header": "Authorization: Bearer ⟦secret|abc123def456ghi789⟧",
    "a named run of hexadecimal digits": 'api_key = "⟦secret|9f86d081884c7d659a2feaa0c55ad015⟧"',
    "a random token": "here ⟦secret|x7Kp2mQ9vR4tW8zB3nL6cY1d⟧ it is",
    "a licence": "⟦secret|A1B2C-D3E4F-G5H6J-K7L8M-N9P2Q⟧",
    "a password": "my password is ⟦secret|Tr0ub4dor&3⟧",
    "a password with brackets": "password: ⟦secret|a(b9)cd⟧",
    "a password in German": "Mein Passwort lautet ⟦secret|Igel_77⟧.",
    "a password in Japanese": "パスワードは⟦secret|Sakura2024!⟧です",
    "a password without a link": "mot de passe ⟦secret|Soleil#42⟧",
    "talk of passwords": "Your password is case-sensitive, at least 12 characters; password: required. pass force_zip64",
    "hashes and ids": "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b 3f2504e0-4f89-41d3-9a0c-0305e82c3301",
    "names of things in code": "getUserAccountByEmailAddress2 TAKEN_FROM_ARGUMENT8U models/stories15M_MOE-F16 all-MiniLM-L6-v2",
    "a page with a long address": "https://example.com/d/1aB2cD3eF4gH5iJ6kL7mN8oP9/edit",
    "talk of keys": "API key: see dashboard; token=your-token-goes-here; keys.example.org/7FFB7D6BD83147D74284E317",
    # logins
    "a password in a URL": "postgres://⟦login|app:s3cret⟧@db.example.net:5432/x",
    "a password alone in a URL": "redis://⟦login|:s3cret⟧@cache.example.net",
    "a token in a URL": "https://example.com/x?token=⟦login|a1b2c3d4e5f6g7h8i9⟧&lang=en",
    "a password in a URL's parameter": "https://example.com/x?user=mk&password=⟦login|geheim⟧",
    "a URL without a secret": "https://example.com/x?token=short&page=2&code=1234",
}  # fmt: skip


@pytest.mark.parametrize("marked", CASES.values(), ids=CASES.keys())
def test_what_must_be_found_is_and_nothing_else(marked: str):
    text, items = unmarked(marked)
    assert findings(text) == items


NAMES = {
    "in full": "⟦name|Anna Berg⟧ said so",
    "a first name": "thanks ⟦name|anna⟧!",
    "a name in capitals": "⟦name|ANNA BERG⟧",
    "a genitive": "⟦name|Annas⟧ Antwort, ⟦name|Anna⟧'s answer",
    "a name with another spelling": "⟦name|Aenne⟧ und ⟦name|ÄNNE⟧",
    "a handle": "@⟦name|anna.b⟧ and ⟦name|anna.b⟧",
    "a mention": "⟦name|<@U07QK2M4XR>⟧ ⟦name|<@!318274650193847261>⟧",
    "a name inside other words": "Annapurna, Savanna, Hanna, Bergamot",
    "a name that is a word": "Will this work? I will not. Der Stein ist schwer.",
    "a name that is a word, of a person": "Hi ⟦name|Will⟧, Herr ⟦name|Stein⟧ and ⟦name|Will Stein⟧",
    "a short handle": "wst is short, @⟦name|wst⟧ is not",
}


@pytest.mark.parametrize("marked", NAMES.values(), ids=NAMES.keys())
def test_participants_are_found_however_they_are_written(marked: str):
    marked = marked.replace("@⟦name|", "⟦name|@")  # the sign goes with the handle
    text, items = unmarked(marked)
    assert findings(text, Rules(people=(ANNA, WILL))) == items


@pytest.mark.parametrize(
    "name", ["田中健", "김민준", "ليلى حداد", "Łukasz Zieliński", "Işıl Yılmaz", "Ольга Смирнова", "O'Brien"]
)
def test_names_of_any_script_are_found(name: str):
    text = f"-> {name}, 1"
    assert findings(text, Rules(people=(Person((name,)),))) == (Finding(Kind.NAME, 3, 3 + len(name)),)


def test_a_name_without_letters_or_with_none_finds_nothing():
    assert findings("a . * text (with) signs", Rules(people=(Person(("", ".*", "…")), Person(())))) == ()


@pytest.mark.parametrize(
    ("text", "keep"),
    [
        ("Write to Support@puffin.example", "support@puffin.example"),
        ("Write to returns@puffin.example", "@puffin.example"),
        ("Call us: 0800 555 0100", "0800 555 0100"),
        ("Call us on +1 (415) 555-0134", "+14155550134"),
        ("The status page is at 203.0.113.9", "203.0.113.9"),
        ("Pay to DE89 3704 0044 0532 0130 00", "DE89370400440532013000"),
    ],
)
def test_what_the_brand_publishes_itself_is_kept(text: str, keep: str):
    assert len(findings(text)) == 1
    assert findings(text, Rules(keep=frozenset({keep}))) == ()


def test_keeping_one_address_keeps_no_other():
    rules = Rules(keep=frozenset({"support@puffin.example", "@brand.example"}))
    assert len(findings("anna@puffin.example, anna@sub.brand.example and x@notbrand.example", rules)) == 3


def test_a_region_decides_which_national_numbers_are_known():
    text = "(06-12345679)"
    assert findings(text, Rules(regions=("US",))) == ()
    assert [f.kind for f in findings(text, Rules(regions=("NL",)))] == [Kind.PHONE]


HINTS = {
    "an English street": "to ⟦address|42 Maple Street⟧ please",
    "a German street": "an ⟦address|Lindenstraße 14⟧, 10969 Berlin",
    "a French street": "⟦address|12 rue de la République⟧",
    "a Spanish street": "⟦address|Calle Mayor 25⟧",
    "a Polish street": "⟦address|ul. Długa 7⟧",
    "a post box": "⟦address|PO Box 1189⟧",
    "somebody introduced": "My name is ⟦possible name|Jana Novak⟧ and",
    "somebody signing": "Regards,\n⟦possible name|Theo Marchetti⟧",
    "a team signing": "Best regards,\nPuffin Support Team",
    "nothing of the kind": "I waited 20 Days. My name is wrong. 12 rue",
}


@pytest.mark.parametrize("marked", HINTS.values(), ids=HINTS.keys())
def test_addresses_and_strangers_are_shown_to_a_person_and_never_found_for_sure(marked: str):
    text, items = unmarked(marked)
    assert hints(text) == items
    assert findings(text) == ()


def test_what_is_found_for_sure_is_no_hint():
    text = "My name is Anna Berg"
    assert [hint.kind for hint in hints(text)] == [Kind.POSSIBLE_NAME]
    assert hints(text, Rules(people=(ANNA,))) == ()


def test_findings_stand_in_order_and_never_overlap():
    text = (
        "Anna Berg, anna@example.com, +44 7700 900123, "
        "https://anna:pw1@example.com/?token=a1b2c3d4e5f6g7h8 DE89370400440532013000"
    )
    found = findings(text, Rules(people=(ANNA,)))
    assert [f.kind for f in found] == [Kind.NAME, Kind.EMAIL, Kind.PHONE, Kind.LOGIN, Kind.LOGIN, Kind.IBAN]
    assert all(earlier.end <= later.start for earlier, later in pairwise(found))


def test_no_finding_shows_what_was_found():
    (found,) = findings("anna@example.com")
    assert repr(found) == "Finding(kind=<Kind.EMAIL: 'email'>, start=0, end=16)"
