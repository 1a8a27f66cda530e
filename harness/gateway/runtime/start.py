"""Starts a finished program in its sandbox: `validate` and `submit` on its PATH, its model on the loopback.

`python3 -I -S start.py COMMAND`. With a model there is a model.json beside this file; then each connection to a port
of 127.0.0.1 is carried to model.sock, and the variables that client packages read point there. Ends with the command's
exit code.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import sys
from pathlib import Path

HERE = Path(__file__).resolve().parent
PIECE = 64 << 10


async def carry(source: asyncio.StreamReader, sink: asyncio.StreamWriter) -> None:
    """Bytes from one side to the other until the source ends; the sink is then told."""
    with contextlib.suppress(OSError):
        while piece := await source.read(PIECE):
            sink.write(piece)
            await sink.drain()
        sink.write_eof()


async def connect(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """One connection of the program: both directions at once."""
    folder = os.open(HERE, os.O_PATH | os.O_DIRECTORY)
    try:
        far_reader, far_writer = await asyncio.open_unix_connection(f"/proc/self/fd/{folder}/model.sock")
    except OSError as error:
        sys.stderr.write(f"the harness's gateway does not answer: {error}\n")
        writer.close()
        return
    finally:
        os.close(folder)
    back = asyncio.create_task(carry(far_reader, writer))
    await carry(reader, far_writer)
    await back
    for end in (far_writer, writer):
        end.close()


def variables(port: int, key: str, model: str) -> dict[str, str]:
    """Where the packages of OpenAI and Anthropic, and what is built on them, look for a server and a key."""
    root = f"http://127.0.0.1:{port}"
    return {
        "OPENAI_BASE_URL": f"{root}/v1",
        "OPENAI_API_BASE": f"{root}/v1",
        "OPENAI_API_KEY": key,
        "ANTHROPIC_BASE_URL": root,
        "ANTHROPIC_API_KEY": key,
        "GYMBOARD_MODEL": model,
    }


async def main(command: str) -> int:
    """Run the command to its end."""
    env = dict(
        os.environ, PATH=f"{HERE / 'bin'}:{os.environ['PATH']}", GYMBOARD_INSTRUCTION=str(HERE / "instruction.md")
    )
    server = None
    with contextlib.suppress(FileNotFoundError):
        model = json.loads((HERE / "model.json").read_text())
        server = await asyncio.start_server(connect, "127.0.0.1", 0)
        env |= variables(server.sockets[0].getsockname()[1], model["key"], model["name"])
    child = await asyncio.create_subprocess_exec("bash", "-c", command, stdin=asyncio.subprocess.DEVNULL, env=env)
    code = await child.wait()
    if server is not None:
        server.close()
    return code if code >= 0 else 128 - code


if __name__ == "__main__":
    sys.exit(asyncio.run(main(sys.argv[1])))
