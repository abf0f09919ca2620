"""The harness, proven with a bare slack-bolt app: what people do, what the app hears, and what the emulator judges.

Where a test pins down what Bolt or the emulator do by themselves, its name says so: Finetone's app is built on it.
"""

from typing import Any

import pytest
from slack_bolt.async_app import AsyncApp
from slack_sdk.errors import SlackApiError
from slack_sdk.web.async_client import AsyncWebClient

from tests.slack.bare import QUIET, bare_app, client_of, correction_form, echoing, rateable, serving
from tests.slack.delivery import NotAcknowledged
from tests.slack.emulator import Emulators
from tests.slack.forms import CannotDo
from tests.slack.place import APP_ID, CORE_SCOPES
from tests.slack.served import Door
from tests.slack.wire import Wire
from tests.slack.workspace import Workspace, open_workspace


async def test_a_mention_is_answered_in_its_thread_and_others_can_read_it(workspace: Workspace):
    async with serving(workspace, echoing(workspace)):
        question = await workspace.mention(workspace.customer, workspace.support, "Where is my parcel?")
    [asked, reply] = await workspace.thread(workspace.support, question.ts)
    assert asked.raw["reply_count"] == 1
    assert (reply.text, reply.root_ts, reply.user_id) == ("An answer", question.ts, workspace.bot_user_id)
    assert reply.metadata == {"event_type": "reply", "event_payload": {"reply_id": "reply_1"}}
    assert (reply.raw["bot_id"], reply.raw["app_id"]) == (workspace.team.bot_id, APP_ID)
    assert await workspace.channel_messages(workspace.support) == [asked]
    assert await workspace.replies(question) == [reply]


async def test_a_mention_arrives_twice_with_one_ts_and_two_event_ids(workspace: Workspace):
    async with serving(workspace, echoing(workspace)):
        await workspace.mention(workspace.customer, workspace.support, "Hello")
    first, second = (delivery.body.json for delivery in workspace.deliveries)
    assert (first["event"]["type"], second["event"]["type"]) == ("message", "app_mention")
    assert first["event"]["ts"] == second["event"]["ts"]
    assert first["event_id"] != second["event_id"]


@pytest.mark.parametrize(
    "forged", [{"secret": "another"}, {"age_s": 301.0}], ids=["another secret", "older than five minutes"]
)
async def test_a_delivery_that_is_not_slacks_gets_401(workspace: Workspace, forged: dict[str, Any]):
    async with serving(workspace, echoing(workspace)):
        question = await workspace.post(workspace.customer, workspace.support, "Hello")
        event = workspace.message_event(workspace.customer, question) | {"type": "app_mention"}
        refused = await workspace.deliver(workspace.event(event), **forged)
        assert refused.status == 401
        assert await workspace.replies(question) == []
        assert (await workspace.deliver(workspace.event(event), age_s=290.0)).status == 200


async def test_bolt_by_itself_acknowledges_first_and_answers_in_the_background(workspace: Workspace):
    app = AsyncApp(client=client_of(workspace), signing_secret=workspace.signing_secret)

    @app.event("message")
    async def answer(event: dict[str, Any], say: Any) -> None:
        await say(text="An answer", thread_ts=event["ts"], **QUIET)

    hold = workspace.wire.faults.hold("chat.postMessage")
    async with serving(workspace, app):
        question = await workspace.say(workspace.customer, workspace.support, "Hello")
        await hold.reached()
        assert await workspace.replies(question) == []
        hold.release()
        [reply] = await workspace.until(lambda: workspace.replies(question))
    assert reply.text == "An answer"


async def test_an_app_can_be_stopped_and_started_again_at_its_address(workspace: Workspace):
    for _ in range(2):
        async with serving(workspace, echoing(workspace)) as url:
            question = await workspace.mention(workspace.customer, workspace.support, "Hello")
            assert (url, len(await workspace.replies(question))) == (workspace.door.url, 1)


