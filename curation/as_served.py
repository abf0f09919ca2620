"""Which fixes a training example is shown: those that recall would show for its question, never its own nor its group's.

A model that was tuned without them answers without looking, and does worse with fixes than its base; one that was tuned with
them uses them. Some examples go without all the same, so that it can answer where nothing is recalled.
"""

import hashlib
from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass

from curation.examples import Example
from curation.fixes import Shown, shape, shown_for
from curation.prompting import CountTokens
from curation.recall import Fix, Place, RecallIndex
from curation.recall.meaning import Embedder

WITHOUT = 0.2  # share of examples that are shown none, whatever is recalled

ShowFixes = Callable[[Example, Collection[str]], Shown]
"""What an example is shown, without the corrections whose ids are given beside its own."""

NOTHING = Shown((), (), 0)


@dataclass(frozen=True, slots=True)
class AsServed:
    """How prompts get their fixes when serving, and so when training. `budget_tokens` is a served prompt's."""

    embedder: Embedder | None
    budget_tokens: int
    without: float = WITHOUT

    @property
    def shape(self) -> str:
        """Of the prompts, by name."""
        return shape(RecallIndex(self.embedder).shape)

    def over(self, fixes: Sequence[Fix], voice_id: str, system_prompt: str, count_tokens: CountTokens) -> ShowFixes:
        """What shows each example those of `fixes` that fit it. All of them hold at the time of the newest."""
        index = RecallIndex(self.embedder)
        index.add_all(fixes)
        now = max((fix.valid_from for fix in fixes), default=None)

        def show(example: Example, besides: Collection[str]) -> Shown:
            if now is None or goes_without(example.source_id, self.without):
                return NOTHING
            recalled = index.recall(
                example.question,
                Place(voice_id, example.provenance.channel),
                now,
                history=example.history,
                without={example.source_id, *example.merged, *besides},
            )
            return shown_for(
                recalled, system_prompt, example.question, budget_tokens=self.budget_tokens, count_tokens=count_tokens
            )

        return show


def goes_without(source_id: str, share: float) -> bool:
    """Whether an example is one of the share that is shown no fix: always the same ones."""
    return int(hashlib.sha256(f"without fixes:{source_id}".encode()).hexdigest()[:8], 16) / 16**8 < share
