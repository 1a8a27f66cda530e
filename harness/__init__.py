"""Run, grade, sign: the half of Gymboard that touches agents, containers and keys. Never imports `scoring`."""

__version__ = "0.1.0"
