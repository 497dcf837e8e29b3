"""`doit archive` and the steps around it, and the verbs for whoever gets an archive."""

import json
import subprocess
import time

import pytest
from environments import MANIFEST

PLAIN = """
[workspace]
name = "demo"
channels = []
platforms = ["linux-64"]

[workspace.archive]
exclude = ["scratch*"]

[tasks]
say = "cat note.txt"
"""


@pytest.fixture
def demo(space):
    space.write({"conda.toml": PLAIN, "note.txt": "hello\n", "src/a.py": "a = 1\n", "scratch.txt": "no", ".env": "no"})
    return space


def entries(space, archive: str = "demo.tar.zst") -> list[str]:
    done = subprocess.run(["tar", "--zstd", "-tf", space.root / archive], capture_output=True, text=True, check=True)
    return done.stdout.splitlines()


def test_an_archive_is_made_once(demo):
    first = demo.run("archive")
    assert (first.returncode, first.stdout) == (0, ".  archive\n")
    assert first.stderr.startswith("archive: demo.tar.zst: 3 members, ")
    assert entries(demo) == ["conda.toml", "note.txt", "src/a.py"]
    stamp = (demo.root / "demo.tar.zst").stat()
    assert demo.doit("archive") == "-- archive\n"
    again = (demo.root / "demo.tar.zst").stat()
    assert (again.st_ino, again.st_mtime_ns) == (stamp.st_ino, stamp.st_mtime_ns)


@pytest.mark.parametrize(
    ("name", "text", "reason"),
    [
        ("note.txt", "hello again\n", "input note.txt changed"),
        ("new.txt", "1", "input new.txt is new"),
        ("conda.toml", PLAIN.replace('"scratch*"', '"scratch*", "src"'), "argument exclude: scratch* → scratch* src"),
        ("demo.tar.zst", "edited", "output demo.tar.zst was edited"),
    ],
)
def test_it_is_made_again_when_what_it_depends_on_changes(demo, name, text, reason):
    demo.run("archive")
    demo.write({name: text})
    assert reason in demo.run("why", "archive").stdout
    assert demo.run("archive").stdout == ".  archive\n"
    assert demo.doit("archive") == "-- archive\n"


def test_what_does_not_go_in_changes_nothing(demo):
    demo.run("archive")
    demo.write({"scratch2.txt": "1", ".env": "2"})
    assert demo.doit("archive") == "-- archive\n"


def test_a_removed_file_is_noticed(demo):
    demo.run("archive")
    demo.write({"src/b.py": ""})
    demo.run("archive")
    (demo.root / "src/a.py").unlink()
    assert "input src/a.py is gone" in demo.run("why", "archive").stdout
    demo.run("archive")
    assert entries(demo) == ["conda.toml", "note.txt", "src/b.py"]


@pytest.mark.parametrize("change", ["mode", "link", "folder"])
def test_modes_links_and_empty_folders_are_noticed(demo, change):
    (demo.root / "link").symlink_to("note.txt")
    demo.run("archive")
    if change == "mode":
        (demo.root / "note.txt").chmod(0o755)
    elif change == "link":
        (demo.root / "link").unlink()
        (demo.root / "link").symlink_to("./note.txt")
    else:
        (demo.root / "empty").mkdir()
    assert "modes, links and empty folders" in demo.run("why", "archive").stdout
    assert demo.run("archive").stdout == ".  archive\n"
    assert demo.doit("archive") == "-- archive\n"


def test_the_list_says_what_goes_in_and_why_the_rest_does_not(demo):
    said = demo.doit("archive", "--list")
    assert said.splitlines()[1:] == [
        "         140  conda.toml",
        "           6  note.txt",
        "           6  src/a.py",
        "           -  .conda/cwtasks/  can be made again",
        "           -  .env  may hold secrets",
        "           -  scratch.txt  exclude pattern 'scratch*'",
        "3 files, 152 bytes into demo.tar.zst",
    ]
    assert not demo.exists("demo.tar.zst")
    assert demo.run("archive", "--dry-run", program="cwt").returncode == 0


