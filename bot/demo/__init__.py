"""The shipped demonstration: a fictional courier, the answers its moderators would give, and the story played on them."""
