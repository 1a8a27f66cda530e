-- What the board's own plain search handed in, best of four seeds: the statistic that an entry is ranked by.
-- Reads entries, episodes, attempts and searched (task, metric, maximise: the tasks whose starter can be searched).
WITH own AS (
    FROM entries
    WHERE NOT preview AND origin = 'run' AND profile = 'official' AND agent = 'tuner' AND submitter = 'gymboard'
      AND level IN ('regraded', 'replayed', 'reproduced')
),
whole AS (
    SELECT entry_no, task
    FROM episodes JOIN own USING (entry_no)
    WHERE seed < 4 AND variant IS NULL AND dataset IS NULL
    GROUP BY entry_no, task
    HAVING count(DISTINCT seed) = 4
)
SELECT w.task, o.entry, CASE WHEN any_value(s.maximise) THEN max(a.value) ELSE min(a.value) END AS value
FROM whole AS w
JOIN own AS o USING (entry_no)
JOIN searched AS s USING (task)
JOIN attempts AS a ON a.entry_no = w.entry_no AND a.task = w.task AND a.metric = s.metric
WHERE a.source = 'regraded' AND a.is_last AND a.kind = 'submit' AND a.seed < 4 AND a.value IS NOT NULL
GROUP BY w.task, o.entry
-- The newest entry of several, by its day, then its name.
QUALIFY row_number() OVER (PARTITION BY w.task ORDER BY any_value(o.date) DESC, o.entry DESC) = 1
ORDER BY w.task
