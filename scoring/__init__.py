"""Rank and publish: turns verified bundles into a board. Never runs anything an agent wrote."""
