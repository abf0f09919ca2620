"""What the team does from any chat platform: the same verbs, words and cards on Slack and on Discord. Knows neither."""
