-- Who is on the ranking, in its order.
SELECT e.* REPLACE (e.level::VARCHAR AS level) FROM chosen AS c JOIN entries AS e USING (entry_no) ORDER BY c.place
