"""Where Chromium is, how it is started, and the mark of every test that needs it."""

import os
import shutil

import pytest

CHROMIUM = (
    os.environ.get("FINETONE_TEST_CHROMIUM")
    or shutil.which("chromium")
    or shutil.which("chromium-browser")
    or shutil.which("google-chrome")
    or ""
)
FLAGS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]
needs_chromium = [
    pytest.mark.browser,
    pytest.mark.skipif(not CHROMIUM, reason="no chromium on the path: install Debian's, or set FINETONE_TEST_CHROMIUM"),
]
