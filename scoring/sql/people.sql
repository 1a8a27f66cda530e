-- Who is on the ranking, in its order.
SELECT e.* FROM chosen AS c JOIN entries AS e USING (entry_no) ORDER BY c.place
