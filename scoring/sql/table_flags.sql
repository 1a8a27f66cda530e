-- exported_rows: the flags. Two numbers that lie apart are value and against; how far is left to the reader.
SELECT * REPLACE (regexp_replace(
  words, '^(claimed \S+, regraded \S+|\S+ on the sealed split, \S+ on validation): \S+ apart, ', ''
) AS words)
FROM exported_rows
