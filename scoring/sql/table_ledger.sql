SELECT * FROM ledger
