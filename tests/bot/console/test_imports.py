"""Importing a file: what was taken waits for approval, what was refused is listed with its line and reason."""

import io
import json
import zipfile

import pytest

from storage.records import CorrectionState
from tests.bot.console.scenes import House, read


def sent(name: str, content: str | bytes) -> dict[str, tuple[str, bytes]]:
    return {"file": (name, content.encode() if isinstance(content, str) else content)}


async def test_a_file_is_proposed_and_its_refused_rows_are_listed(house: House):
    rows = 'question,answer\nDo you ship?,We do!\n,Nothing asked\nHow long?,\nDo you ship?,We do!\n🎉,"<b>Party</b>"\n'
    async with house.browser("mia") as browser:
        response = await browser.post("/import", files=sent("faq.csv", rows))
        assert response.status_code == 200
        report = read(response.text)
        assert (
            "2 proposed, waiting for approval. Read as questions and answers: 2 answers can be taken, 3 refused."
            in report
        )
        assert "3 its question is empty" in report
        assert "4 its answer is empty" in report
        assert "faq.csv line 5 the same question and answer as line 2" in report
        party = (await house.store.reviews.waiting(house.voice.id))[1].id
        review = (await browser.get(f"/review?open={party}")).text
        assert "&lt;b&gt;Party&lt;/b&gt;" in review
        again = await browser.post("/import", files=sent("faq.csv", rows))
        assert "0 proposed, waiting for approval. 2 were already in." in read(again.text)
    assert (await house.store.corrections.count(house.voice.id))[CorrectionState.PROPOSED] == 2


async def test_json_and_jsonl_are_read_too(house: House):
    chat = {"messages": [{"role": "user", "content": "Do you ship?"}, {"role": "assistant", "content": "We do!"}]}
    pair = {"prompt": "Do you wrap?", "response": "With ribbons!"}
    async with house.browser("mia") as browser:
        for name, content in (("a.json", json.dumps([chat])), ("b.jsonl", json.dumps(pair) + "\nnot json\n")):
            assert "1 proposed" in read((await browser.post("/import", files=sent(name, content))).text)


@pytest.mark.parametrize(
    ("name", "content", "sentence"),
    [
        pytest.param(
            "faq.xlsx",
            "PK",
            "faq.xlsx ends in .xlsx; expected .csv, .json",
            id="another kind",
        ),
        pytest.param("faq.csv", "a,b\n1,2\n", "faq.csv has the columns a, b; expected", id="other columns"),
        pytest.param("faq.json", "{", "faq.json line 1 is not valid JSON", id="broken"),
        pytest.param("faq.csv", b"question,answer\n\xff\xfe,x\n", "faq.csv is not UTF-8 text", id="not text"),
        pytest.param("../../faq.csv", "a,b\n", "faq.csv has the columns", id="a path for a name"),
    ],
)
async def test_a_file_that_cannot_be_read_is_named_with_its_reason(
    house: House, name: str, content: str | bytes, sentence: str
):
    async with house.browser("mia") as browser:
        response = await browser.post("/import", files=sent(name, content))
    assert response.status_code == 422
    assert sentence in read(response.text)
    assert "finetone-import" not in response.text


async def test_no_file_is_a_sentence(house: House):
    async with house.browser("mia") as browser:
        response = await browser.post("/import")
    assert response.status_code == 422
    assert "No file was chosen." in response.text


async def test_only_a_moderator_imports(house: House):
    async with house.browser("noor") as browser:
        assert (await browser.get("/import")).status_code == 403
        response = await browser.post("/import", files=sent("faq.csv", "question,answer\na,b\n"))
    assert response.status_code == 403


async def test_a_file_larger_than_a_form_is_taken(house: House):
    rows = "question,answer\n" + "".join(f"Question {n}?,{'Ahoy! ' * 900}\n" for n in range(900))
    assert len(rows) > 4 * 1024 * 1024
    async with house.browser("mia") as browser:
        assert "900 proposed" in read((await browser.post("/import", files=sent("big.csv", rows))).text)


async def test_a_slack_export_becomes_corrections_of_what_the_bot_had_said(house: House):
    day = [
        {"type": "message", "user": "U1", "ts": "1.1", "thread_ts": "1.1", "text": "Where is it?"},
        {"type": "message", "bot_id": "B1", "ts": "2.1", "thread_ts": "1.1", "text": "I do not know."},
        {"type": "message", "user": "U2", "ts": "3.1", "thread_ts": "1.1", "text": "It sails tomorrow."},
    ]
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w") as archive:
        archive.writestr("support/2026-01-01.json", json.dumps(day))
    async with house.browser("mia") as browser:
        report = await browser.post("/import", fields={"staff": "U2, U3"}, files=sent("export.zip", packed.getvalue()))
        assert "Read as a Slack export: 1 answer from 1 conversation can be taken, none refused." in read(report.text)
        nobody = await browser.post("/import", fields={"staff": "U9"}, files=sent("export.zip", packed.getvalue()))
        assert "0 proposed, waiting for approval. Read as a Slack export: 0 answers" in read(nobody.text)
    (correction,) = await house.store.corrections.list(house.voice.id, (CorrectionState.PROPOSED,), limit=5)
    assert (correction.served_text, correction.corrected_text) == ("I do not know.", "It sails tomorrow.")
    assert correction.origin == "import:export.zip:support/2026-01-01.json:3"
