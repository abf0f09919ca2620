"""One row per vendor: what differs behind the same OpenAI wire shape. Data only, no behaviour.

The driver in openai_api.py reads how to ask, curation what a training file may hold. Every fact names its source and the day
it was read; a fact the vendor does not publish is the careful value, and `unpublished` names it.
"""

from datetime import date
from types import MappingProxyType

from providers.base import JobState, Method
from providers.rows import ByteOrderMark, Confidence, Fact, GoesOn, Hosting, Quirks, Rank, Stop

__all__ = [
    "JOB_STATES",
    "VENDORS",
    "ByteOrderMark",
    "Confidence",
    "Fact",
    "GoesOn",
    "Hosting",
    "Method",
    "Quirks",
    "Rank",
    "Stop",
    "job_state",
]

MIB = 1024 * 1024
GIB = 1024 * MIB

_READ = date(2026, 11, 21)

_OPENAI_SFT = "https://developers.openai.com/docs/guides/distillation"
_OPENAI_DPO = "https://developers.openai.com/api/docs/guides/direct-preference-optimization"
# The API's published description, version 2.3.0: FineTuneChatRequestInput and FineTuneChatCompletionRequestAssistantMessage,
# whose `weight` "controls whether the assistant message is trained against (0 or 1)".
_OPENAI_DESCRIPTION = "https://github.com/openai/openai-openapi"
_OPENAI_FILES = "https://developers.openai.com/api/reference/resources/files/methods/create"
_OPENAI_STOPS = "https://developers.openai.com/api/docs/deprecations"
_AZURE = "https://learn.microsoft.com/en-us/azure/foundry/openai/how-to/fine-tuning"
_AZURE_DPO = (
    "https://learn.microsoft.com/en-us/azure/foundry-classic/openai/how-to/fine-tuning-direct-preference-optimization"
)
_AZURE_TOKENS = "https://github.com/MicrosoftDocs/azure-ai-docs/issues/544"
_NEBIUS = "https://docs.tokenfactory.nebius.com/post-training"
_NEBIUS_GUIDE = "https://skills.sh/arindam200/nebius-skills/nebius-finetune"
_CRUSOE = "https://docs.crusoecloud.com/serverless-fine-tuning/fine-tune-a-model"
_AZURE_DEPLOY = "https://learn.microsoft.com/en-us/azure/foundry/openai/how-to/fine-tuning-deploy"
_NEBIUS_DEPLOY = "https://docs.tokenfactory.nebius.com/post-training/deploy-custom-model"
_CRUSOE_DEPLOY = "https://docs.crusoecloud.com/self-serve-deployments/quickstart"
_CRUSOE_API = "https://docs.crusoecloud.com/api/"
_TOGETHER_API = "https://docs.together.ai/reference/post-fine-tunes"
_TOGETHER_ENDPOINTS = "https://docs.together.ai/docs/dedicated-endpoints/overview"
_TOGETHER_CLIENT = "https://github.com/togethercomputer/together-python"
_TOGETHER = "https://docs.together.ai/docs/fine-tuning/data-preparation"
_TOGETHER_DPO = "https://docs.together.ai/docs/preference-fine-tuning"
_TOGETHER_CHECK = "https://github.com/togethercomputer/together-python/blob/main/src/together/utils/files.py"


def _facts(source: str, *fields: str, confidence: Confidence = Confidence.VERIFIED) -> tuple[Fact, ...]:
    return tuple(Fact(field, source, _READ, confidence) for field in fields)


TUNER = Quirks(
    "tuner",
    minimum_examples=10,
    method_style=True,
    knows_metadata=True,
    methods=frozenset(Method),
    knows_weights=True,
    roles=frozenset({"system", "developer", "user", "assistant", "tool", "function"}),
    message_keys=frozenset({"role", "content", "name"}),
    max_file_bytes=512 * MIB,
    byte_order_mark=ByteOrderMark.TOLERATED,
    rank=Rank.BODY,
    knows_replay=True,
    goes_on=GoesOn.MODEL,
    scores_answers=True,
    facts=(
        *_facts("tuner/wire.py", "rank", "knows_replay", "scores_answers"),
        *_facts("tuner/starts.py", "goes_on"),
        *_facts("tuner/training_file.py", "minimum_examples", "methods", "knows_weights", "roles", "message_keys"),
        *_facts("tuner/training_file.py", "byte_order_mark", "one_output_message", "knows_tools"),
        *_facts("tuner/http/gate.py", "max_file_bytes"),
    ),
    unpublished=frozenset({"max_example_tokens"}),  # it follows from the base: the job's max_length
)

