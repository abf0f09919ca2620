"""The wire between the app and the emulator: the app is given `Wire.api_url` as its Web API base URL.

It turns query calls into the POST forms the emulator reads, records and checks every outgoing call, lets our own stub answer
what the emulator lacks (own_stub.py), fails on demand (faults.py), and keeps the response URLs. One wire serves several
workspaces, as slack.com does: a call's token says which.
"""

import contextlib
from collections import Counter
from collections.abc import AsyncGenerator, Sequence
from typing import Any

from aiohttp import web

from tests.slack.calls import Asked, Call, read_call
from tests.slack.faults import Faults
from tests.slack.loopback import emulator_client
from tests.slack.own_stub import Answer, Sessions, Statuses, Streams, Stub, Usergroups, missing_scope, refusal
from tests.slack.payloads import call_violations, response_violations, stream_violations
from tests.slack.screens import Screens
from tests.slack.team import Team

RESPONSES_PER_URL = 5


class Wire:
    """See the module. `calls`, `responses` and `violations` grow as the app speaks."""

    def __init__(self) -> None:
        self.calls: list[Call] = []
        self.responses: dict[str, list[dict[str, Any]]] = {}  # what was posted to each response URL
        self.violations: list[str] = []  # a fixture fails the test on any that is left here
        self.faults = Faults()
        self.sessions = Sessions()
        self.streams = Streams(self.sessions)
        self.statuses = Statuses()
        self.usergroups = Usergroups()
        self.screens = Screens()
        self.teams: list[Team] = []
        self.url = ""
        self._http = emulator_client()

    @property
    def api_url(self) -> str:
        """What the app is given as `base_url`."""
        return f"{self.url}/api/"

    @property
    def stubs(self) -> Sequence[Stub]:
        return (self.streams, self.statuses, self.sessions, self.usergroups)

    def calls_of(self, method: str) -> list[Call]:
        return [call for call in self.calls if call.method == method]

    def count(self) -> Counter[str]:
        """How often each method was called."""
        return Counter(call.method for call in self.calls)

    def without_ai(self) -> None:
        """As an older Slack, or a plan without agents: no streams, statuses or sessions (HTTP 404 from the emulator)."""
        for stub in (self.streams, self.statuses, self.sessions):
            stub.available = False

    # Response URLs.

    def new_response_url(self) -> str:
        url = f"{self.url}/response/{len(self.responses) + 1}"
        self.responses[url] = []
        return url

    async def _respond(self, request: web.Request) -> web.Response:
        posted = self.responses.get(f"{self.url}{request.path}")
        if posted is None or len(posted) >= RESPONSES_PER_URL:
            return web.json_response(refusal("used_url"), status=404)
        payload = await request.json()
        posted.append(payload)
        self.violations += response_violations(payload)
        return web.json_response({"ok": True})

    # Web API calls.

    async def _call(self, request: web.Request) -> web.StreamResponse:
        asked, body = await self._read(request)
        self.violations += call_violations(asked)
        fault = self.faults.next(asked.method)
        if fault and fault.hold:
            await fault.hold.wait_here()
            fault = None
        if fault is None or fault.after:
            status, answer, headers = await self._answer(request, asked, body)
            self._notice(asked, answer)
        else:
            status, answer, headers = fault.status, fault.answer, fault.headers
        if answer is None or (fault and fault.after):
            self.calls.append(Call(asked.method, asked.arguments, asked.token, 0, {}))
            assert request.transport is not None
            request.transport.abort()
            return web.Response()  # never arrives
        self.calls.append(Call(asked.method, asked.arguments, asked.token, status, answer))
        return web.json_response(answer, status=status, headers=headers)

    async def _read(self, request: web.Request) -> tuple[Asked, bytes]:
        method = request.match_info["method"]
        if request.content_type == "multipart/form-data":
            form = {name: value for name, value in (await request.post()).items() if isinstance(value, str)}
            return read_call(method, request.query, request.headers, b"", form), b""
        body = await request.read()
        return read_call(method, request.query, request.headers, body), body

    async def _answer(self, request: web.Request, asked: Asked, body: bytes) -> tuple[int, Answer, dict[str, str]]:
        if not asked.token:
            return (*await self._anonymous(request, asked), {})
        team = self._team_of(asked.token)
        if team is None:
            return 200, refusal("invalid_auth"), {}
        if asked.token in team.revoked:
            return 200, refusal("token_revoked"), {}
        headers = {"x-oauth-scopes": ",".join(team.scopes[asked.token])}
        if conflict := self.streams.conflict(asked):
            return 200, conflict, headers
        stub = next((stub for stub in self.stubs if asked.method in stub.methods and stub.available), None)
        if stub is None:
            return (*await self._forward(team, request, asked, body), headers)
        return 200, await self._stubbed(stub, team, asked), headers

    async def _stubbed(self, stub: Stub, team: Team, asked: Asked) -> Answer:
        async def emulated(method: str, arguments: dict[str, Any]) -> Answer:
            _, answer = await team.ask(self._http, Asked(method, arguments, asked.token))
            return answer

        if refused := missing_scope(stub.scopes, team.scopes[asked.token]):
            return refused
        return await stub.answer(asked, emulated)

    async def _anonymous(self, request: web.Request, asked: Asked) -> tuple[int, Answer]:
        """A call without a token: the code of an installation is known to one workspace only."""
        if asked.method != "oauth.v2.access":
            return 200, refusal("not_authed")
        answer = refusal("invalid_code")
        for team in self.teams:
            _, answer = await team.ask(self._http, asked, request.headers.get("Authorization"))
            if answer.get("ok"):
                team.scopes[answer["access_token"]] = answer["scope"].split(",")
                break
            if answer.get("error") != "invalid_code":
                break
        return 200, answer

    def _team_of(self, token: str) -> Team | None:
        return next((team for team in self.teams if token in team.scopes), None)

    async def _forward(self, team: Team, request: web.Request, asked: Asked, body: bytes) -> tuple[int, Answer]:
        """Pass a POST body on as it came, and anything else as a form."""
        if request.method == "POST" and body and not request.query:
            content_type = request.headers["Content-Type"]
            return await team.send(self._http, asked.method, body, content_type, f"Bearer {asked.token}")
        return await team.ask(self._http, asked)

    def _notice(self, asked: Asked, answer: Answer) -> None:
        """What a call that took effect changes for people, whether or not the app hears of it."""
        if answer.get("ok") is not True:
            return
        self.screens.notice(asked, answer)
        if asked.method in ("chat.postMessage", "chat.startStream"):
            self.statuses.clear(answer["channel"], asked.arguments.get("thread_ts", ""))
        if asked.method in self.streams.methods:
            stream = self.streams.find(answer["channel"], answer["ts"])
            self.violations += stream_violations(stream.text) if stream else []

    @contextlib.asynccontextmanager
    async def listening(self) -> AsyncGenerator["Wire"]:
        """Listen on a free loopback port for the length of a block."""
        app = web.Application(client_max_size=64 * 2**20)
        app.router.add_route("*", "/api/{method}", self._call)
        app.router.add_post("/response/{number}", self._respond)
        runner = web.AppRunner(app, access_log=None, shutdown_timeout=1)
        await runner.setup()
        site = web.TCPSite(runner, "127.0.0.1", 0)
        try:
            await site.start()
            self.url = f"http://127.0.0.1:{runner.addresses[0][1]}"
            yield self
        finally:
            self.faults.heal()
            await runner.cleanup()
            await self._http.aclose()
