-- One row an episode, in any order: its best value, the one it handed in, and what validate had told of that one.
-- $source: published, claimed or regraded; $seeds: how many count. chosen(entry_no, place): whom. rules: the tasks.
-- Of a task that declares noise, a value near the baseline is the baseline: unchanged code lands on either side of it.
WITH valued AS (
  SELECT
    c.place, r.task_no, a.seed, r.maximise, a.source = 'validation' AS told, a.kind = 'submit' AS submitted,
    a.is_last AND (a.kind = 'submit' OR a.source = 'published') AS handed_in,
    CASE
      WHEN a.source <> 'validation' AND r.noise IS NOT NULL
        AND abs(a.value - r.baseline) <= greatest(r.noise * abs(r.baseline), r.sigmas * coalesce(a.stderr, 0))
      THEN r.baseline
      ELSE a.value
    END AS value
  FROM attempts AS a
  JOIN chosen AS c USING (entry_no)
  JOIN rules AS r ON a.task = r.task AND a.metric = r.metric
  WHERE a.source IN ($source, 'validation') AND a.seed < $seeds
),
scored AS (
  SELECT
    place, task_no, seed,
    CASE WHEN any_value(maximise) THEN max(value) FILTER (NOT told) ELSE min(value) FILTER (NOT told) END AS best,
    max(value) FILTER (handed_in AND NOT told) AS last,
    max(value) FILTER (handed_in AND told) AS told,
    coalesce(bool_or(handed_in AND submitted), FALSE) AS submitted
  FROM valued
  GROUP BY place, task_no, seed
)
SELECT
  c.place, r.task_no, e.seed, e.validate_calls, s.best, s.last, s.told,
  s.last IS NOT NULL AND (s.submitted OR e.exit_status = 'success') AS valid
FROM episodes AS e
JOIN chosen AS c USING (entry_no)
JOIN rules AS r ON e.task = r.task
LEFT JOIN scored AS s ON c.place = s.place AND r.task_no = s.task_no AND e.seed = s.seed
WHERE e.seed < $seeds
