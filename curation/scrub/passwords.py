"""Passwords that somebody writes after the word, and credentials that stand inside a URL."""

import re
from collections.abc import Iterator

from curation.scrub.kinds import Kind, Rules, Span

_WORD = (
    r"(?:\b(?:pass(?:word|phrase|code|wd|wort)?|pwd?|kennwort|zugangscode|mot de passe|mdp|contraseña|clave|senha|palavra-passe|"
    r"wachtwoord|hasło|lösenord(?:et)?|heslo|salasana|jelszó|parol[ae]?|şifrem?|пароль|пароля)\b"
    r"|パスワード|密码|密碼|비밀번호|كلمة المرور|كلمة السر|הסיסמה|סיסמה|पासवर्ड)"
)
# A part of every such word: a first look, because the words with their endings take twenty times longer.
_STEMS_WRITTEN = (
    "pass pwd pw kennwort zugangscode passe mdp contraseña clave senha palavra wachtwoord hasło lösenord heslo salasana jelszó "
    "parol şifre пароль пароля パスワード 密码 密碼 비밀번호 كلمة הסיסמה סיסמה पासवर्ड"
)
_STEMS = tuple(_STEMS_WRITTEN.split())
_VALUE = r"[\"'`“«]?(?P<value>[!#-&(-;=?-Z\\^-z|~]{5,64})"
_SAID = re.compile(
    rf"(?P<word>{_WORD})[\"'`]?[ ]{{0,2}}"
    rf"(?P<link>[:=]|\b(?:is|was|ist|war|lautet|est|es|è|é|to|är|to:|jest)\b|は|是|هي|هو|היא|है|-|–)?"
    rf"[ :]{{0,3}}{_VALUE}",
    re.IGNORECASE,
)

_USER_INFO = re.compile(
    r"\b[a-z][a-z0-9+.-]{1,20}://(?P<login>[^\s/?#@:\[\]<>\"]{0,128}:[^\s/?#@<>\[\]\"]{1,256})@", re.IGNORECASE
)
_TOKEN_PARAMETERS = (
    r"access_token|refresh_token|id_token|token|api[_-]?key|apikey|key|sig|signature|x-amz-signature|x-goog-signature|secret|"
    r"client_secret|code|auth|session|sid|jwt|otp|reset|invite"
)
_PARAMETER = re.compile(
    rf"[?&#;](?:(?P<name>password|passwd|pwd|pass|pw)|{_TOKEN_PARAMETERS})=(?P<login>[^\s&#\"'<>\[\]()]{{4,2048}})",
    re.IGNORECASE,
)
_VERBS = frozenset({"pass", "pw", "pwd"})  # "pass force_zip64" is no password


def find_passwords(text: str, rules: Rules) -> Iterator[Span]:
    """What stands after "password", in many languages, and looks like one: a rule about passwords does not."""
    lowered = text.replace("İ", "i").replace("ı", "i").lower()
    if not any(stem in lowered for stem in _STEMS):
        return
    for match in _SAID.finditer(text):
        value = match["value"].rstrip(".,;:")
        if "(" not in value:
            value = value.rstrip(")")
        is_linked = match["link"] is not None
        is_apart = text[match.start("value") - 1] in " \"'`“«" and match["word"].casefold() not in _VERBS
        if (is_linked or is_apart) and _looks_chosen(value, is_linked=is_linked):
            start = match.start("value")
            yield Span(Kind.SECRET, start, start + len(value), value)


def _looks_chosen(value: str, *, is_linked: bool) -> bool:
    digits = sum(character.isdigit() for character in value)
    letters = sum(character.isalpha() for character in value)
    if len(value) < 5 or not digits:
        return False
    if is_linked:
        return letters > 0 or digits >= 6
    mixed = value != value.lower() and value != value.upper()
    signs = digits + letters < len(value.rstrip("!?"))
    return letters > 1 and len(value) >= 6 and (mixed or signs or value[-1] in "!?")


def find_logins(text: str, rules: Rules) -> Iterator[Span]:
    """`user:password` before a URL's host, and the values of parameters that let somebody in."""
    if "://" not in text:
        return
    for match in _USER_INFO.finditer(text):
        yield Span(Kind.LOGIN, *match.span("login"), match["login"])
    for match in _PARAMETER.finditer(text):
        value = match["login"].rstrip(".,;:!?")
        long_and_mixed = len(value) >= 16 and any(c.isdigit() for c in value) and any(c.isalpha() for c in value)
        if match["name"] or long_and_mixed:
            start = match.start("login")
            yield Span(Kind.LOGIN, start, start + len(value), value)
