"""The surface the stock client sees, on fakes: shapes, names and refusals."""

from typing import Any

import pytest
from openai import APIStatusError

from tests.tuner.conftest import VOICE, Bench, jsonl, voice_row
from tuner.keys import key_hash
from tuner.records import Key

HI: list[Any] = [{"role": "user", "content": "hi"}]


async def refused(call: Any) -> tuple[int, str | None, str | None, str]:
    with pytest.raises(APIStatusError) as caught:
        await call
    body: Any = caught.value.body
    return caught.value.status_code, body["code"], body["param"], body["message"]


async def test_a_file_lives_from_upload_to_deletion(bench: Bench):
    files = bench.client.files
    made = await files.create(file=("voice.jsonl", VOICE), purpose="fine-tune")
    assert (made.filename, made.bytes, made.purpose, made.status) == (
        "voice.jsonl",
        len(VOICE),
        "fine-tune",
        "processed",
    )
    assert (await files.retrieve(made.id)).id == made.id
    assert (await files.content(made.id)).content == VOICE
    assert (await files.delete(made.id)).deleted
    status, _, param, message = await refused(files.retrieve(made.id))
    assert (status, param, message) == (404, "id", f"No such File object: {made.id}")


async def test_files_are_listed_by_order_purpose_and_page(bench: Bench):
    made = [(await bench.client.files.create(file=(f"{n}.jsonl", VOICE), purpose="fine-tune")).id for n in range(3)]
    assert [file.id async for file in bench.client.files.list(limit=2)] == made[::-1]
    assert [file.id async for file in bench.client.files.list(order="asc", after=made[0])] == made[1:]
    assert [file.id async for file in bench.client.files.list(purpose="assistants")] == []


@pytest.mark.parametrize(
    ("content", "purpose", "code", "says"),
    [
        pytest.param(VOICE, "assistants", "invalid_purpose", "not one of ['fine-tune']", id="purpose"),
        pytest.param(
            b'{"messages": []}\n{"messages"', "fine-tune", "invalid_jsonl", "line 2: not valid JSON", id="json"
        ),
        pytest.param(b"", "fine-tune", None, "empty", id="empty"),
    ],
)
async def test_a_bad_upload_is_refused_and_leaves_nothing(
    bench: Bench, content: bytes, purpose: Any, code: str, says: str
):
    status, found, _, message = await refused(bench.client.files.create(file=("x.jsonl", content), purpose=purpose))
    assert (status, found) == (400, code)
    assert says in message
    assert list(bench.server.home.files.iterdir()) == []


async def test_a_file_name_from_a_request_never_becomes_a_path(bench: Bench):
    made = await bench.client.files.create(file=("../../evil.jsonl", VOICE), purpose="fine-tune")
    assert made.filename == "evil.jsonl"
    assert [path.name for path in bench.server.home.files.iterdir()] == [made.id]
    assert (await bench.http.get("files/..%2F..%2Ftuner.sqlite/content")).status_code == 404


async def test_a_file_in_use_by_an_open_job_is_kept(bench: Bench):
    made = await bench.client.files.create(file=("voice.jsonl", VOICE), purpose="fine-tune")
    job = await bench.client.fine_tuning.jobs.create(model="tiny", training_file=made.id)
    status, _, _, message = await refused(bench.client.files.delete(made.id))
    assert status == 409
    assert job.id in message


@pytest.mark.parametrize(
    ("changes", "code", "param", "says"),
    [
        pytest.param({"model": "gpt-5"}, "model_not_available", "model", "This server trains tiny", id="model"),
        pytest.param({"training_file": "file-x"}, "invalid_file", "training_file", "file-x", id="file"),
        pytest.param({"suffix": "x" * 65}, "invalid_value", "suffix", "64", id="suffix"),
        pytest.param({"extra_body": {"lora_rank": 8}}, "unknown_parameter", "lora_rank", "lora_rank", id="unknown"),
        pytest.param({"extra_body": {"learning_rate": 2}}, "invalid_value", "learning_rate", "1", id="rate"),
        pytest.param(
            {"integrations": [{"type": "wandb", "wandb": {"project": "x"}}]},
            "invalid_value",
            "integrations",
            "",
            id="wandb",
        ),
        pytest.param(
            {"hyperparameters": {"n_epochs": 0}}, "invalid_value", "hyperparameters.n_epochs", "", id="epochs"
        ),
        pytest.param(
            {"method": {"type": "reinforcement", "reinforcement": {}}},
            "invalid_value",
            "method.type",
            "supervised",
            id="method",
        ),
        pytest.param(
            {"method": {"type": "dpo", "supervised": {}}},
            "invalid_value",
            "method.supervised",
            "method.type is dpo",
            id="two",
        ),
        pytest.param(
            {"method": {"type": "dpo"}}, "invalid_training_file", "training_file", "line 1: unknown key", id="shape"
        ),
    ],
)
async def test_a_job_that_cannot_be_trained_is_refused_at_once(
    bench: Bench, changes: dict[str, Any], code: str, param: str, says: str
):
    file = await bench.client.files.create(file=("voice.jsonl", VOICE), purpose="fine-tune")
    wanted = {"model": "tiny", "training_file": file.id, **changes}
    status, found, place, message = await refused(bench.client.fine_tuning.jobs.create(**wanted))
    assert (status, found, place) == (400, code, param)
    assert says in message
    assert bench.server.store.open_jobs() == []


