"""The page about the tables: every column with its type and meaning, made from columns.toml.

Takes nothing but that file, gives Markdown. The tables themselves are written by scoring.export.
"""

from __future__ import annotations

from scoring.publish.markdown import plain
from scoring.tables import TableShape, shapes

_HEAD = """---
title: Tables
description: Every table of the board as Parquet, with one DuckDB file that shows them all, column by column.
---

# Tables

Everything that the board is made of, in long form: one fact a row. Each table is a Parquet file.
[gymboard.duckdb](data/gymboard.duckdb), in one folder with them, shows all as views, with these words as comments on
the columns. `NULL` is "not known" or "there is none", never 0. The same data give the same Parquet bytes. Nothing has
to be downloaded: DuckDB reads `'https://…/data/board.parquet'` where it lies, and of it only what a query needs.

```sql
SELECT entry, rank, aup, aup_low, aup_high, cost_usd
FROM 'board.parquet'
WHERE board = 'published' AND reading = 'live'
  AND score = 'last' AND kind = 'entry'
ORDER BY rank;
```

```sql
-- In which tenth of an episode do agents validate?
SELECT decile, sum(steps) AS steps,
  sum(steps) FILTER (action = 'Validate') AS validations
FROM 'actions.parquet'
GROUP BY decile
ORDER BY decile;
```
"""


def tables_page() -> str:
    """The whole page."""
    return _HEAD + "".join(_section(shape) for shape in shapes().values())


def queries() -> list[str]:
    """The SQL that the page prints."""
    return [block.split("```")[0] for block in _HEAD.split("```sql\n")[1:]]


def _section(shape: TableShape) -> str:
    keys = ", ".join(f"`{name}`" for name in shape.order)
    lines = [
        f"\n## {shape.name}\n",
        f"{plain(shape.about)} Sorted by {keys}. [{shape.name}.parquet](data/{shape.name}.parquet)\n",
        "| column | type | meaning |",
        "|---|---|---|",
        *(f"| `{name}` | {kind} | {plain(words)} |" for name, kind, words in shape.columns),
    ]
    return "\n".join(lines) + "\n"
