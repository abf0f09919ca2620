"""The HTTP clients of the harness: plain http on loopback, past any proxy."""

import httpx

PATIENCE_S = 20.0  # a test would rather see a late answer than none
KEPT_S = 1.0  # Node closes a connection that was idle for five seconds


def loopback_client() -> httpx.AsyncClient:
    """One connection a request: none is kept for a server that may be gone by then."""
    return _client(httpx.Limits(max_keepalive_connections=0))


def emulator_client() -> httpx.AsyncClient:
    """Keeps its connections for a moment: an emulator ends when nothing more is asked of it."""
    return _client(httpx.Limits(keepalive_expiry=KEPT_S))


def _client(limits: httpx.Limits) -> httpx.AsyncClient:
    """No certificates are read: 30 ms each."""
    return httpx.AsyncClient(trust_env=False, verify=False, timeout=PATIENCE_S, limits=limits)
