-- not_ranked(entry, why): what the season's ranking says.
SELECT
  e.* EXCLUDE (entry_no, preview, included),
  CASE e.origin WHEN 'run' THEN 'season' ELSE 'published' END AS board,
  n.why AS not_ranked_because
FROM entries AS e
LEFT JOIN not_ranked AS n USING (entry)
WHERE NOT e.preview
