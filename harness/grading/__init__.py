"""One artifact -> metrics, in a place the agent never touched."""
