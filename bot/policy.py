"""Pure: whether the bot speaks. One decision for every platform, from what is known about a message and its place."""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from bot.opening import is_open
from storage.records import ChannelMode, ChannelRules


class Reaction(StrEnum):
    """What a message calls for."""

    ANSWER = "answer"
    DRAFT = "draft"  # a moderator sees the reply and decides whether it is sent
    STEP_BACK = "step back"  # somebody of the staff has begun to answer: be silent here from now on
    SILENT = "silent"


@dataclass(frozen=True, slots=True)
class Heard:
    """A message by a person, as far as the decision needs it."""

    mode: ChannelMode
    is_direct: bool  # in a private conversation with the bot
    is_mention: bool  # the bot is named in it
    is_reply: bool  # it stands in a thread, under something said before
    is_ours: bool  # in a thread that the bot has answered in
    is_staff: bool  # written by somebody who may moderate
    is_asker: bool  # by whoever asked first in this conversation
    is_handed_over: bool


def reaction(heard: Heard) -> Reaction:
    """Decide. A mention is an order: it is answered even from staff; only where a person has taken over nothing is.

    Staff who write where a person was asked for are that person.
    """
    if heard.is_handed_over:
        return Reaction.STEP_BACK if heard.is_staff and not heard.is_asker else Reaction.SILENT
    if heard.is_direct:
        return Reaction.ANSWER
    if heard.mode is ChannelMode.OFF:
        return Reaction.SILENT
    spoken_to = heard.is_mention or heard.is_ours or (heard.mode is not ChannelMode.MENTION and not heard.is_reply)
    if heard.is_staff and not (heard.is_mention or heard.is_asker):
        return Reaction.STEP_BACK if heard.is_ours else Reaction.SILENT
    if not spoken_to:
        return Reaction.SILENT
    return Reaction.DRAFT if heard.mode is ChannelMode.DRAFT else Reaction.ANSWER


@dataclass(frozen=True, slots=True)
class Asking:
    """Somebody who would be answered, as far as a channel's rules need it."""

    roles: Collection[str]  # the platform's ids of the roles or groups they are in
    is_staff: bool
    last_asked_s: float | None  # seconds since their last question in the channel; None where that is not known
    at: datetime


def refusal(rules: ChannelRules, asking: Asking) -> str:
    """Why a channel's rules keep somebody from being answered, as a sentence for them; "" where nothing does.

    Staff are answered at any hour and as often as they ask. The daily cap is counted by storage, once a question is taken.
    """
    if asking.is_staff:
        return ""
    if rules.asking_roles and not any(role in rules.asking_roles for role in asking.roles):
        return "In this channel I answer only members with certain roles, and you have none of them."
    if not is_open(rules.opening_hours, rules.time_zone, asking.at):
        return f"I answer here {rules.opening_hours} ({rules.time_zone}). Please ask again then."
    if asking.last_asked_s is not None and asking.last_asked_s < rules.cooldown_s:
        left_s = max(1, round(rules.cooldown_s - asking.last_asked_s))
        return f"Please wait {left_s} second{'' if left_s == 1 else 's'} before you ask again."
    return ""


CAP_REACHED = "I have answered as many questions here today as I may. Please ask again tomorrow."
