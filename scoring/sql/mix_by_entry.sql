-- The same, entry by entry, of those in `shown`.
WITH letters AS (
  SELECT
    a.entry, length(trace) AS n, unnest(string_split(trace, '')) AS letter, generate_subscripts(string_split(trace, ''), 1) AS s
  FROM episodes AS e JOIN entries AS a USING (entry_no) JOIN shown USING (entry)
  WHERE trace <> '' AND a.origin = $origin AND NOT a.preview
)
SELECT entry AS what, (10 * (s - 1) // n)::INTEGER AS tenth, letter, count(*) AS steps
FROM letters
GROUP BY ALL
ORDER BY ALL
