"""The features this app has: every module that brings verbs, named once."""

from bot.discord_app import feedback
from bot.discord_app.interactions import Feature

FEATURES: tuple[Feature, ...] = (feedback.FEATURE,)
