"""Pure: what a text states that another may deny: numbers, negations, opposites, and words exchanged for others.

Word lists are of the larger European languages, with negations of some others. A language that is not among them is compared by
its numbers and words alone.
"""

import re
from collections.abc import Iterable
from dataclasses import dataclass
from functools import lru_cache
from sys import intern

from curation.normal import normalised

_NEGATING = """
not no never none cannot without nicht kein keine keinen keinem keiner nie niemals ohne pas jamais aucun aucune sans nunca jamás
ningún ninguna sin non senza não sem niet geen nooit zonder inte aldrig ingen utan nigdy bez не нет никогда без değil yok
لا لم لن ليس לא אין
"""
_NEGATIONS = frozenset(_NEGATING.split())
_NEGATED_WITHIN = re.compile("ない|ません|不|没|沒|無|无|안 |않|없")
_CONTRACTED = re.compile(r"n['’]t\b|\bn['’](?=\w)", re.IGNORECASE)
_OPPOSITES = """
enable disable|activate deactivate|on off|open close|open closed|add remove|start stop|lock unlock
install uninstall|block unblock|subscribe unsubscribe|increase decrease|before after|with without
allowed forbidden|allow forbid|allow deny|possible impossible|included excluded|include exclude
free paid|always never|yes no|buy sell|upload download|import export|upgrade downgrade|login logout
up down|minimum maximum|min max|first last|more less|sender recipient|monthly yearly|old new
public private|hide show|accept decline|aktivieren deaktivieren|einschalten ausschalten|öffnen schließen
hinzufügen entfernen|starten stoppen|sperren entsperren|ja nein|vor nach|mit ohne|erlaubt verboten
möglich unmöglich|kostenlos kostenpflichtig|immer nie|installieren deinstallieren|ein aus|an aus
activer désactiver|ouvrir fermer|ajouter supprimer|oui non|avant après|avec sans|gratuit payant
toujours jamais|activar desactivar|abrir cerrar|añadir eliminar|sí no|antes después|con sin
posible imposible|gratis pago|siempre nunca
"""
_OPPOSED = frozenset(
    pair
    for written in re.split(r"[|\n]", _OPPOSITES.strip())
    for a, b in [written.split()]
    for pair in ((a, b), (b, a))
)
_OPPOSING = frozenset(word for pair in _OPPOSED for word in pair)
_UNSPACED = re.compile("[\u30a0-\u30ff\u3400-\u9fff]")
_RUNS = re.compile("[\u30a0-\u30ff]+|[\u3400-\u9fff]+|[^\u3040-\u30ff\u3400-\u9fff]+")  # hiragana, between, is grammar
_WORD_SHORTEST = 4  # letters; shorter ones are mostly articles, pronouns and prepositions


def words(text: str) -> list[str]:
    """A text's words for comparison: normalised, with "n't" as a word of its own."""
    if "'" in text or "’" in text:
        text = _CONTRACTED.sub(" not ", text)
    return normalised(text).split()


def is_negated(text: str, its_words: Iterable[str] | None = None) -> bool:
    """Whether a text says no an odd number of times: "not impossible" is rare, "not … not" is two statements."""
    of = words(text) if its_words is None else its_words
    found = len([word for word in of if word in _NEGATIONS])
    if not text.isascii():
        found += len(_NEGATED_WITHIN.findall(text))
    return found % 2 == 1


def opposites(one: Iterable[str], other: Iterable[str]) -> tuple[tuple[str, str], ...]:
    """Words of one text whose opposite stands in the other, where neither text has both."""
    mine, theirs = set(one), set(other)
    left = sorted(word for word in mine - theirs if word in _OPPOSING)
    right = sorted(word for word in theirs - mine if word in _OPPOSING)
    return tuple((a, b) for a in left for b in right if (a, b) in _OPPOSED)


