"""Rows of a training file as token ids. Needs a tokenizer and no model.

Prompt and answer are split where generation begins at serving time, so training sees the very tokens serving sees.
"""

from __future__ import annotations

from typing import Any

from tuner.training_file import Row

NOT_LEARNED = -100  # torch's ignore_index: a label that adds nothing to the loss

Example = dict[str, Any]  # lists of token ids by TRL's names


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