@pytest.mark.parametrize(
    ("rows", "code", "says"),
    [
        pytest.param(
            [voice_row("hi")] * 9, "invalid_n_examples", "has 9 example(s), but must have at least 10", id="nine"
        ),
        pytest.param(
            [voice_row("hi")] * 9 + [{"messages": []}], "invalid_training_file", "line 10: messages", id="line"
        ),
        pytest.param([voice_row("hi")] * 11 + [voice_row("word " * 9000)], "too_many_tokens", "line 12:", id="long"),
    ],
)
async def test_a_training_file_is_refused_with_its_line(bench: Bench, rows: list[Any], code: str, says: str):
    file = await bench.client.files.create(file=("x.jsonl", jsonl(rows)), purpose="fine-tune")
    status, found, _, message = await refused(bench.client.fine_tuning.jobs.create(model="tiny", training_file=file.id))
    assert (status, found) == (400, code)
    assert says in message


async def test_auto_becomes_numbers_and_given_numbers_stay(bench: Bench):
    file = await bench.client.files.create(
        file=("x.jsonl", jsonl([voice_row(f"q{n}") for n in range(50)])), purpose="fine-tune"
    )
    auto = await bench.client.fine_tuning.jobs.create(
        model="tiny", training_file=file.id, hyperparameters={"n_epochs": "auto"}
    )
    assert auto.hyperparameters.to_dict() == {"n_epochs": 8, "batch_size": 4, "learning_rate_multiplier": 1.0}
    given = await bench.client.fine_tuning.jobs.create(
        model="gpt-4o-mini",
        training_file=file.id,
        method={
            "type": "supervised",
            "supervised": {"hyperparameters": {"n_epochs": 2, "learning_rate_multiplier": 0.5}},
        },
        extra_body={"lora_r": 8, "lora_dropout": 0.1, "weight_decay": 0.01, "max_length": 512},
    )
    recipe = given.model_dump()["recipe"]
    assert {
        key: recipe[key] for key in ("n_epochs", "learning_rate", "lora_r", "lora_alpha", "lora_dropout", "max_length")
    } == {
        "n_epochs": 2,
        "learning_rate": 0.00025,
        "lora_r": 8,
        "lora_alpha": 16,
        "lora_dropout": 0.1,
        "max_length": 512,
    }
    assert given.model == "gpt-4o-mini"


async def test_chat_answers_in_the_official_shape_whole_and_streamed(bench: Bench):
    whole = await bench.client.chat.completions.create(model="tiny", messages=HI)
    assert whole.choices[0].to_dict() == {
        "finish_reason": "stop",
        "index": 0,
        "logprobs": None,
        "message": {"content": "base", "refusal": None, "role": "assistant"},
    }
    assert (whole.model, whole.usage.total_tokens) == ("tiny", 5)  # pyright: ignore
    stream = await bench.client.chat.completions.create(
        model="tiny", messages=HI, stream=True, stream_options={"include_usage": True}
    )
    chunks = [chunk async for chunk in stream]
    assert [chunk.choices[0].delta.content for chunk in chunks[:-1]] == ["", "base", None]
    assert chunks[-1].usage is not None
    assert chunks[-1].choices == []


async def test_several_choices_are_answered_whole_and_streamed(bench: Bench):
    whole = await bench.client.chat.completions.create(model="tiny", messages=HI, n=3, seed=5)
    assert [choice.index for choice in whole.choices] == [0, 1, 2]
    assert whole.usage.to_dict()["completion_tokens"] == 6  # pyright: ignore
    assert sorted(body["seed"] for body in bench.engines[0].bodies) == [5, 6, 7]
    stream = await bench.client.chat.completions.create(model="tiny", messages=HI, n=2, stream=True)
    assert sorted([chunk.choices[0].index async for chunk in stream if chunk.choices[0].delta.content]) == [0, 1]


