"""The only way to a language model: metered, journaled, bounded. Never imports litellm before the first call."""
