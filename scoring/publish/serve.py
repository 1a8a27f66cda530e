"""A look at the built site on this machine, which follows the work: what changes is built again and open pages reload.

Takes the folder of the site, the places to watch and a function that builds; listens on loopback, answers no other host
name. A build that fails is told on standard error and leaves the former site. The built files stay as they are: the
script that reloads is added on the way out.
"""

from __future__ import annotations

import functools
import os
import sys
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from http import HTTPStatus
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

from harness.errors import UsageError, in_words

LIVE, SCRIPT = "/.live", "/.live.js"
POLL_S, KEEP_S = 0.5, 15.0
_RELOADS = b"""let seen;
new EventSource("/.live").onmessage = ({ data }) => {
  if (seen && seen !== data) location.reload();
  seen = data;
};
"""
_HOSTS = ("127.0.0.1", "localhost")


class Version:
    """Which build is on the disk; whoever waits is told of the next. Safe between threads."""

    def __init__(self) -> None:
        self._number, self._start = 0, time.time_ns()
        self._changed = threading.Condition()

    def __str__(self) -> str:
        return f"{self._start}.{self._number}"

    def step(self) -> None:
        """There is a new build."""
        with self._changed:
            self._number += 1
            self._changed.notify_all()

    def wait(self, seen: str, timeout: float) -> str:
        """The version once it is not `seen`, or `seen` after `timeout` seconds."""
        with self._changed:
            self._changed.wait_for(lambda: str(self) != seen, timeout)
            return str(self)


class _Handler(SimpleHTTPRequestHandler):
    """Files of the site; pages with the script that reloads; the 404 page for what is not there."""

    def __init__(self, *words: object, version: Version, **settings: object) -> None:
        self._version = version
        super().__init__(*words, **settings)  # type: ignore[arg-type]

    def do_GET(self) -> None:
        """One file, page or stream of versions."""
        if (self.headers.get("Host") or "").rpartition(":")[0] not in _HOSTS:
            self.send_error(HTTPStatus.FORBIDDEN, "this server answers on loopback only")
        elif self.path == LIVE:
            self._stream()
        elif self.path == SCRIPT:
            self._answer(HTTPStatus.OK, "text/javascript", _RELOADS)
        else:
            self._file()

    def _file(self) -> None:
        place = Path(self.translate_path(self.path))
        place = place / "index.html" if place.is_dir() else place
        if not place.is_file():
            self._page(HTTPStatus.NOT_FOUND, Path(self.directory) / "404.html")
        elif place.suffix == ".html":
            self._page(HTTPStatus.OK, place)
        else:
            super().do_GET()

    def _page(self, status: HTTPStatus, place: Path) -> None:
        html = place.read_bytes().replace(b"</body>", b'<script src="%s"></script></body>' % SCRIPT.encode())
        self._answer(status, "text/html; charset=utf-8", html)

    def _answer(self, status: HTTPStatus, kind: str, body: bytes) -> None:
        self.send_response(status)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def _stream(self) -> None:
        self.send_response(HTTPStatus.OK)
        self.send_header("Content-Type", "text/event-stream")
        self.end_headers()
        seen = ""
        try:
            while True:
                seen = self._version.wait(seen, KEEP_S)
                self.wfile.write(f"data: {seen}\n\n".encode())
        except OSError:
            self.close_connection = True  # the reader has left

    def end_headers(self) -> None:
        """Nothing of a site in work is kept by the browser."""
        self.send_header("Cache-Control", "no-store")
        super().end_headers()

    def log_message(self, format: str, *args: object) -> None:
        """Only what failed is worth a line."""
        if len(args) > 1 and str(args[1]) >= "400":
            super().log_message(format, *args)


class Server(ThreadingHTTPServer):
    """Serves `folder` on 127.0.0.1 (port 0: a free one), which `rebuild` fills, and again whenever something `watched`
    has changed. Raises UsageError when the port can't be had, before anything is built."""

    daemon_threads = True

    def __init__(self, folder: Path, port: int, watched: Sequence[Path], rebuild: Callable[[], object]) -> None:
        version = Version()
        handler = functools.partial(_Handler, directory=str(folder), version=version)
        try:
            super().__init__(("127.0.0.1", port), handler)
        except OSError as error:
            advice = "take another with --port (0: any that is free)"
            raise UsageError(f"--port {port}: {in_words(error)}; {advice}") from None
        try:
            rebuild()
        except BaseException:
            self.server_close()
            raise
        threading.Thread(target=_follow, args=(watched, state(watched), rebuild, version), daemon=True).start()


def serve(folder: Path, port: int, watched: Sequence[Path], rebuild: Callable[[], object]) -> None:
    """Build and serve until Ctrl-C. Raises as Server does."""
    with Server(folder, port, watched, rebuild) as server:
        print(f"serving {folder} on http://127.0.0.1:{server.server_port}/  (Ctrl-C ends it)", flush=True)
        try:
            server.serve_forever()
        except KeyboardInterrupt:
            print()


State = dict[str, tuple[int, int]]
"""Path of a file -> its time and size."""


def _follow(watched: Sequence[Path], built: State, rebuild: Callable[[], object], version: Version) -> None:
    """Build again whenever a file is no longer as it was `built`, and has kept still for one look."""
    while True:
        time.sleep(POLL_S)
        now = state(watched)
        if now == built:
            continue
        time.sleep(POLL_S)
        if state(watched) != now:
            continue
        built = now
        start = time.monotonic()
        try:
            rebuild()
        except Exception as error:
            print(f"not built: {type(error).__name__}: {error}", file=sys.stderr, flush=True)
            continue
        print(f"built again in {time.monotonic() - start:.1f} s", file=sys.stderr, flush=True)
        version.step()


def state(watched: Sequence[Path]) -> State:
    """Every file under the watched places; what vanishes meanwhile is left out."""
    return {path: (found.st_mtime_ns, found.st_size) for place in watched for path, found in _files(str(place))}


def _files(place: str) -> Iterator[tuple[str, os.stat_result]]:
    try:
        if not os.path.isdir(place):  # noqa: PTH112 - ten thousand entries twice a second
            yield place, os.stat(place)  # noqa: PTH116
            return
        with os.scandir(place) as found:
            for one in found:
                if one.is_dir(follow_symlinks=False):
                    yield from _files(one.path)
                else:
                    yield one.path, one.stat(follow_symlinks=False)
    except FileNotFoundError:
        return
