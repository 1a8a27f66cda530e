"""Where episodes run: in this process, in processes of this machine, on a cluster. One protocol for all of them."""
