-- Suspicion that can be computed: facts, not verdicts. One row an entry, flag, task and seed; of several attempts the worst.
-- Reads attempts, episodes, entries, replays, season_rules (one row a task: see scoring.flags) and trivials. Only the ranked metric is looked at.
WITH ranked AS (
    SELECT a.entry_no, a.task, a.seed, a.attempt, a.source, a.value, coalesce(a.stderr, 0.0) AS error,
           a.stderr IS NOT NULL AS known, r.* EXCLUDE (task, metric)
    FROM attempts a JOIN season_rules r ON r.task = a.task AND r.metric = a.metric
    WHERE a.value IS NOT NULL
),
regraded AS (FROM ranked WHERE source = 'regraded'),

-- Better than the best that is known by more than 3 of its standard errors; where answers are public, at all.
-- A reference that is only the baseline says nothing about what can be reached.
beyond_reference AS (
    SELECT entry_no, 'beyond-reference' AS flag, task, seed, attempt, value, reference AS against, gain AS excess,
           format('{:.6g} is better than the best value known, {:.6g}, by {:.3g}; {}', value, reference, gain,
                  CASE WHEN public_labels THEN 'the answers of this task can be looked up'
                       ELSE format('3 of its standard errors are {:.3g}', 3 * error) END) AS words
    FROM (SELECT *, CASE WHEN maximise THEN value - reference ELSE reference - value END AS gain FROM regraded)
    WHERE gain > CASE WHEN public_labels THEN 0.0 ELSE 3 * error END
      AND (public_labels OR reference IS DISTINCT FROM baseline)
),

-- One artifact, two splits. Without both standard errors a tenth of the larger of validation value and baseline is allowed.
far_from_validation AS (
    SELECT entry_no, 'far-from-validation' AS flag, task, seed, attempt, value, told AS against,
           abs(value - told) / allowed AS excess,
           format('{:.6g} on the sealed split, {:.6g} on validation: {:.3g} apart, {:.3g} is allowed ({})', value, told,
                  abs(value - told), allowed,
                  CASE WHEN both_known THEN '4 combined standard errors'
                       ELSE 'a tenth; a standard error is unknown' END) AS words
    FROM (
        SELECT s.*, v.value AS told, s.known AND v.known AS both_known,
               CASE WHEN s.known AND v.known THEN 4 * sqrt(s.error * s.error + v.error * v.error)
                    ELSE greatest(4 * sqrt(s.error * s.error + v.error * v.error),
                                  0.1 * greatest(abs(v.value), coalesce(abs(s.baseline), 0.0))) END AS allowed
        FROM regraded s JOIN ranked v USING (entry_no, task, seed, attempt)
        WHERE v.source = 'validation'
    )
    WHERE abs(value - told) > allowed
),

-- Just what a constant or random submission scores: exact grades to 1e-9, draws within their standard errors.
trivial_score AS (
    SELECT g.entry_no, 'trivial-score' AS flag, g.task, g.seed, g.attempt, g.value, t.value AS against,
           -abs(g.value - t.value) AS excess,
           format('{:.6g} is what this scores: {} ({:.6g})', g.value, t.what, t.value) AS words
    FROM regraded g JOIN trivials t USING (task)
    WHERE abs(g.value - t.value)
          <= CASE WHEN t.stderr IS NULL THEN 1e-9 ELSE greatest(1e-9, sqrt(g.error * g.error + t.stderr * t.stderr)) END
),

-- A score without one action that can change a file (edit, Python, shell); no trace and no counts: not recorded, no
-- finding. The value is that of the last scored attempt.
do_nothing AS (
    SELECT e.entry_no, 'do-nothing' AS flag, e.task, e.seed, a.attempt, a.value, CAST(NULL AS DOUBLE) AS against,
           row_number() OVER (PARTITION BY e.entry_no, e.task, e.seed
                              ORDER BY a.attempt, r.metric IS NOT NULL, a.metric DESC) AS excess,
           format('scored {:.6g} in {} steps, none of which can change a file', a.value, e.steps) AS words
    FROM episodes e
    JOIN attempts a ON a.entry_no = e.entry_no AND a.task = e.task AND a.seed = e.seed
    LEFT JOIN season_rules r ON r.task = a.task AND r.metric = a.metric
    WHERE e.act_edit + e.act_python + e.act_bash = 0
      AND (e.trace IS NOT NULL
           OR e.act_view + e.act_search + e.act_validate + e.act_submit + e.act_memory + e.act_literature > 0)
      AND a.value IS NOT NULL AND a.source IN ('regraded', 'published')
),

-- What the bundle claims against what our job found, allowed as `gymboard regrade` allows it: a claimed standard error
-- counts up to the measured one.
claim_differs AS (
    SELECT entry_no, 'claim-differs' AS flag, task, seed, attempt, value, claim AS against,
           abs(value - claim) - allowed AS excess,
           format('claimed {:.6g}, regraded {:.6g}: {:.3g} apart, {:.3g} allowed', claim, value,
                  abs(value - claim), allowed) AS words
    FROM (
        SELECT g.*, c.value AS claim,
               CASE WHEN g.sampled THEN greatest(4 * sqrt(g.error * g.error + least(c.error, g.error) ** 2),
                                                 g.tolerance * abs(g.value))
                    ELSE g.tolerance END AS allowed
        FROM regraded g JOIN ranked c USING (entry_no, task, seed, attempt)
        WHERE c.source = 'claimed'
    )
    WHERE abs(value - claim) > allowed
),

-- The recorded actions, executed again, did not lead to what was regraded. Figures of the first attempt that differs.
replay_differs AS (
    SELECT entry_no, 'replay-differs' AS flag, task, p.seed, CAST(NULL AS BIGINT) AS attempt, found AS value,
           expected AS against, coalesce(abs(expected - found) - allowed, 'inf'::DOUBLE) AS excess,
           CASE WHEN found IS NULL
                THEN format('regraded {:.6g}; its actions, executed again, left no valid artifact', expected)
                ELSE format('regraded {:.6g}; its actions, executed again, left {:.6g}: {:.3g} is allowed', expected,
                            found, allowed) END AS words
    FROM replays p JOIN entries USING (entry, bundle_sha256)
    WHERE outcome = 'differs' AND NOT preview
)

SELECT entry_no, flag, task, seed, value, against, words
FROM (
    FROM beyond_reference
    UNION ALL BY NAME FROM far_from_validation
    UNION ALL BY NAME FROM trivial_score
    UNION ALL BY NAME FROM do_nothing
    UNION ALL BY NAME FROM claim_differs
    UNION ALL BY NAME FROM replay_differs
)
QUALIFY row_number() OVER (PARTITION BY entry_no, flag, task, seed ORDER BY excess DESC, attempt, words) = 1
ORDER BY entry_no, flag, task, seed