def test_options_of_one_archive(demo):
    demo.run("archive", "--output", "out/small.tar.gz", "--exclude", "src", "--exclude", "note*")
    listed = subprocess.run(["tar", "-tzf", demo.root / "out/small.tar.gz"], capture_output=True, text=True, check=True)
    assert listed.stdout == "conda.toml\n"
    assert "a suffix" not in listed.stderr


@pytest.mark.parametrize(
    ("words", "error"),
    [
        (
            ("--output", "demo.zip"),
            "demo.zip: its name does not say how to compress it\nhint: end it with .tar.zst, .tar.gz or .tar.bz2\n",
        ),
        (("--outptu", "x"), "task 'archive': has no option '--outptu'\n"),
        (("--output",), "task 'archive': '--output' needs a value\n"),
        (("--exclude", "conda.toml"), "conda.toml has to go into the archive: exclude pattern 'conda.toml'\n"),
        (("--receipt", "r.json"), "conda.lock has to go into the archive: there is none\n"),
    ],
)
def test_errors_name_what_is_wrong(demo, words, error):
    done = demo.run("archive", *words)
    assert done.returncode in {1, 3}
    assert error in (done.stderr + done.stdout).replace(f"{demo.root}/", "")
    assert "Traceback" not in done.stderr + done.stdout
    assert not list(demo.root.glob("*.tar.*"))
    assert not list(demo.root.glob(".*packing*"))


def test_a_password_in_the_manifest_is_told_and_nothing_written(demo):
    demo.write({"conda.toml": PLAIN.replace("channels = []", 'channels = ["https://me:secret@example.org/c"]')})
    done = demo.run("archive")
    assert done.returncode == 1
    assert "conda.toml:4: a URL here holds a password or token" in done.stderr
    assert "secret" not in done.stderr.replace("a password", "")
    assert not demo.exists("demo.tar.zst")


def test_a_link_that_leads_out_is_told(demo):
    (demo.root / "out").symlink_to("/etc")
    done = demo.run("archive")
    assert done.returncode == 1
    assert "member 'out' is refused: its target is absolute: '/etc'" in done.stderr
    assert not demo.exists("demo.tar.zst")


def test_git_decides_where_there_is_git(demo):
    demo.write({"note.txt": "tracked", "other.txt": "not tracked"})
    git = ["git", "-c", "user.name=t", "-c", "user.email=t@t"]
    subprocess.run([*git, "init", "-q"], cwd=demo.root, check=True)
    assert "git tracks no file here" in demo.run("archive").stderr
    subprocess.run([*git, "add", "conda.toml", "note.txt", "src"], cwd=demo.root, check=True)
    (demo.root / "src/a.py").unlink()
    done = demo.run("archive")
    assert "warning: src/a.py: git tracks it, but it is deleted" in done.stderr
    assert entries(demo) == ["conda.toml", "note.txt"]
    assert "other.txt  git does not track it" in demo.doit("archive", "--list")


def test_a_task_of_that_name_wins(demo):
    demo.write({"conda.toml": PLAIN + 'archive = "echo mine"\n'})
    assert demo.doit("archive") == ".  archive\nmine\n"
    assert demo.run("workspace:archive").stdout == ".  workspace:archive\n"
    assert demo.exists("demo.tar.zst")


def test_the_list_of_tasks_shows_archives_where_the_manifest_speaks_of_them(demo):
    assert demo.doit("list").splitlines() == [
        "archive   Pack the workspace",
        "say       cat note.txt",
        "verify    Restore the archive and check it",
    ]
    demo.write({"conda.toml": PLAIN.replace('[workspace.archive]\nexclude = ["scratch*"]', "")})
    assert demo.doit("list") == "say   cat note.txt\n"
    assert demo.run("archive").returncode == 0


