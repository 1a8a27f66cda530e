"""What the pages say, from the committed entries and from entries that are signed, included and regraded here."""

from __future__ import annotations

import re
import shutil
from collections.abc import Mapping
from html import unescape
from pathlib import Path

import duckdb
import pytest

from scoring.publish.dictionary import queries
from scoring.publish.preview import build_from
from scoring.tables import shapes
from tests.scoring.builder import GOOD, everywhere, include, regrade, run_bundle, write_entry

ROOT = Path(__file__).resolve().parents[2]
SUBMISSIONS = ROOT / "submissions"


def text_of(page: Path) -> str:
    """The page's words, with one space between."""
    html = re.sub(r"<(script|style)\b.*?</\1>|<svg\b.*?</svg>", " ", page.read_text(encoding="utf-8"), flags=re.S)
    return re.sub(r"\s+", " ", unescape(re.sub(r"<[^>]+>", " ", html)))


def rows_of(page: Path, table: str) -> list[list[str]]:
    """The cells of a table's body, as words."""
    html = page.read_text(encoding="utf-8")
    body = html[html.index(f'id="{table}"') :].partition("<tbody>")[2].partition("</tbody>")[0]
    return [
        [re.sub(r"\s+", " ", unescape(re.sub(r"<[^>]+>", " ", cell))).strip() for cell in re.split(r"</t[dh]>", row)]
        for row in body.split("</tr>")
        if row.strip()
    ]


def test_home_shows_rank_intervals_and_says_whom_the_leader_is_tied_with(committed_site: Path) -> None:
    rows = rows_of(committed_site / "index.html", "ranking-table")
    assert [row[0] for row in rows] == ["1–2", "2–3", "1–4", "3–5", "4–5", "–"]
    assert "cannot be told apart from it" in text_of(committed_site / "index.html")
    html = (committed_site / "index.html").read_text(encoding="utf-8")
    ranking = html[html.index('id="ranking-table"') :].partition("</table>")[0]
    assert ranking.count('<svg class="gb-whisker"') == 6


def test_published_has_upstreams_table_apart_with_upstreams_figures(committed_site: Path) -> None:
    page = committed_site / "published.html"
    compat = {row[1].split(" reported")[0]: (row[0], row[2]) for row in rows_of(page, "table-mlgym-compat")}
    assert compat["OpenAI o1-preview"] == ("1", "1.165")
    assert compat["GPT-4o"] == ("5", "0.995")
    assert "reproduces MLGym's own" in text_of(page)


def test_equal_audit_findings_are_said_once_with_all_their_values(committed_site: Path) -> None:
    text = text_of(committed_site / "tasks" / "colonel-blotto.html")
    assert text.count("Measured against an opponent that the agent had written itself") == 1
    for value in ("0.5756", "0.1011", "−0.1352"):
        assert value in text


def test_only_the_very_value_with_an_audit_note_is_marked(committed_site: Path) -> None:
    rows = {
        row[0].split(" reported")[0]: row
        for row in rows_of(committed_site / "tasks/colonel-blotto.html", "task-published")
    }
    html = (committed_site / "tasks/colonel-blotto.html").read_text(encoding="utf-8")
    assert rows["Claude 3.5 Sonnet"][1:3] == ["0.228", "0.576"]
    marked = re.findall(r'class="gb-num gb-cell gb-\w+ gb-noted" data-v="([-\d.]+)"', html)
    assert [f"{float(value):.3f}" for value in marked] == ["0.576"]


def test_a_metric_without_a_unit_has_no_brackets(committed_site: Path) -> None:
    page = (committed_site / "tasks" / "house-price.html").read_text(encoding="utf-8")
    assert "<td>R², higher is better</td>" in page


