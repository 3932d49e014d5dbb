"""`dagger report`: the pages, which say the same, load nothing, and escape what runs contain."""

from __future__ import annotations

import csv
import io
import json
import re
from html.parser import HTMLParser
from pathlib import Path
from xml.etree import ElementTree

import pytest

from dagger_cli.report.groups import sections
from dagger_cli.report.page_csv import table
from dagger_cli.report.page_markdown import escaped
from dagger_cli.report.run_record import read_run
from dagger_cli.report.section_blocks import _highest, _repeated
from dagger_cli.sweeps.sweep_file import write_sweep
from tests.conftest import ROOT
from tests.e2e.running import Outcome, dagger

from .fake_runs import job, make_run, make_sweep

pytest.importorskip("matplotlib", reason="the extra report is not installed")

EVIL = "<script>alert('x')</script>"
GIF = b"GIF89a" + bytes(40)


def files(folder: Path) -> dict[str, bytes]:
    return {
        path.relative_to(folder).as_posix(): path.read_bytes()
        for path in sorted(folder.rglob("*"))
        if path.is_file()
    }


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Outcome]:
    """A report on two environments, with all that can be wrong in a folder of runs."""
    root = tmp_path_factory.mktemp("runs")
    make_sweep(root / "runs/a", {"dagger": [97, 95, 99], "sup": [60, 70, 80]}, env="a")
    make_sweep(root / "runs/b", {"dagger": [90, 95, 99], "sup": [60, 75, 80]}, env="b")
    make_run(root / "runs/a/6_dagger_seed3", (50.0, 60.0), final=None, env="a", seed=3)
    write_sweep(root / "runs/a", ["trainer=dagger,sup", "seed=0,1,2", EVIL])
    evil = root / "runs" / EVIL.replace("/", "|")
    make_run(evil, env=f"c {EVIL} $x^{{", policy__name=EVIL, job=job("finished", EVIL))
    (evil / "walk.gif").write_bytes(GIF)
    (evil / "x.mp4").write_bytes(b"video")
    failed = root / "runs/a/7_sup_seed3"
    failed.mkdir()
    (failed / "job.json").write_text(json.dumps(job("failed", f"x={EVIL}", error=f"no {EVIL}")))
    damaged = make_run(root / "runs/a/8_sup_seed4", env="a")
    (damaged / "config.yaml").write_text("[")
    return root, dagger("report", "runs", "out=made", cwd=root)


def test_it_says_where_it_is(made):
    root, done = made
    assert done == (0, "16 runs: made/report.html\n", "")
    assert {path.name for path in (root / "made").iterdir()} == {
        "report.html",
        "report.md",
        "report.csv",
        "figures",
    }


def test_the_table_of_groups_has_the_numbers(made):
    text = (made[0] / "made/report.md").read_text()
    # 97, 95, 99: t 4.303 * 2 / sqrt(3) = 4.97; curve 50, 90, 96 in 100, 200, 300 labels;
    # area of the two shares (0.7 + 0.93) / 2. The unfinished run has not reached 80 % yet.
    cells = "97.0 | ± 5.0 | 95.0 | 97.0 % | 100 | 200 | 300 | 0.815 | 300 | 12.5 s |"
    assert f"| dagger | 4 (3 finished) | {cells}" in text
    assert "| expert |  | 100.0 |" in text
    assert "| dagger | sup | 1.00 | 1.00 to 1.00 |" in text  # every run of one beats all others


def test_groups_that_environments_share_are_taken_together(made):
    text = (made[0] / "made/report.md").read_text()
    together = text[text.index("## Several environments") : text.index("## a\n")]
    assert "Groups that a, b have in common" in together  # the third has no run of sup
    # Shares .90 .95 .95 .97 .99 .99 and .60 .60 .70 .75 .80 .80: one is dropped at each end.
    assert "| dagger | 0.965 |" in together and "| sup | 0.712 |" in together


def test_the_unfinished_failed_and_damaged_runs_are_told(made):
    text = (made[0] / "made/report.md").read_text()
    assert "16 runs in 3 environments: 1 damaged, 1 failed, 13 finished, 1 stopped." in text
    assert "| runs/a/6_dagger_seed3 | 2 of 3 | 200 | 60.0 |" in text
    assert "| runs/a/8_sup_seed4 |" in text and "config.yaml is not valid YAML" in text


def test_the_command_of_a_sweep_is_shown(made):
    text = (made[0] / "made/report.md").read_text()
    assert "    dagger train -m trainer=dagger,sup seed=0,1,2 '<script>" in text


def test_the_commands_are_ours_and_not_those_of_the_run(made):
    text = (made[0] / "made/report.html").read_text()
    assert "rm -rf" not in text
    assert "dagger eval checkpoint=runs/a/2_dagger_seed2 render=human" in text


