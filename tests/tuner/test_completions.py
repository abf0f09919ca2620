"""Texts continued and given texts scored, as the stock client sees it."""

from typing import Any

import pytest

from tests.tuner.conftest import Bench, Running
from tests.tuner.test_http import refused
from tuner.completion import Logprobs, joined, shown
from tuner.scoring import Token
from tuner.weights import DEFAULT_BASE


async def test_a_text_is_continued_in_the_official_shape_whole_and_streamed(bench: Bench):
    whole = await bench.client.completions.create(model="tiny", prompt="So", max_tokens=2, temperature=0, stop=["\n"])
    assert whole.choices[0].to_dict() == {"index": 0, "text": "ye", "logprobs": None, "finish_reason": "length"}
    assert (whole.object, whole.model) == ("text_completion", "tiny")
    assert whole.usage is not None
    assert whole.usage.to_dict() == {"prompt_tokens": 2, "completion_tokens": 2, "total_tokens": 4}
    sent = bench.engines[0].bodies[0]
    assert (sent["temperature"], sent["stop"], sent["n_predict"]) == (0, ["\n"], 2)
    stream = await bench.client.completions.create(
        model="tiny", prompt="So", echo=True, stream=True, stream_options={"include_usage": True}
    )
    chunks = [chunk async for chunk in stream]
    assert "".join(chunk.choices[0].text for chunk in chunks[:-1]) == "Soyes"
    assert chunks[-2].choices[0].finish_reason == "length"
    assert chunks[-1].usage is not None
    assert chunks[-1].usage.total_tokens == 5


@pytest.mark.parametrize(
    ("prompt", "texts"),
    [
        pytest.param(["ab", "c"], ["abyes", "cyes"], id="texts"),
        pytest.param([104, 105], ["hiyes"], id="tokens"),
        pytest.param([[104], [105]], ["hyes", "iyes"], id="lists of tokens"),
    ],
)
async def test_each_prompt_has_its_choice(bench: Bench, prompt: Any, texts: list[str]):
    reply = await bench.client.completions.create(model="tiny", prompt=prompt, echo=True)
    assert [choice.text for choice in reply.choices] == texts
    assert [choice.index for choice in reply.choices] == list(range(len(texts)))


async def test_a_given_text_is_scored_without_generating(bench: Bench):
    reply = await bench.client.completions.create(model="tiny", prompt="abc", echo=True, logprobs=1, max_tokens=0)
    assert reply.choices[0].text == "abc"
    assert reply.choices[0].to_dict()["logprobs"] == {
        "tokens": ["a", "b", "c"],
        "token_logprobs": [None, -1.0, -1.0],
        "top_logprobs": [None, {"b": -1.0}, {"c": -1.0}],
        "text_offset": [0, 1, 2],
    }
    assert reply.usage is not None
    assert (reply.usage.prompt_tokens, reply.usage.completion_tokens) == (3, 0)


async def test_only_what_comes_after_score_from_is_scored(bench: Bench):
    reply = await bench.client.completions.create(
        model="tiny", prompt="Hé, you", echo=True, logprobs=0, max_tokens=1, extra_body={"score_from": 4}
    )
    found = reply.choices[0].logprobs
    assert found is not None
    assert found.token_logprobs == [None] * 4 + [-1.0] * 4
    assert found.text_offset == [0, 1, 2, 3, 4, 5, 6, 7]


async def test_a_given_text_is_scored_as_the_answer_to_a_conversation(bench: Bench):
    asked = [
        {"role": "developer", "content": "Be kind."},
        {"role": "user", "content": [{"type": "text", "text": "Hi"}]},
    ]
    reply = await bench.client.completions.create(
        model="tiny", prompt="yo", echo=True, logprobs=0, max_tokens=0, extra_body={"messages": asked}
    )
    assert reply.choices[0].text == "yo"
    found = reply.choices[0].logprobs
    assert found is not None
    assert (found.tokens, found.token_logprobs, found.text_offset) == (["y", "o"], [-1.0, -1.0], [0, 1])
    rendered = "<system>Be kind.<user>Hi<assistant>"
    assert reply.usage is not None
    assert reply.usage.prompt_tokens == len(rendered) + 2
    before = [body["prompt"] for body in bench.engines[0].bodies if "logit_bias" in body]
    assert ["".join(map(chr, tokens)) for tokens in before] == [rendered, f"{rendered}y"]


async def test_each_answer_to_a_conversation_has_its_choice_and_score_from_counts_in_it(bench: Bench):
    reply = await bench.client.completions.create(
        model="tiny",
        prompt=["yo", "hey"],
        echo=True,
        logprobs=0,
        max_tokens=0,
        extra_body={"messages": [{"role": "user", "content": "Hi"}], "score_from": 1},
    )
    found = [choice.logprobs.token_logprobs for choice in reply.choices if choice.logprobs is not None]
    assert found == [[None, -1.0], [None, -1.0, -1.0]]


