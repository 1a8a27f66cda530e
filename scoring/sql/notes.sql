-- Audit notes of the chosen entries on the ranking's tasks and on all others.
SELECT c.place, n.task, n.seed, n.metric, n.value, n.finding, n.evidence
FROM notes AS n JOIN chosen AS c USING (entry_no)
ORDER BY c.place, n.task, n.seed NULLS FIRST, n.metric
