"""Slack: payloads in, one function of `bot` called, its sentence out. The only room that imports slack_bolt and slack_sdk."""
