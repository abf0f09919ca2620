"""Do the gates err as seldom as promised, and decide as soon as said, when somebody looks after every single vote?

Thumbs are drawn with known chances and given to the rules of `curation.evidence`, which are asked again after each. The
rival in the same run is the gate many people build: stop as soon as the chance that the candidate is better passes 95 %.
Votes are drawn independently; those of real people come in clusters, which makes every count larger.
"""

import math
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import islice
from random import Random
from statistics import median_low
from typing import Any

from bench.report import Promise, arguments, finish
from curation.evidence import (
    Counts,
    JudgeBeside,
    Rules,
    Vote,
    decided_by,
    log_threshold,
    median_pairs,
    wins_needed,
    with_judge,
)
from curation.evidence.betting import canary_harm_path, not_inferior_path
from curation.evidence.pairs import EVEN
from curation.evidence.rules import HARM_RULES

Stop = Callable[[Random], int | None]  # one experiment: after how many pairs or votes it was decided; None: it was not

SHARE = 0.10  # of the conversations, given to the canary
NEAR = 0.15  # a median may differ by this much from the promised one: seeds alone move it by 0.10
ERRORS = 3  # standard errors of a simulated rate that are put down to chance
BASE_RATES = (0.5, 0.75, 0.9)  # thumbs up, where two models are equal
LONG, MEDIUM = 20_000, 3_000  # pairs or votes after which an undecided power experiment is given up


def _cases(upto: int, alpha: float, q0: float = 0.5) -> Sequence[int]:
    return tuple(islice(wins_needed(alpha, q0), upto + 1))


def preferred(up: float, other_up: float, alpha: float, limit: int) -> Stop:
    """Pairs of thumbs, one of each arm, until the arm with chance `up` is proven better. Promotion; swapped, harm."""
    needed = _cases(limit, alpha)

    def run(chance: Random) -> int | None:
        wins = decisive = 0
        draw = chance.random
        for pair in range(1, limit + 1):
            good, other_good = draw() < up, draw() < other_up
            if good == other_good:
                continue
            decisive += 1
            wins += good
            if wins >= needed[decisive]:
                return pair
        return None

    return run


def below(floor: float, up: float, alpha: float, limit: int) -> Stop:
    """Votes on the canary alone until its thumbs up are proven to be fewer than `floor`."""
    needed = _cases(limit, alpha, 1 - floor)

    def run(chance: Random) -> int | None:
        bad = 0
        for vote in range(1, limit + 1):
            bad += chance.random() >= up
            if bad >= needed[vote]:
                return vote
        return None

    return run


def canary(up: float, other_up: float, alpha: float, limit: int) -> Stop:
    """All votes while the canary has a tenth of the conversations, until it is proven worse."""

    def votes(chance: Random) -> Iterator[Vote]:
        for _ in range(limit):
            by_candidate = chance.random() < SHARE
            yield Vote(by_candidate, chance.random() < (up if by_candidate else other_up))

    return lambda chance: _first(canary_harm_path(votes(chance), SHARE), alpha)


def any_harm(up: float, floor: float, alpha: float, limit: int) -> Stop:
    """The three harm rules on the same votes of a canary of a tenth, each with a third of alpha, until any one decides."""
    each = alpha / HARM_RULES
    in_pairs, under_floor, needed = _cases(limit, each), _cases(limit, each, 1 - floor), log_threshold(each)

    def run(chance: Random) -> int | None:
        votes = [Vote(chance.random() < SHARE, chance.random() < up) for _ in range(limit)]
        thumbs: dict[bool, list[bool]] = {True: [], False: []}
        lost = decisive = bad = 0
        for at, (vote, log_e) in enumerate(zip(votes, canary_harm_path(votes, SHARE), strict=True), 1):
            ours, others = thumbs[vote.by_candidate], thumbs[not vote.by_candidate]
            ours.append(vote.good)
            if len(ours) <= len(others) and others[len(ours) - 1] != vote.good:
                decisive += 1
                lost += vote.good != vote.by_candidate
            bad += vote.by_candidate and not vote.good
            if log_e >= needed or lost >= in_pairs[decisive] or bad >= under_floor[len(thumbs[True])]:
                return at
        return None

    return run


def not_inferior(up: float, other_up: float, margin: float, alpha: float, limit: int) -> Stop:
    """Pairs of thumbs until the candidate is proven to lose less than `margin`."""

    def differences(chance: Random) -> Iterator[int]:
        for _ in range(limit):
            yield (chance.random() < up) - (chance.random() < other_up)

    return lambda chance: _first(not_inferior_path(differences(chance), margin), alpha)


def inferior(up: float, other_up: float, margin: float, alpha: float, limit: int) -> Stop:
    """Pairs of thumbs until the candidate is proven to lose more than `margin`."""

    def losses(chance: Random) -> Iterator[int]:
        for _ in range(limit):
            yield (chance.random() < other_up) - (chance.random() < up)

    return lambda chance: _first(not_inferior_path(losses(chance), -margin), alpha)


