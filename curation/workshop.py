"""What a run works with, and how runs are made."""

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime

from curation.dataset import Rules
from curation.gathering import Press
from curation.prompting import CountTokens
from curation.tariff import Tariff
from providers.base import ChatModel, Sampling, Trainer
from storage.records import PromptKind
from storage.store import Store

PROGRAM = "actor_finetone"  # the actor of everything nobody pressed a button for


@dataclass(frozen=True, slots=True)
class Recipe:
    """How runs are made, from settings. `n_epochs` None leaves the number to the trainer."""

    rules: Rules
    n_epochs: int | None
    margin: float  # mean gain over the incumbent required for promotion, in points of [0, 1]
    sampling: Sampling  # how held-out questions are asked
    budget_tokens: int  # of a prompt, when serving and when asking held-out questions
    seed: int
    prompt: PromptKind = PromptKind.FULL  # which of the voice's prompts models are trained with


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

    @property
    def press(self) -> Press:
        """What building a dataset takes."""
        return Press(self.recipe.rules, self.count_tokens, self.counter_name, self.recipe.prompt)