async def test_bolt_by_itself_answers_a_redelivered_event_again(workspace: Workspace):
    async with serving(workspace, echoing(workspace)):
        question = await workspace.mention(workspace.customer, workspace.support, "Hello")
        mention = workspace.deliveries[-1]
        assert (await workspace.redeliver(mention, retry_num=1)).acknowledged
    assert mention.body.json["event_id"] == workspace.deliveries[-1].body.json["event_id"]
    assert len(await workspace.replies(question)) == 2


async def test_an_app_that_does_not_acknowledge_is_told_on(workspace: Workspace):
    async with serving(workspace, bare_app(workspace)):
        with pytest.raises(NotAcknowledged, match="404"):  # Bolt's answer where nobody listens
            await workspace.say(workspace.customer, workspace.support, "Hello")


async def test_a_stranger_is_seen_as_of_another_team(workspace: Workspace):
    seen: list[dict[str, Any]] = []
    app = bare_app(workspace)

    @app.event("message")
    async def remember(body: dict[str, Any]) -> None:
        seen.append(body)

    async with serving(workspace, app):
        await workspace.say(workspace.stranger, workspace.support, "Hello")
        await workspace.say(workspace.customer, workspace.support, "Hello")
    stranger, customer = seen
    assert stranger["is_ext_shared_channel"]
    assert stranger["event"]["user_team"] == stranger["event"]["team"] == workspace.stranger.team_id
    assert customer["event"]["team"] == stranger["team_id"] == workspace.team.team_id
    looked_up = await client_of(workspace).users_info(user=workspace.stranger.user_id)
    assert looked_up["user"]["team_id"] == workspace.stranger.team_id
    assert looked_up["user"]["is_stranger"]


async def test_what_people_do_reaches_the_app_as_slack_tells_it(workspace: Workspace):
    told: list[tuple[str, str]] = []
    app = bare_app(workspace)

    @app.event({"type": "message", "subtype": None})
    @app.event({"type": "message", "subtype": "message_changed"})
    @app.event({"type": "message", "subtype": "message_deleted"})
    @app.event("reaction_added")
    @app.event("reaction_removed")
    @app.event("member_joined_channel")
    @app.event("app_home_opened")
    @app.event("agent_session_stopped")
    @app.event("tokens_revoked")
    @app.event("app_uninstalled")
    async def remember(event: dict[str, Any]) -> None:
        told.append((event["type"], event.get("subtype") or event.get("tab") or event.get("channel_type") or ""))

    customer, moderator = workspace.customer, workspace.moderator
    async with serving(workspace, app):
        message = await workspace.direct_message(customer, "Where is my parcel?")
        edited = await workspace.edit(customer, message, "Where is my order?")
        assert [one.text for one in await workspace.channel_messages(message.channel)] == ["Where is my order?"]
        await workspace.delete(customer, edited)
        assert await workspace.channel_messages(message.channel) == []
        question = await workspace.say(customer, workspace.support, "Is it red?")
        await workspace.react(moderator, question, "thumbsup")
        reacted = await workspace.reactions(workspace.support, question.ts)
        assert reacted == {"thumbsup": [moderator.user_id]}
        await workspace.unreact(moderator, question, "thumbsup")
        assert await workspace.reactions(workspace.support, question.ts) == {}
        lobby = await workspace.new_channel("lobby", [])
        await workspace.invite_bot(lobby)
        assert workspace.bot_user_id in await workspace.members(lobby)
        await workspace.join(customer, lobby)
        await workspace.open_home(customer)
        await workspace.open_messages_tab(customer)
        await workspace.press_stop(customer, question)
        await workspace.uninstall()
    assert told == [
        ("message", "im"),
        ("message", "message_changed"),
        ("message", "message_deleted"),
        ("message", "channel"),
        ("reaction_added", ""),
        ("reaction_removed", ""),
        ("member_joined_channel", "C"),
        ("member_joined_channel", "C"),
        ("app_home_opened", "home"),
        ("app_home_opened", "messages"),
        ("agent_session_stopped", ""),
        ("tokens_revoked", ""),
        ("app_uninstalled", ""),
    ]
    with pytest.raises(SlackApiError, match="token_revoked"):
        await client_of(workspace).auth_test()


