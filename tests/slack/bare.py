"""A bare slack-bolt app behind FastAPI, to prove the harness with, and what it posts."""

from contextlib import AbstractAsyncContextManager
from typing import Any

from fastapi import FastAPI, Request
from slack_bolt.adapter.fastapi.async_handler import AsyncSlackRequestHandler
from slack_bolt.async_app import AsyncApp
from slack_sdk.web.async_client import AsyncWebClient

from tests.slack.place import Message
from tests.slack.workspace import Workspace

QUIET = {"unfurl_links": False, "unfurl_media": False}


def client_of(workspace: Workspace) -> AsyncWebClient:
    """The Web API client of the app."""
    return AsyncWebClient(token=workspace.bot_token, base_url=workspace.wire.api_url)


def bare_app(workspace: Workspace) -> AsyncApp:
    """An app without listeners. It answers a delivery when its listener is done, so that a test need not wait."""
    return AsyncApp(client=client_of(workspace), signing_secret=workspace.signing_secret, process_before_response=True)


def behind_fastapi(app: AsyncApp) -> FastAPI:
    api = FastAPI()
    handler = AsyncSlackRequestHandler(app)

    @api.post("/slack/events")
    @api.get("/slack/install")
    @api.get("/slack/oauth_redirect")
    async def endpoint(request: Request) -> Any:
        return await handler.handle(request)

    return api


def serving(workspace: Workspace, app: AsyncApp) -> AbstractAsyncContextManager[str]:
    return workspace.door.serving(behind_fastapi(app))


def echoing(workspace: Workspace) -> AsyncApp:
    """An app that answers each mention in its thread, with metadata."""
    app = bare_app(workspace)

    @app.event("app_mention")
    async def answer(event: dict[str, Any], say: Any) -> None:
        metadata = {"event_type": "reply", "event_payload": {"reply_id": "reply_1"}}
        await say(text="An answer", thread_ts=event.get("thread_ts") or event["ts"], metadata=metadata, **QUIET)

    @app.event("message")
    async def ignore() -> None:
        """Every message of a mention arrives as this, too."""

    return app


async def asked_for_a_stream(workspace: Workspace, buffer_size: int = 8) -> tuple[Message, Any]:
    """A question, and a stream in its thread that has not begun."""
    question = await workspace.post(workspace.customer, workspace.support, "Where is my parcel?")
    stream = await client_of(workspace).chat_stream(
        buffer_size=buffer_size,
        channel=workspace.support.id,
        thread_ts=question.ts,
        recipient_team_id=workspace.team.team_id,
        recipient_user_id=workspace.customer.user_id,
    )
    return question, stream


def correction_form(text: str) -> dict[str, Any]:
    def plain(words: str) -> dict[str, str]:
        return {"type": "plain_text", "text": words}

    options = [{"text": plain(value), "value": value} for value in ("wrong", "tone")]
    answer = {"type": "plain_text_input", "action_id": "answer", "multiline": True, "initial_value": text}
    reason = {"type": "static_select", "action_id": "reason", "options": options}
    return {
        "type": "modal",
        "callback_id": "correct",
        "title": plain("Correct"),
        "submit": plain("Save"),
        "close": plain("Cancel"),
        "notify_on_close": True,
        "private_metadata": "reply_1",
        "blocks": [
            {"type": "input", "block_id": "answer", "label": plain("Answer"), "element": answer},
            {"type": "input", "block_id": "reason", "label": plain("Reason"), "element": reason},
        ],
    }


def rateable() -> list[dict[str, Any]]:
    def plain(words: str) -> dict[str, str]:
        return {"type": "plain_text", "text": words}

    feedback = {
        "type": "feedback_buttons",
        "action_id": "rate",
        "positive_button": {"text": plain("Good"), "value": "reply_1 good"},
        "negative_button": {"text": plain("Bad"), "value": "reply_1 bad"},
    }
    bin_ = {
        "type": "icon_button",
        "action_id": "retract",
        "icon": "trash",
        "text": plain("Retract"),
        "value": "reply_1",
    }
    human = {"type": "button", "action_id": "human", "text": plain("Needs a human"), "value": "reply_1"}
    return [
        {"type": "markdown", "text": "**An answer**"},
        {"type": "context_actions", "elements": [feedback, bin_ | {"visible_to_user_ids": ["U0NOBODY"]}]},
        {"type": "actions", "elements": [human]},
    ]
