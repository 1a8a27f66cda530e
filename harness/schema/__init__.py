"""The written contract: frozen pydantic records. No docker, no network, no clock."""
