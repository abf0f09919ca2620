"""What is kept about one person, as they may take it away. Deleting it is `commands.forget`."""

import json
from typing import Any

from bot.office.office import Office
from storage.records import Actor, Correction, Feedback, Reply, Turn

FILE_NAME = "my-data.json"


async def own_data(office: Office, actor: Actor) -> bytes:
    """One's own questions with their answers, judgements and corrections, as JSON; who holds a right sees no more than others."""
    store = office.store
    asked: list[dict[str, Any]] = []
    for turn in await store.conversations.asked_by(actor.id):
        asked.append(_question(turn, await store.conversations.reply_to(turn.id)))
    found = {
        "platform": actor.platform,
        "id": actor.external_id,
        "name": actor.name,
        "rights": sorted(actor.rights),
        "questions": asked,
        "judgements": [_judgement(one) for one in await store.feedback.given_by(actor.id)],
        "corrections": [_correction(one) for one in await store.corrections.proposed_by(actor.id)],
    }
    return json.dumps(found, ensure_ascii=False, indent=2).encode()


def _question(turn: Turn, reply: Reply | None) -> dict[str, Any]:
    return {
        "asked_at": turn.asked_at.isoformat(),
        "question": turn.question,
        "answer": None if reply is None else reply.standing_text,
    }


def _judgement(feedback: Feedback) -> dict[str, Any]:
    return {
        "given_at": feedback.given_at.isoformat(),
        "judgement": feedback.judgement,
        "note": feedback.note,
        "flagged": feedback.flagged,
    }


def _correction(correction: Correction) -> dict[str, Any]:
    return {
        "proposed_at": correction.proposed_at.isoformat(),
        "question": correction.question,
        "correction": correction.corrected_text,
        "note": correction.note,
        "state": correction.state,
    }
