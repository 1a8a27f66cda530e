-- reproduced: a listed second party's own run bears the entry out (scoring.reproduce), and that run is on the board too,
-- regraded by our own job. It stands above replayed and does not need it: who ran the agent again has seen more than the
-- recorded actions. A downgrade of either side takes it back.
-- reproductions(entry, bundle_sha256, by_entry, by_bundle_sha256): the counter-signatures that stand (scoring.reproduced).
UPDATE entries SET level = 'reproduced'
WHERE NOT preview AND level >= 'regraded'::level
  AND EXISTS (
    SELECT 1
    FROM reproductions AS r
    JOIN entries AS own ON own.entry = r.by_entry AND own.bundle_sha256 = r.by_bundle_sha256
    WHERE r.entry = entries.entry AND r.bundle_sha256 = entries.bundle_sha256
      AND NOT own.preview AND own.level >= 'regraded'::level
  )
  AND NOT EXISTS (
    SELECT 1
    FROM ledger AS l
    WHERE l.kind = 'downgrade' AND l.entry = entries.entry AND l.bundle_sha256 = entries.bundle_sha256
  )
