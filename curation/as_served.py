"""Which fixes a training example is shown: those that recall would show for its question, never its own nor its group's.

A model that was tuned without them answers without looking, and does worse with fixes than its base; one that was tuned with
them uses them. Some examples go without all the same, so that it can answer where nothing is recalled. Because its own is never
among them, what is recalled for an example says something else far oftener than what is recalled for a customer; a model
that was shown all of it learned to pass fixes over. So most of what is astray is left out of what is learned.
"""

import hashlib
from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass

from curation.checks import Check
from curation.examples import Example
from curation.fixes import Shown, shape, shown_for
from curation.off_topic import Beside, beside
from curation.prompting import CountTokens
from curation.recall import Fix, Place, Recalled, RecallIndex
from curation.recall.companies import says_the_same_as
from curation.recall.meaning import Embedder

WITHOUT = 0.2  # share of examples that are shown none, whatever is recalled
ASTRAY = 0.1  # share that are shown whatever is recalled, also what says something else: docs/decisions/0015-astray.md

ShowFixes = Callable[[Example, Collection[str]], Shown]
"""What an example is shown, without the corrections whose ids are given beside its own."""


@dataclass(frozen=True, slots=True)
class AsServed:
    """How prompts get their fixes when serving, and so when training. `budget_tokens` is a served prompt's.

    Fixes are shown to an example that is to be learned only where they say what it says; of the share `astray` all of them.
    `off_topic` is the share of the lines to train on that are off-topic questions, answered without a fix; 0: none.
    """

    embedder: Embedder | None
    budget_tokens: int
    without: float = WITHOUT
    astray: float = ASTRAY
    off_topic: float = 0.0

    @property
    def shape(self) -> str:
        """Of the prompts, by name."""
        return shape(RecallIndex(self.embedder).shape)

    def over(
        self,
        fixes: Sequence[Fix],
        voice_id: str,
        system_prompt: str,
        count_tokens: CountTokens,
        checks: Sequence[Check] = (),
    ) -> "Served":
        """What serving would do with these fixes. All of them hold at the time of the newest.

        Off-topic answers that do not keep to the `checks` of the voice are not trained on.
        """
        index = RecallIndex(self.embedder)
        index.add_all(fixes)
        now = max((fix.valid_from for fix in fixes), default=None)

        def recalled(example: Example, besides: Collection[str]) -> Sequence[Recalled]:
            if now is None or is_of_share("without fixes", example.source_id, self.without):
                return ()
            return index.recall(
                example.question,
                Place(voice_id, example.provenance.channel),
                now,
                history=example.history,
                without={example.source_id, *example.merged, *besides},
            )

        def shown(example: Example, fitting: Sequence[Recalled]) -> Shown:
            return shown_for(
                fitting, system_prompt, example.question, budget_tokens=self.budget_tokens, count_tokens=count_tokens
            )

        def show(example: Example, besides: Collection[str]) -> Shown:
            return shown(example, recalled(example, besides))

        def teach(example: Example, besides: Collection[str]) -> Shown:
            found = recalled(example, besides)
            if not is_of_share("astray", example.source_id, self.astray):
                is_said_by = says_the_same_as(example.answer)
                found = [each for each in found if is_said_by(each.fix.answer)]
            return shown(example, found)

        def is_about_the_brand(question: str) -> bool:
            return now is not None and bool(index.recall(question, Place(voice_id, ""), now))

        return Served(show, teach, beside(self.off_topic, is_about_the_brand, checks))


@dataclass(frozen=True, slots=True)
class Served:
    """What an example is shown to be judged by, what to be learned from, and what is trained on beside the examples."""

    show: ShowFixes
    teach: ShowFixes
    beside: Beside


def is_of_share(what: str, source_id: str, share: float) -> bool:
    """Whether an example is one of the share of which something is so: always the same ones."""
    return int(hashlib.sha256(f"{what}:{source_id}".encode()).hexdigest()[:8], 16) / 16**8 < share
