"""Pure: which language an answer is written in, where its script or its smallest words say so; else None, which is no verdict.

A check, not a recogniser: it knows the languages below, wants three words of evidence and a clear lead, and rather says
nothing than something wrong. What it does not know: languages beyond these, dialects, text that mixes two by halves, and
which of two languages with one script writes a sentence without their particular letters.
"""

import re
import unicodedata
from collections import Counter

from curation.scripts import script_of

LEAST_WORDS = 3  # different small words of one language that have to be there
EDGES = ".,;:!?…()[]\"'“”„‘’«»*_-–—"  # what stands around a word
NOT_PROSE = re.compile(r"`[^`]*`|https?://\S+|\S+@\S+")  # code, links and addresses are in no language

NAMES = {
    "ar": "Arabic",
    "cs": "Czech",
    "da": "Danish",
    "de": "German",
    "el": "Greek",
    "en": "English",
    "es": "Spanish",
    "fi": "Finnish",
    "fr": "French",
    "he": "Hebrew",
    "it": "Italian",
    "ja": "Japanese",
    "ko": "Korean",
    "nb": "Norwegian",
    "nl": "Dutch",
    "pl": "Polish",
    "pt": "Portuguese",
    "ru": "Russian",
    "sv": "Swedish",
    "th": "Thai",
    "tr": "Turkish",
    "uk": "Ukrainian",
    "zh": "Chinese",
}
"""ISO 639-1 code → the name people read. Nothing else can be asked for."""

_BY_SCRIPT = {"Kana": "ja", "Hangul": "ko", "Greek": "el", "Hebrew": "he", "Thai": "th", "Han": "zh"}
# Letters that only one of the languages of a script has. Persian and Urdu write پ چ گ, which Arabic does not.
_CYRILLIC = {"uk": set("іїєґ"), "ru": set("ыэёъ")}
_NOT_ARABIC = set("پچژگکیٹڈڑے")

# The commonest words that carry no content; by hand, from no corpus. What two languages share decides nothing between them.
_SMALL_WORDS = {
    "cs": "a v na se že je s z do to o k i ale jak jako jsme jsem jste není nebo pro si tak za po od bude být které vám "
    "vás můžete",
    "da": "og i at det en er til på de med af for der den ikke et jeg har som kan du vi så om dig din dit hvis hvad mig "
    "også din efter fra eller men bliver hvor vil skal",
    "de": "der die das und in zu den ist nicht von mit sich des auf für im dem ein eine auch es an als wir sie ich du "
    "ihr uns dir dich bitte wenn kann haben hat bei oder aus nach wird ihre dein deine einen einem noch",
    "en": "the of and to a in is you that it for on are as with be at this have from or by not but what we can if your "
    "our will my i please there an do so they was has when",
    "es": "de la que el en y a los se del las un por con no una su para es al lo como más o si tu te le está puede pero "
    "ya nos este esta gracias usted hay tiene",
    "fi": "ja on ei se että hän oli mutta ovat kun niin tai jos voit sen myös kuin olet sinun meidän tämä ole voi vielä "
    "mitä sinä me ne sitten kanssa kaikki",
    "fr": "de la le et les des en un du une que est pour qui dans a par plus pas au sur ne se ce il sont vous nous avec "
    "votre vos je si ou mais peut être cette ces notre",
    "it": "di e il la che in a per un è del non una i con si da le al dei della nel ma come alla più ha sono ti puoi il "
    "tuo lo anche gli questo questa nostro grazie",
    "nb": "og i at det en er til på de med av for som den ikke et jeg har kan du vi så om deg din ditt hvis hva meg "
    "også etter fra eller men blir hvor vil skal",
    "nl": "de het een en van in is dat op te zijn met voor niet aan er om je ook als dan bij uit maar of wij u jij kunt "
    "uw jouw naar heeft hebt wordt deze dit nog wel we",
    "pl": "i w z na do się nie to że jest o jak po za od ale czy dla przez lub jeśli tym może są tego ten być już "
    "proszę możesz tak co twój twoje nasz",
    "pt": "de a o que e do da em um para com não uma os no se na por mais as dos como mas ao ou seu sua você está pode "
    "nos isso são já muito também obrigado tem",
    "sv": "och i att det en är till på de med av för som den inte ett jag har kan du vi så om dig din ditt vad mig "
    "också efter från eller men blir var vill ska ni",
    "tr": "ve bir bu da de için ile çok ne var ama daha gibi olarak en mi mı siz biz sizin olan değil ya veya eğer "
    "lütfen kadar sonra her şey bize size",
}
_LANGUAGES_OF: dict[str, list[str]] = {}  # small word → the languages that have it
for _code, _words in _SMALL_WORDS.items():
    for _word in sorted(set(_words.split())):
        _LANGUAGES_OF.setdefault(_word, []).append(_code)


def language_of(text: str) -> str | None:
    """The code (see NAMES) of the language most of `text` is in; None where it is too short, even, or not among them."""
    if "`" in text or "@" in text or "://" in text:
        text = NOT_PROSE.sub(" ", text)
    prose = unicodedata.normalize("NFKC", text).casefold()
    script = script_of(prose)
    match script:
        case "Latin":
            return _by_small_words(prose)
        case "Cyrillic":
            letters = set(prose)
            found = [code for code, own in _CYRILLIC.items() if letters & own]
            return found[0] if len(found) == 1 else None
        case "Arabic":
            return None if not _NOT_ARABIC.isdisjoint(prose) else "ar"
        case _:
            return _BY_SCRIPT.get(script)


def _by_small_words(prose: str) -> str | None:
    """The language whose small words are clearly the most: at least three, and more than any other's."""
    # Whole words only: "a" and "de" within a key or a name with signs say nothing.
    words = {part.strip(EDGES) for part in set(prose.split())}
    counts: Counter[str] = Counter()
    for word in words & _LANGUAGES_OF.keys():
        counts.update(_LANGUAGES_OF[word])
    (best, most), (_, second), *_ = [*counts.most_common(2), ("", 0), ("", 0)]
    return best if most >= LEAST_WORDS and most > second else None
