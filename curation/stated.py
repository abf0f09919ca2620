"""Pure: numbers, dates and web addresses that a text states, each in one spelling, so that two texts can be compared by them."""

import re
from collections.abc import Callable
from dataclasses import dataclass

_URL = re.compile(r"\b(?:https?://|www\.)[^\s<>\"'()\[\]{}|]{2,2048}", re.IGNORECASE)
_MONTHS = """
january|jan|januar|janvier|enero|gennaio|janeiro|januari|января|stycznia
february|feb|februar|février|febrero|febbraio|fevereiro|februari|февраля|lutego
march|mar|märz|mars|marzo|março|maart|марта|marca april|apr|avril|abril|aprile|апреля|kwietnia
may|mai|mayo|maggio|maio|mei|maj|мая|maja june|jun|juni|juin|junio|giugno|junho|июня|czerwca
july|jul|juli|juillet|julio|luglio|julho|июля|lipca august|aug|août|agosto|augustus|augusti|августа|sierpnia
september|sep|sept|septembre|septiembre|settembre|setembro|сентября|września
october|oct|okt|oktober|octobre|octubre|ottobre|outubro|октября|października
november|nov|novembre|noviembre|novembro|ноября|listopada
december|dec|dez|dezember|décembre|diciembre|dicembre|dezembro|декабря|grudnia
"""
_MONTH_OF = {name: month for month, names in enumerate(_MONTHS.split(), 1) for name in names.split("|")}
_MONTH = rf"(?P<month>{'|'.join(sorted(_MONTH_OF, key=len, reverse=True))})\b\.?"
_YEAR = r"(?:19|20)\d\d"
_DIGIT = re.compile(r"\d")
_WORD = re.compile(r"[^\W\d_]+")
_DATES = (
    re.compile(rf"(?<!\d)(?P<y>{_YEAR})-(?P<m>\d\d)-(?P<d>\d\d)(?!\d)"),
    re.compile(rf"(?<![\d.])(?P<d>\d{{1,2}})\.(?P<m>\d{{1,2}})\.(?P<y>{_YEAR})(?!\d)"),
    re.compile(r"(?<![\d.])(?P<d>\d{1,2})\.(?P<m>\d\d)\.(?P<y>(?!))?(?!\d)"),
    re.compile(
        rf"(?<![\d.])(?P<d>\d{{1,2}})(?:\.|º|st|nd|rd|th)? (?:de |of )?{_MONTH}(?:,? (?:de )?(?P<y>{_YEAR}))?(?!\w)",
        re.IGNORECASE,
    ),
    re.compile(rf"\b{_MONTH} (?P<d>\d{{1,2}})(?:st|nd|rd|th)?(?:,? (?P<y>{_YEAR}))?(?![\d.,]?\d)", re.IGNORECASE),
)
_DATES_WITHOUT_MONTH = _DATES[:3]
_SLASHED = re.compile(
    r"(?<![\d/])\d{1,2}/\d{1,2}/(?:19|20)?\d\d(?![\d/])"
)  # which is the month nobody can tell: kept as written
_DAYS = """
monday|montag|lundi|lunes|lunedì|segunda|maandag|måndag tuesday|dienstag|mardi|martes|martedì|terça|dinsdag|tisdag
wednesday|mittwoch|mercredi|miércoles|mercoledì|quarta|woensdag|onsdag
thursday|donnerstag|jeudi|jueves|giovedì|quinta|torsdag friday|freitag|vendredi|viernes|venerdì|sexta|vrijdag|fredag
saturday|samstag|sonnabend|samedi|sábado|sabato|zaterdag|lördag sunday|sonntag|dimanche|domingo|domenica|zondag|söndag
"""
_DAY_OF = {name: f"weekday {day}" for day, names in enumerate(_DAYS.split(), 1) for name in names.split("|")}
_WEEKDAY = re.compile(rf"\b({'|'.join(_DAY_OF)})(?:s|en)?\b", re.IGNORECASE)
_WEEKDAYS = frozenset(name + ending for name in _DAY_OF for ending in ("", "s", "en"))
_CLOCK = re.compile(r"(?<![\d:])(\d{1,2})[:h](\d\d)(?![\d:])")