async def test_only_the_staff_sit_in_the_private_channels(workspace: Workspace):
    staff = {workspace.bot_user_id, workspace.moderator.user_id, workspace.approver.user_id, workspace.admin.user_id}
    assert set(await workspace.members(workspace.review)) == staff
    assert set(await workspace.members(workspace.triage)) == staff
    assert {workspace.customer.user_id, workspace.stranger.user_id} < set(await workspace.members(workspace.support))


# Clicks, forms and commands.


def correctable(workspace: Workspace) -> AsyncApp:
    """An app that answers mentions, and whose answers are corrected by a message shortcut."""
    app = echoing(workspace)

    @app.shortcut("correct")
    async def ask_for_correction(ack: Any, shortcut: dict[str, Any], client: AsyncWebClient) -> None:
        await ack()
        form = correction_form(shortcut["message"]["text"])
        form["private_metadata"] = f"{shortcut['channel']['id']} {shortcut['message_ts']}"
        await client.views_open(trigger_id=shortcut["trigger_id"], view=form)

    @app.view("correct")
    async def save(ack: Any, view: dict[str, Any], client: AsyncWebClient) -> None:
        answer = view["state"]["values"]["answer"]["answer"]["value"]
        if answer == "no":
            await ack(response_action="errors", errors={"answer": "Too short."})
            return
        await ack()
        channel, ts = view["private_metadata"].split()
        reason = view["state"]["values"]["reason"]["reason"]["selected_option"]["value"]
        await client.chat_update(channel=channel, ts=ts, text=f"{answer} ({reason})")

    @app.view_closed("correct")
    async def forget(ack: Any) -> None:
        await ack()

    return app


async def test_a_shortcut_opens_a_form_whose_submission_edits_the_reply(workspace: Workspace):
    moderator = workspace.moderator
    async with serving(workspace, correctable(workspace)):
        question = await workspace.mention(workspace.customer, workspace.support, "Where is my parcel?")
        [reply] = await workspace.replies(question)
        await workspace.shortcut(moderator, reply, "correct")
        assert workspace.open_view(moderator)["blocks"][0]["element"]["initial_value"] == "An answer"
        with pytest.raises(CannotDo, match="reason must be filled in"):
            await workspace.submit(moderator, {"answer": "A better answer"})
        await workspace.submit(moderator, {"answer": "no", "reason": "tone"})
        assert workspace.open_view(moderator) is not None  # the form stays, with its error
        await workspace.submit(moderator, {"answer": "A better answer", "reason": "tone"})
    assert workspace.open_view(moderator) is None
    [corrected] = await workspace.replies(question)
    assert corrected.text == "A better answer (tone)"


async def test_a_cancelled_form_is_gone_and_the_app_hears_of_it(workspace: Workspace):
    async with serving(workspace, correctable(workspace)):
        message = await workspace.post(workspace.customer, workspace.support, "A person wrote this")
        await workspace.shortcut(workspace.approver, message, "correct")
        heard = await workspace.close_view(workspace.approver)
    assert heard is not None
    assert heard.acknowledged
    assert workspace.open_view(workspace.approver) is None


async def test_a_form_may_lead_to_another_and_back(workspace: Workspace):
    app, moderator = bare_app(workspace), workspace.moderator
    first = {**correction_form("first"), "callback_id": "first"}
    second = {**correction_form("second"), "callback_id": "second"}
    ways = {"tone": {"response_action": "push", "view": second}, "wrong": {"response_action": "update", "view": second}}

    @app.shortcut("correct")
    async def open_first(ack: Any, shortcut: dict[str, Any], client: AsyncWebClient) -> None:
        await ack()
        await client.views_open(trigger_id=shortcut["trigger_id"], view=first)

    @app.view("first")
    async def lead_on(ack: Any, view: dict[str, Any]) -> None:
        await ack(**ways[view["state"]["values"]["reason"]["reason"]["selected_option"]["value"]])

    @app.view("second")
    async def end(ack: Any, view: dict[str, Any]) -> None:
        done = view["state"]["values"]["reason"]["reason"]["selected_option"]["value"] == "wrong"
        await ack(**({"response_action": "clear"} if done else {}))

    def seen() -> str | None:
        view = workspace.open_view(moderator)
        return view["callback_id"] if view else None

    async with serving(workspace, app):
        message = await workspace.post(workspace.customer, workspace.support, "Hello")
        await workspace.shortcut(moderator, message, "correct")
        shown = []
        for reason in ("tone", "tone", "tone", "wrong"):  # push, back, push, clear
            await workspace.submit(moderator, {"reason": reason})
            shown.append(seen())
        assert shown == ["second", "first", "second", None]
        await workspace.shortcut(moderator, message, "correct")
        await workspace.submit(moderator, {"reason": "wrong"})  # updated in place: nothing lies under it
        assert seen() == "second"
        await workspace.submit(moderator, {"reason": "tone"})
        assert seen() is None