def test_settings_say_where_and_how(demo):
    demo.write(
        {"conda.toml": PLAIN + '[tool.cwtasks.archive]\noutput = "dist/x.tar.bz2"\nreceipt = false\ncheck = "say"\n'}
    )
    demo.run("archive")
    assert demo.exists("dist/x.tar.bz2")
    done = demo.run("verify")
    assert (done.returncode, done.stdout) == (0, ".  verify\n.  say\nhello\n")
    assert demo.doit("verify") == "-- verify\n"


def test_a_check_that_fails_fails_the_verification(demo):
    demo.write({"conda.toml": PLAIN + 'bad = "cat scratch.txt"\n[tool.cwtasks.archive]\ncheck = "bad"\n'})
    done = demo.run("verify")
    assert done.returncode == 1
    assert "task 'bad' failed in the restored workspace with exit status 1" in done.stderr + done.stdout


@pytest.mark.parametrize(
    ("table", "error"),
    [
        ("output = 1", "tool.cwtasks.archive.output: found 1, expected a name"),
        ('bundle = "maybe"', "tool.cwtasks.archive.bundle: found 'maybe', expected on or off"),
        ('platforms = "linux-64"', "tool.cwtasks.archive.platforms: found 'linux-64', expected a list of names"),
    ],
)
def test_wrong_settings_are_told(demo, table, error):
    demo.write({"conda.toml": f"{PLAIN}[tool.cwtasks.archive]\n{table}\n"})
    assert error in demo.fails("archive")


def test_killed_at_any_moment_the_old_archive_stays(demo):
    demo.write({f"data/{number}.txt": str(number) * 2000 for number in range(300)})
    demo.run("archive")
    before = (demo.root / "demo.tar.zst").read_bytes()
    for attempt in range(12):
        demo.write({"note.txt": f"changed {attempt}"})
        process = demo.start("archive")
        time.sleep(0.06 + attempt * 0.02)
        process.kill()
        process.communicate()
        now = (demo.root / "demo.tar.zst").read_bytes()
        if now != before:
            before = now
            assert demo.run("verify", program="doit").returncode == 0
    demo.run("archive")
    assert not list(demo.root.glob(".*packing*"))
    assert entries(demo)[0] == "conda.toml"


def test_clean_removes_the_archive_only_when_it_is_named(demo):
    demo.run("archive")
    demo.doit("clean", "say")
    assert demo.exists("demo.tar.zst")
    assert demo.doit("clean", "archive") == "archive - removing demo.tar.zst\n"
    assert not demo.exists("demo.tar.zst")


# The receiving side


def test_looking_into_an_archive(demo):
    demo.run("archive")
    said = demo.doit("inspect", "demo.tar.zst", program="cwt")
    assert said.splitlines()[:3] == [
        "manifest      conda.toml",
        "lock          none",
        "members       3, 152 B unpacked",
    ]
    assert said.splitlines()[-1] == "environment   default: linux-64"
    assert demo.doit("inspect", "demo.tar.zst", "--print", "note.txt", program="cwt") == "hello\n"
    document = json.loads(demo.doit("inspect", "demo.tar.zst", "--json", program="cwt"))
    assert (document["members"], document["manifest"], document["has_packages"]) == (3, "conda.toml", False)
    listed = demo.doit("inspect", "demo.tar.zst", "--members", program="cwt")
    assert [line.split()[-1] for line in listed.splitlines()] == ["conda.toml", "note.txt", "src/a.py"]


def test_unpacking_an_archive(demo):
    demo.run("archive")
    said = demo.doit("unpack", "demo.tar.zst", "--target", "restored", program="cwt")
    assert said.splitlines() == [
        "verified: no, there is no receipt",
        f"unpacked: 3 members, 152 B in {demo.root}/restored",
        f"next: cd {demo.root}/restored && doit list",
    ]
    assert demo.doit("say", cwd="restored") == ".  say\nhello\n"


