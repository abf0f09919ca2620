"""Who gets in, what every response says to the browser, and what people read when something went wrong."""

import re
from collections.abc import Iterator

import pytest
from fastapi import FastAPI
from starlette.routing import BaseRoute

from storage.errors import DatabaseUnavailable
from tests.bot.console.scenes import BASE_URL, IN_PAGE, House, read

PUBLIC = {"/sign-in", "/signed-out"}


def routes(app: FastAPI) -> Iterator[tuple[str, str]]:
    """Every method and path of the app, with something in place of each parameter."""

    def flat(routes: list[BaseRoute]) -> Iterator[BaseRoute]:
        for route in routes:
            inner = getattr(getattr(route, "original_router", None), "routes", None)
            yield from flat(inner) if inner is not None else [route]

    for route in flat(app.routes):
        for method in sorted(getattr(route, "methods", None) or ()):
            path = re.sub(r"\{[^}]+\}", "unknown", getattr(route, "path", ""))
            if method in ("GET", "POST"):
                yield method, path


async def test_all_routes_are_seen_by_these_tests(house: House):
    found = list(routes(house.app))
    assert {("GET", "/"), ("POST", "/ask"), ("GET", "/models"), ("POST", "/models/roll-back")} <= set(found)
    assert len(found) > 25


async def test_nobody_gets_anything_without_signing_in(house: House):
    async with house.stranger() as client:
        for method, path in routes(house.app):
            if path not in PUBLIC:
                response = await client.request(method, path)
                assert (response.status_code, response.headers["location"]) == (303, "/sign-in"), (method, path)


async def test_every_form_needs_its_sessions_token(house: House):
    async with house.browser("ada") as ada, house.browser("mia") as mia:
        await mia.post("/conversations")
        for method, path in routes(house.app):
            if method == "POST":
                for fields in ({}, {"csrf_token": "guessed"}, {"csrf_token": mia.token}):
                    response = await ada.client.post(path, data=fields)
                    assert response.status_code == 403, path
                    assert "from an earlier sign-in" in response.text


async def test_the_token_may_come_as_a_header(house: House):
    async with house.browser("ada") as browser:
        await browser.post("/conversations")
        response = await browser.client.post("/conversations", headers={"X-CSRF-Token": browser.token})
        assert response.status_code == 303


@pytest.mark.parametrize("site", ["cross-site", "same-site"])
async def test_another_site_cannot_post(house: House, site: str):
    async with house.browser("ada") as browser:
        response = await browser.post("/conversations", headers={"Sec-Fetch-Site": site})
    assert response.status_code == 403
    assert "This came from another site" in response.text


@pytest.mark.parametrize("host", ["evil.example", "evil.example:8321", "127.0.0.1.evil.example", "0.0.0.0", "", "["])
async def test_another_host_name_is_refused(house: House, host: str):
    async with house.browser("ada") as browser:
        response = await browser.get("/", headers={"Host": host})
    assert response.status_code == 421
    assert "127.0.0.1 or localhost" in response.text


@pytest.mark.parametrize("host", ["127.0.0.1", "localhost:9", "LOCALHOST:8321", "[::1]:8321"])
async def test_every_loopback_name_is_served(house: House, host: str):
    async with house.stranger() as client:
        assert (await client.get("/sign-in", headers={"Host": host})).status_code == 200


async def test_every_response_carries_the_headers(house: House):
    async with house.browser("ada") as browser:
        answers = [await browser.client.request(method, path) for method, path in routes(house.app)]
        answers.append(await browser.get("/static/console.css"))
        answers.append(await browser.get("/no-such-page"))
        answers.append(await browser.get("/", headers={"Host": "evil.example"}))
    for answer in answers:
        policy = answer.headers["content-security-policy"]
        assert policy.startswith("default-src 'self';"), answer.url
        assert "unsafe" not in policy
        assert answer.headers["x-content-type-options"] == "nosniff"
        assert answer.headers["referrer-policy"] == "same-origin"
        assert answer.headers["x-frame-options"] == "DENY"
        assert answer.headers["cache-control"] == ("no-cache" if "/static/" in str(answer.url) else "no-store")


async def test_no_page_has_inline_script_or_style(house: House):
    await house.approve(12)
    async with house.browser("ada") as browser:
        await browser.post("/training")
        run = await house.work()
        pages = [
            "/",
            "/review",
            "/import",
            "/training",
            f"/training/{run.id}",
            "/models",
            "/models/roll-back",
            "/history",
        ]
        for path in pages:
            html = (await browser.get(path)).text
            assert not re.search(r"<style|<script(?![^>]* src=)| style=| on[a-z]+=|javascript:", html), path
            assert not re.search(r"(src|href|action)=\"(https?:)?//", html), path


async def test_too_much_is_refused_with_a_sentence(house: House):
    async with house.browser("ada") as browser:
        response = await browser.post("/ask", {"text": "x" * (5 * 1024 * 1024)})
    assert response.status_code == 413
    assert "more than 4 MB" in response.text


async def test_a_page_that_is_not_there_says_so(house: House):
    async with house.browser("ada") as browser:
        for path in ("/no-such-page", "/training/run_unknown", "/corrections/corr_unknown", "/datasets/ds_unknown"):
            response = await browser.get(path)
            assert response.status_code == 404
            assert "Nothing here" in response.text
            assert "unknown" not in read(response.text)
        assert (await browser.get("/review?page=one")).status_code == 422
        assert (await browser.get("/ask")).status_code == 405


async def test_a_bug_becomes_a_page_with_a_number_that_the_log_has(
    house: House, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
):
    async def broken(*_: object) -> None:
        raise ZeroDivisionError("a bug")

    async with house.browser("ada") as browser:
        monkeypatch.setattr(house.store.models, "deployments", broken)
        response = await browser.get("/models")
    assert response.status_code == 500
    number = re.search(r"names it under ([0-9a-f]{8})", response.text)
    assert number is not None
    assert number[1] in caplog.text
    assert "ZeroDivisionError" not in response.text


async def test_a_database_that_does_not_answer_is_a_sentence(house: House, monkeypatch: pytest.MonkeyPatch):
    async def gone(*_: object, **__: object) -> None:
        raise DatabaseUnavailable("There is no room left to write app.sqlite. Free some disk space, then try again.")

    async with house.browser("ada") as browser:
        await browser.post("/conversations")
        monkeypatch.setattr(house.store.people, "session", gone)
        page = await browser.get("/")
        fragment = await browser.post("/ask", {"text": "Hello?"}, headers=IN_PAGE)
    assert page.status_code == fragment.status_code == 503
    assert "Free some disk space" in page.text
    assert fragment.headers["hx-retarget"] == "#notice"
    assert "<html" not in fragment.text


async def test_the_sign_in_page_is_open_to_all(house: House):
    async with house.stranger() as client:
        for path in PUBLIC:
            assert (await client.get(f"{BASE_URL}{path}")).status_code == 200
