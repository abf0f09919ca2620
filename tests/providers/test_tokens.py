"""Counting tokens never touches the network, and an estimate says that it is one."""

from pathlib import Path

import pytest

from providers.tokens import token_counter


@pytest.mark.parametrize(
    ("model", "encoding"),
    [("gpt-4o-mini", "o200k_base"), ("ft:gpt-4o-mini:org:puffin:1", "o200k_base"), ("gpt-3.5-turbo", "cl100k_base")],
)
def test_openai_models_are_counted_by_their_own_vocabulary(model: str, encoding: str, tmp_path: Path):
    counter = token_counter(model, None, tmp_path)
    assert (counter.name, counter.exact) == (encoding, True)
    assert counter.count("hello world") == 2
    assert counter.count("<|endoftext|>") > 1  # text is text, never a special token


def test_the_vocabulary_is_kept_and_used_again(tmp_path: Path):
    token_counter("gpt-4o-mini", None, tmp_path)
    kept = {file.name for file in tmp_path.iterdir()}
    token_counter("gpt-4o-mini", None, tmp_path)
    assert {file.name for file in tmp_path.iterdir()} == kept == {"fb374d419588a4632f3f557e76b4b70aebbca790"}


def test_an_unknown_model_is_estimated_and_says_so(tmp_path: Path):
    counter = token_counter("smollm2-135m-instruct", None, tmp_path)
    assert (counter.name, counter.exact) == ("estimate", False)
    assert [counter.count(text) for text in ("", "a", "abcd", "abcde")] == [0, 1, 1, 2]


@pytest.mark.parametrize("content", [None, "not json", "{}"])
def test_a_broken_tokenizer_file_is_named(content: str | None, tmp_path: Path):
    path = tmp_path / "tokenizer.json"
    if content is not None:
        path.write_text(content)
    with pytest.raises(ValueError, match=r"tokenizer\.json cannot be read"):
        token_counter("any", path, tmp_path)


def test_each_message_costs_its_marks(tmp_path: Path):
    counter = token_counter("gpt-4o-mini", None, tmp_path)
    assert counter.count_messages(["hello world", ""]) == 2 + 4 + 4
