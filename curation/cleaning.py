"""Pure: personal data and secrets out of a correction before it may be learned from, and the sentence that tells it.

The same rules look again at the bytes of every version that is built. What the brand itself says stays: what its own system
prompt names, and what a setting lists.
"""

import secrets
from collections import Counter
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import islice

from curation.scrub import Kind, Person, Placeholders, findings, findings_in_lines, scrub_conversation
from curation.scrub import Rules as ScrubRules
from storage.records import Correction, Message

TOLD = 3  # findings that are named when a version is refused

_NOUNS: Mapping[Kind, tuple[str, str]] = {
    Kind.EMAIL: ("e-mail address", "e-mail addresses"),
    Kind.PHONE: ("phone number", "phone numbers"),
    Kind.CARD: ("card number", "card numbers"),
    Kind.IBAN: ("bank account", "bank accounts"),
    Kind.IP: ("IP address", "IP addresses"),
    Kind.SECRET: ("secret", "secrets"),
    Kind.LOGIN: ("login", "logins"),
    Kind.NAME: ("name", "names"),
    Kind.ADDRESS: ("street address", "street addresses"),
    Kind.POSSIBLE_NAME: ("name", "names"),
}


class PersonalDataLeft(Exception):
    """A version would hold personal data or a secret; the message says in which lines, and what to do. Nothing was kept."""


@dataclass(frozen=True, slots=True)
class Cleaned:
    """A correction without personal data, and how much of each kind was in it; `hints` are left for a person to look at."""

    correction: Correction
    taken_out: Mapping[Kind, int]
    hints: Mapping[Kind, int]

    @property
    def is_changed(self) -> bool:
        return bool(self.taken_out)


def rules_for(system_prompt: str, keep: Collection[str], people: Iterable[Person] = ()) -> ScrubRules:
    """How a voice's texts are scrubbed: what its prompt says itself, and what is listed to be kept, stays."""
    own = {system_prompt[found.start : found.end] for found in findings(system_prompt, ScrubRules())}
    return ScrubRules(people=tuple(people), keep=frozenset({*own, *keep}))


def cleaned(correction: Correction, rules: ScrubRules, said_before: Sequence[str] = ()) -> Cleaned:
    """The correction with typed placeholders, one numbering over its history, question, reply and answer.

    `said_before` is what was said in its conversation from the beginning on, as it was said: what stands in it has the same
    number in every correction of the conversation.
    """
    texts = [message.content for message in correction.history]
    texts += [correction.question, correction.served_text or "", correction.corrected_text]
    placeholders = Placeholders(secrets.token_bytes(16))
    scrub_conversation(said_before, placeholders, rules)
    scrubbed = scrub_conversation(texts, placeholders, rules)
    *said, question, served, answer = (one.text for one in scrubbed)
    history = tuple(Message(old.role, new) for old, new in zip(correction.history, said, strict=True))
    return Cleaned(
        replace(
            correction,
            history=history,
            question=question,
            served_text=None if correction.served_text is None else served,
            corrected_text=answer,
        ),
        Counter(found.kind for one in scrubbed for found in one.findings),
        Counter(found.kind for one in scrubbed for found in one.hints),
    )


def told(taken_out: Mapping[Kind, int], hints: Mapping[Kind, int]) -> str:
    """What was taken out and what may still be in it, as one or two sentences; "" where there was nothing."""
    said: list[str] = []
    if taken_out:
        verb = "was" if sum(taken_out.values()) == 1 else "were"
        said.append(f"{_listed(taken_out)} {verb} taken out of it.")
    if hints:
        said.append(f"There may be {_listed(hints)} in it: have a look before it is trained on.")
    return " ".join(said)


def _listed(counts: Mapping[Kind, int]) -> str:
    named = [f"{n} {_NOUNS[kind][0 if n == 1 else 1]}" for kind, n in sorted(counts.items())]
    return ", ".join(named[:-1]) + (" and " if len(named) > 1 else "") + named[-1]


def require_clean(files: Mapping[str, bytes], rules: ScrubRules) -> None:
    """Look once more at the bytes of a version. Raises PersonalDataLeft."""
    found = list(islice(_still_in(files, rules), TOLD + 1))
    if found:
        more = " and more" if len(found) > TOLD else ""
        raise PersonalDataLeft(
            f"The dataset would hold personal data: {'; '.join(found[:TOLD])}{more}. `finetone dataset scrub` takes it out; "
            "what is the brand's own belongs into FINETONE_KEEP."
        )


def _still_in(files: Mapping[str, bytes], rules: ScrubRules) -> Iterator[str]:
    for name in sorted(files):
        for one in findings_in_lines(files[name], rules):
            yield f"{name} line {one.line} holds {_article(one.finding.kind)}"


def _article(kind: Kind) -> str:
    noun = _NOUNS[kind][0]
    return f"{'an' if noun[0] in 'aeiouI' else 'a'} {noun}"
