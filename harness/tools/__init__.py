"""What an agent can call beside its shell: one file a tool, each with its schema, its help and its tests."""