@dataclass(frozen=True)
class Judging:
    """A judge of blind pairs: it says what people say with chance `right`, else draws, the candidate with chance `for_ours`."""

    right: float
    for_ours: float = 0.5
    alone: int = 140  # pairs that it judges and people do not

    def verdict(self, people: float, chance: Random) -> float:
        return people if chance.random() < self.right else float(chance.random() < self.for_ours)


JUDGES: dict[str, Judging | None] = {
    "no judge": None,
    "a good judge": Judging(0.85),
    "a judge who knows nothing and likes ours": Judging(0.0, 0.9),
    "a judge who leans to ours": Judging(0.6, 0.9, alone=20),
}


def by_people(q: float, judge: Judging | None, alpha: float, limit: int, ties: float = 0.2) -> Stop:
    """Blind pairs, looked at after each, until people's choices, or once the judge's beside them, prove a preference."""
    rules = Rules(alpha=alpha, counts=Counts.PEOPLE, judge="judge" if judge else "")
    needed = _cases(limit, rules.people_alpha)

    def choice(chance: Random) -> float:
        return 0.5 if chance.random() < ties else float(chance.random() < q)

    def run(chance: Random) -> int | None:
        wins = decisive = 0
        chosen: list[float] = []
        for pair in range(1, limit + 1):
            chosen.append(choice(chance))
            decisive += chosen[-1] != 0.5
            wins += chosen[-1] == 1.0
            if wins >= needed[decisive]:
                return pair
            if judge is not None and pair == rules.judged_at:
                said = [judge.verdict(each, chance) for each in chosen]
                beside = JudgeBeside(chosen, said, [judge.verdict(choice(chance), chance) for _ in range(judge.alone)])
                both = with_judge(beside, rules)
                if both is not None and both.is_proven:
                    return pair
        return None

    return run


def naive(up: float, limit: int, certainty_z: float = 1.645) -> Stop:
    """The rival: two equal models, stopped when P(candidate better) > 95 % (uniform priors, normal approximation)."""

    def run(chance: Random) -> int | None:
        ours = theirs = 1
        for pair in range(1, limit + 1):
            ours += chance.random() < up
            theirs += chance.random() < up
            means = ours / (pair + 2), theirs / (pair + 2)
            spread = sum(mean * (1 - mean) / (pair + 3) for mean in means)
            if means[0] - means[1] > certainty_z * math.sqrt(spread):
                return pair
        return None

    return run


def _first(path: Iterable[float], alpha: float) -> int | None:
    needed = log_threshold(alpha)
    return next((at for at, log_e in enumerate(path, 1) if log_e >= needed), None)


def stops(run: Stop, runs: int, seed: str) -> list[int | None]:
    """`runs` experiments, the same for the same seed."""
    chance = Random(seed)
    return [run(chance) for _ in range(runs)]


def error_rate(run: Stop, runs: int, seed: str) -> float:
    """The share of experiments that decided, where nothing was there to find."""
    return sum(stop is not None for stop in stops(run, runs, seed)) / runs


def allowed(alpha: float, runs: int) -> float:
    """The highest simulated rate that a true one of `alpha` explains."""
    return alpha + ERRORS * math.sqrt(alpha * (1 - alpha) / runs)


def median_stop(run: Stop, runs: int, seed: str) -> float:
    """The median number of pairs or votes to a decision; infinite where most experiments reach none."""
    return median_low([math.inf if stop is None else stop for stop in stops(run, runs, seed)])


def nothing_to_find(limit: int) -> dict[str, tuple[float, Stop]]:
    """Name → (alpha, an experiment in which every decision is an error)."""
    found: dict[str, tuple[float, Stop]] = {}
    for up in BASE_RATES:
        found[f"promotion, both {up}"] = 0.05, preferred(up, up, 0.05, limit)
        found[f"harm in pairs, both {up}"] = 0.10, preferred(up, up, 0.10, limit)
        found[f"below a floor of {up}, at it"] = 0.10, below(up, up, 0.10, limit)
        found[f"harm in a 10 % canary, both {up}"] = 0.10, canary(up, up, 0.10, limit)
        found[f"not inferior, {up} → {up - 0.1:.2f}, margin .10"] = 0.05, not_inferior(up - 0.1, up, 0.1, 0.05, limit)
        found[f"loses too much, {up} → {up - 0.1:.2f}, margin .10"] = 0.05, inferior(up - 0.1, up, 0.1, 0.05, limit)
    for name, judge in JUDGES.items():
        found[f"blind pairs, both equal, {name}"] = 0.05, by_people(0.5, judge, 0.05, limit)
    found["any harm rule, both .60, floor .60"] = 0.10, any_harm(0.6, 0.6, 0.10, limit)
    return found


