"""Turns approved corrections into a better model. May import storage and providers, never bot or tuner."""
