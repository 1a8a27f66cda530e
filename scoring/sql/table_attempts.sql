SELECT
  a.* EXCLUDE (entry_no, is_last, artifact),
  left(lower(hex(a.artifact)), 16) AS artifact,
  n.entry,
  a.is_last AND (a.kind = 'submit' OR a.source = 'published') AS final
FROM attempts AS a
JOIN entries AS n USING (entry_no)
WHERE NOT n.preview
