"""What a run works with, and how runs are made."""

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime

from curation import evidence
from curation.as_served import AsServed
from curation.critics import Critics
from curation.dataset import Rules
from curation.gathering import Press
from curation.learned import Limits
from curation.prompting import CountTokens
from curation.recipes import Training
from curation.suites import Case
from curation.tariff import Tariff
from providers.base import Catalogue, ChatModel, Host, Sampling, Scores, Trainer
from providers.quirks import TUNER
from providers.rows import Quirks
from storage.records import PromptKind
from storage.store import Store

LOOK_AGAIN_S = 30.0  # engine.md, section 5: longer than a vendor's list of jobs lags behind
PROGRAM = "actor_finetone"  # the actor of everything nobody pressed a button for


@dataclass(frozen=True, slots=True)
class Recipe:
    """How runs are made, from settings. `n_epochs` None leaves the number to the trainer."""

    rules: Rules
    n_epochs: int | None
    evidence: evidence.Rules  # what a candidate has to prove, and what a canary may do
    sampling: Sampling  # how held-out questions are asked
    budget_tokens: int  # of a prompt, when serving and when asking held-out questions
    seed: int
    cases: tuple[Case, ...] = ()  # of the general and the safety suite, that every candidate is asked
    prompt: PromptKind = PromptKind.FULL  # which of the voice's prompts models are trained with
    as_served: AsServed | None = None  # shows training examples the fixes of a served prompt; None: they have none
    training: Training = field(default_factory=Training)  # by which method
    limits: Limits = field(default_factory=Limits)  # of asking what was learned and what was forgotten
    expected_life_days: int = 30  # a base that stops sooner is not trained on
    successor_base: str = ""  # trained on once the voice's base nears its end; "": nothing is


@dataclass(frozen=True, slots=True)
class Workshop:
    """What a run works with: the store, the provider's two halves, a token counter, the recipe, a clock, who bills it."""

    store: Store
    chat_model: ChatModel
    trainer: Trainer
    count_tokens: CountTokens
    counter_name: str
    recipe: Recipe
    now: Callable[[], datetime]
    tariff: Tariff = field(default_factory=Tariff)
    vendor: Quirks = TUNER  # who trains, and so how a training file has to be
    catalogue: Catalogue | None = None  # who knows when models stop; None: what was announced alone
    host: Host | None = None  # who serves what was trained; None: the vendor that trains, by itself
    critics: Critics = field(default_factory=Critics)  # a judge, a moderation, where they are configured
    scorer: Scores | None = None  # who says how likely a given answer is; None: the vendor cannot
    look_again_s: float = LOOK_AGAIN_S  # after a job was asked for and no answer came

    @property
    def press(self) -> Press:
        """What building a dataset takes."""
        return Press(self.recipe.rules, self.count_tokens, self.counter_name, self.recipe.prompt, self.recipe.as_served)
