-- prices(model, since, ...) in USD per million tokens; settings.day: the season's.
WITH scored AS (
  SELECT DISTINCT entry_no, task, seed
  FROM attempts
  WHERE source IN ('published', 'regraded') AND metric IS NOT NULL
)
SELECT
  e.* EXCLUDE (entry_no, wall_s, gpu_s),
  round(e.wall_s, 1) AS wall_s,
  round(e.gpu_s, 1) AS gpu_s,
  n.entry,
  CASE WHEN e.trace IS NOT NULL OR e.steps = 0 THEN e.act_edit + e.act_python + e.act_bash > 0 END AS modifies,
  CASE
    WHEN s.entry_no IS NULL THEN 'failed'
    WHEN e.exit_status IN ('success', 'max_steps') THEN 'complete'
    ELSE 'incomplete'
  END AS outcome,
  CASE
    WHEN n.model IS NULL AND e.api_calls = 0 AND e.input_tokens = 0 AND e.output_tokens = 0 THEN 0
    WHEN e.api_calls > 0 OR e.input_tokens > 0 THEN (
      greatest(0, e.input_tokens - e.cached_tokens - e.cache_write_tokens) * p.input_usd
      + e.cached_tokens * coalesce(p.cached_usd, p.input_usd)
      + e.cache_write_tokens * coalesce(p.cache_write_usd, p.input_usd)
      + e.output_tokens * p.output_usd
    ) / 1e6
  END AS cost_usd
FROM episodes AS e
JOIN (SELECT entry_no, entry, model, preview, day FROM entries, settings) AS n USING (entry_no)
LEFT JOIN scored AS s ON e.entry_no = s.entry_no AND e.task = s.task AND e.seed = s.seed
ASOF LEFT JOIN prices AS p ON n.model = p.model AND n.day >= p.since
WHERE NOT n.preview
