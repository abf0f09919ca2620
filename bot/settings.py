"""One frozen Settings, read from the environment and .env once, at the edge. Names every missing variable in one error.

`.env.example` describes each; a test holds the two together.
"""

from pathlib import Path
from typing import Any, Literal
from urllib.parse import urlsplit
from zoneinfo import available_timezones

from pydantic import Field, SecretStr, ValidationError
from pydantic_settings import BaseSettings, SettingsConfigDict

from bot.opening import HoursRefused, spans_of
from bot.text import listed
from curation.triggers import ScheduleUnreadable, When
from storage.records import ChannelMode, PromptKind, ThreadMode

PREFIX = "FINETONE_"
DEFAULT_PROMPT = "You are the friendly support assistant of this shop. Answer briefly and helpfully."
LOOPBACK = frozenset({"127.0.0.1", "::1", "localhost"})


class SettingsMissing(Exception):
    """Settings that are needed are not set; the message names all of them and where to look."""


class SettingsWrong(Exception):
    """Settings have values that cannot be used; the message names each with its value's problem."""


class Settings(BaseSettings):
    """Everything an operator can choose. Durations are seconds, sizes are tokens unless the name says otherwise."""

    model_config = SettingsConfigDict(
        env_prefix=PREFIX, env_file=".env", frozen=True, extra="ignore", env_ignore_empty=True
    )

    # where things are kept
    data_dir: Path = Path("data")
    database_url: str = ""  # "": SQLite in data_dir

    # the console
    console_host: str = "127.0.0.1"
    console_port: int = Field(8321, ge=0, le=65535)

    # the voice
    voice_name: str = Field("practice", min_length=1, max_length=60)
    voice_prompt: str = DEFAULT_PROMPT
    short_prompt: str = ""  # what a model that was trained with it needs to be told
    bake_prompt: bool = False  # train with the short prompt, so that replies cost less
    team_of_one: bool = True

    # reviewing
    guidelines: str = ""  # Markdown, or the path of a .md file, shown where decisions are taken
    second_review: float = Field(0.1, ge=0, le=1)  # share of decisions a second reviewer is shown
    dispute_votes: int = Field(1, ge=1)  # approvers who have to agree before a dispute is settled
    questions_a_day: int = Field(3, ge=0)  # that moderators are asked in the review channel; 0: none
    asking_hours: str = "Mon-Fri 09:00-18:00"  # when, in the time zone below; "always" for at any time

    # who answers and trains
    provider: Literal["tuner", "openai", "azure", "nebius", "crusoe", "together"] = "tuner"
    base_model: str = ""  # with tuner: a name, .gguf file, folder or hub id; else the model to tune
    api_url: str = ""  # openai: another vendor of the same shape; azure: the resource's; tuner: one that runs elsewhere
    api_key: SecretStr = SecretStr("")
    hosting: str = ""  # what tuned models are deployed on, where the vendor needs to know (providers/quirks.py)
    hosting_key: SecretStr = SecretStr("")  # azure: an Entra token, which deploying takes in place of the key
    migrate_url: str = ""  # of the vendor that `finetone migrate` tries, as the four above
    migrate_key: SecretStr = SecretStr("")
    migrate_hosting: str = ""
    migrate_hosting_key: SecretStr = SecretStr("")
    tokenizer_file: Path | None = None

    # replies
    reply_tokens: int = Field(160, ge=1)
    prompt_tokens: int = Field(1024, ge=128)
    temperature: float = Field(0.0, ge=0, le=2)

    # training and promotion
    minimum_examples: int = Field(10, ge=1)
    minimum_held_out: int = Field(8, ge=1)
    held_out_share: float = Field(0.2, gt=0, lt=1)
    example_tokens: int = Field(1024, ge=64)
    good_marks: int = Field(0, ge=0)  # moderators who have to agree that a reply is good before it is learned; 0: never
    marks_trust: float = Field(0.5, ge=0, le=1)  # share of a moderator's decided proposals that was approved
    moderator_cap: float = Field(0.5, gt=0, le=1)  # largest share of a version; 1: no cap
    topic_cap: float = Field(0.2, gt=0, le=1)
    day_cap: float = Field(0.5, gt=0, le=1)
    epochs: int = Field(0, ge=0)  # 0: the trainer chooses
    alpha: float = Field(0.05, gt=0, lt=1)  # chance that a model that is no better is promoted
    margin: float = Field(0.02, ge=0, lt=1)  # least difference of two scores that is no tie
    general_margin: float = Field(0.15, gt=0, lt=1)  # mean score that may be lost on the general suite
    safety_margin: float = Field(0.15, gt=0, lt=1)
    learned_answers: int = Field(400, ge=0)  # asked of a candidate in one run to see what it learned; 0: nothing is
    forgotten_share: float = Field(0.1, ge=0, le=1)  # of what models before had learned, that a candidate may forget
    promote_by: Literal["scores", "people"] = "scores"  # what shows that a model is better: nearness, or blind pairs
    people_hours: float = Field(72, gt=0)  # that moderators have for the pairs of a comparison
    judged_at: int = Field(60, ge=2)  # pairs judged by people after which a judge's verdicts count beside theirs, once
    canary_percent: float = Field(0, ge=0, le=50)  # of conversations, before a model serves all; 0: no canary
    canary_hours: float = Field(72, gt=0)
    canary_votes: int = Field(60, ge=1)
    canary_floor: float = Field(0.6, gt=0, lt=1)  # share of thumbs up below which a canary does harm
    harm_alpha: float = Field(0.1, gt=0, lt=1)  # chance that a canary that does no harm is taken back
    retrain_schedule: str = ""  # five parts of a cron expression; "": no schedule
    retrain_after: int = Field(0, ge=0)  # newly approved corrections; 0: never by itself
    time_zone: str = "UTC"  # of the schedule
    recipe: Literal["sft", "dpo", "kto", "sft_dpo"] = "sft"  # how a run trains
    beta: float = Field(0, ge=0, le=2)  # of dpo and kto; 0: the trainer chooses
    learning_rate: float = Field(0, ge=0, le=100)  # times the trainer's own; 0: its own
    lora_r: int = Field(0, ge=0, le=256)  # rank of the adapter; 0: the trainer chooses
    replay: float = Field(0, ge=0, le=0.5)  # share of general examples mixed in, by the tuner, with sft
    expected_life_days: int = Field(30, ge=0)  # a base that stops sooner is not trained on
    successor_base: str = ""  # trained on, at the same provider, once the base nears its end; "": nothing is
    poll_seconds: float = Field(1.0, gt=0)
    worker_name: str = ""

    # what is corrected, in prompts
    retriever: Literal["best", "minilm", "wordllama", "words"] = "best"  # what finds corrections that fit a question
    as_served: bool = True  # build training examples with the corrections that the bot would be shown
    off_topic: float = Field(0.5, ge=0, le=0.5)  # share of them that are off-topic questions; only as served

    # what every candidate is asked beside the held-out questions
    general_questions: int = Field(40, ge=0)  # of the general suite at most; 0: none
    safety_questions: int = Field(36, ge=0)
    general_suite: Path | None = None  # a file of cases of one's own, asked before the shipped ones

    # a judge, and a vendor's moderation
    judge_model: str = ""  # "": no judge
    judge_family: str = ""  # who trained its base; "": told by its name
    judge_api_url: str = ""  # "": OpenAI
    judge_api_key: SecretStr = SecretStr("")
    moderation_model: str = ""  # "": no answer is looked at for toxicity
    moderation_api_url: str = ""
    moderation_api_key: SecretStr = SecretStr("")

    # personal data
    keep: str = ""  # the brand's own addresses, domains as @brand.example and hotlines, apart by commas

    # what it costs
    prices: dict[str, str] = Field(
        default_factory=dict[str, str]
    )  # vendor/model/item → "0.40 USD per 1,000,000 tokens"
    cost_of: str = ""  # vendor/model to reckon as well on a dataset's card, apart by commas

    # chat, on every platform
    questions_per_minute: int = Field(6, ge=0)  # of one person; 0: no limit
    channel_questions_per_minute: int = Field(60, ge=0)
    follow_up_hours: float = Field(
        0, ge=0
    )  # of silence after a reply, then the bot asks once whether it helped; 0: never
    link_domains: str = ""  # that links in replies may lead to, apart by commas; other links are removed

    # Slack
    slack_bot_token: SecretStr = SecretStr("")
    slack_app_token: SecretStr = SecretStr("")  # for Socket Mode
    slack_signing_secret: SecretStr = SecretStr("")  # for HTTP
    slack_client_id: str = ""  # with the next: several workspaces
    slack_client_secret: SecretStr = SecretStr("")
    slack_home_team: str = ""  # T…, whose channels and people the settings name; "": the first that installed the app
    slack_public_url: str = (
        ""  # where people's browsers reach us to install the app; "": as the app's page at Slack says
    )
    slack_api_url: str = "https://slack.com/api/"
    slack_authorize_url: str = "https://slack.com/oauth/v2/authorize"
    slack_host: str = "127.0.0.1"
    slack_port: int = Field(3000, ge=0, le=65535)
    slack_default_mode: ChannelMode = ChannelMode.MENTION
    slack_without: str = ""  # permissions of the app to leave out, apart by commas
    slack_moderators: str = ""  # ids of people (U…) and user groups (S…), apart by commas
    slack_approvers: str = ""
    slack_admins: str = ""
    slack_review_channel: str = ""  # ids of channels (C…)
    slack_triage_channel: str = ""
    slack_ops_channel: str = ""
    secret_key: SecretStr = SecretStr("")  # encrypts tokens of workspaces that install the app; "": a file in data_dir

    # Discord
    discord_token: SecretStr = SecretStr("")
    discord_moderators: str = ""  # ids of roles and people, apart by commas
    discord_approvers: str = ""
    discord_admins: str = ""
    discord_review_channel: str = ""  # ids of channels
    discord_triage_channel: str = ""
    discord_ops_channel: str = ""
    discord_escalation_role: str = ""  # id of the role that is rung once per thread when somebody asks for a person
    discord_default_mode: ChannelMode = ChannelMode.MENTION
    discord_thread_mode: ThreadMode = ThreadMode.THREAD
    discord_direct_messages: bool = False
    discord_streaming: bool = False
    discord_signs: str = ""  # further emoji by what they stand for, "good=name or id", apart by commas
    discord_quiet_minutes: float = Field(30, ge=0)  # after the team's last words in a thread; 0: until it is given back
    discord_footer: str = Field("AI answer, looked after by the team", max_length=200)  # under each answer, or "none"
    discord_api_url: str = "https://discord.com/api/v10"
    discord_gateway_url: str = "wss://gateway.discord.gg/"

    def says(self, name: str) -> bool:
        """Whether somebody set this one; else it has its default, which yields where it does not fit."""
        return name in self.model_fields_set

    @property
    def is_embedded(self) -> bool:
        """Whether this installation runs its own tuner as a child process."""
        return self.provider == "tuner" and not self.api_url

    @property
    def is_practice(self) -> bool:
        """Whether the small model that is shipped answers: a first loop with it is to take minutes."""
        return self.is_embedded and not self.base_model

    @property
    def is_sqlite(self) -> bool:
        """Whether the database is a file in the data folder."""
        return not self.database_url or self.database_url.startswith("sqlite")

    @property
    def asked_within(self) -> str:
        """When moderators are asked; "" for at any time."""
        return "" if self.asking_hours.strip().lower() == "always" else self.asking_hours

    @property
    def kept(self) -> frozenset[str]:
        """What is not taken out of corrections."""
        return frozenset(listed(self.keep))

    @property
    def cost_targets(self) -> list[tuple[str, str]]:
        """Vendors and models whose cost a dataset's card reckons as well."""
        found = [target.partition("/") for target in listed(self.cost_of)]
        return [(vendor, model) for vendor, _, model in found]

    @property
    def domains(self) -> frozenset[str]:
        """The domains that links may lead to."""
        return frozenset(domain.lower() for domain in listed(self.link_domains))

    @property
    def prompt_kind(self) -> PromptKind:
        """Which of the voice's prompts models are trained with."""
        return PromptKind.SHORT if self.bake_prompt else PromptKind.FULL

    @property
    def store_url(self) -> str:
        """The database's address, SQLAlchemy style."""
        return self.database_url or f"sqlite+aiosqlite:///{(self.data_dir / 'app.sqlite').resolve()}"


