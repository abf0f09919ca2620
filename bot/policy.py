"""Pure: whether the bot speaks. One decision for every platform, from what is known about a message and its place."""

from dataclasses import dataclass
from enum import StrEnum

from storage.records import ChannelMode


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
