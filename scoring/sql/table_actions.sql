-- One letter of a trace is one step; step s of n lies in tenth floor(10 (s - 1) / n) + 1 of its episode.
WITH letters AS (
  SELECT
    entry_no, length(trace) AS n, unnest(string_split(trace, '')) AS letter, generate_subscripts(string_split(trace, ''), 1) AS s
  FROM episodes
  WHERE trace <> ''
),
named(letter, action) AS (
  VALUES ('E', 'Edit'), ('V', 'View'), ('S', 'Search'), ('A', 'Validate'), ('U', 'Submit'),
    ('P', 'Python'), ('B', 'Bash'), ('M', 'Memory'), ('L', 'Literature')
)
SELECT e.entry, (10 * (s - 1) // n + 1)::INTEGER AS decile, action, count(*) AS steps
FROM letters
JOIN named USING (letter)
JOIN entries AS e USING (entry_no)
WHERE NOT e.preview
GROUP BY ALL
