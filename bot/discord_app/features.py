"""The features this app has: every module that brings verbs, named once."""

from bot.discord_app import (
    boarding,
    commands,
    disputes,
    doubts,
    feedback,
    leaving,
    menus,
    missed_changes,
    missed_signs,
    presses,
    quiet,
    signs,
    tags,
)
from bot.discord_app.interactions import Feature

FEATURES: tuple[Feature, ...] = (
    feedback.FEATURE,
    presses.FEATURE,
    disputes.FEATURE,
    doubts.FEATURE,
    signs.FEATURE,
    missed_changes.FEATURE,
    missed_signs.FEATURE,
    menus.FEATURE,
    commands.FEATURE,
    boarding.FEATURE,
    leaving.FEATURE,
    quiet.FEATURE,
    tags.FEATURE,
)
