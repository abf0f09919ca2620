"""A job request checked and turned into a job, before anything is persisted: files, method, sizes, numbers."""

from __future__ import annotations

import secrets
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import lru_cache
from pathlib import Path
from typing import Any

from tuner import wire
from tuner.errors import bad_request
from tuner.jobs import new_id
from tuner.paths import Home
from tuner.recipe import Asked, Recipe, resolve
from tuner.records import FileRecord, Job
from tuner.starts import Starts
from tuner.store import Store
from tuner.training_file import MIN_EXAMPLES, BadLine, Row, check_rows, parse_lines, texts

TOKENS_PER_MESSAGE = 8  # role, markers and line ends of a chat template; SmolLM2's takes 5

SUPERVISED_ONLY = ("packing", "replay", "kl")
EXTENSIONS = ("lora_r", "lora_alpha", "lora_dropout", "weight_decay", "learning_rate", "max_length", *SUPERVISED_ONLY)


@dataclass
class Intake:
    """Refuses what cannot be trained. Raises ApiError 400 with the line number and the reason."""

    store: Store
    home: Home
    base: str
    context_tokens: int
    tokenizer: Path
    unable: str = ""  # a sentence where this server cannot train at all
    _counter: Callable[[str], int] | None = field(default=None, init=False)

    def job(self, body: wire.JobRequest, model: str) -> Job:
        """A job ready to be persisted; `model` is the wanted model with aliases resolved."""
        if self.unable:
            raise bad_request(self.unable, code="training_unavailable")
        method, asked = asked_for(body)
        if model != self.base:
            asked = Starts(self.store, self.home, self.base).require(body.model, model, method, asked)
        rows = self._rows(body.training_file, "training_file", method)
        if len(rows) < MIN_EXAMPLES:
            raise bad_request(
                f"Training file has {len(rows)} example(s), but must have at least {MIN_EXAMPLES} examples",
                "training_file",
                "invalid_n_examples",
            )
        recipe = resolve(asked, method, len(rows), self.context_tokens)
        tokens = self._check_lengths(rows, method, recipe, "training_file")
        if body.validation_file is not None:
            held_out = self._rows(body.validation_file, "validation_file", method)
            if not held_out:
                raise bad_request("The validation file has no examples.", "validation_file", "invalid_n_examples")
            self._check_lengths(held_out, method, recipe, "validation_file")
        now = time.time()
        pace = self.store.pace()
        return Job(
            id=new_id("ftjob-"),
            status="validating_files",
            paused=False,
            base=self.base,
            model=body.model,
            training_file=body.training_file,
            validation_file=body.validation_file,
            method=method,
            asked={key: value for key, value in vars(asked).items() if value is not None},
            recipe=recipe.document(),
            suffix=body.suffix,
            seed=secrets.randbelow(2**31) if body.seed is None else body.seed,
            metadata=body.metadata,
            n_examples=len(rows),
            created_at=int(now),
            started_at=None,
            finished_at=None,
            estimated_finish=int(now + tokens / (1 - recipe.replay) * recipe.n_epochs / pace) if pace else None,
            trained_tokens=None,
            fine_tuned_model=None,
            result_file=None,
            error=None,
            progress_offset=0,
            last_step=0,
            starts_from=None if model == self.base else model,
        )

    def _rows(self, file_id: str, param: str, method: str) -> list[tuple[int, Row]]:
        record = self._file(file_id, param)
        try:
            rows = parse_lines((self.home.files / record.id).read_bytes())
            check_rows(rows, method)
        except BadLine as fault:
            raise bad_request(
                f"Invalid file format for a {method} {param.replace('_', ' ')}: {fault}.",
                param,
                "invalid_training_file",
            ) from None
        return rows

    def _file(self, file_id: str, param: str) -> FileRecord:
        record = self.store.file(file_id)
        if record is None:
            raise bad_request(f"invalid {param}: {file_id}", param, "invalid_file")
        if record.purpose != "fine-tune":
            raise bad_request(
                f"{file_id} has purpose '{record.purpose}'; a {param} needs 'fine-tune'.", param, "invalid_purpose"
            )
        return record

    def _check_lengths(self, rows: list[tuple[int, Row]], method: str, recipe: Recipe, param: str) -> int:
        """Tokens of all rows; refuses the first row that is longer than the model or the job allows."""
        total = 0
        for number, row in rows:
            parts = texts(row, method)
            tokens = sum(self._count(part) + TOKENS_PER_MESSAGE for part in parts)
            if tokens > recipe.max_length:
                raise bad_request(
                    f"Invalid file format: line {number}: {tokens} tokens, at most {recipe.max_length} fit. "
                    "Shorten the example or split it.",
                    param,
                    "too_many_tokens",
                )
            total += tokens
        return total

    def _count(self, text: str) -> int:
        if self._counter is None:
            self._counter = token_counter(self.tokenizer)
        return self._counter(text)


def token_counter(tokenizer: Path) -> Callable[[str], int]:
    """Counts tokens as the base does; where its tokenizer is not prepared yet, by the usual four bytes a token."""
    if not tokenizer.exists():
        return lambda text: len(text.encode()) // 4 + 1
    from tokenizers import Tokenizer  # 50 ms, on the first job only

    loaded: Any = Tokenizer.from_file(str(tokenizer))

    @lru_cache(maxsize=4096)
    def count(text: str) -> int:
        return len(loaded.encode(text, add_special_tokens=False).ids)

    return count


def asked_for(body: wire.JobRequest) -> tuple[str, Asked]:
    """The method, and the hyperparameters as asked with `auto` as None. Raises ApiError where they contradict."""
    method = body.method.type if body.method is not None else "supervised"
    given: Any = None
    if body.method is not None:
        for other in ("supervised", "dpo", "kto"):
            if other != method and getattr(body.method, other) is not None:
                raise bad_request(
                    f"method.{other} is given, but method.type is {method}.", f"method.{other}", "invalid_value"
                )
        settings = getattr(body.method, method)
        given = settings.hyperparameters if settings is not None else None
    if body.hyperparameters is not None and given is not None:
        raise bad_request("Give hyperparameters inside method or at the top, not both.", "hyperparameters")
    given = given or body.hyperparameters
    numbers = {} if given is None else {k: v for k, v in given.model_dump().items() if v not in (None, "auto")}
    if body.learning_rate is not None and "learning_rate_multiplier" in numbers:
        raise bad_request("Give learning_rate or learning_rate_multiplier, not both.", "learning_rate")
    if method != "supervised":
        _refuse_supervised_only(body, method)
    if method == "kto" and numbers.get("batch_size") == 1:
        raise bad_request("kto compares the answers of a batch; batch_size must be at least 2.", "batch_size")
    return method, Asked(**numbers, **{name: getattr(body, name) for name in EXTENSIONS})


def _refuse_supervised_only(body: wire.JobRequest, method: str) -> None:
    for name in SUPERVISED_ONLY:
        if getattr(body, name):
            raise bad_request(f"{name} is only there for supervised jobs, and this one is {method}.", name)
