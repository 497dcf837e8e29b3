"""What people see of an engine at work."""

import io

from cwtasks.engines import Progress
from cwtasks.provision.progress import Display

TOLD = [
    Progress("solve", 1, 2, "default for linux-64"),
    Progress("solve", 2, 2, "default for osx-arm64"),
    Progress("verify", 1, 1, "leaf-1.0-0.conda"),
    Progress("download", 400_000, 2_500_000, "leaf-1.0-0.conda"),
    Progress("download", 2_500_000, 2_500_000, "tree-1.0-0.conda"),
    Progress("link", 1, 2, "leaf"),
    Progress("link", 2, 2, "tree"),
]


def test_a_log_has_a_plain_line_per_phase():
    stream = io.StringIO()
    display = Display("install:test", stream, is_terminal=False)
    for progress in TOLD:
        display(progress)
    display.close()
    assert stream.getvalue().splitlines() == [
        "install:test: solving default for linux-64 (1 of 2)",
        "install:test: solving default for osx-arm64 (2 of 2)",
        "install:test: downloading 2.5 MB",
        "install:test: linking 2 packages",
    ]


def test_a_terminal_counts_things_and_bytes():
    stream = io.StringIO()
    display = Display("archive", stream, is_terminal=True, width=60)
    display.count("packing", 1, 1234, size=1_500_000)
    display.count("unpacking", 12, size=20_000, total_size=3_400_000_000)
    display.count("unpacking", 12)
    display.close()
    assert stream.getvalue().split("\r\x1b[K")[1:-1] == [
        "archive: packing 1 of 1,234, 1.5 MB",
        "archive: unpacking 12, 20.0 kB of 3.4 GB",
        "archive: unpacking 12",
    ]


def test_a_terminal_has_one_line_that_goes_away():
    stream = io.StringIO()
    display = Display("install:test", stream, is_terminal=True, width=40)
    for progress in TOLD:
        display(progress)
    display.say("2 packages")
    display.close()
    *lines, last = stream.getvalue().split("\r\x1b[K")
    assert lines[4] == "install:test: downloading 400.0 kB of 2"
    assert max(map(len, lines)) < 40
    assert last == "install:test: 2 packages\n"