OPENAI = Quirks(
    "openai",
    minimum_examples=10,
    method_style=True,
    knows_metadata=True,
    methods=frozenset({Method.SFT, Method.DPO}),
    knows_weights=True,
    knows_tools=True,
    roles=frozenset({"system", "user", "assistant", "tool", "function"}),
    message_keys=frozenset({"role", "content", "name"}),
    must_end_with_answer=True,
    one_output_message=False,
    text_parts=True,
    max_file_bytes=512 * MIB,
    base_url="https://api.openai.com/v1",
    goes_on=GoesOn.MODEL,  # "Use the SFT fine-tuned model as the starting point, and apply DPO"
    takes_newcomers=False,
    stops=(
        Stop("nobody can create new training jobs", date(2027, 1, 6), _OPENAI_STOPS, _READ, ends_training=True),
        Stop("gpt-4o, gpt-4o-mini, gpt-4.1, gpt-4.1-mini and tunes on them", date(2027, 1, 14), _OPENAI_STOPS, _READ),
    ),
    facts=(
        *_facts(_OPENAI_SFT, "minimum_examples"),
        *_facts(_OPENAI_STOPS, "takes_newcomers"),  # since 2026-05-07
        *_facts(_OPENAI_DPO, "methods", "goes_on"),
        *_facts(_OPENAI_DESCRIPTION, "knows_weights", "knows_tools", "roles", "message_keys", "text_parts"),
        *_facts(_OPENAI_DESCRIPTION, "one_output_message"),
        *_facts(
            "https://github.com/kohhnagata/clone-factory-v1/issues/3",
            "must_end_with_answer",
            confidence=Confidence.SECONDARY,
        ),
        *_facts(_OPENAI_FILES, "max_file_bytes"),
        *_facts("https://www.rfc-editor.org/rfc/rfc8259#section-8.1", "byte_order_mark"),
    ),
    unpublished=frozenset({"max_example_tokens"}),
)

AZURE = Quirks(
    "azure",
    minimum_examples=10,
    method_style=True,
    knows_metadata=True,
    methods=frozenset({Method.SFT, Method.DPO}),  # the open models there: sft only
    knows_weights=True,
    knows_tools=True,
    roles=frozenset({"system", "user", "assistant", "tool"}),
    message_keys=frozenset({"role", "content", "name"}),
    must_end_with_answer=True,
    one_output_message=False,
    text_parts=True,
    max_example_tokens=65_536,
    max_file_bytes=512 * MIB,
    byte_order_mark=ByteOrderMark.REQUIRED,  # "must be encoded in UTF-8 and include a byte-order mark"
    extra_body=(("trainingType", "Standard"),),  # training stays in the resource's own region
    waits_for_files=True,
    goes_on=GoesOn.MODEL,  # "models that have already been fine-tuned using supervised fine-tuning"
    hosting=Hosting.AZURE,
    hosting_needs="the resource's id, /subscriptions/…/accounts/NAME",
    hosting_needs_key=True,
    bills_idle=True,
    takes_newcomers=False,
    stops=(
        # For existing customers only: newcomers are left with the open models (schedule of 2026-07-07).
        Stop("training on gpt-4o and gpt-4.1 goes on at least until", date(2027, 4, 1), _AZURE, _READ),
        Stop("deployments of tuned gpt-4o and gpt-4.1 live until", date(2027, 10, 1), _AZURE, _READ),
    ),
    facts=(
        *_facts(_AZURE, "minimum_examples", "knows_weights", "max_file_bytes", "byte_order_mark", "methods"),
        *_facts(_AZURE, "extra_body", "takes_newcomers", "waits_for_files"),
        *_facts(_AZURE_DEPLOY, "hosting", "hosting_needs", "hosting_needs_key", "bills_idle"),
        *_facts(_AZURE_DPO, "knows_tools", "roles", "one_output_message", "goes_on"),
        *_facts(_AZURE_TOKENS, "max_example_tokens"),  # gpt-4o and gpt-4o-mini
        *_facts(_AZURE, "message_keys", "must_end_with_answer", "text_parts", confidence=Confidence.UNCONFIRMED),
    ),
)

