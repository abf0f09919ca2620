"""Whether a question is taken now: by its channel's rules, the limits of a minute, and the channel's day.

Nothing is asked of a model or recorded before this has said yes.
"""

from collections.abc import Collection
from dataclasses import dataclass

from bot.office.office import Office
from bot.opening import local
from bot.policy import CAP_REACHED, Asking, refusal
from bot.rates import Latest
from storage.records import ChannelRules

TOO_FAST = "That is a lot of questions at once. Please wait a minute, then ask again."


@dataclass(frozen=True, slots=True)
class Asker:
    """Who asks, and where; both by our keys."""

    key: str
    channel_key: str
    groups: Collection[str]  # the platform's ids of the roles or groups they are in, as far as the rules name them
    is_staff: bool


async def why_not_now(office: Office, latest: Latest, rules: ChannelRules, asker: Asker) -> str:
    """Why the question is not taken, as a sentence for who asks; "" where it is, and then it is counted.

    Staff are bound by the limits of a minute alone: what they try out does not use up the customers' day.
    """
    now, here = office.now(), f"{asker.channel_key}/{asker.key}"
    if why := refusal(rules, Asking(asker.groups, asker.is_staff, latest.ago_s(here), now)):
        return why
    limits, rates = office.rules, office.rates
    if not (
        rates.is_allowed(asker.key, limits.questions_per_minute)
        and rates.is_allowed(asker.channel_key, limits.channel_questions_per_minute)
    ):
        return TOO_FAST
    if rules.daily_cap and not asker.is_staff:
        day = local(now, rules.time_zone).date()
        if not await office.store.channels.take_question(office.platform, asker.channel_key, day, rules.daily_cap):
            return CAP_REACHED
    latest.happened(here)
    return ""
