-- Runs that hand in an artifact which another submitter's run had handed in before: the author is whose regrade found it
-- first, also in a bundle that was replaced since (earlier: see scoring.earlier). The digest is of names
-- and bytes, so one changed byte escapes it: it stops a published payload from being entered again, not its ideas.
-- Artifacts no better than the baseline are anybody's: harness.schema.gain, whose rule GB111 asks too. Two people can
-- write the same few lines: such an entry appeals.
CREATE OR REPLACE TABLE copies AS
WITH first_regrades AS (
  SELECT entry, bundle_sha256, min(sequence) AS sequence
  FROM ledger
  WHERE kind = 'regrade'
  GROUP BY entry, bundle_sha256
),
before AS (
  SELECT entry, task, artifact, min(sequence) AS sequence
  FROM earlier
  GROUP BY entry, task, artifact
),
gains AS (
  SELECT a.entry_no, a.task, a.seed, a.attempt, a.artifact, e.submitter, e.entry,
    least(b.sequence, g.sequence) AS since
  FROM attempts AS a
  JOIN rules AS r ON a.task = r.task AND a.metric = r.metric
  JOIN chosen USING (entry_no)
  JOIN entries AS e USING (entry_no)
  LEFT JOIN first_regrades AS g ON g.entry = e.entry AND g.bundle_sha256 = e.bundle_sha256
  LEFT JOIN before AS b ON b.entry = e.entry AND b.task = a.task AND b.artifact = a.artifact
  WHERE a.source = 'regraded'
    AND (
      r.baseline IS NULL
      OR CASE WHEN r.maximise THEN a.value - r.baseline ELSE r.baseline - a.value END
        > greatest(r.sigmas * coalesce(a.stderr, 0), coalesce(r.noise, 0) * abs(r.baseline))
    )
),
shared AS (
  SELECT task, artifact
  FROM gains
  GROUP BY task, artifact
  HAVING min(submitter) <> max(submitter)
),
owned AS (
  SELECT
    gains.*,
    first_value(submitter) OVER earlier AS owner,
    first_value(entry) OVER earlier AS original
  FROM gains JOIN shared USING (task, artifact)
  WINDOW earlier AS (PARTITION BY task, artifact ORDER BY since, entry_no)
)
SELECT
  entry_no,
  first(printf('hands in an artifact of %s, another submitter''s, for %s', original, task)
    ORDER BY task, seed, attempt) AS why
FROM owned
WHERE owner <> submitter
GROUP BY entry_no
