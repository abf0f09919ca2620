"""Pure: who may do what, by lists of a platform's ids."""

from collections.abc import Collection, Mapping

from bot.text import listed
from storage.records import Right

NAME_LIMIT = 80  # characters of somebody's name

IMPLIED = {  # a right brings the ones below it
    Right.MODERATOR: frozenset({Right.MODERATOR}),
    Right.APPROVER: frozenset({Right.MODERATOR, Right.APPROVER}),
    Right.ADMIN: frozenset({Right.MODERATOR, Right.APPROVER, Right.ADMIN}),
}

Members = Mapping[Right, Collection[str]]
"""Ids by right: of people, and of groups or roles."""


def members_of(moderators: str, approvers: str, admins: str) -> Members:
    """From the settings: ids apart by commas."""
    words = {Right.MODERATOR: moderators, Right.APPROVER: approvers, Right.ADMIN: admins}
    return {right: frozenset(listed(ids)) for right, ids in words.items()}


def rights_of(members: Members, user: str, groups: Collection[str]) -> frozenset[Right]:
    """What somebody may do who is in these groups, or wears these roles."""
    found: set[Right] = set()
    for right, ids in members.items():
        if user in ids or any(group in ids for group in groups):
            found |= IMPLIED[right]
    return frozenset(found)
