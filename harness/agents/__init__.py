"""What tries a task."""
