"""The engines that one set of tests is held against."""

from __future__ import annotations

import pytest

CONTAINERS = [pytest.param("docker", marks=pytest.mark.docker), pytest.param("podman", marks=pytest.mark.podman)]
ENGINES = ["local", *CONTAINERS]
