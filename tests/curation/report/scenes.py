"""A run with an evaluation, as the tests of a report want it."""

from datetime import UTC, datetime

from curation.checks import declared
from curation.measures import Answer, counted, stored
from storage.records import BesideAnswer, Evaluation, Run, RunEvent, RunState, SampleScore, Suite, Trigger
from storage.records.runs import Verdict

NOW = datetime(2026, 11, 21, 9, 30, tzinfo=UTC)
CHECKS = {"length": {"most_words": 3}}


def a_run() -> Run:
    return Run("run_1", "voice_1", RunState.STOPPED, Trigger.PERSON, "ada", NOW, NOW, 1, None, None, "base")


def sample(number: int, incumbent: float, candidate: float, suite: Suite = Suite.TARGET) -> SampleScore:
    beside = (BesideAnswer("base", "Dear.", 0.25), BesideAnswer("few_shot", "Hm.", 0.5))
    return SampleScore(
        f"c{number}",
        f"Question {number}?",
        f"Wanted {number}.",
        f"Before {number}.",
        f"After {number}.",
        incumbent,
        candidate,
        beside if suite is Suite.TARGET else beside[:1],
        suite,
    )


def an_evaluation(*samples: SampleScore, verdict: Verdict = Verdict.BETTER) -> Evaluation:
    answers = {
        "incumbent": [Answer("Dear dear customer, hello", 100, 20), Answer("Hello", 100, 20)],
        "candidate": [Answer("Ahoy", 40, 10), Answer("Ahoy there", 40, 10)],
    }
    arms = {way: counted(said, declared(CHECKS)) for way, said in answers.items()}
    measures = stored(arms, CHECKS)
    return Evaluation("run_1", "base", "ft:1", samples, 0.02, verdict, "Closer.", NOW, measures)


def step(number: float, **numbers: float) -> tuple[int, RunEvent]:
    return int(number), RunEvent("run_1", f"e{number}", NOW, "info", "", {"step": number, **numbers})
