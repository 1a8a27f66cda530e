SELECT
  a.* EXCLUDE (entry_no, is_last, artifact, stderr),
  left(lower(hex(a.artifact)), 8) AS artifact,
  CASE WHEN a.stderr > 0 THEN round(a.stderr, 2 - floor(log10(a.stderr))::INTEGER) ELSE a.stderr END AS stderr,
  n.entry,
  a.is_last AND (a.kind = 'submit' OR a.source = 'published') AS final
FROM attempts AS a
JOIN entries AS n USING (entry_no)
WHERE NOT n.preview
