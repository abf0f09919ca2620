"""A link signs in once; the session behind it lives in the database; everything else is told how to get a link."""

import asyncio
from pathlib import Path

from bot.console.sign_in import one_time_link
from storage.store import Store
from tests.bot.console.scenes import BASE_URL, IN_PAGE, House, build_house, read
from tests.conftest import Clock


async def test_a_link_works_once(house: House):
    link = await one_time_link(house.store, house.people["mia"], BASE_URL, now=house.clock())
    async with house.stranger() as first, house.stranger() as second:
        assert (await first.get(link)).headers["location"] == "/"
        assert (await first.get("/")).status_code == 200
        again = await second.get(link)
        assert again.status_code == 403
        assert "This link has been used or is older than 15 minutes." in again.text
        assert "finetone link" in again.text
        assert (await second.get("/")).status_code == 303


async def test_pressing_the_link_again_in_the_same_browser_leads_in(house: House):
    link = await one_time_link(house.store, house.people["mia"], BASE_URL, now=house.clock())
    async with house.stranger() as client:
        await client.get(link)
        assert (await client.get(link)).headers["location"] == "/"


async def test_a_link_expires(house: House, clock: Clock):
    link = await one_time_link(house.store, house.people["mia"], BASE_URL, now=house.clock())
    clock.advance(15 * 60)
    async with house.stranger() as client:
        assert (await client.get(link)).status_code == 403


async def test_neither_link_nor_cookie_is_stored(house: House, store: Store, tmp_path: Path):
    link = await one_time_link(store, house.people["mia"], BASE_URL, now=house.clock())
    async with house.stranger() as client:
        await client.get(link)
        cookie = next(cookie.value for cookie in client.cookies.jar if cookie.name.startswith("finetone_session"))
    kept = await asyncio.to_thread(lambda: b"".join(file.read_bytes() for file in tmp_path.iterdir()))
    assert b"Mia" in kept
    assert link.split("token=")[1].encode() not in kept
    assert cookie.encode() not in kept


async def test_the_cookie_is_kept_from_scripts_and_other_sites(house: House):
    link = await one_time_link(house.store, house.people["mia"], BASE_URL, now=house.clock())
    async with house.stranger() as client:
        cookie = (await client.get(link)).headers["set-cookie"].lower()
    assert "httponly" in cookie
    assert "samesite=lax" in cookie


async def test_a_restart_keeps_people_signed_in(house: House, store: Store, clock: Clock):
    async with house.browser("mia") as before:
        cookies = before.client.cookies
    restarted = await build_house(store, clock)
    async with restarted.stranger() as client:
        client.cookies = cookies
        assert "Practice channel" in (await client.get("/")).text


async def test_a_session_expires(house: House, clock: Clock):
    async with house.browser("mia") as browser:
        clock.advance(31 * 24 * 3600)
        assert (await browser.get("/")).headers["location"] == "/sign-in"


async def test_signing_out_ends_the_session_and_not_only_the_cookie(house: House):
    async with house.browser("mia") as browser:
        kept = dict(browser.client.cookies)
        assert (await browser.post("/sign-out")).headers["location"] == "/signed-out"
        assert "You are signed out." in read((await browser.get("/signed-out")).text)
        browser.client.cookies.update(kept)
        assert (await browser.get("/")).status_code == 303


async def test_a_stranger_is_told_how_to_get_a_link(house: House):
    async with house.stranger() as client:
        page = await client.get("/", follow_redirects=True)
        assert "You are not signed in." in page.text
        assert "Go to the terminal where Finetone runs" in page.text
        in_page = await client.get("/review/waiting", headers=IN_PAGE)
        assert (in_page.status_code, in_page.headers["hx-redirect"]) == (401, "/sign-in")


async def test_rights_are_read_anew_on_every_request(house: House, store: Store):
    async with house.browser("ada") as browser:
        assert (await browser.get("/models/roll-back")).status_code == 409
        await store.people.ensure_actor("console", "ada", "Ada", frozenset(), at=house.clock())
        assert (await browser.get("/models/roll-back")).status_code == 403
