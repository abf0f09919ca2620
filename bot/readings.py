"""What people read of what a model learned: both readings, with the numbers they rest on."""

import re

from bot.text import excerpt
from storage.records import AskedAs, Learned, LearnedVerdict
from storage.store import Store

LEARNED = "learned ✓"
ASKED_AS = {
    AskedAs.ALONE: "With no fix",
    AskedAs.PARAPHRASE: "In other words",
    AskedAs.NEIGHBOUR: "A neighbour: another answer is right",
    AskedAs.SERVED: "As served",
}
CORRECTION_ID = re.compile(r"\bcorr_\w+")


def reading(found: Learned, number: int) -> str:
    """One verdict as a clause: "learned ✓ by model 3: right with no fix in its prompt, in 1 of 1 other wording as well"."""
    return _verdict(found, number) + _likelihood(found)


def _likelihood(found: Learned) -> str:
    if found.log_margin is None:
        return ""
    how = "likelier" if found.log_margin >= 0 else "less likely"
    return f"; it finds the correction {abs(found.log_margin):.2f} nats a token {how} than what the bot had said"


def _verdict(found: Learned, number: int) -> str:
    match found.verdict:
        case LearnedVerdict.LEARNED:
            wordings = _of(found.paraphrases_right, found.paraphrases, "other wording")
            also = f", in {wordings} as well" if found.paraphrases else ""
            return f"{LEARNED} by model {number}: right with no fix in its prompt{also}"
        case LearnedVerdict.OVER_GENERALISED:
            where = _of(found.neighbours_reached, found.neighbours, "neighbouring question")
            return f"over-generalised by model {number}: it is right, but also given to {where}, so the fix stays"
        case LearnedVerdict.NOT_YET if found.in_weights:
            wordings = _of(found.paraphrases_right, found.paraphrases, "other wording")
            return f"not yet learned by model {number}: right word for word, but in {wordings} only, so the fix stays"
        case LearnedVerdict.NOT_YET:
            served = {True: "right as served, with the fix", False: "not right as served either", None: "with the fix"}
            return f"not yet learned by model {number}: wrong with no fix in its prompt, {served[found.in_system]}"


def _of(part: int, all: int, noun: str) -> str:
    return f"{part} of {all} {noun}{'' if all == 1 else 's'}"


async def readings(store: Store, correction_id: str) -> list[str]:
    """What each model made of a correction, the newest verdict first."""
    found = await store.learned.of_correction(correction_id)
    return [reading(each, (await store.models.get(each.model_id)).number) for each in found]


async def named(store: Store, text: str) -> str:
    """A stored sentence with the question and the moderator's name in the place of each correction's id.

    What is stored for ever holds ids alone, so that words and names can be erased.
    """
    if not (ids := CORRECTION_ID.findall(text)):
        return text
    corrections = await store.corrections.many(ids)
    people = await store.people.actors({each.proposed_by for each in corrections})
    for each in corrections:
        question = f"“{excerpt(each.question)}”" if each.question else "one whose words are gone"
        mark = ", critical" if each.is_critical else ""
        text = text.replace(each.id, f"{question} (by {people[each.proposed_by].name}{mark})")
    return text
