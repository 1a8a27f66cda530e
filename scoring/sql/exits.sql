-- How often the episodes of each chosen entry ended in which way, task by task.
SELECT c.place, r.task_no, e.exit_status, count(*) AS episodes
FROM episodes AS e JOIN chosen AS c USING (entry_no) JOIN rules AS r USING (task)
WHERE e.seed < $seeds
GROUP BY ALL
ORDER BY ALL
