-- How many steps of each kind the chosen entries took on the ranking's tasks.
WITH counts AS (
  SELECT
    c.place, act_edit AS "Edit", act_view AS "View", act_search AS "Search", act_validate AS "Validate",
    act_submit AS "Submit", act_python AS "Python", act_bash AS "Bash", act_memory AS "Memory",
    act_literature AS "Literature"
  FROM episodes AS e JOIN chosen AS c USING (entry_no) JOIN rules AS r USING (task)
  WHERE e.seed < $seeds
)
SELECT place, action, sum(steps)::BIGINT AS steps
FROM counts UNPIVOT (steps FOR action IN ("Edit", "View", "Search", "Validate", "Submit", "Python", "Bash", "Memory", "Literature"))
WHERE steps > 0
GROUP BY place, action
ORDER BY place, action
