"""The container engine: agents' containers and grader programs, without network, capabilities or labels inside.

Takes specs (base.py) and the family's built image; gives sandboxes and processes. What it does NOT limit: the bytes an
agent writes to its container's own layer (overlay2 has no quota on most file systems), and what a flaw in the kernel or
the engine lets through. Everything carries the labels `gymboard` and `gymboard.owner`; what a dead owner left is
removed when an engine opens and when it closes, ours when it closes. An engine that ends is no failure of what ran in
it: PlaceLost, and recover() waits for it.
"""

from __future__ import annotations

import atexit
import contextlib
import logging
import resource
import secrets
from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any, Self

from docker.errors import APIError, NotFound
from docker.types import LogConfig, Mount, Ulimit

from harness import images
from harness.engine import await_engine, connect, engine_call, patience_s
from harness.errors import EngineUnavailable, PlaceLost
from harness.sandbox.base import NOBODY, BoxSpec, Caps, EngineKind, ProcessSpec
from harness.sandbox.docker_box import WORKSPACE, DockerSandbox, remove_container
from harness.sandbox.docker_process import DockerProcess
from harness.sandbox.gpus import Gpus, demand_request, gpu_names
from harness.sandbox.lifeline import Lifeline
from harness.sandbox.mounts import binds, names
from harness.sandbox.owner import is_dead, owner, reap_folders
from harness.sandbox.places import SHARED, environment_of, fill
from harness.sandbox.room import Room

if TYPE_CHECKING:
    from docker.models.containers import Container

log = logging.getLogger("gymboard.engine")
LABEL, OWNER, ENGINE = "gymboard", "gymboard.owner", "gymboard.engine"
PATH = "/usr/local/bin:/usr/local/sbin:/usr/bin:/usr/sbin:/bin:/sbin"
SHARED_PLACE = "/shared"
TEMPORARY_MIB = SHARED_MIB = 64
PAGE_BYTES = 4096
_LEFT: set[str] = set()
"""Engines of this process that were closed while theirs did not answer: nobody holds what they made."""
MOST_FILES, MOST_PROCESSES = 16_384, 32_768
CLOSE_WAIT_S = 30.0
"""For an engine that does not answer when a run has ended and only its leavings are at stake."""


