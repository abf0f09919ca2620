"""What each person has in front of them: the app's home tab and their stack of modals.

The emulator stores views but offers no way to read one; it does answer every views.* call with the view it stored, and that
is what is kept here. A person is (team id, user id): one user id may live in two workspaces.
"""

from typing import Any

from tests.slack.calls import Asked

View = dict[str, Any]
Who = tuple[str, str]


class Screens:
    """The views of every person."""

    def __init__(self) -> None:
        self._views: dict[str, View] = {}  # by view id, as stored last
        self._homes: dict[Who, str] = {}  # view ids
        self._stacks: dict[Who, list[str]] = {}  # view ids, the top one last
        self._triggered_by: dict[str, Who] = {}

    def expect(self, trigger_id: str, who: Who) -> None:
        """A view opened with this trigger comes up in front of this person."""
        self._triggered_by[trigger_id] = who

    def notice(self, asked: Asked, answer: dict[str, Any]) -> None:
        """Follow one call that succeeded, if it is about a view."""
        if not asked.method.startswith("views."):
            return
        view = answer["view"]
        self._views[view["id"]] = view
        match asked.method:
            case "views.publish":
                self._homes[view["team_id"], asked.arguments["user_id"]] = view["id"]
            case "views.open":
                self._stacks[self._triggered_by[asked.arguments["trigger_id"]]] = [view["id"]]
            case "views.push":
                self._stacks[self._triggered_by[asked.arguments["trigger_id"]]].append(view["id"])

    def home(self, who: Who) -> View | None:
        return self._views.get(self._homes.get(who, ""))

    def modals(self, who: Who) -> list[View]:
        """The person's open modals, the top one last."""
        return [self._views[view_id] for view_id in self._stacks.get(who, [])]

    def close_top(self, who: Who) -> None:
        self._stacks[who].pop()

    def close_all(self, who: Who) -> None:
        self._stacks[who] = []
