"""A Ray cluster: one that is there, or one of this machine alone, started and stopped here. The only module that
imports Ray.

Takes an address, gives a Cluster that every node of which was asked what is wrong with it. Never calls home: usage
statistics are off where Ray is started here. Never sends a key: a worker takes it from its own environment.
"""

from __future__ import annotations

import importlib.util
import logging
import os
import secrets
import socket
import sys
import tempfile
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from harness.errors import UsageError, in_words
from harness.executors.base import Job, Needs
from harness.executors.head import ANSWER_S, Head
from harness.executors.stamp import Stamp
from harness.executors.words import RunWords

STORE_BYTES = 256 << 20
"""The object store of a cluster that is started here; what does not fit in is spilled to disk."""
LOOPBACK = "127.0.0.2" if sys.platform == "linux" else "127.0.0.1"
"""Ray takes 127.0.0.1 for "the address by which others reach this machine"."""
LOOK_S = 300.0
LONGEST_PLACE = 107 - len("/gb-12345678/session_2026-01-01_00-00-00_123456_4194304/sockets/plasma_store")
MIB = 1 << 20


@dataclass(frozen=True)
class Node:
    """One machine of a cluster, by Ray's id, with what it offers."""

    id: str
    host: str
    cpus: float
    gpus: float
    memory_mib: float

    def fits(self, needs: Needs) -> bool:
        """Whether an episode finds room here when nothing else runs."""
        enough = self.cpus >= needs.cpus and self.gpus >= (needs.gpus or 0)
        return enough and self.memory_mib >= needs.memory_mib


@dataclass(frozen=True)
class Cluster:
    """A connection. `ray` is the library."""

    ray: Any

    def nodes(self) -> list[Node]:
        """The nodes that live and play: those with cpus."""
        return [
            Node(
                str(node["NodeID"]),
                str(node["NodeManagerHostname"]),
                float(node["Resources"].get("CPU", 0)),
                float(node["Resources"].get("GPU", 0)),
                float(node["Resources"].get("memory", 0)) / MIB,
            )
            for node in self.ray.nodes()
            if node["Alive"] and node["Resources"].get("CPU", 0) > 0
        ]

    def on(self, node_id: str) -> Any:
        """Where a task or an actor goes: to this node and no other."""
        from ray.util.scheduling_strategies import NodeAffinitySchedulingStrategy

        return NodeAffinitySchedulingStrategy(node_id=node_id, soft=False)

    def here(self) -> str:
        """The id of the driver's own node."""
        return str(self.ray.get_runtime_context().get_node_id())

    def head(self) -> Head:
        """The head of this cluster."""
        return Head(str(self.ray.get_runtime_context().gcs_address))

    def each(self, nodes: Sequence[Node], function: Callable[..., Any], *words: Any) -> Iterator[tuple[Node, Any]]:
        """What a function gives on every node, or the exception that ended it there."""
        task = self.ray.remote(function)
        on = {node: task.options(num_cpus=0, max_retries=0, scheduling_strategy=self.on(node.id)) for node in nodes}
        refs = [(node, there.remote(*words)) for node, there in on.items()]
        for node, ref in refs:
            try:
                yield node, self.ray.get(ref, timeout=LOOK_S)
            except self.ray.exceptions.RayError as error:
                yield node, error


def demand_ray() -> None:
    """Raises UsageError when Ray is not installed. Does not import it: it reads its settings then."""
    if importlib.util.find_spec("ray") is None:
        raise UsageError('--executor ray needs Ray: pip install "gymboard[ray]"')


def _library(*, own: bool) -> Any:
    """Ray; `own`: for a cluster that it starts here, with a token that is nowhere but in this process's environment
    (else Ray writes one into the home folder)."""
    demand_ray()
    os.environ.setdefault("RAY_USAGE_STATS_ENABLED", "0")
    if own and os.environ.setdefault("RAY_AUTH_MODE", "token") == "token":
        os.environ.setdefault("RAY_AUTH_TOKEN", secrets.token_hex(32))
    import ray

    return ray