def load_settings(env_file: Path | None = Path(".env"), **overrides: Any) -> Settings:
    """Read settings; `overrides` (by field name) win over the environment. Raises SettingsMissing and SettingsWrong."""
    try:
        settings = Settings(_env_file=env_file, **overrides)  # type: ignore[call-arg]
    except ValidationError as error:
        problems = "; ".join(
            f"{PREFIX}{str(problem['loc'][0]).upper()} is {str(problem['input'])!r}: {problem['msg']}"
            for problem in error.errors()
        )
        raise SettingsWrong(f"{problems}. .env.example describes each setting.") from error
    missing: list[str] = []
    if settings.provider != "tuner":
        if not settings.api_key.get_secret_value():
            missing.append(f"{PREFIX}API_KEY")
        if not settings.base_model:
            missing.append(f"{PREFIX}BASE_MODEL")
        if settings.provider == "azure" and not settings.api_url:
            missing.append(f"{PREFIX}API_URL")
    if missing:
        are = "is" if len(missing) == 1 else "are"
        raise SettingsMissing(
            f"{', '.join(missing)} {are} not set. Copy .env.example to .env; the comments say where to find each."
        )
    if settings.bake_prompt and not settings.short_prompt:
        raise SettingsMissing(
            f"{PREFIX}BAKE_PROMPT is true, but {PREFIX}SHORT_PROMPT is not set. Set it to what a trained model still needs to "
            "be told, or leave both."
        )
    wrong: list[str] = []
    if settings.console_host not in LOOPBACK:
        wrong.append(
            f"{PREFIX}CONSOLE_HOST is {settings.console_host!r}: the console signs people in by a one-time link and is "
            "served on this machine only (127.0.0.1). Reach it from elsewhere through an SSH tunnel"
        )
    if settings.database_url and not settings.database_url.startswith(("sqlite+aiosqlite://", "postgresql+psycopg://")):
        scheme = urlsplit(settings.database_url).scheme
        wrong.append(
            f"{PREFIX}DATABASE_URL begins with {scheme or settings.database_url!r}: use sqlite+aiosqlite:///FILE or "
            "postgresql+psycopg://USER:PASSWORD@HOST/DATABASE"
        )
    if settings.time_zone not in available_timezones():
        wrong.append(f"{PREFIX}TIME_ZONE is {settings.time_zone!r}, which is no time zone; write one as Europe/Berlin")
    if settings.recipe not in ("sft", "sft_dpo") and settings.replay:
        wrong.append(
            f"{PREFIX}REPLAY is {settings.replay:g}, and {PREFIX}RECIPE is {settings.recipe!r}: general examples are "
            "mixed in with answers, by sft or sft_dpo; set one of the two"
        )
    if settings.off_topic and not settings.as_served and settings.says("off_topic"):
        wrong.append(
            f"{PREFIX}OFF_TOPIC is {settings.off_topic:g}, and {PREFIX}AS_SERVED is false: off-topic questions are trained on "
            "beside examples that are built as served; set one of the two"
        )
    if settings.successor_base and settings.successor_base == settings.base_model:
        wrong.append(
            f"{PREFIX}SUCCESSOR_BASE is {settings.successor_base!r}, and so is {PREFIX}BASE_MODEL: name the base that is to "
            "follow it, or leave the first empty"
        )
    try:
        spans_of(settings.asked_within)
    except HoursRefused as error:
        wrong.append(f"{PREFIX}ASKING_HOURS: {str(error).removesuffix('.')}")
    try:
        When(settings.retrain_schedule)
    except ScheduleUnreadable as error:
        wrong.append(f"{PREFIX}RETRAIN_SCHEDULE: {str(error).removesuffix('.')}")
    if wrong:
        raise SettingsWrong("; ".join(wrong) + ".")
    return settings
