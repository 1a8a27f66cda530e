-- Values that may become the reference of a task, the best first within each task and source.
-- Reads entries, attempts, notes and wanted (one row a task: see scoring.known). `values` has one value, or four means to be.
WITH usable AS (
    SELECT a.task, a.source, e.entry, a.entry_no, a.seed, a.attempt, a.is_last, a.value, a.stderr, w.sampled,
           CASE WHEN w.maximise THEN 1.0 ELSE -1.0 END AS sign
    FROM attempts a
    JOIN entries e USING (entry_no)
    JOIN wanted w ON w.task = a.task
                 AND a.metric = CASE CAST(a.source AS VARCHAR) WHEN 'regraded' THEN w.metric ELSE w.published_metric END
    WHERE NOT e.preview AND e.profile = 'official' AND a.value IS NOT NULL AND a.seed < 4
      -- Evidence: our own regrade of an entry that still has that level, or a publication.
      AND (a.source = 'regraded' AND e.origin = 'run' AND e.level IN ('regraded', 'replayed', 'reproduced')
           OR a.source = 'published' AND e.origin = 'import')
      -- Held for review: public answers, and better than what was known; nothing known holds every run.
      AND (e.reviewed OR NOT w.public_labels
           OR CASE WHEN w.known_best IS NULL THEN a.source = 'published'
                   WHEN w.maximise THEN a.value <= w.known_best ELSE a.value >= w.known_best END)
),
standing AS (  -- An audit note refutes the whole episode that it names, or every episode of the task.
    FROM usable u
    WHERE NOT EXISTS (FROM notes n WHERE n.entry_no = u.entry_no AND n.task = u.task
                                     AND (n.seed IS NULL OR n.seed = u.seed))
),
single AS (  -- One artifact's value: exact, or a draw of ours that loses three standard errors.
    SELECT task, source, entry, seed, [value] AS "values", CASE WHEN sampled THEN stderr END AS stderr,
           sign * value - CASE WHEN sampled THEN 3 * stderr ELSE 0.0 END AS worth, attempt
    FROM standing
    WHERE NOT sampled OR source = 'regraded' AND stderr IS NOT NULL
    QUALIFY row_number() OVER (PARTITION BY task, source ORDER BY worth DESC, entry, seed, attempt) = 1
),
averaged AS (  -- Published draws carry no standard error: the four final values of an entry stand together or not at all.
    SELECT task, source, entry, CAST(NULL AS INTEGER) AS seed, list(value ORDER BY seed, attempt) AS "values",
           CAST(NULL AS DOUBLE) AS stderr
    FROM standing
    WHERE sampled AND source = 'published' AND is_last
    GROUP BY task, source, entry
    HAVING count(DISTINCT seed) = 4 AND count(*) = 4
)
SELECT task, source, entry, seed, "values", stderr FROM single
UNION ALL
FROM averaged
ORDER BY task, source, entry, seed
