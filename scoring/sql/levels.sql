-- The level that an entry's evidence supports, and what people decided about it.
-- Here an entry's signature already held, or it would not be in `entries`.
--   reported   an import: its figures are somebody else's
--   signed     a run that the ledger included
--   regraded   a docker run: our own job graded the last artifact of every episode that left one; where none left any,
--              it found that there is nothing to grade
--   replayed   regraded, and the newest replay of every task that left an artifact agrees or excuses it; one agrees
-- A downgrade in the ledger caps the level of these very bytes, until the entry is submitted anew.
WITH graded AS (
    SELECT
        entry_no,
        bool_and(last_regraded OR NOT last_artifact) AS complete
    FROM episodes
    GROUP BY entry_no
),
replayed AS (
    SELECT entry_no, bool_and(coalesce(outcome IN ('agrees', 'excused'), false)) AND bool_or(outcome = 'agrees') AS agreed
    FROM (SELECT entry_no, task, bool_or(last_artifact) AS artifact FROM episodes GROUP BY entry_no, task)
    JOIN found_entries USING (entry_no)
    LEFT JOIN replays USING (entry, bundle_sha256, task)
    WHERE artifact
    GROUP BY entry_no
),
decided AS (
    SELECT
        entry_no,
        min(sequence) FILTER (kind = 'inclusion') AS included,
        bool_or(kind = 'regrade') AS regraded,
        coalesce(bool_or(kind = 'review'), false) AS reviewed,
        min(level::level) FILTER (kind = 'downgrade') AS cap
    FROM found_entries JOIN ledger USING (entry, bundle_sha256)
    WHERE NOT preview
    GROUP BY entry_no
)
SELECT
    found_entries.*,
    CASE
        WHEN preview THEN NULL
        WHEN origin = 'import' THEN 'reported'::level
        ELSE least(cap, CASE
            WHEN sandbox <> 'docker' OR NOT coalesce(complete AND regraded, false) THEN 'signed'
            WHEN coalesce(agreed, false) THEN 'replayed'
            ELSE 'regraded'
        END::level)
    END AS level,
    coalesce(reviewed, false) AS reviewed,
    included
FROM found_entries
LEFT JOIN graded USING (entry_no)
LEFT JOIN replayed USING (entry_no)
LEFT JOIN decided USING (entry_no)
ORDER BY entry_no
