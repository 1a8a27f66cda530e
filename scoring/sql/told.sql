-- What the agents in `leaders` (entry, task, metric) were told of what they handed in, step by step. $told: the source.
SELECT a.task, n.entry, a.seed, a.step, a.value
FROM attempts AS a
JOIN entries AS n USING (entry_no)
JOIN leaders AS l ON n.entry = l.entry AND a.task = l.task AND a.metric = l.metric
WHERE a.source = $told AND a.step > 0 AND a.seed < $seeds AND NOT n.preview
ORDER BY ALL
