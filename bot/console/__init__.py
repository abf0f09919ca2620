"""The console: the bot in a browser. It turns requests into calls of answering and moderation, and their answers into pages."""