@contextmanager
def connected(address: str | None) -> Iterator[Cluster]:
    """A cluster at `address` (host:port, or auto); None: one of this machine alone, gone afterwards.

    Raises UsageError when none answers, or one of another Ray or Python.
    """
    if address is not None and address.startswith("ray://"):
        raise UsageError(f"--address {address}: start the call on a node of the cluster (ray job submit), with auto")
    if address is not None and address != "auto":
        _demand_answer(address)
    ray = _library(own=address is None)
    quiet: dict[str, Any] = {"log_to_driver": False, "logging_level": logging.ERROR}
    with tempfile.TemporaryDirectory(prefix="gb-", dir=_short_folder(), ignore_cleanup_errors=True) as scratch:
        own: dict[str, Any] = {
            "include_dashboard": False,
            "object_store_memory": STORE_BYTES,
            "_temp_dir": scratch,
            "_node_ip_address": LOOPBACK,
        }
        try:
            ray.init(address=address or "local", **quiet, **({} if address else own))
        except Exception as error:  # Ray raises the bare class when a node is slow to start
            where = f"no Ray cluster can be used at --address {address}" if address else "Ray does not start here"
            advice = "start one on this machine and on the others (ray start), of the same Ray and Python"
            raise UsageError(f"{where}: {' '.join(str(error).split())[:500]}; {advice}") from None
        try:
            yield Cluster(ray)
        finally:
            ray.shutdown()


def _demand_answer(address: str) -> None:
    """Ray itself asks for minutes whether anybody is there. Raises UsageError."""
    host, _, port = address.rpartition(":")
    try:
        with socket.create_connection((host.strip("[]"), int(port)), timeout=ANSWER_S):
            return
    except (OSError, ValueError, OverflowError) as error:
        advice = "write HOST:PORT of its head, or auto on one of its nodes"
        raise UsageError(f"no Ray cluster answers at --address {address}: {in_words(error)}; {advice}") from None


def _short_folder() -> str | None:
    """Where Ray may keep its sockets, whose paths have 107 bytes; None: the usual place."""
    return None if len(tempfile.gettempdir()) <= LONGEST_PLACE else "/tmp"  # noqa: S108 - a fresh folder in there


def look(cluster: Cluster, words: RunWords, stamp: Stamp, jobs: Sequence[Job]) -> None:
    """Ask every node what is wrong with it. Raises UsageError that names each node's faults, and says what to do."""
    nodes = cluster.nodes()
    if not nodes:
        raise UsageError("the cluster has no node with cpus; start one: ray start --address HOST:PORT")
    for needs in {job.needs for job in jobs}:
        if not any(node.fits(needs) for node in nodes):
            raise UsageError(_no_room(needs, nodes))
    wrong: dict[Node, list[str]] = {}
    for node, said in cluster.each(nodes, _looker(), words.model_dump_json(), stamp.model_dump()):
        if said:
            wrong[node] = said if isinstance(said, list) else [_short(said)]
    there = {node.id for node in (cluster.nodes() if wrong else nodes)}
    wrong = {node: faults for node, faults in wrong.items() if node.id in there}  # one that died meanwhile is no node
    if wrong:
        lines = [f"  {node.host} ({node.id[:8]}): {'; '.join(faults)}" for node, faults in wrong.items()]
        raise UsageError("\n".join([f"{len(wrong)} of {len(nodes)} node(s) cannot play this run:", *lines]))
    if not there:
        raise UsageError("every node of the cluster died while it was asked; start one: ray start --address HOST:PORT")


def _looker() -> Callable[[str, Mapping[str, Any]], list[str]]:
    """A function that is sent as it is, and so also runs where Gymboard is not installed, or another one."""

    def faults(words: str, stamp: Mapping[str, Any]) -> list[str]:
        version = stamp["version"]
        advice = f'install the driver\'s: pip install "gymboard[ray]=={version}", in the Python that Ray runs in'
        try:
            import harness
        except ImportError:
            return [f"it has no gymboard; {advice}"]
        if harness.__version__ != version:
            return [f"it has gymboard {harness.__version__}, the driver {version}; {advice}"]
        try:
            from harness.executors.stamp import Stamp, faults_of
            from harness.executors.words import RunWords

            return faults_of(RunWords.model_validate_json(words), Stamp(**stamp))
        except (ImportError, TypeError, ValueError) as error:
            return [f"its gymboard {version} is other code than the driver's ({error}); {advice}, from the same place"]

    return faults


def _no_room(needs: Needs, nodes: Sequence[Node]) -> str:
    wanted = f"{needs.cpus:g} cpus, {needs.memory_mib} MiB" + (f" and {needs.gpus} GPUs" if needs.gpus else "")
    there = ", ".join(f"{node.host}: {node.cpus:g}, {node.memory_mib:.0f} and {node.gpus:g}" for node in nodes)
    return f"an episode takes {wanted}, and no node has that ({there}); start a larger one"


def _short(error: BaseException) -> str:
    return " ".join(str(error).split())[-500:]
