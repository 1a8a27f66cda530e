"""Submit: an entry on this machine becomes a pull request at the board's repository.

Takes a signed bundle folder that the rules accept and a token, gives the one pull request that carries it.
Every step looks at what is there before it adds to it, so that calling again after a failure goes on where it stopped.
Never sends the token anywhere but to the server's own API, never touches a branch that holds anything else, never
changes the bundle.
"""
