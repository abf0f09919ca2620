"""A platform's message once the platform is gone. Plain dataclasses; every adapter makes these and nothing else."""

from dataclasses import dataclass

from storage.records import Actor


@dataclass(frozen=True, slots=True)
class Question:
    """Something a person asked. `key` is the platform's natural key of the message: the same on every redelivery."""

    platform: str  # "console" | "cli" | "slack" | "discord"
    conversation_key: str  # the platform's id of the thread or direct message
    key: str
    text: str  # as received; sanitised by answering.record
    actor: Actor
