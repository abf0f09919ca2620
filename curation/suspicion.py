"""Pure: what an approver should look at twice before a text is learned from: words meant for a model rather than for people.

Nothing is refused by this. Attackers find other words; who approves reads the text, and is told where to look.
"""

import re
import unicodedata
from collections.abc import Sequence

from storage.records import Correction

# What prompt injections have in common (OWASP, LLM01 Prompt Injection, read 2026-11-21): they speak to the model about its
# orders, pretend to be another role, or hide.
_ORDERS = re.compile(
    r"\b(?:ignore|disregard|forget|override)\b[^.!?\n]{0,40}\b(?:instructions?|prompts?|rules?|guidelines?|above|previous|earlier)\b"
    r"|\b(?:ignoriere?|vergiss|missachte)\b[^.!?\n]{0,40}\b(?:anweisungen?|regeln?|vorgaben?|bisherige\w*|vorherige\w*)\b"
    r"|\b(?:ignora|olvida|ignore|oublie)\b[^.!?\n]{0,40}\b(?:instrucciones|reglas|instructions|règles|consignes)\b"
    r"|\byou are (?:now|no longer)\b|\bfrom now on,? (?:you|always|never)\b|\bact as (?:an?|the)\b"
    r"|\b(?:system|developer) (?:prompt|message)\b|\bjailbreak\b|\bdo anything now\b",
    re.IGNORECASE,
)
_ROLES = re.compile(
    r"<\|[a-z_]{2,20}\|>|\[/?INST\]|<</?SYS>>|^\s*#{0,3}\s*(?:system|assistant|user|developer)\s*:",
    re.IGNORECASE | re.MULTILINE,
)
_HIDDEN = {"Cf", "Co", "Cn"}  # formatting, private and unassigned characters
_HARMLESS = frozenset("\u00ad\u200c\u200d\u200e\u200f\ufe0e\ufe0f")  # soft hyphen, joiners and marks of real scripts
_ENCODED = re.compile(r"[A-Za-z0-9+/]{80,}={0,2}|(?:%[0-9A-Fa-f]{2}){12,}|(?:\\x[0-9A-Fa-f]{2}){8,}")


def suspicions(*texts: str) -> Sequence[str]:
    """What to look at in these texts, a sentence each, quoting it; () where nothing is odd."""
    found: list[str] = []
    for text in texts:
        if order := _ORDERS.search(text):
            found.append(f"It speaks to the model about its orders: “{_shown(order.group())}”.")
        if role := _ROLES.search(text):
            found.append(f"It pretends to be another speaker: “{_shown(role.group())}”.")
        if hidden := _hidden(text):
            many = "1 character" if hidden == 1 else f"{hidden} characters"
            found.append(f"It holds {many} that nobody can see.")
        if encoded := _ENCODED.search(text):
            found.append(f"It holds something encoded: “{_shown(encoded.group())}”.")
    return tuple(dict.fromkeys(found))


def suspicions_in(correction: Correction) -> Sequence[str]:
    """What an approver should look at twice in a correction: everything of it that a model would read."""
    said = (message.content for message in correction.history)
    return suspicions(correction.question, correction.corrected_text, *said)


def _hidden(text: str) -> int:
    return sum(unicodedata.category(one) in _HIDDEN and one not in _HARMLESS for one in text if one > "~")


def _shown(text: str) -> str:
    one_line = " ".join(text.split())
    return one_line if len(one_line) <= 60 else one_line[:59] + "…"
