"""What is mounted beside a finished program and runs in its sandbox: standard library only, imports nothing of ours."""
