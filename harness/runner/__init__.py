"""Runs episodes: agent against sandbox and grader, every step on disk before the next one begins."""
