"""Notes that an agent keeps: a DuckDB file with embeddings, on the host's side of the sandbox."""
