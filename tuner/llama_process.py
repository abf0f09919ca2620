"""The engine's own process: llama.cpp's server with one base and some adapters, until its standard input closes.

First line in: a JSON object (see `LlamaEngine`). First line out: `{"port": N}` or `{"error": "…"}`.
"""

from __future__ import annotations

import importlib
import json
import os
import sys
import threading
from typing import Any
from urllib.parse import urlsplit

from tuner.lifeline import watch_stdin


def main() -> int:
    config: dict[str, Any] = json.loads(sys.stdin.readline())
    # llama.cpp logs to standard output as well; keep the reply line apart from it.
    reply = os.fdopen(os.dup(1), "w")
    os.dup2(2, 1)
    ended = threading.Event()
    watch_stdin(ended.set)
    try:
        server = start_server(config)
    except RuntimeError as error:
        reply.write(json.dumps({"error": f"{error}"}) + "\n")
        reply.flush()
        return 1
    reply.write(json.dumps({"port": urlsplit(str(server.listening_address)).port}) + "\n")
    reply.flush()
    ended.wait()
    os._exit(0)  # the parent has drained it or is gone: nothing is left to finish


def start_server(config: dict[str, Any]) -> Any:
    """llama.cpp's HTTP server on a free loopback port, in a thread of this process. Raises RuntimeError if it cannot load."""
    llama: Any = importlib.import_module("xllamacpp")  # compiled, without types
    params = llama.CommonParams()
    params.model.path = config["gguf"]
    params.hostnames = ["127.0.0.1"]
    params.port = 0
    params.api_keys = [config["key"]]
    params.n_parallel = config["slots"]
    params.n_ctx = config["slots"] * config["context"]
    params.n_threads_http = config["slots"] + 64  # one per open connection; requests beyond the slots wait in llama.cpp
    params.cpuparams.n_threads = config["threads"]
    params.cpuparams_batch.n_threads = config["threads"]
    params.n_gpu_layers = config["gpu_layers"]
    params.verbosity = 0  # above that it logs prompts
    params.ui = False
    params.endpoint_slots = False
    params.use_jinja = True
    # No store of past prompts shared between slots: an entry made under one adapter must never serve another.
    params.cache_ram_mib = 0
    params.embedding = False
    adapters: list[Any] = []
    for path in config["adapters"]:
        # Scale 0: an adapter acts only in requests that name it.
        adapters.append(llama.CommonAdapterLoraInfo(path, 0.0))
    params.lora_adapters = adapters
    return llama.Server(params)


if __name__ == "__main__":
    sys.exit(main())