async def test_a_trigger_opens_one_view(workspace: Workspace):
    triggers: list[str] = []
    app = bare_app(workspace)

    @app.shortcut("correct")
    async def keep(ack: Any, shortcut: dict[str, Any]) -> None:
        triggers.append(shortcut["trigger_id"])
        await ack()

    async with serving(workspace, app):
        message = await workspace.post(workspace.customer, workspace.support, "Hello")
        await workspace.shortcut(workspace.moderator, message, "correct")
    client = client_of(workspace)
    opened = await client.views_open(trigger_id=triggers[0], view=correction_form("x"))
    with pytest.raises(SlackApiError, match="exchanged_trigger_id"):
        await client.views_open(trigger_id=triggers[0], view=correction_form("x"))
    with pytest.raises(SlackApiError, match="hash_conflict"):
        await client.views_update(view_id=opened["view"]["id"], hash="old", view=correction_form("y"))


async def test_buttons_of_a_message_are_clicked_and_rated(workspace: Workspace):
    clicks: list[dict[str, Any]] = []
    app = bare_app(workspace)

    async def remember(ack: Any, body: dict[str, Any]) -> None:
        clicks.append(body)
        await ack()

    for action_id in ("rate", "human", "retract"):
        app.action(action_id)(remember)

    async with serving(workspace, app):
        client = client_of(workspace)
        channel = workspace.support.id
        sent = await client.chat_postMessage(channel=channel, text="An answer", blocks=rateable(), **QUIET)
        [reply] = await workspace.thread(workspace.support, sent["ts"])
        await workspace.click(workspace.customer, reply, "human")
        await workspace.rate(workspace.customer, reply, good=False)
        with pytest.raises(CannotDo, match="customer does not see retract"):
            await workspace.click(workspace.customer, reply, "retract")
        await workspace.click(workspace.customer, reply, "retract", even_if_hidden=True)
        await client.chat_postEphemeral(
            channel=channel, user=workspace.customer.user_id, text="Thanks", blocks=rateable()[2:]
        )
        [private] = workspace.ephemerals(workspace.customer)
        await workspace.click(workspace.customer, private, "human")
    assert workspace.ephemerals(workspace.moderator) == []
    assert [click["actions"][0]["value"] for click in clicks] == ["reply_1", "reply_1 bad", "reply_1", "reply_1"]
    assert clicks[0]["message"]["ts"] == reply.ts
    assert clicks[1]["actions"][0]["type"] == "feedback_buttons"
    assert [("message" in click, click["container"]["is_ephemeral"]) for click in clicks[2:]] == [
        (True, False),
        (False, True),
    ]


async def test_a_home_tab_is_published_read_and_clicked(workspace: Workspace):
    chosen: list[str] = []
    app = bare_app(workspace)
    modes = [{"text": {"type": "plain_text", "text": mode}, "value": mode} for mode in ("off", "auto")]
    menu = {"type": "static_select", "action_id": "mode", "options": modes}

    @app.event("app_home_opened")
    async def publish(event: dict[str, Any], client: AsyncWebClient) -> None:
        view = {"type": "home", "blocks": [{"type": "actions", "elements": [menu]}]}
        await client.views_publish(user_id=event["user"], view=view)

    @app.action("mode")
    async def choose(ack: Any, action: dict[str, Any]) -> None:
        chosen.append(action["selected_option"]["value"])
        await ack()

    async with serving(workspace, app):
        home = await workspace.open_home(workspace.admin)
        assert home is not None
        await workspace.click(workspace.admin, home, "mode", "auto")
        with pytest.raises(CannotDo, match="offers"):
            await workspace.click(workspace.admin, home, "mode", "loud")
    assert chosen == ["auto"]
    assert workspace.home(workspace.customer) is None


