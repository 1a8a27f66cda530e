"""Play graders: a referee and players in separate places, joined by a Unix socket, in lock step."""

from harness.grading.play.host import grade_play

__all__ = ["grade_play"]
