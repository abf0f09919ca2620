"""Phone numbers. `phonenumbers` knows what one looks like in each country; an order number is told by the words before it."""

import re
from collections.abc import Iterator

import phonenumbers

from curation.scrub.kinds import Kind, Rules, Span

_CANDIDATE = re.compile(
    r"(?<![A-Za-z0-9@#$€£_,=*&])(?<![A-Za-z0-9][./:-])(?:(?<!\d )|(?=\+))"
    r"(?:\+ ?\(?|\(\+?)?\d(?:(?:[ .()/-]{0,3}\d){6,17})(?!\d)"
    r"(?P<extension> ?(?:x|ext\.?|extension|durchwahl|dw\.?|poste|int\.?) ?\d{1,6}(?![A-Za-z0-9]))?(?![A-Za-z_@%])",
    re.IGNORECASE,
)
_LINKED = re.compile(r"(?:wa\.me/|tel:|sms:|callto:)(\+?\d(?:-?\d){6,17})(?!\d)", re.IGNORECASE)
_TRUNK = re.compile(r"\( ?0 ?\)")  # "+49 (0)171": dialled only without the country code
# Dates, and American postcodes of nine digits.
_NO_PHONE = re.compile(
    r"^\d{5}-\d{4}$|(?<!\d)(?:(?:19|20)\d\d[-./](?:0[1-9]|1[0-2])[-./][0-3]\d|[0-3]?\d[./-][01]?\d[./-](?:19|20)\d\d)(?!\d)"
)
# In groups as people write numbers without a country code: (202) 555-0147, 202-555-0147, 030 23125 114, 06 39 98 12 34.
_GROUPED = re.compile(r"\(\d{2,5}\)[ -]?\d|\d{3}[-. ]\d{3}[-. ]\d{4}$|0\d{1,5}[ ./()-]{1,3}\d|[679]\d\d \d\d\d \d\d\d$")

# Words that stand before a phone number, and words before any other; of two, the nearer one counts.
_CALL = re.compile(
    r"\b(?:phones?|tel|tele(?:f|ph)on\w{0,3}|tél|téléphone|teléfono|mob|mobile?|mobiel|mobil\w{0,3}|handy\w{0,8}|cell|celular|cel|"
    r"cellulare|móvil|movil|portable|telemóvel|telefone|komórka|whatsapp|signal|sms|text|fax|call|ring|reach|dial|rückruf|"
    r"ruf\w{0,3}|erreich\w{0,4}|anrufen|appele\w{0,2}|joignable|llám\w{0,5}|llam\w{0,4}|chiam\w{0,6}|bel|ligue|(?:za)?dzwo\w{0,4}|mejl|"
    r"тел|телефон\w{0,2}|звон\w{0,4}|ara\w{0,5})\b|电话|電話|手机|手機|携帯|전화|휴대폰|هاتف|جوال|טלפון|फोन|फ़ोन|मोबाइल"
    r"|\b(?:my|mein\w{0,2}|mon|mi|il mio|meu|mijn|mój|min|мой|numara\w{0,3})(?: new| neue)? "
    r"?(?:number|nummer|numéro|número|numero|numer|номер)|\bnumaram|رقمي|رقم هاتفي|मेरा नंबर",
    re.IGNORECASE,
)
_OTHER = re.compile(
    r"#|№|\bn[°º]|\b(?:orders?|order ?n\w{0,6}|ticket|case|invoice|ref|reference|réf|tracking|parcel|serial|sn|sku|isbn|ean|part|"
    r"account|customer|contract|id|version|code|coupon|timestamp|balance|lat|bestell\w{0,8}|rechnung\w{0,8}|kunden\w{0,8}|"
    r"vertrag\w{0,8}|artikel\w{0,8}|sendung\w{0,8}|auftrag\w{0,8}|commande|facture|pedido|factura|código|ordine|fattura|"
    r"zamówieni\w{0,2}|ordernummer|sipariş\w{0,3}|заказ\w{0,2})\b|注文|订单|訂單|주문|الطلب|طلب|הזמנה|ההזמנה",
    re.IGNORECASE,
)
_LONGEST = 96  # characters of a run of digits
_LOOK_BACK = 48  # characters before a number in which a word about it is looked for
_PAUSE = re.compile(r"(?<=\w{5})\.\s|[!?;\n]\s?")  # the point of "tel." ends no sentence


