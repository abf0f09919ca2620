"""Questions that every candidate is asked beside the held-out ones: what it could do before, and what it should never say."""

from curation.suites.cases import Case, SuiteUnreadable, read_cases, shipped_cases
from curation.suites.choosing import SuiteSizes, chosen
from curation.suites.rules import Asked, Rule, case_score

__all__ = [
    "Asked",
    "Case",
    "Rule",
    "SuiteSizes",
    "SuiteUnreadable",
    "case_score",
    "chosen",
    "read_cases",
    "shipped_cases",
]
