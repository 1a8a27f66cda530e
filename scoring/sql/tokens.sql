-- What each chosen entry used on each task: the counts of costs.sql before they are multiplied by any price.
-- `plain`: input that was neither read from a cache nor written to one; `episodes`: those that called a model.
SELECT
  c.place, r.task_no,
  sum(greatest(0, e.input_tokens - e.cached_tokens - e.cache_write_tokens))::BIGINT AS plain,
  sum(e.cached_tokens)::BIGINT AS cached,
  sum(e.cache_write_tokens)::BIGINT AS written,
  sum(e.output_tokens)::BIGINT AS output,
  count(*) FILTER (e.api_calls > 0 OR e.input_tokens > 0) AS episodes
FROM episodes AS e JOIN chosen AS c USING (entry_no) JOIN rules AS r USING (task)
WHERE e.seed < $seeds
GROUP BY ALL
ORDER BY ALL
