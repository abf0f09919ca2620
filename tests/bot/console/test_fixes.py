"""The fixes a reply rests on, as the console shows them to the team and to nobody else; and models trained on other prompts."""

from dataclasses import replace

import pytest

from curation.recalling import Recall
from storage.records import Trigger
from tests.bot.console.scenes import House

ASKED = "Question 3?"  # as an imported answer of the house's corrects it


@pytest.fixture
def recalling(house: House) -> House:
    desk = replace(house.console.desk, recall=Recall(house.store))
    return house.with_console(desk=desk)


async def test_the_team_reads_which_fix_a_reply_rests_on_with_a_link_to_it(recalling: House):
    ids = await recalling.propose(5)
    await recalling.store.corrections.approve_many(ids, recalling.people["noor"].id, "", at=recalling.clock())
    async with recalling.opened(), recalling.browser("mia") as mia:
        await mia.reply_to(ASKED)
        page = (await mia.get("/")).text
        assert "Ahoy! Question 3?" in page
        assert "uses 1 approved fix, word for word" in page
        assert f'<a href="/corrections/{ids[3]}">{ASKED}</a>' in page
        assert (await mia.get(f"/corrections/{ids[3]}")).status_code == 200


async def test_who_asks_is_not_told(recalling: House):
    await recalling.approve(5)
    async with recalling.opened(), recalling.browser("cleo") as cleo:
        await cleo.reply_to(ASKED)
        page = await cleo.page("/")
        assert "Ahoy! Question 3?" in page
        assert "approved fix" not in page


@pytest.mark.parametrize(
    ("trained_on", "is_marked"),
    [("chat-1 fixes-1 recall-2:words", False), ("chat-1 fixes-1 recall-2:minilm", True), ("chat-1", False)],
)
async def test_a_model_trained_for_another_shape_is_marked_on_the_page_of_models(
    recalling: House, trained_on: str, is_marked: bool
):
    store, at, ada = recalling.store, recalling.clock(), recalling.people["ada"]
    run, _ = await store.runs.request(recalling.voice.id, "base", Trigger.PERSON, ada.id, at=at)
    model = await store.models.ensure_tuned(
        recalling.voice.id,
        run.id,
        "ft:1",
        "base",
        None,  # type: ignore[arg-type]
        shape=trained_on,
        at=at,
    )
    current = await store.models.current(recalling.voice.id)
    await store.models.roll_back(recalling.voice.id, current.seq, model.id, by=ada.id, why="test", at=at)
    async with recalling.browser("ada") as browser:
        page = await browser.page("/models")
    assert ("trained for another shape" in page) is is_marked
    assert ("It still answers as it was trained to" in page) is is_marked
    assert ("recall-2:minilm" in page) is is_marked
