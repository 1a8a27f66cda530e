-- How the episodes of an entry went, over the board's tasks. chosen(entry_no, place), rules, $seeds; $source as in grid.
WITH scored AS (
  SELECT DISTINCT entry_no, task, seed FROM attempts WHERE source = $source AND metric IS NOT NULL
),
shown AS (
  SELECT
    e.*, s.entry_no IS NOT NULL AS scored, e.exit_status IN ('success', 'max_steps') AS whole
  FROM episodes AS e
  JOIN chosen USING (entry_no)
  JOIN rules USING (task)
  LEFT JOIN scored AS s ON e.entry_no = s.entry_no AND e.task = s.task AND e.seed = s.seed
  WHERE e.seed < $seeds
),
failures AS (
  SELECT entry_no, exit_status, row_number() OVER (PARTITION BY entry_no ORDER BY count(*) DESC, exit_status) AS place
  FROM shown WHERE NOT whole
  GROUP BY entry_no, exit_status
)
SELECT
  any_value(n.entry) AS entry,
  count(*) FILTER (NOT scored) AS failed,
  count(*) FILTER (scored AND NOT whole) AS incomplete,
  any_value(f.exit_status) AS dominant_failure,
  coalesce(sum(steps), 0)::BIGINT AS steps,
  coalesce(sum(validate_calls), 0)::BIGINT AS validate_calls,
  CASE WHEN bool_and(trace IS NOT NULL) THEN count(*) FILTER (act_edit + act_python + act_bash = 0) END AS do_nothing
FROM chosen AS c
JOIN entries AS n USING (entry_no)
LEFT JOIN shown USING (entry_no)
LEFT JOIN failures AS f ON c.entry_no = f.entry_no AND f.place = 1
GROUP BY c.place
ORDER BY c.place