def find_phones(text: str, rules: Rules) -> Iterator[Span]:
    """Numbers with a country code; national ones of the rules' regions; and whatever is announced as a number to call."""
    for match in _LINKED.finditer(text):
        yield Span(Kind.PHONE, match.start(1), match.end(1), _international(match[1]) or _digits(match[1]))
    done = 0
    for match in _CANDIDATE.finditer(text):
        span = _first_of(text, match, match.start(), rules) if match.start() >= done else None
        while span is not None:
            yield span
            # Numbers in a row look like one long one: the next begins where this one ended.
            done = span.end
            rest = text[done : done + _LONGEST].lstrip(" /")
            begin = min(done + _LONGEST, len(text)) - len(rest)
            following = _CANDIDATE.match(rest)
            span = _first_of(text, following, begin, rules) if following else None


def _first_of(text: str, match: re.Match[str], start: int, rules: Rules) -> Span | None:
    """The number that a run of digits, which stands at `start` in the text, is or begins with."""
    extension = match["extension"] or ""
    found = match[0].removesuffix(extension)
    end = start + len(match[0])
    if found.startswith("(") and found.count("(") > found.count(")"):  # the sentence's bracket, not the number's
        start, found = start + 1, found[1:]
    before = text[max(0, start - _LOOK_BACK) : start]
    for candidate in _shorter(found):
        if (key := _phone(candidate, before, rules)) is not None:
            if candidate != found:
                return Span(Kind.PHONE, start, start + len(candidate), key)
            return Span(Kind.PHONE, start, end, key + extension.replace(" ", ""))
    return None


def _shorter(found: str) -> Iterator[str]:
    yield found
    for _ in range(2):
        cut = max(found.rfind(" "), found.rfind("/"))
        if cut <= 0:
            return
        found = found[:cut].rstrip(" ./(-")
        yield found


def _phone(written: str, before: str, rules: Rules) -> str | None:
    """The number that `written` is, as one key for all its spellings; None when it is not one."""
    digits = _digits(written)
    if len(digits) < 7 or _NO_PHONE.search(written):
        return None
    if written.lstrip("(").startswith("+") or digits.startswith("00"):
        return _international(written)
    announced = _announced(before)
    if announced is False or written.count("(") != written.count(")"):
        return None
    for region in rules.regions:
        number = _parsed(digits, region)
        if number is None:
            continue
        if announced:
            is_phone = phonenumbers.is_possible_number(number)
        else:
            is_phone = _GROUPED.match(written) is not None and phonenumbers.is_valid_number(number)
        if is_phone:
            return phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.E164)
    return digits if announced and 8 <= len(digits) <= 13 else None


def _announced(before: str) -> bool | None:
    """Whether the words before a number call it one to dial (True), something else (False), or nothing (None)."""
    before = _PAUSE.split(before)[-1]
    call, other = _last(_CALL, before), _last(_OTHER, before)
    return None if call == other else call > other


def _last(words: re.Pattern[str], before: str) -> int:
    return max((match.end() for match in words.finditer(before)), default=-1)


def _international(written: str) -> str | None:
    digits = _digits(_TRUNK.sub("", written))
    number = _parsed("+" + digits.removeprefix("00"), None)
    if number is None or not phonenumbers.is_possible_number(number):
        return None
    return phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.E164)


def _parsed(digits: str, region: str | None) -> phonenumbers.PhoneNumber | None:
    try:
        return phonenumbers.parse(digits, region)
    except phonenumbers.NumberParseException:
        return None


def _digits(written: str) -> str:
    return "".join(character for character in written if character.isdigit())
