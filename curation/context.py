"""Pure: how much of a conversation may stand before a question in a vendor's training file.

History is always kept from its newest end: what goes is the beginning, so that the question still follows what led to it.
"""

from providers.quirks import Quirks
from storage.records import Message

# A tool's message needs the id of its call, which a history does not keep.
TEXT_ROLES = frozenset({"system", "developer", "user", "assistant"})


class UnknownRole(Exception):
    """A history holds a role that the vendor does not know, or that text alone cannot say; the message is the role."""


def speakable(history: tuple[Message, ...], vendor: Quirks) -> tuple[Message, ...]:
    """As much of the newest history as the vendor's rules allow: no empty message, and turn by turn where it asks for that.

    Raises UnknownRole for any message, also one that would be cut: a role nobody expected is a person's to look at.
    """
    for message in history:
        if message.role not in vendor.roles & TEXT_ROLES:
            raise UnknownRole(message.role)
    following = "user"  # the question
    begin = len(history)
    for message in reversed(history):
        breaks_turns = vendor.must_alternate and {message.role, following} != {"user", "assistant"}
        if breaks_turns or not message.content.strip():
            break
        following = message.role
        begin -= 1
    if vendor.must_alternate and following == "assistant":
        begin += 1
    return history[begin:]


def stretches(history: tuple[Message, ...], learnable: frozenset[int]) -> list[tuple[Message, ...]]:
    """Cut a history after each bot turn that must not be learned; `learnable` are the positions of those that may.

    The last stretch goes before the question, and may be empty. Each earlier one is a conversation of its own that ends with
    an approved bot turn; what leads to none is gone.
    """
    found: list[tuple[Message, ...]] = []
    begin = 0
    for position, message in enumerate(history):
        if message.role == "assistant" and position not in learnable:
            approved = [p for p in range(begin, position) if history[p].role == "assistant"]
            if approved:
                found.append(history[begin : approved[-1] + 1])
            begin = position + 1
    return [*found, history[begin:]]
