"""The engines that one set of tests is held against."""

from __future__ import annotations

import pytest

CONTAINERS = [pytest.param("docker", marks=pytest.mark.docker), pytest.param("podman", marks=pytest.mark.podman)]
ENGINES = ["local", *CONTAINERS]
NO_DEVICES = {"lo", "tunl0", "sit0", "ip6tnl0", "gre0", "gretap0", "erspan0", "ip6_vti0"}
"""What a network namespace has of itself, by what the kernel was built with; none but the first carries anything."""
