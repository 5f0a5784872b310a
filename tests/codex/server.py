"""A scripted stand-in for the model: the Responses endpoint on loopback that the real Codex CLI talks to."""

from __future__ import annotations

import json
import threading
from collections.abc import Mapping
from contextlib import suppress
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from tests.codex.replies import Json, Reply, Request, bad_request, say, unauthorized, within_a_program
from tests.codex.scripts import Script, Talk


class _Http(ThreadingHTTPServer):
    daemon_threads = True
    request_queue_size = 128  # many sessions may start at once


class Server:
    """The endpoint: a thread a request, on a free port unless `port` is given; `guarded` asks for an authorization.

    Scripts are for the threads (conversations) in the order they appear; the last serves all further ones.
    A compaction request is answered with a fixed summary and is not shown to the script.
    """

    def __init__(self, *scripts: Script, port: int = 0, guarded: bool = False) -> None:
        self.guarded = guarded
        self._scripts: list[Script] = list(scripts)
        self.requests: list[Request] = []
        self._talks: dict[str, Talk[None]] = {}
        self._remembered: dict[str, Json | None] = {}
        self._seen: list[str] = []
        self._broken: Exception | None = None
        self._lock = threading.Lock()
        self._closing = threading.Event()
        self._http = _Http(("127.0.0.1", port), _handler(self))
        threading.Thread(target=self._http.serve_forever, args=(0.05,), daemon=True).start()

    @property
    def port(self) -> int:
        """The port it listens on."""
        return int(self._http.server_address[1])

    @property
    def threads(self) -> list[str]:
        """Ids of the conversations seen, in order of their first request."""
        with self._lock:
            return list(self._seen)

    def play(self, *scripts: Script) -> None:
        """Set the scripts; to be called before the first request."""
        self._scripts = list(scripts)

    def close(self) -> None:
        """Stop listening and let go of every silent stream; raise what a broken script raised."""
        self._closing.set()
        self._http.shutdown()
        self._http.server_close()
        if self._broken:
            raise self._broken

    def wait(self, seconds: float) -> None:
        """Sleep, but not past `close`."""
        self._closing.wait(seconds)

    def respond(self, body: Json, metadata: Mapping[str, Any]) -> Reply:
        """Record a request and return what its script says."""
        with self._lock:
            thread = str(metadata.get("thread_id", ""))
            request = Request(body, metadata, len(self.requests), self._remembered.get(thread))
            self.requests.append(request)
            self._remembered[thread] = request.last_item
            if request.kind == "compaction":
                return say("SUMMARY of the work so far")
            try:
                reply = self._advance(request)
                return within_a_program(reply) if request.code_mode else reply
            except Exception as error:
                self._broken = self._broken or error
                return bad_request(f"the script is broken: {error!r}")

    def _advance(self, request: Request) -> Reply:
        thread = request.thread_id
        if thread in self._talks:
            try:
                return self._talks[thread].send(request)
            except StopIteration:  # a resumed thread: its script starts again
                pass
        else:
            self._seen.append(thread)
        index = min(self._seen.index(thread), len(self._scripts) - 1)
        self._talks[thread] = self._scripts[index](request)
        return next(self._talks[thread])


def _handler(server: Server) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        def log_message(self, format: str, *args: object) -> None:
            """Stay quiet; requests are recorded instead."""

        def do_POST(self) -> None:
            body = json.loads(self.rfile.read(int(self.headers.get("content-length", 0))))
            metadata = json.loads(self.headers.get("x-codex-turn-metadata") or "{}")
            let_in = not server.guarded or self.headers.get("authorization")
            reply = server.respond(body, metadata) if let_in else unauthorized()
            with suppress(OSError):  # the CLI was killed or gave up on this stream
                self._send(reply)

        def _send(self, reply: Reply) -> None:
            self.send_response(reply.status)
            for name, value in reply.headers:
                self.send_header(name, value)
            kind = "text/event-stream" if reply.status == 200 else "application/json"
            self.send_header("content-type", kind)
            self.end_headers()
            if reply.error is not None:
                self.wfile.write(json.dumps(reply.error).encode())
            for event in reply.events:
                self.wfile.write(f"event: {event['type']}\ndata: {json.dumps(event)}\n\n".encode())
            self.wfile.flush()
            server.wait(reply.silent_s)

    return Handler
