"""Payment cards and IBANs: both carry check digits, so that a long number is told from them."""

import re
from collections.abc import Iterator

from curation.scrub.kinds import Kind, Rules, Span

_CARD = re.compile(r"(?<![A-Za-z0-9])(?<!\d[ .-])\d(?:[ .-]?\d){12,18}(?![ .-]?\d)(?![A-Za-z])")
# First digits and lengths of the card networks (https://en.wikipedia.org/wiki/Payment_card_number, read 2026-11-21). Visa's
# old 13 digits are left out: the article numbers of German goods (EAN 400-440) look the same.
_NETWORKS = (
    (re.compile(r"4"), {16, 19}),  # Visa
    (re.compile(r"5[1-5]|222[1-9]|22[3-9]|2[3-6]|27[01]|2720"), {16}),  # Mastercard
    (re.compile(r"3[47]"), {15}),  # American Express
    (re.compile(r"30[0-5]|3095|3[689]"), {14, 16, 19}),  # Diners Club
    (re.compile(r"6011|64[4-9]|65"), {16, 19}),  # Discover
    (re.compile(r"35(?:2[89]|[3-8])"), {16, 19}),  # JCB
    (re.compile(r"2131|1800"), {15}),  # JCB's older ones
    (re.compile(r"62|81"), {16, 17, 18, 19}),  # UnionPay
    (re.compile(r"50|5[6-8]|6[0379]"), {16, 18, 19}),  # Maestro
    (re.compile(r"220[0-4]"), {16, 19}),  # Mir
)

# Country and length of every IBAN (SWIFT's IBAN registry, release 101).
_IBANS = """
AD24 AE23 AL28 AT20 AZ28 BA20 BE16 BG22 BH22 BI27 BR29 BY28 CH21 CR22 CY28 CZ24 DE22 DJ27 DK18 DO28 EE20 EG29
ES24 FI18 FK18 FO18 FR27 GB22 GE22 GI23 GL18 GR27 GT28 HN28 HR21 HU28 IE22 IL23 IQ23 IS26 IT27 JO30 KW30 KZ20
LB28 LC32 LI21 LT20 LU20 LV21 LY25 MC27 MD24 ME22 MK19 MN20 MR27 MT31 MU30 NI28 NL18 NO15 OM23 PK24 PL28 PS29
PT25 QA29 RO24 RS22 RU33 SA24 SC31 SD18 SE24 SI19 SK24 SM27 SO23 ST25 SV28 TL23 TN24 TR26 UA29 VA22 VG24 XK20 YE30
"""
_IBAN_LENGTHS = {entry[:2]: int(entry[2:]) for entry in _IBANS.split()}
_IBAN_START = re.compile(r"(?<![A-Za-z0-9])[A-Za-z]{2}[0-9]{2}(?=[ .-]?[A-Za-z0-9]{2})")
_SEPARATORS = " .-"


def find_cards(text: str, rules: Rules) -> Iterator[Span]:
    """Runs of 14 to 19 digits that a card network gives out and whose last digit checks."""
    for match in _CARD.finditer(text):
        digits = re.sub(r"[ .-]", "", match[0])
        if _is_card(digits):
            yield Span(Kind.CARD, match.start(), match.end(), digits)


def _is_card(digits: str) -> bool:
    return (
        any(len(digits) in lengths and first.match(digits) for first, lengths in _NETWORKS)
        and len(set(digits)) > 1
        and luhn_sum(digits) % 10 == 0
    )


def luhn_sum(digits: str) -> int:
    """The sum that Luhn's check takes: every second digit from the right doubled, digits of the products added."""
    doubled = sum(sum(divmod(2 * int(digit), 10)) for digit in digits[-2::-2])
    return doubled + sum(int(digit) for digit in digits[-1::-2])


def find_ibans(text: str, rules: Rules) -> Iterator[Span]:
    """Account numbers as ISO 13616 has them: the country's length, and remainder 1 when divided by 97."""
    for match in _IBAN_START.finditer(text):
        length = _IBAN_LENGTHS.get(match[0][:2].upper())
        if length is None:
            continue
        end, characters = _take(text, match.start(), length)
        if len(characters) == length and not text[end : end + 1].isalnum() and _remainder(characters) == 1:
            yield Span(Kind.IBAN, match.start(), end, characters)


def _take(text: str, start: int, count: int) -> tuple[int, str]:
    """`count` letters and digits from `start` on, in upper case, over single separators between them; and where they end."""
    taken: list[str] = []
    position = start
    while len(taken) < count and position < len(text):
        character = text[position]
        if character.isascii() and character.isalnum():
            taken.append(character.upper())
        elif not (character in _SEPARATORS and text[position - 1] not in _SEPARATORS):
            break
        position += 1
    return position, "".join(taken)


def _remainder(iban: str) -> int:
    return int("".join(str(int(character, 36)) for character in iban[4:] + iban[:4])) % 97
