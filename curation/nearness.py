"""Pure: how near an answer is to its reference, in words and in letters."""

from collections import Counter
from statistics import fmean

from curation.normal import normalised

CHRF_ORDER = 6  # characters; chrF as in Popović 2015 (aclanthology.org/W15-3049), its default
CHRF_BETA = 2.0  # recall counts twice, its default too


def token_f1(answer: str, reference: str) -> float:
    """Harmonic mean of precision and recall over the words both share, in [0, 1]; 1 when both are empty (SQuAD's measure)."""
    ours, theirs = normalised(answer).split(), normalised(reference).split()
    if not ours or not theirs:
        return float(ours == theirs)
    shared = sum((Counter(ours) & Counter(theirs)).values())
    return 2 * shared / (len(ours) + len(theirs))


def chrf(answer: str, reference: str) -> float:
    """Character n-gram F-score with n = 1…6 and beta = 2, white space ignored, in [0, 1]; 1 when both are empty."""
    ours, theirs = "".join(answer.split()), "".join(reference.split())
    if not ours or not theirs:
        return float(ours == theirs)
    precisions: list[float] = []
    recalls: list[float] = []
    for order in range(1, CHRF_ORDER + 1):
        grams = [Counter(text[i : i + order] for i in range(len(text) - order + 1)) for text in (ours, theirs)]
        sizes = [sum(counter.values()) for counter in grams]
        if not all(sizes):
            continue
        shared = sum((grams[0] & grams[1]).values())
        precisions.append(shared / sizes[0])
        recalls.append(shared / sizes[1])
    precision, recall = fmean(precisions), fmean(recalls)
    if precision + recall == 0:
        return 0.0
    return (1 + CHRF_BETA**2) * precision * recall / (CHRF_BETA**2 * precision + recall)


def score(answer: str, reference: str) -> float:
    """How near an answer is to its reference, in [0, 1]: the mean of token F1 (its words) and chrF (its letters and signs)."""
    return (token_f1(answer, reference) + chrf(answer, reference)) / 2
