"""The referee of a claims grade. Runs inside the referee's container, beside gymplay; the host reads its names only."""

CLAIMANT, AUDITED = "candidate", "audited"
TOKENS = "tokens.bin"
