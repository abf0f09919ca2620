"""The HTTP client of the harness: plain http on loopback, past any proxy, one connection a request."""

import httpx

PATIENCE_S = 20.0  # a test would rather see a late answer than none


def loopback_client() -> httpx.AsyncClient:
    """No certificates are read (30 ms each), and no idle connection is kept for a server that may be gone by then."""
    limits = httpx.Limits(max_keepalive_connections=0)
    return httpx.AsyncClient(trust_env=False, verify=False, timeout=PATIENCE_S, limits=limits)
