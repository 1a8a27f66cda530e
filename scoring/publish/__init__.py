"""Publish: a Leaderboard becomes a folder of static files. Computes no score and runs nothing an agent wrote."""
