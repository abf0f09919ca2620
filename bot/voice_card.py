"""Decisions about the voice card's rules: an approver approves or rejects one, and may change their mind."""

from datetime import datetime

from bot.moderation import Outcome, require
from curation.voice_card import CardRule, voice_card
from storage.errors import NotFound
from storage.records import Actor, Right, RuleState, Voice, VoiceRule
from storage.store import Store


async def decide_rule(
    store: Store, actor: Actor, voice: Voice, key: str, state: RuleState, *, now: datetime
) -> Outcome[CardRule]:
    """Approve or reject a rule of the card, by its key ("forbidden:unfortunately"). Raises NotAllowed, NotFound."""
    require(actor, Right.APPROVER, "decide about the voice card")
    known = {each.found.rule.key: each for each in await voice_card(store, voice.id)}
    if key not in known:
        raise NotFound("rule", key)
    found = known[key].found
    decision = VoiceRule(voice.id, found.rule.kind, found.rule.value, state, actor.id, now)
    await store.voice_rules.decide(decision)
    if state is RuleState.APPROVED:
        said = f"Approved: {found.rule.sentence} From the next comparison on, it is measured in every answer."
    else:
        said = f"Rejected: {found.rule.sentence} It is not measured, and not proposed again."
    return Outcome(CardRule(found, decision), said)
