-- What the newest replay of each bundle's tasks found. An excuse is no finding: it never hides one.
SELECT * FROM replay_lines
QUALIFY row_number() OVER (PARTITION BY entry, bundle_sha256, task ORDER BY outcome <> 'excused' DESC, sequence DESC) = 1
