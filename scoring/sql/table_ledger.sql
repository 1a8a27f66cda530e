SELECT * REPLACE (left(sha256, 16) AS sha256) FROM ledger
