-- Why an entry of the season's board is shown without a rank; no row: it is ranked.
-- partial: it never ran some of the tasks, so that an AUP over all of them would say nothing.
-- chosen(entry_no): the board's entries. rules: the season's rankable tasks. $seeds: seeds a task.
WITH present AS (
  SELECT
    entry_no,
    count(*) AS episodes,
    count(DISTINCT task) AS tasks,
    bool_or(variant IS NOT NULL OR dataset IS NOT NULL) AS other
  FROM episodes JOIN rules USING (task)
  WHERE seed < $seeds
  GROUP BY entry_no
),
-- A task whose answers are public: a value better than the best honest one known waits until somebody has looked at it.
beyond AS (
  SELECT
    a.entry_no,
    first(printf('%s: %.4g is beyond the best honest value known, %.4g; held for review', a.task, a.value, r.reference)
      ORDER BY a.task, a.seed, a.attempt) AS why
  FROM attempts AS a JOIN rules AS r ON a.task = r.task AND a.metric = r.metric
  WHERE a.source = 'regraded' AND r.public_labels AND r.reference IS NOT NULL
    AND CASE WHEN r.maximise THEN a.value > r.reference ELSE a.value < r.reference END
  GROUP BY a.entry_no
),
-- Its recorded actions, executed again, did not make what was regraded.
replay AS (
  SELECT
    e.entry_no,
    first(printf('%s: its recorded actions, executed again, did not lead to the regraded value; held for review', p.task)
      ORDER BY p.task) AS why
  FROM replays AS p JOIN entries AS e USING (entry, bundle_sha256)
  WHERE p.outcome = 'differs' AND NOT e.preview
  GROUP BY e.entry_no
),
reasons AS (
  SELECT
    e.entry_no,
    CASE
      WHEN e.profile <> 'official' THEN printf('ran in the %s profile; only the official one is ranked', e.profile)
      WHEN coalesce(p.other, FALSE) THEN 'ran with another starter or on another dataset than the task''s own'
      WHEN coalesce(p.tasks, 0) < (SELECT count(*) FROM rules) THEN
        printf('partial: ran %d of the season''s %d tasks', coalesce(p.tasks, 0), (SELECT count(*) FROM rules))
      WHEN coalesce(p.episodes, 0) < (SELECT count(*) FROM rules) * $seeds THEN
        printf('lacks %d of the season''s %d episodes',
          (SELECT count(*) FROM rules) * $seeds - coalesce(p.episodes, 0), (SELECT count(*) FROM rules) * $seeds)
      WHEN e.level NOT IN ('regraded', 'replayed', 'reproduced') THEN printf('is %s; ranking needs regraded', e.level)
      WHEN NOT e.reviewed THEN coalesce(r.why, b.why, c.why)
      ELSE c.why
    END AS why,
    coalesce(p.tasks, 0) < (SELECT count(*) FROM rules) AS partial
  FROM entries AS e
  JOIN chosen USING (entry_no)
  LEFT JOIN present AS p USING (entry_no)
  LEFT JOIN beyond AS b USING (entry_no)
  LEFT JOIN replay AS r USING (entry_no)
  LEFT JOIN copies AS c USING (entry_no)
)
SELECT entry_no, why, partial FROM reasons WHERE why IS NOT NULL ORDER BY entry_no
