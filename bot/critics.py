"""What a candidate is asked beside the held-out questions, and who else looks at its answers, from settings."""

import contextlib
from collections.abc import AsyncGenerator

from bot.settings import Settings
from curation.critics import Critics
from curation.judging import Judge, family_of
from curation.jury import Bench, require_other_family
from curation.suites import Case, SuiteSizes, SuiteUnreadable, chosen, read_cases, shipped_cases
from providers.openai_api import OpenAIModerator, OpenAIProvider
from providers.quirks import OPENAI
from storage.records import Suite, Voice


def cases_of(settings: Settings, seed: int) -> tuple[Case, ...]:
    """What every candidate is asked beside the held-out questions. Raises SuiteUnreadable.

    The small model that is shipped to practise with is asked where the settings say a number, and not by default: a first loop
    is to take minutes (docs/evaluation.md).
    """
    own: tuple[Case, ...] = ()
    if (path := settings.general_suite) is not None:
        try:
            own = read_cases(path.read_text("utf-8"), str(path), Suite.GENERAL)
        except (OSError, UnicodeDecodeError) as wrong:
            raise SuiteUnreadable(
                f"FINETONE_GENERAL_SUITE is {path}, which cannot be read as text ({wrong}). Give the path of a JSONL file."
            ) from wrong
    sizes = SuiteSizes(_size(settings, "general_questions"), _size(settings, "safety_questions"))
    return chosen(own, (*shipped_cases(Suite.GENERAL), *shipped_cases(Suite.SAFETY)), sizes, seed)


@contextlib.asynccontextmanager
async def open_critics(settings: Settings, voice: Voice) -> AsyncGenerator[Critics]:
    """A judge and a moderation where the settings name one, each with its own key. Raises SameFamily."""
    async with contextlib.AsyncExitStack() as stack:
        bench: Bench | None = None
        if settings.judge_model:
            family = settings.judge_family or family_of(settings.judge_model)
            judge = Judge(settings.judge_model, family, voice.system_prompt)
            require_other_family(judge, family_of(voice.base_model))
            key = settings.judge_api_key.get_secret_value() or "none"
            asked = OpenAIProvider(settings.judge_api_url or None, key, OPENAI)
            stack.push_async_callback(asked.aclose)
            bench = Bench(judge, asked)
        moderator: OpenAIModerator | None = None
        if settings.moderation_model:
            key = settings.moderation_api_key.get_secret_value() or "none"
            moderator = OpenAIModerator(settings.moderation_api_url or None, key, settings.moderation_model)
            stack.push_async_callback(moderator.aclose)
        yield Critics(bench, moderator)


def _size(settings: Settings, name: str) -> int:
    """How many cases of a suite are asked at most."""
    return getattr(settings, name) if settings.says(name) or not settings.is_practice else 0
