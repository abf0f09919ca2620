"""An office of no platform in particular, with a team's store, voice and workshop."""

import pytest

from bot.answering import Desk
from bot.office.office import Office, Rules
from bot.rates import Rates
from providers.base import Sampling
from tests.bot.conftest import Team


@pytest.fixture
def office(team: Team) -> Office:
    workshop = team.workshop
    return Office(
        platform="console",
        store=team.store,
        voice=team.voice,
        desk=Desk(team.store, workshop.chat_model, workshop.count_tokens, Sampling(50), 500, "desk-1", team.clock),
        workshop=workshop,
        rates=Rates(team.clock),
        rules=Rules(questions_per_minute=2, channel_questions_per_minute=3),
        now=team.clock,
    )
