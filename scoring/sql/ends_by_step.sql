-- After how many steps episodes ended in which way, in bins of five steps; the last bin is open. $origin.
SELECT least(greatest(steps - 1, 0) // 5, 9)::INTEGER AS bin, exit_status, count(*) AS episodes
FROM episodes AS e JOIN entries AS a USING (entry_no)
WHERE a.origin = $origin AND a.profile = 'official' AND NOT a.preview AND exit_status <> 'unknown'
GROUP BY ALL
ORDER BY ALL
