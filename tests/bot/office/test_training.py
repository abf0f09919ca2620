"""What a run would do, line by line, as every chat platform shows it."""

from dataclasses import replace

from bot import moderation
from bot.office import training
from bot.office.office import Office
from bot.office.telling import Line
from bot.office.training import preview_lines
from curation.requesting import Preview
from storage.records import Judgement
from tests.bot.conftest import Team

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