class DockerEngine:
    """A connection to the engine that answers. `gpus` go to agents whose family has a CUDA variant, never to graders.
    One that refuses (it is starting) is waited for `wait_s` seconds.

    Raises EngineUnavailable when no engine answers.
    """

    kind: EngineKind = "docker"

    def __init__(self, gpus: Gpus | None = None, wait_s: float = 0.0) -> None:
        self._client = connect(wait_s)
        self._gpus = gpus
        self._labels = {LABEL: "1", OWNER: owner(), ENGINE: secrets.token_hex(8)}
        self._ours = f"{ENGINE}={self._labels[ENGINE]}"
        self._containers: dict[str, Container] = {}
        self._graders: set[str] = set()
        self._volumes: set[str] = set()
        self._patience_s = patience_s()
        self._images: dict[str, str] = {}
        self._room = Room.of(self._client)
        self._lifeline = self._listen()
        self._reap()
        reap_folders()
        atexit.register(self.close)

    def image_digest(self, family: str) -> str:
        return images.image_id(family, self._client)

    def agent_image(self, family: str) -> str:
        """The CUDA variant where GPUs were asked for and the family has one; graders always take the family itself."""
        return (images.cuda_variant(family) if self._gpus else None) or family

    def gpu_names(self) -> tuple[str, ...]:
        return gpu_names(self._client, self._gpus, self._labels) if self._gpus else ()

    def sandbox(self, spec: BoxSpec) -> DockerSandbox:
        places = {name: f"/mnt/{name}" for name in spec.mounts}
        image = self.agent_image(spec.image)
        container = self._create(
            image,
            spec.caps,
            {
                "command": ["sleep", "infinity"],
                "user": "0:0",
                "working_dir": WORKSPACE,
                "environment": environment_of(spec.env, places, spec.caps, home="/home/agent", path=PATH),
            },
            binds(spec.mounts, places),
            shm_size=f"{spec.caps.memory_mib}m",
            device_requests=[self._gpus.request()] if self._gpus and image != spec.image else None,
        )
        try:
            if self._gpus and image != spec.image:
                demand_request(container, self._gpus)
            return DockerSandbox(spec, container, lambda: self._drop(container), self._lifeline)
        except BaseException:
            self._drop(container)
            raise

    def shared_folder(self) -> str:
        name = f"gymboard-{secrets.token_hex(8)}"
        blocks = (SHARED_MIB << 20) // PAGE_BYTES  # not size=: Podman takes that for a quota of the disk's
        size = f"nr_blocks={blocks},mode=0755,uid={NOBODY},gid={NOBODY}"
        with engine_call("making a grade's shared folder"):
            self._client.api.create_volume(
                name, driver="local", driver_opts={"type": "tmpfs", "device": "tmpfs", "o": size}, labels=self._labels
            )
        self._volumes.add(name)
        return name

    def drop_shared(self, name: str) -> None:
        self._volumes.discard(name)
        with _later(), engine_call("removing a grade's shared folder"), contextlib.suppress(NotFound):
            self._client.api.remove_volume(name)

    def process(self, spec: ProcessSpec) -> DockerProcess:
        places = {name: f"/mnt/{name}" for name in spec.mounts}
        mounts = binds(spec.mounts, places)
        if spec.shared is not None:
            places[SHARED] = SHARED_PLACE
            mounts.append(Mount(SHARED_PLACE, spec.shared, type="volume", read_only=not spec.shared_writable))
        container = self._create(
            spec.image,
            spec.caps,
            {
                "command": [fill(word, places) for word in spec.argv],
                "user": f"{NOBODY}:{NOBODY}",
                "working_dir": "/tmp",  # noqa: S108 - the container's own
                "environment": environment_of(spec.env, places, spec.caps, home="/tmp", path=PATH),  # noqa: S108
                "stdin_open": True,
            },
            mounts,
            shm_size="16m",
            read_only=True,
            tmpfs={"/tmp": f"rw,nosuid,nodev,size={TEMPORARY_MIB}m,mode=1777"},  # noqa: S108
        )
        self._graders.add(str(container.id))
        try:
            return DockerProcess(spec.role, container, lambda: self._drop(container), self._lifeline)
        except BaseException:
            self._drop(container)
            raise

    def life(self) -> Lifeline:
        return self._lifeline

    def recover(self) -> None:
        """A wait that was in vain is the last long one, until the engine answers again."""
        try:
            await_engine(self._client, self._patience_s)
        except EngineUnavailable:
            self._patience_s = 0.0
            raise
        self._patience_s = patience_s()
        self._sweep()
        self._lifeline.close()
        self._lifeline = self._listen()

    def close(self) -> None:
        """Also what the engine made while we were told to end, before we heard of it, and what a dead worker left."""
        atexit.unregister(self.close)
        self._lifeline.close()
        for places in (self._containers, self._graders, self._volumes):
            places.clear()
        try:
            try:
                self._sweep()
            except PlaceLost:
                await_engine(self._client, min(CLOSE_WAIT_S, self._patience_s))
                self._sweep()
            self._reap()
        except PlaceLost as lost:
            _LEFT.add(self._labels[ENGINE])
            log.warning("containers may be left until the next run on this engine removes them: %s", lost)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *exc: object) -> None:
        self.close()

    def _create(self, name: str, caps: Caps, config: dict[str, Any], mounts: list[Mount], **limits: Any) -> Container:
        """network_disabled: a new namespace has no network. To have `none` made the engine would start a program of
        its own within every start of a container, half of what the start costs; Podman knows only network_mode."""
        self._room.demand(caps.memory_mib)
        with engine_call("looking for an image"):
            image = self._images.get(name) or images.image_id(name, self._client)
        self._images[name] = image
        api = self._client.api
        with engine_call(f"creating a container of {images.image_tag(name)}"):
            host = api.create_host_config(
                init=True,
                network_mode="none",
                mounts=[names(), *mounts],
                cap_drop=["ALL"],
                security_opt=["no-new-privileges:true"],
                ipc_mode="private",
                mem_limit=f"{caps.memory_mib}m",
                memswap_limit=f"{caps.memory_mib}m",
                nano_cpus=int(caps.cpus * 1e9),
                pids_limit=caps.pids,
                ulimits=_ulimits(),
                log_config=LogConfig(type="none"),
                **limits,
            )
            made = api.create_container(
                image, **config, host_config=host, network_disabled=True, labels=self._labels, use_config_proxy=False
            )
        container = self._client.containers.prepare_model({"Id": made["Id"]})
        self._containers[str(container.id)] = container
        return container

    def _drop(self, container: Container) -> None:
        self._graders.discard(str(container.id))
        if self._containers.pop(str(container.id), None) is not None:
            with _later():
                remove_container(self._client.api, str(container.id))

    def _listen(self) -> Lifeline:
        return Lifeline(self._client, self._ours, self._graders.__contains__)

    def _listed(self, label: str) -> list[tuple[str, Mapping[str, str]]]:
        """Id and labels of every container with the label, none looked at any closer: it may be gone by now."""
        found = self._client.api.containers(all=True, filters={"label": label})
        return [(str(one["Id"]), one.get("Labels") or {}) for one in found]

    def _sweep(self) -> None:
        """Remove what this engine made and nobody holds any more."""
        with engine_call("removing what this run made"):
            for container, _ in self._listed(self._ours):
                if container not in self._containers:
                    remove_container(self._client.api, container)
            for volume in self._client.volumes.list(filters={"label": self._ours}):
                if volume.name not in self._volumes:
                    with contextlib.suppress(NotFound):
                        volume.remove()

    def _reap(self) -> None:
        """Remove what dead owners left. Another engine may be doing the same at this moment."""
        with engine_call("looking for what dead runs left"):
            for container, labels in self._listed(OWNER):
                if _is_left(labels):
                    remove_container(self._client.api, container)
            for volume in self._client.volumes.list(filters={"label": OWNER}):
                if _is_left(volume.attrs.get("Labels") or {}):
                    with contextlib.suppress(NotFound, APIError):
                        volume.remove()


def _is_left(labels: Mapping[str, str]) -> bool:
    return is_dead(labels.get(OWNER, "")) or labels.get(ENGINE) in _LEFT


def _ulimits() -> list[Ulimit]:
    """Named, because an engine's own defaults (Podman's: a million) may be more than its machine lets it give."""
    most = [("core", resource.RLIMIT_CORE, 0), ("nofile", resource.RLIMIT_NOFILE, MOST_FILES)]
    most += [("nproc", resource.RLIMIT_NPROC, MOST_PROCESSES)]  # of a user, whatever container it is in
    given = []
    for name, number, wanted in most:
        hard = resource.getrlimit(number)[1]
        value = wanted if hard == resource.RLIM_INFINITY else min(hard, wanted)
        given.append(Ulimit(name=name, soft=value, hard=value))
    return given


@contextlib.contextmanager
def _later() -> Iterator[None]:
    """What an engine that ended could not be told to remove, recover() or close() removes: no reason to lose what the
    place has already given."""
    try:
        yield
    except PlaceLost as lost:
        log.warning("%s; it is removed when the engine answers again", lost)
