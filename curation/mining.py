"""Pure: the rules of a voice, mined from approved corrections: what moderators change time and again, and hardly ever back.

A rule is a way to write that a text keeps to or breaks. Corrections that turn an answer which breaks it into one that keeps to it
speak for the rule, those that do the reverse against it; were there no rule, either would be as likely. So each rule has an
exact sign test, and all that could be found share one chance of a false one, ALPHA (Tarone 1990, doi.org/10.2307/2531456:
only what could reach significance at all is counted). Besides, approved answers have to keep to it.
"""

import math
import re
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from enum import StrEnum

from curation.checks import folded, says
from curation.evidence.pairs import Interval
from curation.evidence.rates import wilson
from curation.languages import NAMES, language_of
from curation.style import STYLES, Style, keeps_to

ALPHA = 0.05  # chance that anything at all is found where moderators follow no rule
LEAST_KEPT = 0.9  # share of approved answers that keep to a rule
LEAST_SUPPORT = 5  # corrections that speak for it
LONGEST_PHRASE = 5  # words
COVERED = 0.95  # share of approved answers that a length is taken from
STEP = 5  # words that a length is rounded up to

_WORD = re.compile(r"\w+(?:['’-]\w+)*")


class RuleKind(StrEnum):
    """What a rule is about."""

    FORBIDDEN = "forbidden"  # a phrase that no answer says
    REQUIRED = "required"  # a phrase that every answer says
    OPENING = "opening"  # one that it begins with
    SIGN_OFF = "sign_off"  # one that it ends with
    MOST_WORDS = "most_words"
    LANGUAGE = "language"
    STYLE = "style"  # a word of curation.style.Style


@dataclass(frozen=True, slots=True, order=True)
class Rule:
    """A way to write. `value` is a phrase, a number of words, a language's code or a style."""

    kind: RuleKind
    value: str

    @property
    def key(self) -> str:
        """What the rule is, whatever speaks for it: "forbidden:unfortunately"."""
        return f"{self.kind}:{self.value}"

    @property
    def sentence(self) -> str:
        """As a line of a prompt."""
        match self.kind:
            case RuleKind.FORBIDDEN:
                return f"Never say “{self.value}”."
            case RuleKind.REQUIRED:
                return f"Always say “{self.value}”."
            case RuleKind.OPENING:
                return f"Begin with “{self.value}”."
            case RuleKind.SIGN_OFF:
                return f"End with “{self.value}”."
            case RuleKind.MOST_WORDS:
                return f"Use at most {self.value} words."
            case RuleKind.LANGUAGE:
                return f"Answer in {NAMES[self.value]}."
            case RuleKind.STYLE:
                return STYLES[Style(self.value)]


@dataclass(frozen=True, slots=True)
class Change:
    """An approved correction: what had been served, None for an imported answer, and what it should have been."""

    id: str
    served: str | None
    corrected: str


@dataclass(frozen=True, slots=True)
class Found:
    """A rule with what speaks for it and against it."""

    rule: Rule
    supported_by: tuple[str, ...]  # ids of corrections that made an answer keep to it
    broken_by: tuple[str, ...]  # ids of approved answers that break it: the counter-examples
    answers: int  # approved answers looked at
    p: float  # of the sign test, one-sided; before it is shared among all that was tried

    @property
    def kept(self) -> Interval:
        """Wilson's interval for the share of approved answers that keep to it."""
        return wilson(self.answers - len(self.broken_by), self.answers)


def mined(changes: Sequence[Change]) -> list[Found]:
    """The rules these corrections show, the surest first; [] where they show none."""
    changes = sorted((each for each in changes if each.corrected.strip()), key=lambda each: each.id)
    tried = [*_phrases(changes), *_manners(changes)]
    shares = _testable([speaks + reverse for _, speaks, reverse in tried])
    sure: list[Found] = []
    for rule, speaks, reverse in tried:
        if speaks <= reverse or (p := sign_test(speaks, reverse)) > ALPHA / shares:
            continue
        found = measured(rule, changes, p)
        kept = found.answers - len(found.broken_by)
        if len(found.supported_by) >= LEAST_SUPPORT and kept >= LEAST_KEPT * found.answers:
            sure.append(found)
    chosen = _without_repetition(sure)
    return sorted((_placed(each, changes) for each in chosen), key=lambda each: (each.p, each.rule))


def measured(rule: Rule, changes: Iterable[Change], p: float | None = None) -> Found:
    """What speaks for a rule and against it, whether it would be found again or not."""
    supported: list[str] = []
    reverse = answers = 0
    broken: list[str] = []
    for change in changes:
        keeps = kept_by(rule, change.corrected)
        answers += 1
        if not keeps:
            broken.append(change.id)
        if change.served is None or kept_by(rule, change.served) is keeps:
            continue
        if keeps:
            supported.append(change.id)
        else:
            reverse += 1
    tested = sign_test(len(supported), reverse) if p is None else p
    return Found(rule, tuple(supported), tuple(broken), answers, tested)