def test_a_task_page_has_every_part_of_its_folder(committed_site: Path) -> None:
    page = committed_site / "tasks" / "house-price.html"
    text = text_of(page)
    assert "Root mean squared error" in text
    assert "Predictions are joined on an opaque id" in text  # a difference
    assert "The sale prices are public" in text  # not stopped
    assert "0.8800\xa0±\xa00.0132" in page.read_text(encoding="utf-8").replace("&nbsp;", "\xa0")
    for words in ("Only the data and the instruction.", "every house gets another house's price", "GYMBOARD_HP_ALPHA"):
        assert words in text  # the starters, and what a search may turn
    assert "multiplicative Drawn from a seed with the same columns" in text  # a dataset
    folder = ROOT / "tasks" / "house-price"
    instruction = (folder / "instruction.md").read_text(encoding="utf-8")
    assert re.sub(r"\s+", " ", instruction.strip())[:200] in text
    for exploit in sorted((folder / "exploits").glob("*/exploit.toml")):
        title = re.search(r'^title = "(.+)"$', exploit.read_text(encoding="utf-8"), re.M)
        assert title is not None
        assert title[1].replace("`", "") in text


def test_a_task_that_cannot_be_ranked_is_shown_and_says_why(committed_site: Path) -> None:
    for page in ("tasks/coco-captioning.html", "index.html"):
        assert "neither measured nor cited in the ranked metric" in text_of(committed_site / page)


def test_a_partial_entry_is_shown_as_partial(tmp_path: Path) -> None:
    folder = _season(tmp_path, {"whole": 1.2})
    values = everywhere({"house-price": 0.9, "colonel-blotto": 0.2})
    entry = write_entry(folder, run_bundle("part", values), tmp_path / "keys")
    include(folder, entry)
    regrade(folder, entry, values)
    home = build_from(folder, tmp_path / "site", None)
    rows = {row[0]: row for row in rows_of(home, "season-table")}
    assert set(rows) == {"1", "–"}
    partial = next(row for row in rows_of(home, "season-table") if "partial: ran 2 of the season's 12 tasks" in row)
    assert partial[0] == "–" and partial[2] == "–", "no rank and no AUP"
    page = text_of(tmp_path / "site" / "entries" / "part.html")
    assert "Partial. It is not ranked and has no AUP: it ran 2 of the season's 12 tasks." in page
    assert page.count("not run") >= 10
    assert "gpt-4o regraded 0.900" in text_of(tmp_path / "site" / "tasks" / "house-price.html")


