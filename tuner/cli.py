"""The command line. Each command ends with status 0, or with 1 and one sentence on standard error."""

from __future__ import annotations

import argparse
import errno
import json
import os
import secrets
import sqlite3
import sys
import time
from pathlib import Path

from tuner.errors import TunerError
from tuner.extras import lack
from tuner.paths import Home, weights_dir
from tuner.weights import DEFAULT_BASE, Base, prepare


def main(arguments: list[str] | None = None) -> int:
    """Run one command; the exit status."""
    parser = _parser()
    chosen = parser.parse_args(arguments)
    try:
        return chosen.run(chosen)
    except TunerError as error:
        return _complain(str(error))
    except sqlite3.OperationalError as error:
        return _complain(f"The store in {getattr(chosen, 'home', '')} cannot be used: {error}.")
    except OSError as error:
        if error.errno == errno.ENOSPC:
            return _complain(
                f"The disk is full{f' ({error.filename})' if error.filename else ''}. Free some space and start again."
            )
        return _complain(f"{error.strerror or error}{f': {error.filename}' if error.filename else ''}.")
    except KeyboardInterrupt:
        return 130


def _complain(sentence: str) -> int:
    sys.stderr.write(f"tuner: {sentence}\n")
    return 1


def _report(line: str) -> None:
    sys.stderr.write(line + "\n")
    sys.stderr.flush()


def _print(document: object) -> None:
    sys.stdout.write(json.dumps(document) + "\n")


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m tuner", description="Fine-tune and serve a small model behind the OpenAI API."
    )
    commands = parser.add_subparsers(required=True, metavar="COMMAND")

    weights = commands.add_parser("weights", help="fetch, check and prepare the base model")
    weights.add_argument("--base", default=DEFAULT_BASE, help="default name, .gguf file, folder or hub id")
    weights.add_argument("--home", type=Path, help="accepted for symmetry; weights are shared by all homes")
    weights.set_defaults(run=_weights)

    serve = commands.add_parser("serve", help="serve the API")
    serve.add_argument("--home", type=Path, required=True, help="folder for everything the server remembers")
    serve.add_argument("--base", default=DEFAULT_BASE, help="default name, .gguf file, folder or hub id")
    serve.add_argument("--host", default="127.0.0.1")
    serve.add_argument("--port", type=int, default=0, help="0 takes a free one")
    serve.add_argument("--ready-file", type=Path, help='gets {"base_url", "pid"} once listening')
    serve.add_argument("--exit-with-stdin", action="store_true", help="end when standard input does")
    serve.add_argument("--organization", default="local", help="third part of tuned model names")
    serve.add_argument("--concurrency", type=int, default=1, help="jobs trained at once")
    serve.add_argument("--loaded-adapters", type=int, default=8, help="adapters in memory at once, at most")
    serve.add_argument("--context", type=int, default=4096, help="tokens per request")
    serve.add_argument("--slots", type=int, default=4, help="requests answered at once")
    serve.add_argument(
        "--alias", action="append", default=[], metavar="NAME=MODEL", help="serve MODEL under NAME as well"
    )
    serve.add_argument(
        "--requests-per-minute", type=int, default=0, help="of one key, or one address without keys; 0: no limit"
    )
    serve.add_argument(
        "--webhook-url", metavar="URL", help="tell URL when a job has ended, signed with $TUNER_WEBHOOK_SECRET"
    )
    serve.set_defaults(run=_serve)

    key = commands.add_parser("key", help="API keys: create, list, revoke")
    key.add_argument("action", choices=("create", "list", "revoke"))
    key.add_argument("name", nargs="?", default="", help="a label to create, an id to revoke")
    key.add_argument("--home", type=Path, required=True)
    key.set_defaults(run=_key)

    doctor = commands.add_parser("doctor", help="say what is missing here, and the next step")
    doctor.add_argument("--home", type=Path, required=True)
    doctor.add_argument("--base", default=DEFAULT_BASE, help="the base that is or will be served")
    doctor.set_defaults(run=_doctor)

    train = commands.add_parser("train", help="(internal) train the job in a folder")
    train.add_argument("--folder", type=Path, required=True)
    train.set_defaults(run=_train)

    convert = commands.add_parser("convert", help="(internal) write a Hugging Face folder as GGUF")
    convert.add_argument("--folder", type=Path, required=True)
    convert.add_argument("--out", type=Path, required=True)
    convert.add_argument("--name", required=True)
    convert.set_defaults(run=_convert)
    return parser