_UNITS = (
    "second|sec|sekunde|seconde|segundo minute|min|minuten|minuto hour|hr|stunde|heure|hora|ora|uur|timme "
    "day|tag|jour|día|dia|giorno|dag|dzień|dni|день|дней|дня|gün week|woche|semaine|semana|settimana|vecka|tydzień|недел "
    "month|monat|mois|mes|mês|mese|maand|månad|miesiąc|месяц year|jahr|année|an|año|ano|anno|jaar|år|rok|год % percent|prozent "
    "euro|eur|€ dollar|usd|$ pound|gbp|£ gb|gigabyte mb|megabyte kg|kilogramm km|kilometer cm|zentimeter"
)
_UNIT_OF = {name: names.split("|")[0] for names in _UNITS.split() for name in names.split("|")} | {
    "percent": "%",
    "prozent": "%",
}
_NUMBER = re.compile(
    r"(?P<before>[€$£])? ?(?<![\w.])(?P<number>\d{1,3}(?:[.,'\u00a0\u202f ]\d{3})+(?!\d)(?:[.,]\d+)?|\d+(?:[.,]\d+)?)"
    r"(?: ?(?P<after>[%€$£]|[^\W\d_]{1,12}))?"
)
_BEFORE_DIGITS = 2  # characters of a number before its first digit: a currency's sign and a space
_THOUSANDS = re.compile(r"\d{1,3}(?:([.,'\u00a0\u202f ])\d{3})(?:\1\d{3})*")
_COUNTED = """
one|eins|eine|einen|un|une|uno|una two|zwei|deux|dos|due three|drei|trois|tres|tre four|vier|quatre|cuatro five|fünf|cinq|cinco
six|sechs|seis seven|sieben|sept|siete eight|acht|huit|ocho nine|neun|neuf|nueve ten|zehn|dix|diez eleven|elf|onze|once
twelve|zwölf|douze|doce
"""
_COUNT_OF = {name: str(count) for count, names in enumerate(_COUNTED.split(), 1) for name in names.split("|")}
_COUNT = re.compile(rf"\b({'|'.join(sorted(_COUNT_OF, key=len, reverse=True))}) (?=([^\W\d_]{{1,12}}))", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Stated:
    """What a text states. `rest` is the text without it."""

    urls: frozenset[str]  # without scheme, www. and a last slash
    dates: frozenset[str]  # "2026-03-12", "--03-12", "weekday 1", "14:30", or as written where it is ambiguous
    numbers: frozenset[str]  # "1000", "2.5 day"
    rest: str


def read(text: str) -> Stated:
    """Take a text apart. Thousands, decimals, months, weekdays and units are read in the larger European languages."""
    urls, dates, numbers = set[str](), set[str](), set[str]()

    def take(pattern: re.Pattern[str], of: set[str], spell: Callable[[re.Match[str]], str | None], text: str) -> str:
        def taken(match: re.Match[str]) -> str:
            if (spelled := spell(match)) is None:
                return match[0]
            of.add(spelled)
            return " "

        return pattern.sub(taken, text)

    if "://" in text or "www." in text.lower():
        text = take(_URL, urls, _url, text)
    # First looks at what is in it at all, because the long alternatives take ten times longer than splitting it into words.
    told = set(_WORD.findall(text.casefold()))
    if _DIGIT.search(text):
        for pattern in _DATES if not _MONTH_OF.keys().isdisjoint(told) else _DATES_WITHOUT_MONTH:
            text = take(pattern, dates, _date, text)
        if "/" in text:
            text = take(_SLASHED, dates, lambda match: match[0], text)
        text = take(_CLOCK, dates, lambda match: f"{int(match[1])}:{match[2]}", text)
    if not _WEEKDAYS.isdisjoint(told):
        text = take(_WEEKDAY, dates, lambda match: _DAY_OF[match[1].lower()], text)
    if not _COUNT_OF.keys().isdisjoint(told):
        text = _COUNT.sub(lambda match: f"{_COUNT_OF[match[1].lower()]} " if _unit(match[2]) else match[0], text)
    if _DIGIT.search(text):
        text = _without_numbers(text, numbers)
    return Stated(frozenset(urls), frozenset(dates), frozenset(numbers), text)


def _without_numbers(text: str, numbers: set[str]) -> str:
    """The text with a space for each number, which is added to `numbers`; looked for only where a digit is."""
    kept: list[str] = []
    done = 0
    while digit := _DIGIT.search(text, done):
        if (match := _NUMBER.search(text, max(done, digit.start() - _BEFORE_DIGITS))) is None:
            break
        numbers.add(_number(match))
        kept += (text[done : match.start()], " ")
        done = match.end()
    return "".join((*kept, text[done:]))


def _url(match: re.Match[str]) -> str:
    address = re.sub(r"^(?:https?://)?(?:www\.)?", "", match[0], flags=re.IGNORECASE).rstrip(".,;:!?/")
    host, slash, path = address.partition("/")
    return host.lower() + slash + path


def _date(match: re.Match[str]) -> str | None:
    found = match.groupdict()
    name = found.get("month")
    month = _MONTH_OF[name.lower()] if name else int(found["m"])
    if not (1 <= month <= 12 and 1 <= int(found["d"]) <= 31):
        return None
    return f"{found['y'] or '-'}-{month:02}-{int(found['d']):02}"


def _number(match: re.Match[str]) -> str:
    written = match["number"]
    if _THOUSANDS.fullmatch(written):
        value = re.sub(r"\D", "", written)
    else:
        *whole, last = re.split(r"\D", written)
        value = f"{''.join(whole)}.{last}".rstrip("0").rstrip(".") if whole else last
    value = value.lstrip("0") or "0"
    unit = _unit(match["before"] or match["after"] or "")
    return f"{value} {unit}" if unit else value


def _unit(word: str) -> str:
    """The unit a word names, in one spelling; "" for any other word."""
    word = word.lower()
    return next(
        (_UNIT_OF[w] for w in (word, word.rstrip("s"), word.rstrip("n"), word.rstrip("en")) if w in _UNIT_OF), ""
    )