@pytest.mark.parametrize(
    ("words", "error"),
    [
        (("inspect", "none.tar.zst"), "none.tar.zst: cannot be read: No such file or directory"),
        (("inspect", "conda.toml"), "conda.toml: is not compressed with zstd, gzip or bzip2"),
        (("inspect", "demo.tar.zst", "--print", "x"), "demo.tar.zst: has no file 'x'"),
        (("verify", "demo.tar.zst"), "demo.tar.zst.receipt.json: cannot be read"),
        (("unpack", "demo.tar.zst", "--require-sha256"), "demo.tar.zst.receipt.json: cannot be read"),
        (("unpack", "demo.tar.zst", "--target", "src"), "cannot unpack into src: it is not empty"),
        (("install", "demo.tar.zst", "--prefix", "/opt/x"), "prefix /opt/x: it needs an environment"),
        (("install", "demo.tar.zst", "-e", "default", "--prefix", "rel"), "prefix rel: it is relative"),
        (("install", "demo.tar.zst", "--dest", "root"), "dest root: it needs a prefix"),
        (("install", "demo.tar.zst", "-e", "none"), "environment 'none'"),
    ],
)
def test_what_cannot_be_done_is_told(demo, words, error):
    demo.run("archive")
    assert error in demo.fails(*words, program="cwt")


def test_a_damaged_archive_is_told(demo):
    demo.run("archive")
    whole = (demo.root / "demo.tar.zst").read_bytes()
    (demo.root / "demo.tar.zst").write_bytes(whole[: len(whole) // 2])
    assert "ends in the middle, it is truncated" in demo.fails("unpack", "demo.tar.zst", program="cwt")
    assert not demo.exists("demo")


# With a lock


def test_a_receipt_is_written_where_there_is_a_lock(work):
    work.write()
    work.doit("archive")
    assert work.silent("archive") == "-- archive\n"
    said = work.space.doit("verify", "w.tar.zst", program="cwt")
    assert said.splitlines() == [
        "w.tar.zst: is what its receipt says",
        "receipt: not signed, so it does not say who made the archive",
        "manifest: conda.toml",
        "lock: conda.lock",
        "environment default: 1 packages",
        "environment new: 1 packages",
    ]
    (work.space.root / "w.tar.zst").rename(work.space.root / "renamed.tar.zst")
    receipt = ("--receipt", "w.tar.zst.receipt.json")
    assert work.space.run("verify", "renamed.tar.zst", *receipt, program="cwt").returncode == 0


def test_a_signed_receipt(work, tmp_path):
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
    from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat, PublicFormat

    for name in ("mine", "other"):
        key = Ed25519PrivateKey.generate()
        private = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
        (tmp_path / f"{name}.pem").write_bytes(private)
        public = key.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)
        (tmp_path / f"{name}.pub").write_bytes(public)
    work.write()
    work.doit("archive", "--sign", str(tmp_path / "mine.pem"))
    said = work.space.doit("verify", "w.tar.zst", "--key", str(tmp_path / "mine.pub"), program="cwt")
    assert "receipt: signed with a key you gave\n" in said
    error = work.space.fails("verify", "w.tar.zst", "--key", str(tmp_path / "other.pub"), program="cwt")
    assert "not signed with any of the keys given" in error
    work.doit("archive")
    error = work.space.fails("unpack", "w.tar.zst", "--key", str(tmp_path / "mine.pub"), program="cwt")
    assert "expected a signed receipt, found one without signature" in error


def test_a_changed_archive_is_not_unpacked(work):
    work.write()
    work.doit("archive")
    path = work.space.root / "w.tar.zst"
    content = bytearray(path.read_bytes())
    content[len(content) // 2] ^= 1
    path.write_bytes(content)
    assert "sha256 is" in work.space.fails("unpack", "w.tar.zst", program="cwt")
    assert not work.space.exists("w")


def test_the_packages_of_an_archive_as_an_sbom(work):
    work.write()
    work.doit("archive")
    document = json.loads(work.space.doit("sbom", "w.tar.zst", program="cwt"))
    assert sorted({component["name"] for component in document["components"]}) == ["leaf"]


def test_an_archive_follows_the_lock(work):
    work.write()
    work.doit("archive")
    work.edit('leaf = "<2"', 'leaf = "<2"\nother = "*"')
    assert "doit" not in MANIFEST
    assert work.doit("archive") == ".  lock\n.  archive\n"
