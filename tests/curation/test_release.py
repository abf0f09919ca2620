"""May the candidate serve? The verdict says why, with numbers."""

from curation.release import verdict
from storage.records import SampleScore


def sample(candidate: float, incumbent: float, text: str = "x") -> SampleScore:
    return SampleScore("c", "q", "r", "y", text, incumbent, candidate)


def test_a_clear_gain_passes_and_says_the_numbers():
    outcome = verdict([sample(0.8, 0.4), sample(0.6, 0.5)], margin=0.02)
    assert outcome.passed
    assert "0.700 against 0.450" in outcome.reason
    assert "2 held-out questions" in outcome.reason


def test_a_gain_below_the_margin_does_not_pass():
    assert not verdict([sample(0.51, 0.5)], margin=0.02).passed


def test_without_samples_nothing_is_proven():
    assert not verdict([], margin=0.0).passed


def test_a_silent_candidate_never_passes():
    outcome = verdict([sample(0.9, 0.1), sample(0.9, 0.1, text=" ")], margin=0.02)
    assert not outcome.passed
    assert "said nothing to 1 of 2" in outcome.reason