@pytest.mark.parametrize(
    ("changes", "code", "param"),
    [
        pytest.param({"model": "ft:none"}, "model_not_found", "model", id="model"),
        pytest.param({"prompt": ""}, None, "prompt", id="empty"),
        pytest.param({"prompt": []}, None, "prompt", id="no prompts"),
        pytest.param({"prompt": ["a"] * 65}, None, "prompt", id="too many prompts"),
        pytest.param({"n": 2}, "invalid_value", "n", id="n"),
        pytest.param({"suffix": "end"}, "invalid_value", "suffix", id="suffix"),
        pytest.param({"extra_body": {"score_from": 1}}, None, "score_from", id="score_from"),
        pytest.param({"stream": True, "max_tokens": 0}, None, "max_tokens", id="stream of nothing"),
        pytest.param(
            {"extra_body": {"messages": [{"role": "user", "content": "Hi"}]}},
            None,
            "messages",
            id="messages to go on from",
        ),
        pytest.param(
            {
                "extra_body": {"messages": [{"role": "user", "content": None}]},
                "echo": True,
                "logprobs": 0,
                "max_tokens": 0,
            },
            None,
            "messages[0].content",
            id="messages without words",
        ),
    ],
)
async def test_a_completion_it_cannot_give_is_refused_by_parameter(
    bench: Bench, changes: dict[str, Any], code: str | None, param: str
):
    found = await refused(bench.client.completions.create(**{"model": "tiny", "prompt": "a", **changes}))
    assert found[1:3] == (code, param)


async def test_embeddings_are_refused_with_the_reason(bench: Bench):
    found = await refused(bench.client.embeddings.create(model="tiny", input="hi"))
    assert found[:3] == (400, "unsupported_model", "model")
    assert "no embeddings" in found[3]


def test_a_token_that_is_part_of_a_character_is_shown_as_bytes_and_counts_once_complete():
    lists = Logprobs(0)
    tokens = [Token(1, b"a"), Token(2, b"\xf0\x9f"), Token(3, b"\xa6\x9c"), Token(4, b"b")]
    found = joined([lists.unscored(tokens[:2]), lists.unscored(tokens[2:])])
    assert found is not None
    assert found["tokens"] == ["a", "bytes:\\xf0\\x9f", "bytes:\\xa6\\x9c", "b"]
    assert found["text_offset"] == [0, 1, 1, 2]
    assert shown("é".encode()) == "é"


@pytest.mark.real_model
def test_the_real_model_scores_a_given_text_as_it_would_have_generated_it(server: Running):
    greedy = server.client.completions.create(
        model=DEFAULT_BASE, prompt="The capital of France is", max_tokens=2, temperature=0, logprobs=1
    ).choices[0]
    assert greedy.logprobs is not None
    scored = server.client.completions.create(
        model=DEFAULT_BASE, prompt="The capital of France is" + greedy.text, max_tokens=0, echo=True, logprobs=1
    ).choices[0]
    assert scored.logprobs is not None
    assert scored.logprobs.tokens is not None
    assert "".join(scored.logprobs.tokens) == scored.text
    assert scored.logprobs.token_logprobs is not None
    assert scored.logprobs.token_logprobs[0] is None
    assert scored.logprobs.token_logprobs[-2:] == pytest.approx(greedy.logprobs.token_logprobs, abs=0.05)
    parrot = server.client.completions.create(
        model=DEFAULT_BASE,
        prompt="Ahoy 🦜!",
        max_tokens=0,
        echo=True,
        logprobs=0,
        extra_body={"score_from": 5},
    ).choices[0]
    assert parrot.logprobs is not None
    assert parrot.logprobs.token_logprobs is not None
    assert all(value is not None and value < 0 for value in parrot.logprobs.token_logprobs[-3:])


@pytest.mark.real_model
def test_the_real_model_finds_what_it_says_itself_likelier_than_other_words(server: Running):
    asked: list[Any] = [{"role": "user", "content": "What is the capital of France?"}]
    said = server.client.chat.completions.create(
        model=DEFAULT_BASE, messages=asked, max_tokens=8, temperature=0, logprobs=True
    ).choices[0]
    assert said.message.content is not None
    assert said.logprobs is not None
    assert said.logprobs.content is not None
    scored = server.client.completions.create(
        model=DEFAULT_BASE,
        prompt=[said.message.content, "Bananas, of course, at noon."],
        max_tokens=0,
        echo=True,
        logprobs=0,
        extra_body={"messages": asked},
    ).choices
    own, other = [each.logprobs.token_logprobs or [] for each in scored if each.logprobs is not None]
    assert own == pytest.approx([entry.logprob for entry in said.logprobs.content], abs=0.05)
    assert sum(own) / len(own) > sum(other) / len(other)
