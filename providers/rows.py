"""What a vendor's row says: how to ask, what a training file may hold, how a trained model comes to answer."""

from dataclasses import dataclass
from datetime import date
from enum import StrEnum

from providers.base import Method


class ByteOrderMark(StrEnum):
    """What a vendor wants of the three bytes EF BB BF at the beginning of a file."""

    REQUIRED = "required"
    TOLERATED = "tolerated"
    REFUSED = "refused"  # RFC 8259 section 8.1: JSON sent over a network must not begin with one


class Confidence(StrEnum):
    """How well a fact is known."""

    VERIFIED = "verified"  # the vendor's own document or published source
    SECONDARY = "secondary"  # somebody else's page
    UNCONFIRMED = "unconfirmed"


@dataclass(frozen=True, slots=True)
class Fact:
    """Where the value of `field` comes from: a URL (or, for `tuner`, our own file) and the day it was read."""

    field: str
    source: str
    read_on: date
    confidence: Confidence = Confidence.VERIFIED


@dataclass(frozen=True, slots=True)
class Stop:
    """What ends at a vendor, and on which day."""

    what: str
    on: date
    source: str
    read_on: date
    ends_training: bool = False  # from that day on nobody can create jobs


class Hosting(StrEnum):
    """How a trained model comes to answer at a vendor (hosting.py)."""

    AT_ONCE = "at_once"  # the model list names it, and it answers
    NEBIUS = "nebius"  # POST /v0/models with job and checkpoint; paid by the token
    AZURE = "azure"  # a deployment of the resource, made through Azure Resource Manager with an Entra token; paid by the hour
    CRUSOE = "crusoe"  # a self-serve deployment of a checkpoint; paid by the GPU and hour
    TOGETHER = "together"  # a dedicated endpoint; paid by the minute


class GoesOn(StrEnum):
    """How a preference job (dpo, kto) is told to go on from a tuned model."""

    NOWHERE = "nowhere"  # every job starts from a base
    MODEL = "model"  # the job names the tuned model as its model
    CHECKPOINT = "from_checkpoint"  # in a field of its own, in place of the model


class Rank(StrEnum):
    """Where the rank of the adapter travels in a job request."""

    BODY = "body"  # `lora_r` at the top
    HYPERPARAMETER_R = "lora_r"  # among the hyperparameters
    HYPERPARAMETER_RANK = "lora_rank"
    NOWHERE = "nowhere"


@dataclass(frozen=True, slots=True)
class Quirks:
    """What a driver, an export and a format check must know of one vendor."""

    name: str
    minimum_examples: int  # training lines the vendor accepts at least; 1 where it says nothing
    method_style: bool  # True: hyperparameters travel inside `method`; False: flat `hyperparameters`
    knows_metadata: bool  # jobs can be listed by metadata
    methods: frozenset[Method] = frozenset({Method.SFT})
    knows_weights: bool = False  # a bot's earlier message may carry `weight` 0: read, not learned
    knows_tools: bool = False  # lines may carry tools, tool calls and tool messages
    roles: frozenset[str] = frozenset({"system", "user", "assistant"})
    message_keys: frozenset[str] = frozenset({"role", "content"})  # beside weight and what tools bring
    must_alternate: bool = False  # system first, if at all; then user and assistant in turn, the user first
    must_end_with_answer: bool = False  # the last message of a supervised line has to be the assistant's
    one_output_message: bool = True  # a preference holds exactly one message; else one or more
    text_parts: bool = False  # content may be a list of {"type": "text", "text": …} beside a string
    max_example_tokens: int | None = None  # None: the vendor publishes no number; the model's context still bounds it
    max_file_bytes: int | None = None
    byte_order_mark: ByteOrderMark = ByteOrderMark.REFUSED
    base_url: str | None = None
    chat_url: str | None = None  # where models are asked, if not at `base_url`
    extra_body: tuple[tuple[str, str], ...] = ()  # names and values that every job request carries at the top
    extra_hyperparameters: tuple[tuple[str, bool], ...] = ()
    waits_for_files: bool = False  # a job may only name a file that has been processed
    rank: Rank = Rank.NOWHERE
    knows_rate_multiplier: bool = True  # False: learning rates are absolute numbers there
    knows_replay: bool = False
    goes_on: GoesOn = GoesOn.NOWHERE
    scores_answers: bool = False  # says how likely a model finds a given answer to a conversation
    hosting: Hosting = Hosting.AT_ONCE
    hosting_needs: str = ""  # what FINETONE_HOSTING has to name there; "" where nothing is needed
    hosting_needs_key: bool = False  # deploying takes another key than training does
    bills_idle: bool = False  # a served model costs money while nobody asks it
    takes_newcomers: bool = True  # False: only customers who have tuned there before may create jobs
    is_openai_shaped: bool = True  # False: training has routes of its own, which the driver here does not speak
    stops: tuple[Stop, ...] = ()
    facts: tuple[Fact, ...] = ()
    unpublished: frozenset[str] = frozenset()  # fields no document of the vendor's states
