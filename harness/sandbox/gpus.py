"""GPUs for agents' containers: what `--gpus` says, what the engine is asked for, what a container then sees.

Takes the option's text, gives a request or a refusal. Never passes a GPU to a grader, and never goes on without the
GPUs that were asked for.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from docker.errors import APIError, ContainerError
from docker.types import DeviceRequest

from harness import images
from harness.errors import EngineUnavailable, UsageError

if TYPE_CHECKING:
    from docker import DockerClient

MOST = 64
PROBE_FAMILY = "cpu"
"""The smallest image; the engine's GPU support puts nvidia-smi into whatever container it starts."""
ADVICE = "Install the NVIDIA Container Toolkit for this engine, or run without: --gpus none"


@dataclass(frozen=True)
class Gpus:
    """How many GPUs an agent's container gets; None: all of the machine's."""

    count: int | None = None

    def request(self) -> DeviceRequest:
        """What the engine is asked for when it creates the container."""
        count = -1 if self.count is None else self.count
        return DeviceRequest(driver="nvidia", count=count, capabilities=[["gpu", "compute", "utility"]])

    def __str__(self) -> str:
        return "all" if self.count is None else str(self.count)


def parse_gpus(text: str) -> Gpus | None:
    """`all`, a number, or `none`. Raises UsageError."""
    if text == "none":
        return None
    if text == "all":
        return Gpus()
    if text.isascii() and text.isdigit() and 1 <= int(text) <= MOST:
        return Gpus(int(text))
    raise UsageError(f"--gpus takes all, none or a number from 1 to {MOST}; it was {text!r}")


def gpu_names(client: DockerClient, gpus: Gpus) -> tuple[str, ...]:
    """The GPUs that a container with this request sees, by model. Raises EngineUnavailable when they are not there."""
    listing = ["nvidia-smi", "--query-gpu=name", "--format=csv,noheader"]
    try:
        said = client.containers.run(
            images.image_id(PROBE_FAMILY, client),
            listing,
            remove=True,
            network_mode="none",
            device_requests=[gpus.request()],
            labels={"gymboard": "1"},
        )
    except (APIError, ContainerError) as error:
        reason = error.explanation if isinstance(error, APIError) else error.stderr
        words = reason.decode(errors="replace") if isinstance(reason, bytes) else str(reason or error)
        raise EngineUnavailable(
            f"GPUs were asked for (--gpus {gpus}), the container engine gives none: {' '.join(words.split())}. {ADVICE}"
        ) from None
    names = tuple(filter(None, map(str.strip, said.decode(errors="replace").splitlines())))
    if len(names) < (gpus.count or 1):
        raise EngineUnavailable(f"--gpus {gpus} was asked for, a container sees {len(names)} GPU(s). {ADVICE}")
    return names