class Tags(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.found: list[tuple[str, dict[str, str | None]]] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.found.append((tag, dict(attrs)))


def test_the_page_runs_and_loads_nothing(made):
    page = (made[0] / "made/report.html").read_text()
    tags = Tags()
    tags.feed(page)
    assert not {"script", "iframe", "link", "object"} & {tag for tag, _ in tags.found}
    for tag, attributes in tags.found:
        assert not [name for name in attributes if name.startswith("on")]
        if tag != "a":
            loaded = [attributes.get(name) or "" for name in ("src", "href", "xlink:href")]
            assert all(not url or url.startswith(("data:", "#")) for url in loaded)
    assert not re.search(r"url\((?!#)", page)


def test_what_runs_contain_is_text(made):
    page, text = (made[0] / f"made/report.{kind}" for kind in ("html", "md"))
    assert "<script" not in page.read_text() and page.read_text().count("&lt;script&gt;") > 5
    assert "<script" not in re.sub(r"\\.|^    .*$", "", text.read_text(), flags=re.M)


def test_small_gifs_are_in_the_page_and_videos_are_linked(made):
    page = (made[0] / "made/report.html").read_text()
    assert page.count("data:image/gif;base64,R0lGOD") == 1
    assert re.search(r'href="\.\./runs/%3Cscript.*?/x\.mp4"', page)


def test_figures_are_svg_that_can_be_parsed(made):
    drawn = sorted((made[0] / "made/figures").iterdir())
    assert [path.stem for path in drawn[::2]] == [path.stem for path in drawn[1::2]]
    for path in drawn[1::2]:
        ElementTree.parse(path)
    assert {"a_labels.svg", "a_seconds.svg", "a_iqm.svg", "a_profile.svg"} <= {
        path.name for path in drawn
    }


def test_the_csv_has_one_row_per_run(made):
    text = (made[0] / "made/report.csv").read_text()
    rows = {row["folder"]: row for row in csv.DictReader(io.StringIO(text))}
    assert len(rows) == 16
    row = rows["runs/a/1_dagger_seed1"]
    assert (row["return"], row["expert"], row["share"]) == ("95", "100", "0.95")
    assert (row["labels_to_95"], row["status"], row["trainer.name"]) == (
        "300",
        "finished",
        "dagger",
    )
    assert rows["runs/a/8_sup_seed4"]["error"] == "config.yaml is not valid YAML"


def test_a_cell_is_no_formula(tmp_path):
    run = read_run(make_run(tmp_path / "run", env="=1+1"))
    assert ",'=1+1," in table([run])


@pytest.mark.slow
def test_the_same_runs_give_the_same_bytes(tmp_path):
    make_sweep(tmp_path / "runs", {"dagger": [97, 95]})
    for out in ("one", "two"):
        assert dagger("report", "runs", f"out={out}", cwd=tmp_path).code == 0
    assert files(tmp_path / "one") == files(tmp_path / "two")


def test_runs_of_older_versions(tmp_path):
    done = dagger("report", str(ROOT / "tests/old_runs/runs/dagger"), "out=made", cwd=tmp_path)
    assert done.code == 0 and "\n\n1 run: 1 finished." in (tmp_path / "made/report.md").read_text()


def test_many_groups_are_in_the_table_and_the_highest_in_the_figures(tmp_path):
    runs = [
        read_run(make_run(tmp_path / str(i), final=float(i), policy__rate=i)) for i in range(23)
    ]
    (section,) = sections(runs)
    few = _highest(section)
    assert [group.name for group in few.groups] == [f"policy.rate={i}" for i in range(3, 23)]
    assert _highest(few) is few


def test_runs_with_one_seed_are_mentioned(tmp_path):
    """The same command twice is no second seed: its interval would be 0 wide."""

    def text(seeds):
        runs = [
            read_run(make_run(tmp_path / f"{seeds}{i}", seed=seed)) for i, seed in enumerate(seeds)
        ]
        (section,) = sections(runs)
        return [block.text for block in _repeated(section)]

    assert text((0, 1)) == []
    (note,) = text((0, 1, 0))
    assert note.startswith("There are several runs with the same seed in dagger: each counts")


@pytest.mark.parametrize("link", ["report", "report/figures"])
def test_a_link_in_a_folder_does_not_lead_the_report_elsewhere(tmp_path, link):
    make_run(tmp_path / "runs/a")
    (tmp_path / "mine").mkdir()
    (tmp_path / "runs" / link).parent.mkdir(exist_ok=True)
    (tmp_path / "runs" / link).symlink_to(tmp_path / "mine")
    done = dagger("report", "runs", cwd=tmp_path)
    assert done.code == 2 and "refused" in done.err and not any((tmp_path / "mine").iterdir())


def test_a_folder_that_cannot_be_written_is_a_sentence(tmp_path):
    make_run(tmp_path / "a")
    (tmp_path / "file").touch()
    done = dagger("report", "a", "out=file", cwd=tmp_path)
    assert done.code == 2 and "cannot write to file" in done.err


@pytest.mark.parametrize("text", ["a|b", "<b>", "_x_", "[a](b)", "`x`", "a\n# b", "*x*", "\\"])
def test_markdown_has_no_marks_of_the_text(text):
    shown = re.sub(r"\\.", "", escaped(text))
    assert not re.search(r"[|<>`*\[\]\\\n#]|(?<!\w)_|_(?!\w)", shown)
