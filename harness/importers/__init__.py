"""Foreign runs -> bundles of level reported."""
