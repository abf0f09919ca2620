"""What a chat platform needs remembered: deliveries, our messages there, channels, hand-overs."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any


@dataclass(frozen=True, slots=True)
class InboundEvent:
    """Something a platform delivered, kept before it is acknowledged and worked on under a lease. `key` is the platform's
    natural key of the delivery, unique with `platform`. The payload is dropped once it is done.
    """

    id: str
    platform: str
    key: str
    kind: str  # the platform's word: "app_mention", "reaction_added", "block_actions" …
    payload: Mapping[str, Any]
    received_at: datetime
    lease_owner: str | None
    lease_until: datetime | None
    attempts: int
    done_at: datetime | None = None
    outcome: str = ""  # why it ended without effect, in a few words; "" for one that was handled


class PostingKind(StrEnum):
    """What one of our messages on a platform shows, and so what its `subject` is the id of."""

    REPLY = "reply"  # a reply; the subject is the turn, so that the place is known before there is a reply
    REVIEW = "review"  # a correction's card
    DISPUTE = "dispute"  # a dispute's card
    DOUBT = "doubt"  # a doubt's card; the subject is the reply
    DRAFT = "draft"  # a reply's card before it is sent; the subject is the turn
    HAND_OVER = "hand_over"  # a hand-over's card
    RUN = "run"  # a training run's progress
    NOTICE = "notice"  # what became of a correction, told to who proposed it
    LEARNED = "learned"  # what a model learned, told to who proposed it; the subject is storage.learned.told_to
    FOLLOW_UP = "follow_up"  # the one question back after a silence; the subject is the conversation


@dataclass(frozen=True, slots=True)
class Posting:
    """One message of ours on a platform. `place` is the platform's channel, `message_key` its id of the message there:
    None while it is not known whether the platform has it. One per (platform, kind, subject, part), by constraint.
    """

    id: str
    platform: str
    kind: PostingKind
    subject: str
    part: int  # 0, 1, … of a text that takes several messages
    place: str
    message_key: str | None
    created_at: datetime
    removed_at: datetime | None = None  # deleted there since
    shown: str = ""  # the state it shows now, in a word; behind what is true, it is edited


@dataclass(frozen=True, slots=True)
class Installation:
    """A workspace that installed the app. `sealed` holds its token and the bot's ids, encrypted by whoever stores it."""

    platform: str
    team: str  # the platform's id of it
    sealed: str
    installed_at: datetime


class ChannelMode(StrEnum):
    """When the bot speaks in a channel."""

    OFF = "off"
    MENTION = "mention"  # when it is mentioned, and in threads it is part of
    AUTO = "auto"  # to every question
    DRAFT = "draft"  # never by itself: a moderator sees a draft and sends it


class ThreadMode(StrEnum):
    """Where the bot answers in a channel."""

    THREAD = "thread"  # in a thread opened on the question
    CHANNEL = "channel"  # under the question, where it stands


@dataclass(frozen=True, slots=True)
class ChannelRules:
    """Who is answered in a channel, when and how often; as it begins, everybody always. bot/policy.py decides by it."""

    threads: ThreadMode | None = None  # None: as the installation's setting says
    asking_roles: tuple[
        str, ...
    ] = ()  # the platform's ids of roles or groups, one of which who asks has to be in; (): everybody
    language: str = ""  # "German"; "": whatever the model chooses
    cooldown_s: int = 0  # seconds between two questions of one person; 0: none
    opening_hours: str = ""  # "Mon-Fri 09:00-17:30, Sat 10:00-14:00"; "": always open
    time_zone: str = "UTC"  # of the opening hours and of the day that the cap counts: "Europe/Berlin"
    daily_cap: int = 0  # questions answered on one day; 0: no limit


@dataclass(frozen=True, slots=True)
class Channel:
    """What was set for one channel of a platform. `place` is the platform's id of it, with its team's."""

    platform: str
    place: str
    mode: ChannelMode
    is_training_allowed: bool  # whether corrections made here may enter datasets
    set_by: str  # actor id
    set_at: datetime
    rules: ChannelRules = ChannelRules()


@dataclass(frozen=True, slots=True)
class HandOver:
    """A conversation in a person's hands: the bot is silent there until it is released. One open per conversation."""

    id: str
    conversation_id: str
    reason: str
    asked_by: str  # actor id
    asked_at: datetime
    taken_by: str | None = None
    taken_at: datetime | None = None
    released_by: str | None = None
    released_at: datetime | None = None
