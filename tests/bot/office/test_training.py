"""What a run would do, line by line, as every chat platform shows it."""

from dataclasses import replace
from datetime import UTC, datetime

import pytest

from bot import moderation
from bot.discord_app.cards import run_card as discord_card
from bot.office import training
from bot.office.cards import RunCard
from bot.office.office import Office
from bot.office.telling import Line
from bot.office.training import preview_lines
from bot.search_cli import preview_text
from bot.slack_app.blocks import run_card as slack_card
from bot.wording import words_of_run
from curation.imports import Answer
from curation.passes import Pass
from curation.requesting import Preview
from curation.search import caps_of
from curation.searching import preview_search
from providers.base import Method
from storage.records import CorrectionState, Judgement, RecipeKind, Run, RunState, Trigger
from tests.bot.conftest import Team

AT = datetime(2026, 11, 22, tzinfo=UTC)
RUN = replace(
    Run("run_1", "voice_1", RunState.TRAINING, Trigger.PERSON, "actor_1", AT, AT, 1, None, None, "base", "ds_1"),
    recipe=RecipeKind.SFT_DPO,
)
SHOWN = Preview(
    train=16,
    held_out=4,
    train_tokens=420,
    left_out={},
    waiting=0,
    new=20,
    tokens_counted_by="words",
    expected_seconds=None,
    cost="nothing to pay",
    open_run=None,
    refusal="",
)


def test_the_preview_has_one_line_about_money():
    assert [line for line in preview_lines(SHOWN) if line.label == "Cost"] == [Line("nothing to pay", "Cost")]


TWO = (Pass(Method.SFT, 16, 420), Pass(Method.DPO, 16, 1_900))


def test_a_recipe_of_two_jobs_says_what_each_reads():
    [tokens] = [line.words for line in preview_lines(replace(SHOWN, passes=TWO)) if line.label == "Tokens"]
    assert tokens == "in two jobs: 420 per pass by sft, then 1,900 by dpo"
    [tokens] = [line.words for line in preview_lines(replace(SHOWN, passes=TWO[1:])) if line.label == "Tokens"]
    assert tokens == "1,900 per pass"


@pytest.mark.parametrize(
    ("run", "said"),
    [
        (replace(RUN, step=1), "Training, step 1 of 2"),
        (replace(RUN, step=2, state=RunState.FROZEN), "Dataset frozen, step 2 of 2"),
        (replace(RUN, step=2, paused_by="actor_1"), "Training, step 2 of 2, paused"),
        (replace(RUN, step=2, state=RunState.PROMOTED), "Promoted"),
        (replace(RUN, recipe=RecipeKind.SFT), "Training"),
        (replace(RUN, recipe=None), "Training"),
    ],
    ids=lambda value: "" if isinstance(value, Run) else value,
)
def test_a_runs_card_says_at_which_step_it_is_on_both_platforms(run: Run, said: str):
    assert words_of_run(run) == said
    assert said in slack_card(run, (), None).text
    shown = discord_card(RunCard(run, (), None))
    assert f"**Training run** · {said}" in str(shown.to_components())


def test_where_no_run_may_start_nothing_is_said_of_money():
    refused = replace(SHOWN, cost="", refusal="3 approved examples, at least 12 needed.")
    assert "Cost" not in [line.label for line in preview_lines(refused)]
    assert preview_lines(refused)[-1].words == refused.refusal


async def test_judgements_nobody_has_corrected_do_not_stand_in_the_way_of_a_preview(office: Office, team: Team):
    for person, judgement in ((team.cleo, Judgement.GOOD), (team.mia, Judgement.WRONG)):
        await moderation.mark(team.store, person, team.reply.id, judgement, now=team.clock())
    shown, may_start = await training.preview(office, team.ada)
    assert not may_start
    assert "at least 12 needed" in shown.lines[-1].words


async def answers_of(office: Office, team: Team, count: int) -> None:
    """Approved answers, each of its own conversation."""
    answers = [Answer(n, f"Question {n}?", f"Ahoy! Question {n}?") for n in range(count)]
    await moderation.propose_answers(team.store, team.mia, team.voice, "faq.csv", answers, now=team.clock())
    waiting = await team.store.corrections.list(team.voice.id, [CorrectionState.PROPOSED], limit=count)
    await team.store.corrections.approve_many([one.id for one in waiting], by=team.noor.id, note="", at=team.clock())


async def test_a_search_warns_in_chat_and_terminal_where_runs_train_otherwise(office: Office, team: Team):
    await answers_of(office, team, 30)
    shown, _ = await training.search(office, team.ada, ["2", "5"])
    assert not any("FINETONE_RECIPE" in line.words for line in shown.lines)
    recipe = office.workshop.recipe
    pairs = replace(recipe, training=replace(recipe.training, recipe=RecipeKind.DPO))
    office.workshop = replace(office.workshop, recipe=pairs)
    shown, caps = await training.search(office, team.ada, ["2", "5"])
    told = shown.lines[-1].words
    assert told.startswith("⚠ FINETONE_RECIPE is dpo, so runs learn each correction over the reply it corrects.")
    assert "its settings are for the answers’ job only" in told
    assert caps == "2/5/"
    printed = preview_text(await preview_search(office.workshop, office.voice, caps_of("2", "5", "")))
    assert printed.splitlines()[-1] == told.removeprefix("⚠ ")