def prompts_agree(one: str, other: str) -> bool:
    """Whether two questions that look alike ask the same: same numbers, same negation, no opposite, no word exchanged.

    A typo, another ending or a word more on one side are no exchange.
    """
    mine, theirs = _asking(one), _asking(other)
    if mine.numbered != theirs.numbered or mine.is_negated != theirs.is_negated:
        return False
    if mine.may_oppose and theirs.may_oppose and opposites(mine.words, theirs.words):
        return False
    left, right = mine.telling - theirs.telling, theirs.telling - mine.telling
    return _has_all(right, left) or _has_all(left, right)


def _has_all(words: Iterable[str], wanted: Iterable[str]) -> bool:
    """Whether each of the wanted words is among the words, typos and endings aside."""
    for word in wanted:
        for other in words:
            if is_same_word(word, other):
                break
        else:
            return False
    return True


@dataclass(frozen=True, slots=True)
class _Asking:
    """What of a question counts when it is compared."""

    words: frozenset[str]
    telling: frozenset[str]
    numbered: tuple[str, ...]
    is_negated: bool
    may_oppose: bool  # whether any of its words has an opposite


@lru_cache(maxsize=16_384)  # a question is compared with many in a row; about 2 KB each
def _asking(question: str) -> _Asking:
    found = list(map(intern, words(question)))  # of the same words all questions are made
    may_oppose = not _OPPOSING.isdisjoint(found)
    return _Asking(frozenset(found), _telling(found), tuple(_numbered(found)), is_negated(question, found), may_oppose)


def _telling(of: Iterable[str]) -> frozenset[str]:
    """The words that tell what is asked: the long ones; in Japanese what is written in characters or katakana."""
    runs = [run for word in of for run in _RUNS.findall(word)]
    return frozenset(run for run in runs if len(run) >= (2 if _UNSPACED.match(run) else _WORD_SHORTEST))


def _numbered(of: Iterable[str]) -> list[str]:
    return sorted(word for word in of if any(character.isdigit() for character in word))


def is_same_word(one: str, other: str) -> bool:
    """Whether two words are one: a typo (one letter, two from eight letters on), or another ending of a long beginning."""
    if len(one) > len(other):
        one, other = other, one
    shorter = len(one)
    apart = len(other) - shorter
    if apart > 3:
        return False
    if shorter >= _WORD_SHORTEST and one[0] == other[0]:
        beginning = max(_WORD_SHORTEST, shorter - 2)
        if one[:beginning] == other[:beginning]:
            return True
    most = 2 if shorter >= 8 else 1
    # A first look, because the distance takes twenty times longer: a letter changed makes at most two that only one word has.
    if apart > most or (_letters(one) ^ _letters(other)).bit_count() > 2 * most:
        return False
    return _distance(one, other) <= most


@lru_cache(maxsize=16_384)
def _letters(word: str) -> int:
    """Which letters a word has, a bit for each; letters 128 apart share one."""
    bits = 0
    for letter in word:
        bits |= 1 << (ord(letter) & 127)
    return bits


def _distance(one: str, other: str) -> int:
    """Letters to change, add, leave out or swap with their neighbour (Damerau's distance); 3 where it is more than 2."""
    if abs(len(one) - len(other)) > 2:
        return 3
    start, shorter = 0, min(len(one), len(other))
    while start < shorter and one[start] == other[start]:
        start += 1
    end = 0
    while end < shorter - start and one[-1 - end] == other[-1 - end]:
        end += 1
    one, other = (
        one[start : len(one) - end],
        other[start : len(other) - end],
    )  # what is alike at both ends costs nothing
    if not one or not other:
        return len(one) + len(other)
    before: list[int] = []
    row = list(range(len(other) + 1))
    for i, a in enumerate(one, 1):
        next_row = [i]
        for j, b in enumerate(other, 1):
            cost = min(row[j] + 1, next_row[j - 1] + 1, row[j - 1] + (a != b))
            if i > 1 and j > 1 and a == other[j - 2] and one[i - 2] == b:
                cost = min(cost, before[j - 2] + 1)
            next_row.append(cost)
        before, row = row, next_row
        if min(before) > 2 and min(row) > 2:
            return 3
    return min(row[-1], 3)
