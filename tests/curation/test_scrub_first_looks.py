"""First looks that spare a rule its work never hide what the rule would find."""

import re
from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from curation.scrub import Kind, Rules, findings, findings_in_lines, folding, keys, passwords
from curation.scrub.folding import fold
from curation.scrub.keys import find_keys
from curation.scrub.passwords import find_passwords

KEY = "q7Rk2Vb9Lm4Xz8Tn1Wc5"
NAMED = "4f9a1c7e2b8d6053"


def test_every_character_that_is_taken_as_it_is_is_folded_to_itself():
    plain = re.compile(f"[{folding._AS_IT_IS}]")
    characters = [chr(code) for code in range(0x110000) if plain.match(chr(code))]
    assert len(characters) > 20_000
    assert [character for character in characters if folding._folded(character) != character] == []
    assert fold("naïve “Grüße” Привет かな €").origins is None


@given(st.text(st.sampled_from("aé Ⅷ１\u00a0\u200b–²ſ漢が\n0@")))
def test_folding_is_the_same_character_by_character(text: str):
    whole = "".join(folding._folded(character) for character in text)
    assert fold(text).text == whole.replace("\u200b", "")


LINKS = ("https://puffin.example/help/12", "https://x.example/mysecret")
WORDS = ("key", "secret", "token", "api_key", "encryption secret", " is ", "Bearer ", "a" * 17)
PIECES = st.sampled_from((KEY, NAMED, *LINKS, *WORDS, *':= ".@-/', "sk-" + KEY * 2, "ABCD-1F2G-H3J4-K5L6"))


@given(st.lists(PIECES, max_size=9).map("".join))
def test_looking_only_at_long_runs_finds_every_key(text: str):
    def whole(pattern: re.Pattern[str], text: str) -> set[tuple[int, int]]:
        return {m.span("value" if "value" in pattern.groupindex else 0) for m in pattern.finditer(text)}

    runs = keys._runs(text)
    assert {m.span("value") for m in keys._named(text, runs)} == whole(keys._NAMED, text)
    for pattern, beyond in ((keys._VENDOR, 0), (keys._TOKEN, 1), (keys._LICENCE, 0)):
        found = {m.span() for start, end in runs for m in pattern.finditer(text, start, end + beyond)}
        assert found == whole(pattern, text)


@pytest.mark.parametrize("length", [65_520, 65_536, 65_550, 131_080])
def test_a_run_longer_than_a_pattern_reaches_is_one_run(length: int):
    text = "x " + "/" * (length - 1) + KEY + " y"
    assert keys._runs(text) == [(2, len(text) - 2)]


def test_a_key_named_at_the_end_of_another_run_is_found():
    text = f"https://puffin.example/mysecret: {NAMED}"
    assert NAMED in {text[span.start : span.end] for span in find_keys(text, Rules())}


@pytest.mark.parametrize("written", sorted(set(re.findall(r"[^\W\d_]{2,}", passwords._WORD))))
@pytest.mark.parametrize("spelled", [str.lower, str.upper, str.capitalize])
def test_every_word_for_a_password_has_a_stem(written: str, spelled: Callable[[str], str]):
    text = spelled(written)
    is_one = re.search(passwords._WORD, text, re.IGNORECASE) is not None
    lowered = text.replace("İ", "i").replace("ı", "i").lower()
    assert not is_one or any(stem in lowered for stem in passwords._STEMS)


LATIN = "Password passwort PWD pw passcode Kennwort Zugangscode contraseña CLAVE senha palavra-passe wachtwoord hasło lösenordet"
OTHERS = "heslo salasana jelszó parola şifre ŞİFRE şifrem пароль Пароля パスワード 密码 密碼 비밀번호 mdp"


@pytest.mark.parametrize("word", ["mot de passe", *LATIN.split(), *OTHERS.split()])
def test_a_password_is_found_after_its_word_in_every_language(word: str):
    text = f"{word}: Regen!2024x"
    assert [text[s.start : s.end] for s in find_passwords(fold(text).text, Rules())] == ["Regen!2024x"]


def test_one_finding_that_stands_in_a_line_twice_is_named_twice():
    line = (
        b'{"messages": [{"content": "anna@puffin.example"}, {"content": "fine"}, {"content": "anna@puffin.example"}]}\n'
    )
    found = list(findings_in_lines(line))
    assert [(one.line, one.place, one.finding.kind) for one in found] == [
        (1, "messages.0.content", Kind.EMAIL),
        (1, "messages.2.content", Kind.EMAIL),
    ]
    assert findings("anna@puffin.example")[0].kind is Kind.EMAIL


def test_a_finding_in_a_key_of_a_line_is_found():
    assert [one.place for one in findings_in_lines(b'{"a": {"anna@puffin.example": 1}}\n')] == ["a"]
