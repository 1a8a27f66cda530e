"""Rank and publish: the half of Gymboard that turns verified bundles into a board. Never runs anything an agent wrote."""
