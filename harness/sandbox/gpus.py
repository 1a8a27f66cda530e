"""GPUs for agents' containers: what `--gpus` says, what the engine is asked for, what a container then sees.

Takes the option's text, gives a request or a refusal. Never passes a GPU to a grader, and never goes on without the
GPUs that were asked for.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import requests
from docker.errors import DockerException
from docker.types import DeviceRequest

from harness import images
from harness.engine import engine_call
from harness.errors import EngineUnavailable, UsageError
from harness.sandbox.docker_box import remove_container

if TYPE_CHECKING:
    from docker import DockerClient
    from docker.models.containers import Container

MOST = 64
LISTING = ["nvidia-smi", "--query-gpu=name", "--format=csv,noheader"]
LOOK_S = 60
PROBE_FAMILY = "cpu"
"""The smallest image; the engine's GPU support puts nvidia-smi into whatever container it starts."""
ADVICE = "Install the NVIDIA Container Toolkit for this engine, or run without: --gpus none"


@dataclass(frozen=True)
class Gpus:
    """How many GPUs an agent's container gets; None: all of the machine's. `devices`: which, by the engine's ids, so
    that containers side by side do not get the same."""

    count: int | None = None
    devices: tuple[str, ...] = ()

    def request(self) -> DeviceRequest:
        """What the engine is asked for when it creates the container."""
        if self.devices:
            ids = list(self.devices)
            return DeviceRequest(driver="nvidia", device_ids=ids, capabilities=[["gpu", "compute", "utility"]])
        count = -1 if self.count is None else self.count
        return DeviceRequest(driver="nvidia", count=count, capabilities=[["gpu", "compute", "utility"]])

    def __str__(self) -> str:
        return "all" if self.count is None else str(self.count)


def parse_gpus(text: str, devices: Sequence[str] = ()) -> Gpus | None:
    """`all`, a number, or `none`; `devices`: which they are. Raises UsageError."""
    if text == "none":
        return None
    if text == "all":
        return Gpus(None, tuple(devices))
    if text.isascii() and text.isdigit() and 1 <= int(text) <= MOST:
        return Gpus(int(text), tuple(devices))
    raise UsageError(f"--gpus takes all, none or a number from 1 to {MOST}; it was {text!r}")


def demand_request(container: Container, gpus: Gpus) -> None:
    """Raises EngineUnavailable when the engine has dropped the request without a word, as Podman's Docker API does."""
    container.reload()
    if not container.attrs["HostConfig"].get("DeviceRequests"):
        raise EngineUnavailable(f"--gpus {gpus}: this engine ignores requests for GPUs; take Docker, or --gpus none")


def gpu_names(client: DockerClient, gpus: Gpus, labels: Mapping[str, str]) -> tuple[str, ...]:
    """The GPUs that a container with this request sees, by model. Raises EngineUnavailable when they are not there."""
    with engine_call("creating a container that looks for GPUs"):
        container = client.containers.create(
            images.image_id(PROBE_FAMILY, client),
            LISTING,
            network_mode="none",
            cap_drop=["ALL"],
            device_requests=[gpus.request()],
            labels=dict(labels),
        )
    try:
        container.start()
        code = int(container.wait(timeout=LOOK_S)["StatusCode"])
        said = container.logs().decode(errors="replace")
    except (DockerException, requests.RequestException) as error:
        code, said = 1, str(getattr(error, "explanation", None) or error)
    finally:
        remove_container(client.api, str(container.id))
    names = tuple(filter(None, map(str.strip, said.splitlines())))
    if code:
        raise EngineUnavailable(f"--gpus {gpus}: the container engine gives none: {' '.join(said.split())}. {ADVICE}")
    if len(names) < (gpus.count or 1):
        raise EngineUnavailable(f"--gpus {gpus}: a container sees {len(names)} of them. {ADVICE}")
    return names
