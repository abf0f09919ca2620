"""What a person should look at: perhaps a street address, perhaps the name of somebody who is no participant. Never replaced.

No rule of ours or of four libraries found more than half of the street addresses without cutting what is none (measured
2026-11), so these are only shown.
"""

import re
from collections.abc import Iterator

from curation.scrub.kinds import Kind, Rules, Span

_C = "A-ZÀ-ÖØ-ÞĀĂĄĆĈĊČĎĐĒĔĖĘĚĜĞĠĢĤĦĨĪĬĮİĴĶĹĻĽĿŁŃŅŇŌŎŐŒŔŖŘŚŜŞŠŢŤŦŨŪŬŮŰŲŴŶŸŹŻŽ"  # Latin capitals
_W = r"[^\W\d_][\w'’.-]{0,30}"  # a word
_ADDRESSES = tuple(
    re.compile(pattern)
    for pattern in (
        # English: 42 Maple Street, 1108 West Lindenhurst Avenue
        rf"(?<![\w.])\d{{1,5}}[A-Za-z]? (?:[{_C}][\w'’.-]{{0,30}} ){{1,4}}"
        r"(?:Street|St|Road|Rd|Avenue|Ave|Lane|Ln|Drive|Dr|Court|Ct|Boulevard|Blvd|Way|Place|Pl|Square|Sq|Terrace|Close|Crescent|"
        r"Highway|Hwy|Parkway|Pkwy|Gardens|Grove|Mews|View|Row)\b\.?",
        r"\bP\.? ?O\.? ?Box \d{1,6}",
        # French: 12 rue de la République
        rf"(?<![\w.])\d{{1,4}}(?: ?(?:bis|ter))?,? (?:rue|avenue|av\.|boulevard|bd|place|chemin|allée|impasse|quai|cours|route|"
        rf"square) (?:de la |de l['’]|du |des |de |d['’])?[{_C}]{_W}",
        # German, Dutch, Swedish: the street's kind is the end of its name
        rf"\b[{_C}][\w-]{{0,40}}(?:straße|strasse|str\.|weg|gasse|platz|allee|ring|ufer|damm|straat|laan|gracht|plein|kade|singel|"
        r"gatan|vägen|torget) ?\d{1,4} ?[a-z]?\b",
        rf"\b[{_C}]{_W} (?:Straße|Strasse|Str\.|Weg|Gasse|Platz|Allee|Ring|Ufer|Damm) \d{{1,4}} ?[a-z]?\b",
        rf"\b(?:Am|An der|An den|Im|In der|In den|Zum|Zur|Auf dem|Unter den) (?:[{_C}]{_W} ){{1,3}}\d{{1,4}} ?[a-z]?\b",
        # Spanish, Portuguese, Italian, Polish: the kind comes first
        rf"\b(?:Calle|C/|Avenida|Avda\.?|Plaza|Paseo|Camino|Rua|Travessa|Largo|Praça|Via|Viale|Piazza|Corso|Vicolo) "
        rf"(?:{_W} ){{1,4}}\d{{1,4}}\b",
        rf"\b(?:ul|al|os|pl)\. ?[{_C}]{_W}(?: {_W}){{0,2}} \d{{1,4}}(?:/\d{{1,4}})?\b",
    )
)
_NAME = rf"(?P<name>[{_C}][a-zà-ÿā-ž'’-]{{1,30}}(?: (?:de |van |von |da |di )?[{_C}][\w'’-]{{1,30}}){{1,2}})"
_INTRODUCED = re.compile(
    r"(?:\b[Mm]y name is|\b[Tt]his is|\bI am|\bI['’]m|\b[Mm]ein Name ist|\b[Ii]ch heiße|\b[Ii]ch bin|\b[Jj]e m['’]appelle|"
    r"\b[Mm]on nom est|\b[Mm]e llamo|\b[Mm]i nombre es|\b[Mm]i chiamo|\b[Mm]eu nome é|\b[Mm]ijn naam is|\b[Ii]k heet|"
    rf"\b[Nn]azywam się|\b[Jj]ag heter) {_NAME}"
)
_SIGNED = re.compile(
    r"(?:\b(?:[Rr]egards|[Ss]incerely|[Cc]heers|[Bb]est|[Bb]est wishes|Grüßen?|Gruß|[Cc]ordialement|[Ss]aludos|[Ss]aluti|"
    rf"[Gg]roet|[Gg]roeten|[Hh]älsningar|[Pp]ozdrawiam|[Aa]braços|[Aa]tenciosamente)),?[ ]?\n{{1,2}}{_NAME}(?=\s|$)"
)
_NOBODY = re.compile(
    r"\b(?:Team|Support|Service|Crew|News|Staff|Care|Kundenservice|Kundendienst|Équipe|Equipo)\b", re.IGNORECASE
)


def find_hints(text: str, rules: Rules) -> Iterator[Span]:
    """Possible addresses, then possible names."""
    for pattern in _ADDRESSES:
        for match in pattern.finditer(text):
            yield Span(Kind.ADDRESS, match.start(), match.end(), match[0])
    for pattern in (_INTRODUCED, _SIGNED):
        for match in pattern.finditer(text):
            if not _NOBODY.search(match["name"]):
                yield Span(Kind.POSSIBLE_NAME, *match.span("name"), match["name"])
