"""The only way to a language model: metered, journaled, bounded. Only provider.py imports litellm, inside functions."""
