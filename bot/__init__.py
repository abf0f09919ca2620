"""Talks to people. Wires everything (in cli.py) and may import curation, storage and providers, never tuner."""