NEBIUS = Quirks(
    "nebius",
    minimum_examples=1,
    method_style=False,
    knows_metadata=False,
    max_file_bytes=5 * 1000**3,
    base_url="https://api.tokenfactory.nebius.com/v1/",
    extra_hyperparameters=(
        ("lora", True),
    ),  # without it all weights are tuned, and such a model cannot be served by the token
    rank=Rank.HYPERPARAMETER_R,
    knows_rate_multiplier=False,  # its pages say learning_rate, an absolute number, its cookbook the multiplier
    hosting=Hosting.NEBIUS,
    facts=(
        *_facts(_NEBIUS, "methods", "extra_hyperparameters", "rank"),
        *_facts(_NEBIUS, "knows_rate_multiplier", confidence=Confidence.UNCONFIRMED),
        *_facts(_NEBIUS_DEPLOY, "hosting"),
        *_facts(_NEBIUS_GUIDE, "max_file_bytes", "roles", "message_keys", confidence=Confidence.SECONDARY),
    ),
    unpublished=frozenset({"minimum_examples", "knows_weights", "knows_tools", "max_example_tokens"}),
)

CRUSOE = Quirks(
    "crusoe",
    minimum_examples=1,
    method_style=True,
    knows_metadata=False,
    max_file_bytes=3 * 1000**3,
    base_url="https://api.intelligence.crusoecloud.com/v1",
    chat_url="https://api.inference.crusoecloud.com/v1",
    rank=Rank.HYPERPARAMETER_RANK,
    hosting=Hosting.CRUSOE,
    hosting_needs="project/flavor, as its console lists them",
    bills_idle=True,
    facts=(
        *_facts(_CRUSOE, "methods", "max_file_bytes", "rank"),
        *_facts(_CRUSOE_DEPLOY, "hosting", "bills_idle"),
        *_facts(_CRUSOE_API, "hosting_needs", "chat_url", confidence=Confidence.SECONDARY),
        *_facts(_CRUSOE, "roles", "message_keys", confidence=Confidence.UNCONFIRMED),
    ),
    unpublished=frozenset({"minimum_examples", "knows_weights", "knows_tools", "max_example_tokens"}),
)

TOGETHER = Quirks(
    "together",
    minimum_examples=1,
    method_style=False,
    knows_metadata=False,
    methods=frozenset({Method.SFT, Method.DPO}),
    knows_weights=True,
    must_alternate=True,
    is_openai_shaped=False,  # /v1/fine-tunes
    knows_rate_multiplier=False,  # learning_rate is an absolute number
    rank=Rank.HYPERPARAMETER_R,
    goes_on=GoesOn.CHECKPOINT,
    hosting=Hosting.TOGETHER,
    hosting_needs="the hardware's id, as GET /v1/hardware lists it",
    bills_idle=True,
    max_file_bytes=100 * 1000**3,
    base_url="https://api.together.xyz/v1",
    facts=(
        *_facts(_TOGETHER, "methods", "roles", "message_keys", "must_alternate", "max_file_bytes"),
        *_facts(_TOGETHER_DPO, "one_output_message"),
        *_facts(_TOGETHER_API, "is_openai_shaped", "knows_rate_multiplier", "rank"),
        *_facts(_TOGETHER_ENDPOINTS, "bills_idle", "hosting"),
        *_facts(_TOGETHER_CLIENT, "hosting_needs"),  # resources/endpoints.py
        *_facts(_TOGETHER_CLIENT, "goes_on"),  # resources/finetune.py: a model or a checkpoint, not both
        *_facts(_TOGETHER_CHECK, "knows_weights"),  # its own client checks for 0 or 1
    ),
    unpublished=frozenset({"minimum_examples", "knows_tools", "max_example_tokens"}),
)

VENDORS = MappingProxyType({row.name: row for row in (TUNER, OPENAI, AZURE, NEBIUS, CRUSOE, TOGETHER)})

# Every status a vendor in our list has been documented to use; anything else counts as still running, never as an end.
JOB_STATES = MappingProxyType(
    {
        "validating_files": JobState.QUEUED,
        "pending": JobState.QUEUED,
        "queued": JobState.QUEUED,
        "running": JobState.RUNNING,
        "compressing": JobState.RUNNING,
        "uploading": JobState.RUNNING,
        "cancel_requested": JobState.RUNNING,
        "succeeded": JobState.SUCCEEDED,
        "completed": JobState.SUCCEEDED,
        "failed": JobState.FAILED,
        "error": JobState.FAILED,
        "cancelled": JobState.CANCELLED,
    }
)


def job_state(vendor_status: str) -> JobState:
    """Map a vendor's status word; an unknown one is RUNNING, so that a new word never ends a run by accident."""
    return JOB_STATES.get(vendor_status, JobState.RUNNING)
