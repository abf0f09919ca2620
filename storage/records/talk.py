"""Voices, conversations, questions and replies."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum


@dataclass(frozen=True, slots=True)
class Voice:
    """A brand: its system prompt and the base model its tuned models are made from.

    `short_prompt` is what a model that was trained with it is asked with, because it has the rest in its weights; "": none.
    """

    id: str
    name: str
    system_prompt: str
    base_model: str
    created_at: datetime
    short_prompt: str = ""

    def prompt(self, kind: "PromptKind") -> str:
        """The prompt of this kind; the full one where there is no short one."""
        return self.short_prompt if kind is PromptKind.SHORT and self.short_prompt else self.system_prompt


class PromptKind(StrEnum):
    """Which of a voice's prompts a dataset version was built with, and so a model is asked with."""

    FULL = "full"
    SHORT = "short"


@dataclass(frozen=True, slots=True)
class Conversation:
    """One thread or direct message. `external_id` is the platform's key; unique with `platform`."""

    id: str
    voice_id: str
    platform: str
    external_id: str
    created_at: datetime


class TurnState(StrEnum):
    """Where a turn stands. `asked` with an expired lease is picked up again."""

    ASKED = "asked"
    ANSWERED = "answered"


@dataclass(frozen=True, slots=True)
class Turn:
    """A question and (once answered) its reply. `key` is the platform's natural key of the question: unique with `platform`."""

    id: str
    conversation_id: str
    voice_id: str
    platform: str
    key: str
    question: str
    asked_by: str  # actor id
    asked_at: datetime
    state: TurnState
    lease_owner: str | None  # who is answering it now
    lease_until: datetime | None
    attempts: int  # times an answer was begun
    edited_at: datetime | None = None  # when the customer last changed the question
    withdrawn_at: datetime | None = None  # when the customer deleted it; the question is empty since


class ReplySource(StrEnum):
    """Which rung of the ladder answered."""

    TUNED = "tuned"  # the deployed tuned model
    BASE = "base"  # the base model with the full prompt: nothing is tuned yet, or the tuned model failed
    FIX = "fix"  # an approved correction, word for word: nearly the same had been asked before
    NOTICE = "notice"  # a fixed sentence of ours: an empty question, a model that cannot be reached


@dataclass(frozen=True, slots=True)
class Reply:
    """What was answered to a turn, by which model, under which deployment. At most one per turn, by constraint."""

    id: str
    turn_id: str
    conversation_id: str
    voice_id: str
    text: str
    source: ReplySource
    model_name: str | None  # the provider's name of the model; None for a notice
    deployment_id: str | None
    prompt_hash: str | None  # first 12 hex digits of SHA-256 of the messages' system prompt
    prompt_tokens: int
    completion_tokens: int
    seconds: float  # from claim to last token
    created_at: datetime
    corrected_text: str | None = None  # what a moderator made of the posted reply; `text` keeps what the model said
    fix_ids: tuple[str, ...] = ()  # of the approved corrections it rests on, the likeliest first

    @property
    def standing_text(self) -> str:
        """What people read: the model's words, or what a moderator made of them."""
        return self.text if self.corrected_text is None else self.corrected_text