def something_to_find() -> dict[str, tuple[int, Stop]]:
    """Name → (the median promised for it, found by another program before this one was written, the experiment)."""
    return {
        "promotion .60 → .75": (120, preferred(0.75, 0.60, 0.05, LONG)),
        "promotion .75 → .85": (199, preferred(0.85, 0.75, 0.05, LONG)),
        "promotion .75 → .80": (1025, preferred(0.80, 0.75, 0.05, LONG)),
        "harm in pairs .75 → .60, threshold 20": (121, preferred(0.75, 0.60, 0.05, LONG)),
        "harm in pairs .75 → .50, threshold 20": (44, preferred(0.75, 0.50, 0.05, LONG)),
        "harm in pairs .75 → .60, threshold 10": (86, preferred(0.75, 0.60, 0.10, LONG)),
        "harm in pairs .75 → .50, threshold 10": (34, preferred(0.75, 0.50, 0.10, LONG)),
        "10 % canary .75 → .50, threshold 20": (240, canary(0.5, 0.75, 0.05, MEDIUM)),
        "10 % canary .75 → .50, threshold 10": (190, canary(0.5, 0.75, 0.10, MEDIUM)),
        "10 % canary .75 → .60, threshold 20": (623, canary(0.6, 0.75, 0.05, MEDIUM)),
        "10 % canary .75 → .60, threshold 10": (490, canary(0.6, 0.75, 0.10, MEDIUM)),
        "not inferior, both .75, margin .10": (225, not_inferior(0.75, 0.75, 0.10, 0.05, MEDIUM)),
        "not inferior, both .75, margin .15": (101, not_inferior(0.75, 0.75, 0.15, 0.05, MEDIUM)),
        "not inferior, both .90, margin .10": (122, not_inferior(0.90, 0.90, 0.10, 0.05, MEDIUM)),
    }


# (chance of a win, q0, alpha) → the median promised: a judge's or moderators' winning share, and votes under a floor of .60.
EXACT = {
    **{(q, 0.5, 0.05): median for q, median in {0.55: 785, 0.6: 170, 0.65: 68, 0.7: 37, 0.75: 23, 0.8: 17}.items()},
    **{(bad, 0.4, 0.05): median for bad, median in {0.5: 162, 0.6: 38, 0.7: 16}.items()},
    **{(bad, 0.4, 0.10): median for bad, median in {0.5: 115, 0.6: 26, 0.7: 12}.items()},
}


def main() -> None:
    """Simulate every rule and tell."""
    options = arguments(__doc__ or "").parse_args()
    runs, limit, power_runs = (300, 400, 1_000) if options.quick else (2_000, 1_500, 2_000)
    rows: list[dict[str, Any]] = []
    promises: list[Promise] = []
    for name, (alpha, run) in nothing_to_find(limit).items():
        rate = error_rate(run, runs, name)
        rows.append({"rule": name, "cases": limit, "runs": runs, "false": round(rate, 4), "alpha": alpha})
        promises.append(Promise(f"false decisions, {name}", rate, round(allowed(alpha, runs), 4), "lower"))
    exact = decided_by(0.5, 0.05, limit)[-1]
    rows.append({"rule": "promotion, exact", "decisive pairs": limit, "false": round(exact, 4), "alpha": 0.05})
    promises.append(Promise("false promotions, exact", exact, 0.05, "lower"))
    rival = error_rate(naive(0.75, limit), runs, "naive")
    rows.append({"rule": "rival: P(better) > 95 %, both 0.75", "cases": limit, "runs": runs, "false": round(rival, 4)})
    promises.append(Promise("the rival errs more often than twice our alpha", rival, 0.10, "higher"))
    for name, (promised, run) in something_to_find().items():
        median = median_stop(run, power_runs, name)
        rows.append({"rule": name, "runs": power_runs, "median": median, "promised": promised})
        promises.append(_near(name, median, promised))
    for name, judge in JUDGES.items():
        share = error_rate(by_people(0.65, judge, 0.05, 60), runs, f"65 %, {name}")
        rows.append(
            {"rule": f"65 % of decisive blind pairs won, {name}", "runs": runs, "decided by 60 pairs": round(share, 3)}
        )
    for (q, q0, alpha), promised in EXACT.items():
        name = f"{q} of the {'pairs won' if q0 == EVEN else 'votes thumbs down, floor .60'}, alpha {alpha}, exact"
        median = median_pairs(q, alpha, 2_000, q0) or math.inf
        power = decided_by(q, alpha, 100, q0)[-1]
        rows.append({"rule": name, "median": median, "promised": promised, "by 100": round(power, 3)})
        promises.append(_near(name, median, promised))
    finish("evidence", promises, rows, options.json)


def _near(name: str, median: float, promised: int) -> Promise:
    return Promise(f"median off the promised one, {name}", round(abs(median / promised - 1), 3), NEAR, "lower")


if __name__ == "__main__":
    main()