async def test_absent_sampling_parameters_mean_the_official_defaults(bench: Bench):
    await bench.client.chat.completions.create(model="tiny", messages=HI)
    body = bench.engines[0].bodies[0]
    assert (body["temperature"], body["top_p"], body["samplers"]) == (1.0, 1.0, ["penalties", "temperature", "top_p"])


@pytest.mark.parametrize(
    ("changes", "status", "code", "param"),
    [
        pytest.param({"model": "ft:tiny:x"}, 404, "model_not_found", "model", id="model"),
        pytest.param({"extra_body": {"top_k": 4}}, 400, "unknown_parameter", "top_k", id="unknown"),
        pytest.param({"store": True}, 400, "invalid_value", "store", id="store"),
        pytest.param({"service_tier": "flex"}, 400, "invalid_value", "service_tier", id="tier"),
        pytest.param({"reasoning_effort": "low"}, 400, "unknown_parameter", "reasoning_effort", id="effort"),
        pytest.param({"temperature": 3}, 400, "invalid_value", "temperature", id="temperature"),
        pytest.param({"messages": []}, 400, "invalid_value", "messages", id="messages"),
        pytest.param(
            {"messages": [{"role": "bot", "content": ""}]}, 400, "invalid_value", "messages.0.role", id="role"
        ),
        pytest.param(
            {"tools": [{"type": "function", "function": {"name": "x"}}]},
            400,
            "unsupported_parameter",
            "tools",
            id="tools",
        ),
        pytest.param({"top_logprobs": 2}, 400, None, "top_logprobs", id="top_logprobs"),
        pytest.param(
            {"response_format": {"type": "json_schema"}}, 400, None, "response_format.json_schema", id="schema"
        ),
        pytest.param({"n": 17}, 400, "invalid_value", "n", id="n"),
    ],
)
async def test_a_request_it_cannot_honour_is_refused_by_parameter(
    bench: Bench, changes: dict[str, Any], status: int, code: str | None, param: str
):
    wanted = {"model": "tiny", "messages": HI, **changes}
    found = await refused(bench.client.chat.completions.create(**wanted))
    assert found[:3] == (status, code, param)


async def test_an_alias_is_served_under_its_own_name(bench: Bench):
    assert {model.id async for model in bench.client.models.list()} == {"tiny", "gpt-4o-mini"}
    assert (await bench.client.chat.completions.create(model="gpt-4o-mini", messages=HI)).model == "gpt-4o-mini"
    assert (await bench.client.models.retrieve("gpt-4o-mini")).id == "gpt-4o-mini"


async def test_the_base_cannot_be_deleted(bench: Bench):
    assert (await refused(bench.client.models.delete("tiny")))[0] == 403
    assert (await refused(bench.client.models.delete("ft:none")))[:2] == (404, "model_not_found")


async def test_once_a_key_exists_every_call_needs_one_and_only_its_hash_is_kept(bench: Bench):
    bench.server.store.add_key(Key("key_1", "laptop", 1, None), key_hash("sk-right"))
    assert (await refused(bench.client.models.list()))[:2] == (401, "invalid_api_key")
    right = bench.client.with_options(api_key="sk-right")
    assert [model.id async for model in right.models.list()]
    assert (await bench.http.get("http://tuner.test/healthz")).status_code == 200
    assert b"sk-right" not in bench.server.home.database.read_bytes()
    assert bench.server.store.revoke_key("key_1", 2)
    assert bench.server.store.key_hashes() == []


@pytest.mark.parametrize(
    ("method", "path", "content", "status"),
    [
        pytest.param("POST", "chat/completions", b"{", 400, id="half json"),
        pytest.param("POST", "chat/completions", b"\x00\xff", 400, id="bytes"),
        pytest.param("POST", "chat/completions", b"[]", 400, id="list"),
        pytest.param("GET", "nothing", b"", 404, id="unknown path"),
        pytest.param("GET", "fine_tuning/jobs?limit=0", b"", 400, id="limit"),
        pytest.param("PUT", "files", b"", 405, id="method"),
    ],
)
async def test_nonsense_gets_the_official_error_shape(
    bench: Bench, method: str, path: str, content: bytes, status: int
):
    reply = await bench.http.request(method, path, content=content, headers={"content-type": "application/json"})
    assert reply.status_code == status
    assert set(reply.json()["error"]) == {"message", "type", "param", "code"}


async def test_an_oversized_request_is_refused_before_it_is_read(bench: Bench):
    reply = await bench.http.post("chat/completions", content=b"x", headers={"content-length": str(10**9)})
    assert (reply.status_code, reply.json()["error"]["code"]) == (413, "request_too_large")
