"""A training run as a terminal shows it."""

import io
from dataclasses import replace

from rich.console import Console

from bot.watching import show_preview
from curation.requesting import Preview
from tests.bot.office.test_training import SHOWN, TWO


def printed(shown: Preview) -> str:
    terminal = Console(file=io.StringIO(), width=120)
    show_preview(shown, terminal)
    assert isinstance(terminal.file, io.StringIO)
    return terminal.file.getvalue()


def test_the_preview_says_what_a_run_is_charged_as_it_is():
    said = printed(replace(SHOWN, cost="$0.01: 420 tokens × 3 passes [sic]"))
    assert "cost         $0.01: 420 tokens × 3 passes [sic]" in said


def test_the_preview_says_what_each_of_two_jobs_reads():
    said = printed(replace(SHOWN, passes=TWO))
    assert "tokens       in two jobs: 420 per pass by sft, then 1,900 by dpo (counted by words)" in said


def test_where_no_run_may_start_nothing_is_said_of_money():
    said = printed(replace(SHOWN, cost="", refusal="3 approved examples, at least 12 needed."))
    assert "cost" not in said
    assert "at least 12 needed" in said
