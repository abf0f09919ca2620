"""Rows of a training file as token ids. Needs a tokenizer and no model.

Prompt and answer are split where generation begins at serving time, so training sees the very tokens serving sees.
"""

from __future__ import annotations

from typing import Any

from tuner.training_file import Row

NOT_LEARNED = -100  # torch's ignore_index: a label that adds nothing to the loss

Example = dict[str, Any]  # lists of token ids by TRL's names


def examples_of(method: str, rows: list[Row], tokenizer: Any, max_length: int) -> tuple[list[Example], int]:
    """The rows in the shape the method trains on, and how many were cut to `max_length` tokens or left out."""
    match method:
        case "supervised":
            return supervised_examples(rows, tokenizer, max_length)
        case "dpo":
            return pair_examples(rows, tokenizer, max_length)
        case _:
            return flag_examples(rows, tokenizer, max_length)


def supervised_examples(rows: list[Row], tokenizer: Any, max_length: int) -> tuple[list[Example], int]:
    """`{"input_ids", "labels"}` with labels only on the assistant's words and its end token; and how many were cut."""
    examples: list[Example] = []
    truncated = 0
    for row in rows:
        for segments in _segments(row["messages"], tokenizer):
            ids: list[int] = []
            labels: list[int] = []
            for text, is_learned in segments:
                piece = _tokens(text, tokenizer)
                ids += piece
                labels += piece if is_learned else [NOT_LEARNED] * len(piece)
            truncated += len(ids) > max_length
            ids, labels = ids[:max_length], labels[:max_length]
            if any(label != NOT_LEARNED for label in labels):
                examples.append({"input_ids": ids, "labels": labels})
    return examples, truncated


def pair_examples(rows: list[Row], tokenizer: Any, max_length: int) -> tuple[list[Example], int]:
    """`{"prompt_ids", "chosen_ids", "rejected_ids"}` as TRL's DPO has them; and how many were cut."""
    examples: list[Example] = []
    truncated = 0
    for row in rows:
        messages = row["input"]["messages"]
        prompt, chosen = _prompt_and_answer(messages, row["preferred_output"][0], tokenizer)
        _, rejected = _prompt_and_answer(messages, row["non_preferred_output"][0], tokenizer)
        room = max_length - len(prompt)
        truncated += max(len(chosen), len(rejected)) > room
        if room > 0:
            examples.append({"prompt_ids": prompt, "chosen_ids": chosen[:room], "rejected_ids": rejected[:room]})
    return examples, truncated


def flag_examples(rows: list[Row], tokenizer: Any, max_length: int) -> tuple[list[Example], int]:
    """`{"prompt_ids", "completion_ids", "label"}` as TRL's KTO has them; and how many were cut."""
    examples: list[Example] = []
    truncated = 0
    for row in rows:
        prompt, answer = _prompt_and_answer(row["prompt"], row["completion"][0], tokenizer)
        room = max_length - len(prompt)
        truncated += len(answer) > room
        if room > 0:
            examples.append({"prompt_ids": prompt, "completion_ids": answer[:room], "label": row["label"]})
    return examples, truncated


def width(example: Example) -> int:
    """The tokens of its longest row in a batch."""
    if "input_ids" in example:
        return len(example["input_ids"])
    answers = _answer_lengths(example)
    return len(example["prompt_ids"]) + max(answers)


def n_tokens(example: Example) -> int:
    """What the example adds to a job's trained tokens: every token it is read with, a pair's prompt twice."""
    if "input_ids" in example:
        return len(example["input_ids"])
    answers = _answer_lengths(example)
    return len(answers) * len(example["prompt_ids"]) + sum(answers)


def _answer_lengths(example: Example) -> list[int]:
    return [len(example[key]) for key in ("chosen_ids", "rejected_ids", "completion_ids") if key in example]


def _prompt_and_answer(messages: list[Row], answer: Row, tokenizer: Any) -> tuple[list[int], list[int]]:
    plain = _plain([*messages, answer])
    before = _render(plain[:-1], tokenizer, True)
    after = _render(plain, tokenizer, False)
    if after.startswith(before):
        text = after[len(before) :]
        text = text[: _end_of_answer(text, tokenizer)]
    else:
        (before, _), (text, _) = _alone(plain, len(plain) - 1, tokenizer)
    return _tokens(before, tokenizer), _tokens(text, tokenizer)


def _segments(messages: list[Row], tokenizer: Any) -> list[list[tuple[str, bool]]]:
    """A conversation as pieces of text, each learned or not.

    Where the chat template rewrites earlier turns (some drop old reasoning), each learned answer becomes its own example.
    """
    plain = _plain(messages)
    pieces: list[tuple[str, bool]] = []
    done = ""
    for index, message in enumerate(messages):
        if message["role"] != "assistant":
            continue
        before = _render(plain[:index], tokenizer, True)
        after = _render(plain[: index + 1], tokenizer, False)
        if not after.startswith(before) or not before.startswith(done):
            return [_alone(plain, i, tokenizer) for i, m in enumerate(messages) if _is_learned(m)]
        answer = after[len(before) :]
        end = _end_of_answer(answer, tokenizer)
        pieces += [(before[len(done) :], False), (answer[:end], _is_learned(message)), (answer[end:], False)]
        done = after
    return [pieces]


def _alone(plain: list[Row], index: int, tokenizer: Any) -> list[tuple[str, bool]]:
    return [(_render(plain[:index], tokenizer, True), False), (plain[index]["content"] + tokenizer.eos_token, True)]


def _end_of_answer(answer: str, tokenizer: Any) -> int:
    """Where the answer ends, its end token included; templates may add a line end after it."""
    found = answer.rfind(tokenizer.eos_token)
    return len(answer) if found < 0 else found + len(tokenizer.eos_token)


def _is_learned(message: Row) -> bool:
    return message["role"] == "assistant" and message.get("weight", 1) == 1


def _plain(messages: list[Row]) -> list[Row]:
    return [{"role": "system" if m["role"] == "developer" else m["role"], "content": m["content"]} for m in messages]


def _render(messages: list[Row], tokenizer: Any, with_prompt: bool) -> str:
    return tokenizer.apply_chat_template(messages, tokenize=False, add_generation_prompt=with_prompt)


def _tokens(text: str, tokenizer: Any) -> list[int]:
    return tokenizer(text, add_special_tokens=False)["input_ids"] if text else []