def _prepare(source: str) -> Base:
    return prepare(source, weights_dir(dict(os.environ)), _report)


def _require(extra: str, purpose: str) -> None:
    if sentence := lack(extra, purpose):
        raise TunerError(sentence)


def _weights(chosen: argparse.Namespace) -> int:
    _require("serve", "Serving")
    _print(_prepare(chosen.base).document())
    return 0


def _serve(chosen: argparse.Namespace) -> int:
    _require("serve", "Serving")
    from tuner.serve import ServeSettings, serve  # FastAPI and uvicorn, for this command only
    from tuner.webhooks import SECRET_VARIABLE, receiver

    aliases: dict[str, str] = {}
    for pair in chosen.alias:
        name, separator, model = pair.partition("=")
        if not (name and separator and model):
            raise TunerError(f"--alias {pair!r} is not NAME=MODEL.")
        aliases[name] = model
    told = receiver(chosen.webhook_url, os.environ.get(SECRET_VARIABLE)) if chosen.webhook_url else None
    home = Home(chosen.home.expanduser().resolve())
    home.create()
    serve(
        ServeSettings(
            home=home,
            base=_prepare(chosen.base),
            host=chosen.host,
            port=chosen.port,
            organization=chosen.organization,
            ready_file=chosen.ready_file,
            is_tied_to_stdin=chosen.exit_with_stdin,
            concurrency=chosen.concurrency,
            loaded_adapters=chosen.loaded_adapters,
            context=chosen.context,
            slots=chosen.slots,
            aliases=aliases,
            requests_per_minute=chosen.requests_per_minute,
            webhooks_to=told,
        )
    )
    return 0


def _key(chosen: argparse.Namespace) -> int:
    from tuner.keys import key_hash
    from tuner.records import Key
    from tuner.store import Store

    home = Home(chosen.home.expanduser().resolve())
    home.create()
    store = Store(home.database)
    try:
        if chosen.action == "create":
            key = f"sk-{secrets.token_urlsafe(32)}"
            record = Key(f"key_{secrets.token_hex(6)}", chosen.name, int(time.time()), None)
            store.add_key(record, key_hash(key))
            _report("Shown once; only its hash is kept.")
            _print({"id": record.id, "label": record.label, "key": key})
        elif chosen.action == "list":
            _print([vars(record) for record in store.api_keys()])
        elif not store.revoke_key(chosen.name, int(time.time())):
            raise TunerError(f"No live key {chosen.name!r}; `key list` shows the ids.")
    finally:
        store.close()
    return 0


def _doctor(chosen: argparse.Namespace) -> int:
    from tuner.doctor import checks

    found = checks(Home(chosen.home.expanduser().resolve()), weights_dir(dict(os.environ)), chosen.base)
    sys.stdout.write("".join(f"{check.line()}\n" for check in found))
    return 0 if all(check.is_ok or not check.is_needed for check in found) else 1


def _train(chosen: argparse.Namespace) -> int:
    from tuner.lifeline import watch_stdin

    watch_stdin()  # before torch is loaded: the server may die meanwhile
    from tuner.train import run

    return run(chosen.folder)


def _convert(chosen: argparse.Namespace) -> int:
    from tuner.convert import folder_to_gguf

    folder_to_gguf(chosen.folder, chosen.out, chosen.name)
    return 0
