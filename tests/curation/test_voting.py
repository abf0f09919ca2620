"""Where the plan lets people decide: the run waits for their choices on blind pairs, and nothing that is not sealed counts."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import timedelta

import pytest

from curation.blind import first_choices
from curation.critics import Critics
from curation.evidence import Counts, JudgeBeside, Outcome, Pairs, Rules
from curation.judging import LEAST_DOUBLE_LABELLED, Judge
from curation.jury import Bench
from curation.sealing import SEALS, sealed
from curation.voting import choices_of, found_by
from providers.base import Message
from providers.fake import FakeProvider
from storage.ids import new_id
from storage.records import Evaluation, PairVote, Preference, Run, RunState, SampleScore, Suite, Trigger, Verdict
from tests.conftest import JUDGED
from tests.curation.conftest import House, learned_nothing
from tests.curation.report.scenes import an_evaluation, sample
from tests.curation.test_sealing import with_rules

PEOPLE = replace(JUDGED, counts=Counts.PEOPLE)
OURS, THEIRS, ALIKE = Preference.CANDIDATE, Preference.INCUMBENT, Preference.NEITHER


async def looked(house: House, run: Run, looks: int = 30) -> Run:
    """Advance until the run is over, or nothing moves any more."""
    for _ in range(looks):
        before = run.state
        run = await house.look(run)
        if not run.is_open or (run.state is before is RunState.EVALUATED):
            return run
    raise AssertionError(run.state)


async def waiting(house: House) -> tuple[Run, list[SampleScore]]:
    """A run that waits for people, and what it compared."""
    with_rules(house, PEOPLE)
    await house.approve(*range(30))
    run = await looked(house, await house.request())
    assert run.state is RunState.EVALUATED, run.end_reason
    evaluation = await house.store.runs.evaluation(run.id)
    assert evaluation is not None
    return run, [each for each in evaluation.samples if each.suite is Suite.TARGET]


async def choose(house: House, run: Run, chosen: Sequence[tuple[SampleScore, Preference]], by: str = "mia") -> None:
    actor = await house.store.people.ensure_actor("cli", by, by.title(), at=house.workshop.now())
    for one, preference in chosen:
        vote = PairVote(run.id, one.correction_id, actor.id, preference, True, house.workshop.now())
        await house.store.blind_pairs.choose(vote)


async def test_scores_alone_promote_nothing_and_people_are_asked_once(house: House):
    run, samples = await waiting(house)
    run = await looked(house, run)
    assert run.state is RunState.EVALUATED
    asked = [text for text in await house.events(run) if "moderators decide now" in text]
    assert len(asked) == 1
    assert f"{len(samples)} pairs wait" in asked[0]
    assert "By the plan, moderators' choices on blind pairs decide." in asked[0]


async def test_peoples_choices_promote_and_the_verdict_says_that_they_counted(house: House):
    run, samples = await waiting(house)
    await choose(house, run, [(each, OURS) for each in samples[:2]])
    run = await looked(house, run)
    assert run.state is RunState.PROMOTED
    evaluation = await house.store.runs.evaluation(run.id)
    assert evaluation is not None
    assert evaluation.verdict is Verdict.BETTER
    assert "The new model is better on the blind pairs: it won 2 of 2 decisive pairs." in evaluation.reason
    assert [(each.rule, each.outcome) for each in evaluation.evidence] == [("better on the blind pairs", "proven")]
    assert (await house.store.models.current(house.voice.id)).why == evaluation.reason


async def test_people_who_prefer_the_model_that_serves_stop_the_run_whatever_the_scores(house: House):
    run, samples = await waiting(house)
    await choose(house, run, [(each, THEIRS) for each in samples[:2]])
    run = await looked(house, run)
    assert run.state is RunState.STOPPED
    assert "worse on the blind pairs" in run.end_reason


async def test_when_every_pair_is_judged_and_nothing_proven_the_run_ends(house: House):
    run, samples = await waiting(house)
    await choose(house, run, [(each, ALIKE) for each in samples])
    run = await looked(house, run)
    assert run.state is RunState.STOPPED
    assert "No pair on the blind pairs was decisive yet" in run.end_reason
    assert "Every pair is judged." in run.end_reason


async def test_people_have_the_time_that_was_sealed(house: House):
    run, _ = await waiting(house)
    house.advance(timedelta(hours=71).total_seconds())
    assert (await looked(house, run)).state is RunState.EVALUATED
    house.advance(timedelta(hours=1).total_seconds())
    run = await looked(house, run)
    assert run.state is RunState.STOPPED
    assert "People's time, 72 hours, is over." in run.end_reason


async def test_choices_count_in_no_run_whose_plan_says_scores(house: House):
    await house.approve(*range(14))
    house.provider.script = learned_nothing
    run = await house.finish(await house.request())
    assert run.state is RunState.STOPPED
    entry = await house.store.audit.first(run.id, SEALS)
    assert entry is not None
    assert (entry.detail["counts"], entry.detail["judge"]) == ("scores", "")


async def test_a_plan_changed_while_people_choose_decides_nothing(house: House):
    run, samples = await waiting(house)
    await choose(house, run, [(each, OURS) for each in samples])
    with_rules(house, replace(PEOPLE, people_hours=1.0))
    run = await looked(house, run)
    assert run.state is RunState.STOPPED
    assert "are not those written down before" in run.end_reason


def test_the_first_choice_on_a_pair_counts_and_of_one_conversation_the_first():
    evaluation = an_evaluation(*[sample(n, 0.2, 0.4) for n in range(4)])
    at = evaluation.evaluated_at
    votes = [
        PairVote("run_1", id, by, preference, True, at)
        for id, by, preference in (("c0", "a", OURS), ("c0", "b", THEIRS), ("c1", "a", THEIRS), ("c2", "a", ALIKE))
    ]
    choices = choices_of(evaluation, first_choices(votes), {"c1": "thread", "c2": "thread"}, "")
    assert choices.pairs == Pairs(1, 1)
    assert choices.open_pairs == 1


def judged(number: int, key: str = "judge-1") -> Evaluation:
    """So many pairs, of which a judge prefers the candidate on every one with an even number."""
    verdicts = [[f"c{n}", *(("first", "second") if n % 2 == 0 else ("second", "first"))] for n in range(number)]
    said = {"model": "m", "family": "f", "key": key, "unreadable": 0, "verdicts": verdicts, "lengths": []}
    evaluation = an_evaluation(*[sample(n, 0.2, 0.4) for n in range(number)])
    return replace(evaluation, measures={"judge": said})


def test_the_judge_is_looked_at_once_at_the_sealed_number_of_pairs_and_never_again():
    rules = Rules(counts=Counts.PEOPLE, judge="judge-1", judged_at=10)
    evaluation = judged(30)
    order = [(f"c{n}", OURS if n % 2 == 0 else ALIKE) for n in range(30)]
    assert choices_of(evaluation, order[:9], {}, "judge-1").beside(10) is None
    first = choices_of(evaluation, order[:10], {}, "judge-1").beside(10)
    assert first == JudgeBeside([1.0, 0.5] * 5, [1.0, 0.0] * 5, [1.0, 0.0] * 10)
    assert (
        choices_of(evaluation, [*order[:10], *[(id, THEIRS) for id, _ in order[10:]]], {}, "judge-1").beside(10)
        == first
    )
    assert found_by(choices_of(evaluation, order[:10], {}, "judge-1"), rules).outcome is Outcome.PROVEN
    assert found_by(choices_of(evaluation, order[:10], {}, ""), replace(rules, judge="")).outcome is Outcome.NOT_PROVEN


def test_a_judge_that_is_not_the_one_the_plan_named_or_has_no_pairs_of_its_own_counts_for_nothing():
    order = [(f"c{n}", OURS) for n in range(10)]
    assert choices_of(judged(30, "judge-2"), order, {}, "judge-1").beside(10) is None
    assert choices_of(judged(11), order, {}, "judge-1").beside(10) is None


async def agreed_before(house: House, judge: Judge, agrees: bool) -> None:
    """An earlier run whose pairs the judge and a moderator both judged."""
    at = house.workshop.now()
    run, _ = await house.store.runs.request(house.voice.id, "base", Trigger.PERSON, house.admin.id, at=at)
    evaluation = judged(LEAST_DOUBLE_LABELLED, judge.key)
    await house.store.runs.save_evaluation(replace(evaluation, run_id=run.id))
    for number in range(LEAST_DOUBLE_LABELLED):
        preference = OURS if (number % 2 == 0) is agrees else THEIRS
        await house.store.blind_pairs.choose(PairVote(run.id, f"c{number}", house.admin.id, preference, True, at))
    claimed = await house.store.runs.claim(run.id, "worker-1", now=at, lease_s=0)
    assert claimed is not None
    await house.store.runs.advance(run.id, claimed.epoch, run.state, RunState.STOPPED, at=at, end_reason="Before.")


@pytest.mark.parametrize("agrees", [True, False], ids=["agrees", "does not"])
async def test_a_judge_is_sealed_only_where_it_agreed_with_these_moderators(house: House, agrees: bool):
    def says_first(model: str, messages: Sequence[Message]) -> str:
        return "FIRST"

    judge = Judge("qwen-max", "qwen", "Be kind.")
    bench = Bench(judge, FakeProvider(frozenset({"qwen-max"}), script=says_first))
    house.workshop = replace(house.workshop, critics=Critics(bench))
    await agreed_before(house, judge, agrees)
    run, samples = await waiting(house)
    rules = await sealed(house.workshop, run)
    assert rules.judge == (judge.key if agrees else "")
    asked = next(text for text in await house.events(run) if "moderators decide now" in text)
    assert ("a judge that agreed with them counts beside them, once, at 60 pairs" in asked) is agrees
    await choose(house, run, [(each, OURS) for each in samples[:2]], by=new_id("mod", house.workshop.now()))
    decided = await looked(house, run)
    # Two of two give E = 2.33: enough at alpha 0.5, too little at the half of it that is left beside a judge.
    assert decided.state is (RunState.EVALUATED if agrees else RunState.PROMOTED)
