-- What an entry used and cost over the board's tasks. Whole tokens are summed, then multiplied once by the prices in
-- force on $day (the board's) and on the day of the run. A model that prices(model, since, ...) does not name has no
-- cost; that is NULL, never 0. Only who names no model and used no token costs 0. Input counts include cached and cache-write tokens, output counts reasoning.
-- Sums of fractions are taken in one order, by task and seed; `turn` is that order as a number, which sorts faster.
WITH turns AS (SELECT task, row_number() OVER (ORDER BY task) AS turn FROM rules),
used AS (
  SELECT
    entry_no,
    count(*) FILTER (api_calls > 0 OR input_tokens > 0) AS priced_episodes,
    sum(greatest(0, input_tokens - cached_tokens - cache_write_tokens))::BIGINT AS plain_tokens,
    sum(input_tokens)::BIGINT AS input_tokens,
    sum(cached_tokens)::BIGINT AS cached_tokens,
    sum(cache_write_tokens)::BIGINT AS cache_write_tokens,
    sum(output_tokens)::BIGINT AS output_tokens,
    sum(reasoning_tokens)::BIGINT AS reasoning_tokens,
    sum(wall_s ORDER BY turn) AS wall_s,
    sum(gpu_s ORDER BY turn) AS gpu_s,
    sum(reported_cost_usd ORDER BY turn) FILTER (api_calls > 0 OR input_tokens > 0) AS reported_usd,
    count(reported_cost_usd) FILTER (api_calls > 0 OR input_tokens > 0) AS reported_episodes
  FROM (SELECT episodes.*, turn * $seeds + seed AS turn FROM episodes JOIN turns USING (task) WHERE seed < $seeds)
  GROUP BY entry_no
),
priced AS (
  SELECT
    c.place, e.entry, e.model, used.*,
    e.model IS NULL AND coalesce(used.priced_episodes, 0) = 0 AND coalesce(used.output_tokens, 0) = 0 AS free,
    now.since, now.input_usd, now.output_usd,
    (
      plain_tokens * now.input_usd
      + cached_tokens * coalesce(now.cached_usd, now.input_usd)
      + cache_write_tokens * coalesce(now.cache_write_usd, now.input_usd)
      + output_tokens * now.output_usd
    ) / 1e6 / priced_episodes AS usd_per_episode,
    (
      plain_tokens * own.input_usd
      + cached_tokens * coalesce(own.cached_usd, own.input_usd)
      + cache_write_tokens * coalesce(own.cache_write_usd, own.input_usd)
      + output_tokens * own.output_usd
    ) / 1e6 / priced_episodes AS run_day_usd_per_episode
  FROM chosen AS c
  JOIN (SELECT entry_no, entry, model, date, $day::VARCHAR AS day FROM entries) AS e USING (entry_no)
  LEFT JOIN used USING (entry_no)
  ASOF LEFT JOIN prices AS now ON e.model = now.model AND e.day >= now.since
  ASOF LEFT JOIN prices AS own ON e.model = own.model AND e.date >= own.since
)
SELECT
  entry,
  CASE WHEN free THEN 0 WHEN priced_episodes > 0 THEN usd_per_episode END AS usd_per_episode,
  CASE WHEN free THEN 0 WHEN priced_episodes > 0 THEN run_day_usd_per_episode END AS run_day_usd_per_episode,
  CASE WHEN model IS NOT NULL AND reported_episodes > 0 THEN reported_usd / reported_episodes END
    AS reported_usd_per_episode,
  coalesce(priced_episodes, 0) AS priced_episodes,
  since,
  CASE
    WHEN free THEN 'calls no model'
    WHEN model IS NULL THEN 'has token counts, but names no model'
    WHEN coalesce(priced_episodes, 0) = 0 THEN 'no token counts'
    WHEN since IS NULL THEN printf('no price is known for %s', model)
    ELSE printf('tokens of %d episodes at %g/%g USD per million (%s)', priced_episodes, input_usd, output_usd, since)
  END AS words,
  coalesce(input_tokens, 0) AS input_tokens,
  coalesce(cached_tokens, 0) AS cached_tokens,
  coalesce(cache_write_tokens, 0) AS cache_write_tokens,
  coalesce(output_tokens, 0) AS output_tokens,
  coalesce(reasoning_tokens, 0) AS reasoning_tokens,
  wall_s,
  gpu_s
FROM priced
ORDER BY place