def test_the_queries_of_the_tables_page_run_as_printed(committed_site: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(committed_site / "data")
    ranking, deciles = (duckdb.sql(query).fetchall() for query in queries())
    assert ranking[0][:2] == ("openai-o1-preview-mlgym", 1)
    assert [row[0] for row in deciles] == list(range(1, 11))
    page = (committed_site / "tables.html").read_text(encoding="utf-8")
    assert all(f'href="data/{name}.parquet"' in page for name in shapes())
    assert "github:&lt;numeric id&gt;" in page, "words are no markup"


def test_the_files_agree_with_each_other(committed_site: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(committed_site / "data")
    sums = duckdb.sql(
        "SELECT max(abs(aup - parts)) FROM 'board.parquet' JOIN (SELECT board, reading, score, entry, "
        "sum(contribution) AS parts FROM 'task_scores.parquet' GROUP BY ALL) USING (board, reading, score, entry) "
        "WHERE reading <> 'mlgym-compat'"
    ).fetchall()
    assert sums[0][0] < 1e-12
    csv = duckdb.sql(
        "SELECT count(*), max(abs(c.aup - b.aup)) FROM read_csv('leaderboard.csv') c JOIN 'board.parquet' b "
        'ON (c.board, c.reading, c."column", c."row") = (b.board, b.reading, b.score, b.entry)'
    ).fetchall()
    assert csv[0][0] >= 24
    assert csv[0][1] <= 5.01e-5
    rounded = duckdb.sql(
        "SELECT count(*), max(abs(c.value - t.value) / greatest(abs(t.value), 1e-300)), min(c.value) "
        "FROM read_csv('task_scores.csv.gz') c "
        'JOIN \'task_scores.parquet\' t ON (c.board, c.reading, c."column", c."row", c.task) = '
        "(t.board, t.reading, t.score, t.entry, t.task)"
    ).fetchall()
    assert rounded[0][0] >= 24 and rounded[0][1] <= 5.01e-5 and rounded[0][2] < 0, "a minus is no formula"
    with duckdb.connect("gymboard.duckdb", read_only=True) as database:
        for name in shapes():
            assert (
                database.execute(f"SELECT count(*) FROM {name}").fetchall()
                == duckdb.sql(f"SELECT count(*) FROM '{name}.parquet'").fetchall()
            )
        told = database.execute("SELECT comment FROM duckdb_columns() WHERE column_name = 'tie_group'").fetchall()
    assert "not told apart" in told[0][0]


@pytest.fixture
def bundle_folder(tmp_path: Path) -> Path:
    """A run that nobody has included."""
    return write_entry(tmp_path / "mine", run_bundle("mine", everywhere(GOOD), profile="smoke"), tmp_path / "keys")


def _season(tmp_path: Path, entries: Mapping[str, float]) -> Path:
    """A submissions folder with regraded entries, each better than the one before it."""
    folder = Path(shutil.copytree(SUBMISSIONS, tmp_path / "submissions"))
    for name, payoff in entries.items():
        values = everywhere(GOOD | {"battle-of-sexes": payoff})
        entry = write_entry(folder, run_bundle(name, values), tmp_path / "keys")
        include(folder, entry)
        regrade(folder, entry, values)
    return folder


def test_a_preview_has_one_block_a_place_and_a_page_of_its_own(tmp_path: Path, bundle_folder: Path) -> None:
    imports = tmp_path / "imports"
    shutil.copytree(SUBMISSIONS, imports, ignore=shutil.ignore_patterns("reference-*"))
    page = build_from(imports, tmp_path / "site", bundle_folder)
    text = text_of(page)
    assert text.count("Your unpublished run") == 1
    assert re.search(
        r"Beside the 5 published agents, on the 4 tasks that can be compared, it would stand at \S+ of 6", text
    )
    assert "The season's board has no regraded entry yet" in text
    assert "House prices 0.920 (baseline 0.874)" in text  # against the baseline of the smoke profile
    assert "Unpublished and unranked." in text_of(tmp_path / "site/entries/mine.preview.html")
    assert "mine" not in {row[1] for row in rows_of(page, "ranking-table")}


def test_a_preview_stands_beside_the_season_when_that_has_entries(tmp_path: Path, bundle_folder: Path) -> None:
    text = text_of(build_from(_season(tmp_path, {"first": 1.2}), tmp_path / "site", bundle_folder))
    assert "Beside the season's entries" in text
    assert "Beside the one entry of the season" in text
    assert "has no regraded entry yet, so" not in text


def test_home_opens_on_the_season_once_three_entries_are_ranked(tmp_path: Path) -> None:
    two, three = {"first": 1.2, "second": 1.3}, {"first": 1.2, "second": 1.3, "third": 1.4}
    home = text_of(build_from(_season(tmp_path / "2", two), tmp_path / "2" / "site", None))
    assert "Only 2 regraded entries are ranked yet." in home
    assert "5 agents" in home
    page = build_from(_season(tmp_path / "3", three), tmp_path / "3" / "site", None)
    assert "The board, season-1" in text_of(page)
    ranks = [row[0] for row in rows_of(page, "ranking-table")]
    assert ranks[:3] == ["1", "2", "3"] and set(ranks[3:]) == {"–"}, "then the board's own runs and the baseline"
    assert len(ranks) == 6
    entry = text_of(tmp_path / "3" / "site" / "entries" / "first.html")
    assert "Level regraded." in entry
    assert "ssh-keygen -Y verify" in entry
    assert "frozen in the ledger" in entry
    assert "nothing beyond the task" in entry


def test_home_without_any_import_or_entry_has_the_baseline_and_no_empty_published_table(tmp_path: Path) -> None:
    (tmp_path / "submissions").mkdir()
    page = build_from(tmp_path / "submissions", tmp_path / "site", None)
    assert [row[1].split(" ")[0] for row in rows_of(page, "ranking-table")] == ["Baseline"]
    assert "No published results have been imported." in text_of(tmp_path / "site" / "published.html")


def test_an_entry_that_nobody_has_regraded_is_shown_without_a_value(tmp_path: Path) -> None:
    folder = _season(tmp_path, {})
    entry = write_entry(folder, run_bundle("waiting", everywhere(GOOD)), tmp_path / "keys")
    include(folder, entry)
    page = build_from(folder, tmp_path / "site", None)
    (row,) = [row for row in rows_of(page, "season-table") if "gpt-4o" in row[1]]
    assert row[0] == "–"
    assert row[2] == "–"
    assert "Not regraded yet." in text_of(tmp_path / "site" / "entries" / "waiting.html")
