"""Rented intelligence behind two protocols, ChatModel and Trainer. Imports nothing else of ours."""
