"""A terminal in which `finetone …` is typed, in this process."""

import os
import sys
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from bot.cli import main


@dataclass(frozen=True)
class Printed:
    returncode: int
    stdout: str
    stderr: str


@dataclass
class Terminal:
    """A terminal in a folder of its own, whose path has a space."""

    folder: Path
    monkeypatch: pytest.MonkeyPatch
    capsys: pytest.CaptureFixture[str]
    environment: dict[str, str] = field(default_factory=dict[str, str])  # of every command

    def run(self, *arguments: str, **environment: str) -> Printed:
        """Run `finetone …` in this process, as its console script does."""
        with self.monkeypatch.context() as changed:
            changed.chdir(self.folder)
            for name in [name for name in os.environ if name.startswith("FINETONE_")]:
                changed.delenv(name)
            for name, value in {"COLUMNS": "160", "USER": "ada", **self.environment, **environment}.items():
                changed.setenv(name, value)
            changed.setattr(sys, "argv", ["finetone", *arguments])
            with pytest.raises(SystemExit) as ended:
                main()
        captured = self.capsys.readouterr()
        code = ended.value.code
        if isinstance(code, str):  # the interpreter prints it and exits with 1
            return Printed(1, captured.out, captured.err + code)
        return Printed(int(code or 0), captured.out, captured.err)