def kept_by(rule: Rule, text: str) -> bool:
    """Whether a text keeps to the rule."""
    match rule.kind:
        case RuleKind.FORBIDDEN:
            return not says(text, rule.value)
        case RuleKind.REQUIRED | RuleKind.OPENING | RuleKind.SIGN_OFF:
            return says(text, rule.value)
        case RuleKind.MOST_WORDS:
            return len(text.split()) <= int(rule.value)
        case RuleKind.LANGUAGE:
            return language_of(text) in (None, rule.value)
        case RuleKind.STYLE:
            return keeps_to(Style(rule.value), text)


def sign_test(speaks: int, reverse: int) -> float:
    """The chance of at least `speaks` of all, were both as likely; 1 where there is nothing."""
    total = speaks + reverse
    return sum(math.comb(total, k) for k in range(speaks, total + 1)) / 2**total


# ---------------------------------------------------------------- what is tried


Tried = tuple[Rule, int, int]
"""A rule, how many corrections speak for it, how many do the reverse."""


def _phrases(changes: Sequence[Change]) -> list[Tried]:
    """Every phrase that corrections take out or put in."""
    out: Counter[str] = Counter()
    put: Counter[str] = Counter()
    for change in changes:
        if change.served is None:
            continue
        served, corrected = phrases_of(change.served), phrases_of(change.corrected)
        out.update(served - corrected)
        put.update(corrected - served)
    tried: list[Tried] = []
    for phrase in sorted(out.keys() | put.keys()):
        if out[phrase] + put[phrase] >= LEAST_SUPPORT:
            tried.append((Rule(RuleKind.FORBIDDEN, phrase), out[phrase], put[phrase]))
            tried.append((Rule(RuleKind.REQUIRED, phrase), put[phrase], out[phrase]))
    return tried


def phrases_of(text: str) -> frozenset[str]:
    """Every run of one to LONGEST_PHRASE words with nothing but a space between them, in lower case."""
    plain = folded(text)
    found: set[str] = set()
    words = list(_WORD.finditer(plain))
    for first, word in enumerate(words):
        end = word.end()
        found.add(word[0])
        for following in words[first + 1 : first + LONGEST_PHRASE]:
            if plain[end : following.start()] != " ":
                break
            end = following.end()
            found.add(plain[word.start() : end])
    return frozenset(found)


def _manners(changes: Sequence[Change]) -> list[Tried]:
    """Every style, the language of most answers, and a length."""
    languages = Counter(code for each in changes if (code := language_of(each.corrected)))
    rules = [Rule(RuleKind.STYLE, style) for style in Style]
    rules += [Rule(RuleKind.LANGUAGE, code) for code, _ in languages.most_common(1)]
    pairs = [(each.served, each.corrected) for each in changes if each.served is not None]
    tried: list[Tried] = []
    for rule in rules:
        kept = [(kept_by(rule, served), kept_by(rule, corrected)) for served, corrected in pairs]
        tried.append((rule, kept.count((False, True)), kept.count((True, False))))
    if changes:
        sizes = [(len(served.split()), len(corrected.split())) for served, corrected in pairs]
        # The length itself is chosen to fit the answers, so what is tested is whether answers get shorter at all.
        shorter, longer = (sum(sign * (a - b) > 0 for a, b in sizes) for sign in (1, -1))
        tried.append((Rule(RuleKind.MOST_WORDS, str(_usual_length(changes))), shorter, longer))
    return tried


def _usual_length(changes: Sequence[Change]) -> int:
    sizes = sorted(len(each.corrected.split()) for each in changes)
    return math.ceil(sizes[math.ceil(COVERED * len(sizes)) - 1] / STEP) * STEP


def _testable(sizes: Sequence[int]) -> int:
    """Among how many the chance is shared: the least k such that at most k of them could reach ALPHA / k at all."""
    k = 1
    while sum(2.0**-size <= ALPHA / k for size in sizes) > k:
        k += 1
    return k


# ---------------------------------------------------------------- what is kept of it


def _without_repetition(found: Sequence[Found]) -> list[Found]:
    """Of phrases within each other: the shortest that is forbidden, and the longest that is required."""
    kept: list[Found] = []
    for each in found:
        rivals = [other for other in found if other.rule.kind is each.rule.kind and other.rule != each.rule]
        match each.rule.kind:
            case RuleKind.FORBIDDEN:
                is_repetition = any(says(each.rule.value, other.rule.value) for other in rivals)
            case RuleKind.REQUIRED:
                is_repetition = any(says(other.rule.value, each.rule.value) for other in rivals)
            case _:
                is_repetition = False
        if not is_repetition:
            kept.append(each)
    return kept


def _placed(found: Found, changes: Sequence[Change]) -> Found:
    """A required phrase as an opening or a sign-off, where it nearly always stands there."""
    if found.rule.kind is not RuleKind.REQUIRED:
        return found
    texts = [_bare(each.corrected) for each in changes if says(each.corrected, found.rule.value)]
    for kind, stands in ((RuleKind.OPENING, str.startswith), (RuleKind.SIGN_OFF, str.endswith)):
        if sum(stands(text, found.rule.value) for text in texts) >= LEAST_KEPT * len(texts):
            return Found(Rule(kind, found.rule.value), found.supported_by, found.broken_by, found.answers, found.p)
    return found


def _bare(text: str) -> str:
    """A text from its first word to its last, as `phrases_of` reads it."""
    plain = " ".join(text.casefold().replace("’", "'").split())
    words = list(_WORD.finditer(plain))
    return plain[words[0].start() : words[-1].end()] if words else ""
