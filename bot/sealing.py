"""Secrets at rest: sealed with one key, which is a setting or a file beside the database that only its owner can read."""

import base64
import hashlib
import os
import secrets
from pathlib import Path

from cryptography.fernet import Fernet, InvalidToken

KEY_FILE = "secret.key"


class CannotUnseal(Exception):
    """What is stored was sealed with another key; the message says what to do."""


class Sealer:
    """Seals and unseals with one key."""

    def __init__(self, key: str) -> None:
        # Any text is taken as a key; Fernet wants 32 bytes.
        self._fernet = Fernet(base64.urlsafe_b64encode(hashlib.sha256(key.encode()).digest()))

    def seal(self, text: str) -> str:
        return self._fernet.encrypt(text.encode()).decode()

    def unseal(self, sealed: str) -> str:
        """Raises CannotUnseal."""
        try:
            return self._fernet.decrypt(sealed.encode()).decode()
        except InvalidToken as error:
            raise CannotUnseal(
                "A stored token was sealed with another key. Set FINETONE_SECRET_KEY to the one it was sealed with, "
                "or let the workspace install the app again."
            ) from error


def sealer(key: str, data_dir: Path) -> Sealer:
    """With `key`, or where that is empty with the data folder's own, which is made on first use."""
    return Sealer(key or _own_key(data_dir / KEY_FILE))


def _own_key(path: Path) -> str:
    path.parent.mkdir(parents=True, exist_ok=True)
    try:
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    except FileExistsError:
        return path.read_text().strip()
    with os.fdopen(descriptor, "w") as file:
        key = secrets.token_urlsafe(32)
        file.write(key + "\n")
    return key
