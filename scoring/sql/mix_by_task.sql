-- In which tenth of an episode the agents do what, task by task. Letters and tenths as in table_actions; $origin.
WITH letters AS (
  SELECT
    e.task, length(trace) AS n, unnest(string_split(trace, '')) AS letter, generate_subscripts(string_split(trace, ''), 1) AS s
  FROM episodes AS e JOIN entries AS a USING (entry_no)
  WHERE trace <> '' AND a.origin = $origin AND a.profile = 'official' AND NOT a.preview
)
SELECT task AS what, (10 * (s - 1) // n)::INTEGER AS tenth, letter, count(*) AS steps
FROM letters
GROUP BY ALL
ORDER BY ALL
