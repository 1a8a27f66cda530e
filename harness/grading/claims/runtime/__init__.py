"""The referee of a claims grade, under the name `gymclaims` beside `gymplay` in its container.

Standard library, numpy and gymplay only. The host reads the three names below and nothing else.
"""

CLAIMANT, AUDITED = "candidate", "audited"
TOKENS = "tokens.bin"