async def test_a_command_is_acknowledged_and_answered_later_at_its_url(workspace: Workspace):
    app = bare_app(workspace)

    @app.command("/retrain")
    async def retrain(ack: Any, respond: Any, command: dict[str, Any]) -> None:
        await ack(text=f"Working on {command['text']}.")
        await respond(text="Done.", response_type="ephemeral")

    async with serving(workspace, app):
        answer, response_url = await workspace.command(workspace.admin, workspace.review, "/retrain", "now")
    assert answer.text == "Working on now."
    assert [posted["text"] for posted in workspace.responses(response_url)] == ["Done."]


# What the emulator judges.


async def test_a_token_without_the_scope_is_refused_by_name(wire: Wire, door: Door, program: Emulators):
    scopes = [scope for scope in CORE_SCOPES if scope not in ("reactions:write", "usergroups:read")]
    async with open_workspace(wire, door, program, scopes=scopes) as workspace:
        client = client_of(workspace)
        message = await workspace.post(workspace.customer, workspace.support, "Hello")
        with pytest.raises(SlackApiError) as caught:
            await client.reactions_add(channel=workspace.support.id, timestamp=message.ts, name="eyes")
        assert (caught.value.response["error"], caught.value.response["needed"]) == ("missing_scope", "reactions:write")
        assert "chat:write" in caught.value.response["provided"]
        with pytest.raises(SlackApiError) as caught:  # our own stub, in the same words
            await client.usergroups_users_list(usergroup="S0MODERATORS")
        assert (caught.value.response["error"], caught.value.response["needed"]) == ("missing_scope", "usergroups:read")
        tested = await client.auth_test()
        assert tested.headers["x-oauth-scopes"] == ",".join(scopes)


async def test_calls_by_query_reach_the_emulator_as_forms(workspace: Workspace):
    client, channel = client_of(workspace), workspace.support.id
    message = await workspace.post(workspace.customer, workspace.support, "Hello")
    await client.reactions_add(channel=channel, timestamp=message.ts, name="eyes")
    assert await workspace.reactions(workspace.support, message.ts) == {"eyes": [workspace.bot_user_id]}
    await client.reactions_remove(channel=channel, timestamp=message.ts, name="eyes")
    assert (await client.conversations_replies(channel=channel, ts=message.ts, limit=15))["messages"][0][
        "text"
    ] == "Hello"
    assert (await client.conversations_info(channel=channel))["channel"]["name"] == "support"
    assert (await client.users_info(user=workspace.customer.user_id))["user"]["name"] == "customer"
    assert (await client.conversations_open(users=[workspace.customer.user_id]))["channel"]["id"].startswith("D")
    [reacted] = workspace.wire.calls_of("reactions.add")
    assert reacted.arguments == {"channel": channel, "timestamp": message.ts, "name": "eyes"}


async def test_a_file_can_be_sent_to_one_person(workspace: Workspace):
    client = client_of(workspace)
    dm = await client.conversations_open(users=workspace.admin.user_id)
    await client.files_upload_v2(channel=dm["channel"]["id"], filename="dataset.jsonl", content='{"messages": []}\n')
    assert await workspace.uploads(workspace.admin) == {"dataset.jsonl": '{"messages": []}\n'}
    assert await workspace.uploads(workspace.customer) == {}


async def test_an_update_without_blocks_drops_them(workspace: Workspace):
    client, channel = client_of(workspace), workspace.support.id
    sent = await client.chat_postMessage(channel=channel, text="An answer", blocks=rateable(), **QUIET)
    assert sent["message"]["bot_id"] == workspace.team.bot_id  # the emulator leaves it out
    await client.chat_update(channel=channel, ts=sent["ts"], text="Another answer")
    [message] = await workspace.thread(workspace.support, sent["ts"])
    assert (message.text, message.blocks) == ("Another answer", [])
