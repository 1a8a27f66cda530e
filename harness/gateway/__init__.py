"""What a finished program in a sandbox reaches of us: two sockets, one to hand in, one to its metered model."""
