"""Mark, flag, correct, approve, reject, retract, retrain, pause, cancel, roll back: check the right, act once, say what came.

Every adapter calls these and posts `said`; so the words are the same everywhere. A refusal is NotAllowed, a sentence.
"""

from bot.moderation.correcting import Draft, correct, propose_answers, retract, revise
from bot.moderation.critical import set_critical
from bot.moderation.deciding import approve, approve_all, reject, require_reason, scrub
from bot.moderation.expiring import let_expire
from bot.moderation.forgetting import forget_person
from bot.moderation.judging import mark, retract_reply, unmark
from bot.moderation.places import MODE_WORDS, ask_for_person, release, set_channel, step_back, take_over
from bot.moderation.releasing import release_model
from bot.moderation.rights import NotAllowed, Outcome, require
from bot.moderation.training import (
    cancel_run,
    pause_run,
    resume_run,
    roll_back,
    start_retrain,
    start_search,
)

__all__ = [
    "MODE_WORDS",
    "Draft",
    "NotAllowed",
    "Outcome",
    "approve",
    "approve_all",
    "ask_for_person",
    "cancel_run",
    "correct",
    "forget_person",
    "let_expire",
    "mark",
    "pause_run",
    "propose_answers",
    "reject",
    "release",
    "release_model",
    "require",
    "require_reason",
    "resume_run",
    "retract",
    "retract_reply",
    "revise",
    "roll_back",
    "scrub",
    "set_channel",
    "set_critical",
    "start_retrain",
    "start_search",
    "step_back",
    "take_over",
    "unmark",
]
