"""Pure: what each job of a recipe reads of a dataset in one pass, before the version is stored."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from curation import jsonl
from curation.dataset import FLAGGED_FILE, TRAIN_FILE, Dataset
from curation.examples import Kind
from curation.prompting import CountTokens
from providers.base import Method
from storage.records import RecipeKind


@dataclass(frozen=True, slots=True)
class Pass:
    """One look at everything a job trains on."""

    method: Method
    lines: int
    tokens: int  # every token that is read: the prompt of a pair twice


def passes_of(dataset: Dataset, recipe: RecipeKind, count_tokens: CountTokens) -> tuple[Pass, ...]:
    """A pass of each of the recipe's jobs, in order."""
    return tuple(_pass(dataset, Method(word), count_tokens) for word in recipe.methods)


def _pass(dataset: Dataset, method: Method, count_tokens: CountTokens) -> Pass:
    if method is Method.SFT:
        return Pass(method, len(dataset.train), dataset.train_tokens)
    read = list(_pairs(dataset))
    if method is Method.KTO:  # a pair makes two lines of it
        read = [(*prompt, answer) for *prompt, wanted, rejected in read for answer in (wanted, rejected)]
        read += [tuple(said) for said in _marked(dataset)]
        return Pass(method, len(read), sum(count_tokens(list(said)) for said in read))
    tokens = sum(2 * count_tokens(prompt) + count_tokens([wanted, rejected]) for *prompt, wanted, rejected in read)
    return Pass(method, len(read), tokens)


def _pairs(dataset: Dataset) -> Iterator[tuple[str, ...]]:
    """The contents of each prompt, then the answer wanted and the one that was served, where there was another one."""
    rows = jsonl.read(dataset.files[TRAIN_FILE])
    for row, example in zip(rows, dataset.train, strict=True):
        served, answer = (example.served or "").strip(), example.answer.strip()
        if example.provenance.kind is not Kind.MARK and served not in ("", answer):
            yield (*_contents(row)[:-1], answer, served)


def _marked(dataset: Dataset) -> Iterator[list[str]]:
    for row, example in zip(jsonl.read(dataset.files[TRAIN_FILE]), dataset.train, strict=True):
        if example.provenance.kind is Kind.MARK:
            yield _contents(row)
    for row in jsonl.read(dataset.files.get(FLAGGED_FILE, b"")):
        yield _contents(row)


def _contents(row: Any) -> list[str]:
    return [message["content"] for message in row["messages"]]
