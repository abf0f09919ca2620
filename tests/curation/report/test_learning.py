"""The learning page as sentences and Markdown: what is not known is said, and nobody's words become markup."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import date
from decimal import Decimal

import pytest

from curation.cost import Money
from curation.evidence import Interval
from curation.learning import Learning, NextRun, Taught, Took, taught_by
from curation.prices import Price, Unit
from curation.report.learning import (
    NOTHING_YET,
    learning_markdown,
    next_sentences,
    prompt_plot,
    share_plot,
    took_sentences,
)
from tests.curation.test_learning import LEARNED, a_model, a_promotion, verdicts
from tests.curation.test_selecting import correction

TOOK = Took(1_200, 2, Money(Decimal("0.5"), "USD"), is_free=False, decisions=30, seconds=20.0, learned=10)
PRICE = Price(Decimal(2), Unit.MILLION_TOKENS, "USD", "https://example.com", date(2026, 11, 22))
NEXT = NextRun(1, 4, "", "$0.50", Money(Decimal("0.5"), "USD"), 100_000, Interval(0.25, 0.5), PRICE)


def a_learning(found: Sequence[Taught] = ()) -> Learning:
    return Learning(tuple(found), (), TOOK, NEXT)


@pytest.mark.parametrize(
    ("took", "said"),
    [
        (
            TOOK,
            "2 runs read 1,200 tokens in all passes: $0.50 at the prices known today, $0.05 for each of the 10 learned",
        ),
        (
            TOOK,
            "30 decisions at about 20 seconds, the median between two that one person made within 10 minutes: 1.0 minutes",
        ),
        (replace(TOOK, learned=0), "$0.50 at the prices known today."),
        (replace(TOOK, learned=0), "within 10 minutes. Writing corrections is not counted"),
        (replace(TOOK, money=None), "What that cost is not known here; FINETONE_PRICES gives a price."),
        (
            replace(TOOK, money=None, is_free=True, runs=1),
            "1 run read 1,200 tokens in all passes. Nothing was paid: the tuner",
        ),
        (replace(TOOK, runs=0), "Nothing was trained yet."),
        (replace(TOOK, seconds=None), "How long moderators took is not known: that takes 5 decisions"),
    ],
)
def test_what_it_took_is_said_with_how_it_comes_about(took: Took, said: str):
    assert said in " ".join(took_sentences(took))


@pytest.mark.parametrize(
    ("run", "said"),
    [
        (NEXT, "1 approved correction is new to the serving model, and 4 in force are not in its weights"),
        (NEXT, "it would save 25,000 to 50,000 tokens of prompts a month, and so its cost in 150 to 300 days."),
        (replace(NEXT, fix_tokens=10_000), "and so its cost in 4.1 to 8.2 years."),
        (replace(NEXT, price=None), "What that is worth is not known: it takes a price of training and one of prompts"),
        (replace(NEXT, share=None), "Whether it pays is not known until 5 corrections of one model were judged"),
        (replace(NEXT, fix_tokens=0), "A run would save no tokens of prompts: no reply of those days was shown a fix"),
        (replace(NEXT, refusal="7 approved examples."), "No run may start now. 7 approved examples."),
    ],
)
def test_when_the_next_run_pays_is_said_with_what_is_missing(run: NextRun, said: str):
    assert said in " ".join(next_sentences(run))


def test_before_anything_was_judged_there_is_no_plot_and_the_file_says_so():
    assert (share_plot(a_learning()), prompt_plot(a_learning())) == ("", "")
    written = learning_markdown(a_learning(), {}, "puffin")
    assert written.startswith(f"# What puffin learned\n\n{NOTHING_YET}\n")
    assert "![" not in written


def test_nothing_that_a_customer_asked_becomes_markup():
    found = taught_by([a_model(1)], [a_promotion(1)], verdicts(1, corr_1=LEARNED, corr_2=LEARNED), [])
    hostile = replace(correction(1), id="corr_1", question="<img src=x>\n# | **bold** [a](b)")
    written = learning_markdown(a_learning(found), {"corr_1": hostile}, "*puffin*")
    assert "- taught: \\<img src=x\\> \\# \\| \\*\\*bold\\*\\* \\[a\\](b); (erased)" in written
    assert written.startswith("# What \\*puffin\\* learned\n")
    assert "| 1 | 2 | 2 | 34% to 100% | 0 | 0 | 2 | 0 |" in written


def test_plots_are_kept_where_they_are_wanted():
    kept: dict[str, str] = {}

    def keep(name: str, svg: str) -> str:
        kept[name] = svg
        return f"plots/{name}.svg"

    found = taught_by([a_model(1)], [], verdicts(1, corr_1=LEARNED), [])
    written = learning_markdown(a_learning(found), {}, "puffin", keep)
    assert "![learned share](plots/learned.svg)" in written
    assert "model 1, never served: 1 of 1, 21% to 100%" in kept["learned"]
