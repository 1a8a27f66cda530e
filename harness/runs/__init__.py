"""What lies under runs/: which runs there are, how each stands, where its time went, and what can go."""
