"""The voice card in the console: rules with their evidence, decided by an approver, and audited."""

from bot import moderation
from bot.moderation import propose_answers
from curation.imports import Answer
from curation.voice_card import with_rules
from storage.records import CorrectionState
from tests.bot.console.scenes import House, read

RULE = {"rule": "forbidden:unfortunately", "state": "approved"}


async def with_a_habit(house: House) -> None:
    """Fifteen approved corrections that each take the same word out."""
    noor, mia = house.people["noor"], house.people["mia"]
    rows = [Answer(n, f"What about {n}?", f"It is number {n}.", served=f"Unfortunately, {n} it is.") for n in range(15)]
    await propose_answers(house.store, mia, house.voice, "faq.csv", rows, now=house.clock())
    proposed = await house.store.corrections.list(house.voice.id, [CorrectionState.PROPOSED], limit=99)
    mine = [each for each in proposed if each.origin.startswith("import:faq.csv")]
    await moderation.approve_all(house.store, noor, mine, team_of_one=False, now=house.clock())


async def test_a_rule_is_shown_with_its_evidence_and_approved(house: House):
    await with_a_habit(house)
    async with house.browser("noor") as noor:
        html = (await noor.get("/review/voice")).text
        assert "Never say “unfortunately”." in read(html)
        assert "15 corrections made an answer keep to it." in read(html)
        assert html.count('href="/corrections/') >= 5
        assert "For the short prompt" not in html
        await noor.post("/review/voice", RULE)
        page = await noor.page("/review/voice")
        assert (
            "Approved: Never say “unfortunately”. From the next comparison on, it is measured in every answer." in page
        )
        assert "For the short prompt" in page
    rules = await house.store.voice_rules.of(house.voice.id)
    assert with_rules({}, rules) == {"forbidden": ["unfortunately"]}
    (entry,) = [each for each in await house.store.audit.entries(9) if each.verb == "approve_rule"]
    assert (entry.subject, entry.detail) == (house.voice.id, {"kind": "forbidden"})


async def test_an_approver_may_change_their_mind_and_nobody_else_decides(house: House):
    await with_a_habit(house)
    async with house.browser("noor") as noor, house.browser("mia") as mia, house.browser("cleo") as cleo:
        await noor.post("/review/voice", RULE)
        await noor.post("/review/voice", RULE | {"state": "rejected"})
        assert "An approver decides." in await mia.page("/review/voice") or "Rejected" in await mia.page(
            "/review/voice"
        )
        assert (await mia.post("/review/voice", RULE)).status_code == 403
        assert (await cleo.get("/review/voice")).status_code == 403
        assert (await noor.post("/review/voice", RULE | {"state": "proposed"})).status_code == 403
        assert (await noor.post("/review/voice", RULE | {"rule": "forbidden:nothing"})).status_code == 404
    assert with_rules({}, await house.store.voice_rules.of(house.voice.id)) == {}


async def test_without_corrections_it_says_what_will_appear(house: House):
    async with house.browser("mia") as mia:
        assert "No rule yet" in await mia.page("/review/voice")
