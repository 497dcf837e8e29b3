"""Which files go into an archive, and what is said of the others: with git, without, and by the manifest's patterns."""

import fnmatch
import gc
import os
import tempfile
from pathlib import Path

import pytest
from trees import LOCK, MANIFEST, Link, fill, git, repository, tree_of

from cwtasks.archive import WorkspaceArchive, errors
from cwtasks.archive.selection import HARMLESS, MADE_AGAIN, MADE_AGAIN_UNTRACKED, SENSITIVE, matching, select
from cwtasks.models.workspace import ArchiveConfig

EVERYTHING = ArchiveConfig()


def chosen(root, config=EVERYTHING, **options):
    return list(select(os.path.realpath(root), config, **options).names)


def reasons(root, config=EVERYTHING, **options):
    return {left.name: left.reason for left in select(os.path.realpath(root), config, **options).left_out}


def packed(archive):
    return sorted(member.name for member in archive.members())


# With git


def test_git_says_what_goes_in(tmp_path):
    root = repository(tmp_path, {"conda.toml": "", "src/a.py": "", ".gitignore": "*.log\n", "kept.log": ""})
    git(root, "add", "-f", "kept.log")
    fill(root, {"new.py": "", "build.log": "", "made/new.txt": "", "empty": None})
    selection = select(os.path.realpath(root), EVERYTHING)
    assert selection == ([".gitignore", "conda.toml", "kept.log", "src/a.py"], [], [], [])
    told = reasons(root, is_thorough=True)
    assert told == dict.fromkeys(["made/", "new.py"], "git does not track it")


def test_names_of_any_letters_come_from_git_as_they_are(tmp_path):
    names = [
        "a b/c d.txt",
        'a "quoted".txt',
        "it's.txt",
        "\u00e9t\u00e9/\u65e5\u672c.txt",
        "\U0001f40d.py",
        "-dash",
        "$HOME",
        "#x",
        "a\\b",
    ]
    root = repository(tmp_path, dict.fromkeys(names, "x"))
    assert chosen(root) == sorted(names)
    assert sorted(names) == sorted(names, key=str.encode)


def test_links_are_taken_for_what_they_are(tmp_path):
    links = {"dangling": Link("no/where"), "to-file": Link("src/a.py"), "to-folder": Link("src")}
    with_git = repository(tmp_path / "git", {"src/a.py": "", **links})
    without = fill(tmp_path / "plain", {"src/a.py": "", **links})
    assert chosen(with_git) == chosen(without) == ["dangling", "src/a.py", "to-file", "to-folder"]


def test_a_deleted_file_that_git_tracks_is_a_warning_with_its_name(tmp_path):
    root = repository(tmp_path / "r", {"conda.toml": MANIFEST, "a": "", "b": Link("a")})
    (root / "a").unlink()
    (root / "b").unlink()
    selection = select(os.path.realpath(root), EVERYTHING, is_thorough=True)
    assert selection.names == ["conda.toml"]
    assert selection.warnings == ["a: git tracks it, but it is deleted", "b: git tracks it, but it is deleted"]
    archive = WorkspaceArchive.create(workspace=root, output=tmp_path / "x.tar.zst")
    assert packed(archive) == ["conda.toml"]


def test_what_a_sparse_checkout_leaves_away_does_not_hinder(tmp_path):
    root = repository(tmp_path / "r", {"conda.toml": MANIFEST, "here/a": "", "away/b": ""})
    git(root, "sparse-checkout", "set", "here")
    assert not (root / "away").exists()
    archive = WorkspaceArchive.create(workspace=root, output=tmp_path / "x.tar.zst")
    assert packed(archive) == ["conda.toml", "here/a"]


@pytest.fixture
def library(tmp_path):
    return repository(tmp_path / "library", {"lib.py": "", "deep/er.py": ""})


@pytest.mark.parametrize("below", ["", "work/space/"])
def test_files_of_a_submodule_are_files_of_the_workspace(tmp_path, library, below):
    outer = repository(tmp_path / "outer", {f"{below}conda.toml": MANIFEST})
    git(outer, "submodule", "--quiet", "add", str(library), f"{below}sub")
    root = outer / below
    assert [name for name in chosen(root) if name != ".gitmodules"] == ["conda.toml", "sub/deep/er.py", "sub/lib.py"]


@pytest.mark.parametrize("below", ["", "work/space/"])
def test_a_submodule_that_is_not_checked_out_is_a_warning(tmp_path, library, below):
    outer = repository(tmp_path / "outer", {f"{below}conda.toml": MANIFEST})
    git(outer, "submodule", "--quiet", "add", str(library), f"{below}sub")
    git(outer, "commit", "-qam", "with a submodule")
    git(outer, "submodule", "--quiet", "deinit", "-f", f"{below}sub")
    root = outer / below
    assert (root / "sub").is_dir()
    selection = select(os.path.realpath(root), EVERYTHING, is_thorough=True)
    assert selection.warnings == ["sub: a submodule that is not checked out"]
    archive = WorkspaceArchive.create(workspace=root, output=tmp_path / "x.tar.zst")
    assert [name for name in packed(archive) if name != ".gitmodules"] == ["conda.toml"]


def test_a_repository_inside_that_is_no_submodule_does_not_hinder(tmp_path, library):
    root = repository(tmp_path / "outer", {"conda.toml": MANIFEST})
    git(root, "clone", "-q", str(library), "inner")
    git(root, "add", "-A")
    archive = WorkspaceArchive.create(workspace=root, output=tmp_path / "x.tar.zst")
    assert packed(archive) == ["conda.toml"]


def test_a_file_deleted_in_a_submodule_does_not_hinder(tmp_path, library):
    root = repository(tmp_path / "outer", {"conda.toml": MANIFEST})
    git(root, "submodule", "--quiet", "add", str(library), "sub")
    (root / "sub/lib.py").unlink()
    archive = WorkspaceArchive.create(workspace=root, output=tmp_path / "x.tar.zst")
    assert packed(archive) == [".gitmodules", "conda.toml", "sub/deep/er.py"]


def test_a_workspace_in_a_folder_of_a_repository_is_that_folder(tmp_path):
    repository(tmp_path, {"a.py": "", "b.py": "", "work/space/conda.toml": "", "work/space/x/y": "", "work/other": ""})
    assert chosen(tmp_path / "work/space") == ["conda.toml", "x/y"]


@pytest.mark.parametrize("ignored", ["", "/space/\n"])
def test_a_workspace_that_an_outer_repository_does_not_track_is_an_error(tmp_path, ignored):
    outer = repository(tmp_path, {"a.py": "", ".gitignore": ignored})
    root = fill(outer / "space", {"conda.toml": MANIFEST, "b.py": ""})
    with pytest.raises(errors.NothingTrackedError) as caught:
        WorkspaceArchive.create(workspace=root)
    assert str(caught.value) == (
        f"{os.path.realpath(root)}: git tracks no file here, so the archive would be empty\n"
        "hint: 'git add' what belongs into it, or 'git init' here if it belongs to no outer repository"
    )
    assert sorted(os.listdir(root)) == ["b.py", "conda.toml"]


def test_the_repository_is_that_of_the_workspace_also_where_a_hook_of_another_asks(tmp_path, monkeypatch):
    root = repository(tmp_path / "here", {"conda.toml": "", "sub/a": ""})
    other = repository(tmp_path / "other", {"b": ""})
    monkeypatch.setenv("GIT_DIR", str(other / ".git"))
    monkeypatch.setenv("GIT_INDEX_FILE", str(other / ".git/index"))
    monkeypatch.setenv("GIT_PREFIX", "sub/")
    assert chosen(root) == ["conda.toml", "sub/a"]
    assert chosen(root / "sub") == ["a"]


def test_what_git_cannot_say_is_an_error_with_its_words(tmp_path):
    root = repository(tmp_path, {"conda.toml": ""})
    (root / ".git/index").write_bytes(b"no index at all, but long enough for one header")
    with pytest.raises(errors.GitError) as caught:
        select(os.path.realpath(root), EVERYTHING)
    assert caught.value.error_message.startswith(f"{os.path.realpath(root)}: git cannot list its files: ")
    assert caught.value.hints == ["see what 'git status' says"]


def test_a_repository_of_another_user_is_an_error_with_the_words_of_git(tmp_path, monkeypatch):
    if os.geteuid():
        pytest.skip("only root may give files away")
    root = repository(tmp_path / "r", {"conda.toml": ""})
    monkeypatch.setenv("GIT_CONFIG_GLOBAL", os.devnull)
    monkeypatch.delenv("SUDO_UID", raising=False)
    for path in (root, root / ".git"):
        os.chown(path, 1234, 1234)
    with pytest.raises(errors.GitError, match="git cannot list its files: detected dubious ownership"):
        select(os.path.realpath(root), EVERYTHING, is_thorough=True)
    # No process is left behind, which would be a warning here.
    gc.collect()


def test_a_conflict_in_git_is_one_file(tmp_path):
    root = repository(tmp_path, {"a": "0", "conda.toml": ""})
    git(root, "checkout", "-qb", "other")
    fill(root, {"a": "1"})
    git(root, "commit", "-qam", "other")
    git(root, "checkout", "-q", "main")
    fill(root, {"a": "2"})
    git(root, "commit", "-qam", "mine")
    with pytest.raises(Exception, match="returned non-zero"):
        git(root, "merge", "other")
    assert chosen(root) == ["a", "conda.toml"]


def test_manifest_and_lock_go_in_also_where_git_does_not_know_them(tmp_path):
    root = repository(tmp_path, {"conda.toml": "", ".gitignore": "conda.lock\n"})
    fill(root, {"conda.lock": "", "other": ""})
    assert chosen(root, always=["conda.toml", "conda.lock"]) == [".gitignore", "conda.lock", "conda.toml"]
    assert chosen(root, always=["conda.toml", "pixi.lock"]) == [".gitignore", "conda.toml"]


def test_manifest_and_lock_go_in_also_where_they_are_ignored(tmp_path):
    root = fill(tmp_path, {"conda.toml": "", ".gitignore": "conda.*\nother\n", "conda.lock": "", "other": ""})
    selection = select(os.path.realpath(root), EVERYTHING, always=["conda.toml", "conda.lock"])
    assert selection.names == [".gitignore", "conda.lock", "conda.toml"]
    assert [left.name for left in selection.left_out] == ["other"]


# Without git


def test_without_git_everything_goes_in_that_is_not_ignored(tmp_path):
    root = fill(
        tmp_path,
        {
            ".gitignore": "*.log\nbuild/\n/top\n!keep.log\n# comment\n\n\\#odd\n",
            "a.log": "",
            "keep.log": "",
            "build/x": "",
            "top": "",
            "#odd": "",
            "sub/top": "",
            "sub/build": "a file",
            "sub/.gitignore": "!b.log\nlocal*\nkeep.log\n",
            "sub/b.log": "",
            "sub/c.log": "",
            "sub/keep.log": "",
            "sub/local.txt": "",
            "sub/deep/local/x": "",
            "sub/deep/b.log": "",
            "other/local.txt": "",
        },
    )
    assert chosen(root) == [
        *(".gitignore", "keep.log", "other/local.txt", "sub/.gitignore", "sub/b.log", "sub/build", "sub/deep/b.log"),
        "sub/top",
    ]
    ignored = ["#odd", "a.log", "build/", "sub/c.log", "sub/deep/local/", "sub/keep.log", "sub/local.txt", "top"]
    assert reasons(root) == dict.fromkeys(ignored, "ignored by .gitignore")


def test_the_rules_of_gitignore_are_those_of_git(tmp_path):
    entries = {
        ".gitignore": "*.o\n!keep.o\n/only-top\ndoc/*.txt\n**/cache\na/**/z\nfolder/\n[ab]?.tmp\n*.md \n!/x/\n",
        "keep.o": "",
        "x/y.o": "",
        "x/keep.o": "",
        "only-top/f": "",
        "x/only-top/f": "",
        "doc/a.txt": "",
        "doc/deep/a.txt": "",
        "x/doc/a.txt": "",
        "x/cache/f": "",
        "cache": "",
        "a/z": "",
        "a/b/c/z": "",
        "folder": "a file",
        "x/folder/f": "",
        "a1.tmp": "",
        "c1.tmp": "",
        "note.md": "",
        "x/.gitignore": "*\n!*.py\n!.gitignore\n!sub/\n",
        "x/a.py": "",
        "x/sub/b.py": "",
        "x/sub/c.txt": "",
        "x/other/d.py": "",
    }
    fill(tmp_path / "plain", entries)
    fill(tmp_path / "git", entries)
    git(tmp_path / "git", "init", "-q")
    shown = git(tmp_path / "git", "ls-files", "-z", "--others", "--exclude-standard")
    assert chosen(tmp_path / "plain") == sorted(shown.split("\0")[:-1])


def test_empty_folders_go_in_without_git(tmp_path):
    root = fill(
        tmp_path,
        {"a/b/c": None, "a/f": "", "d": None, ".gitignore": "out/\n", "out/x": None, ".tox/y": None, "full/.git": None},
    )
    selection = select(os.path.realpath(root), ArchiveConfig(exclude=("d",)))
    assert selection.folders == ["a/b/c"]
    assert {left.name: left.reason for left in selection.left_out} == {
        "out/": "ignored by .gitignore",
        ".tox/": "can be made again",
        "full/.git/": "can be made again",
        "d": "exclude pattern 'd'",
    }


def test_what_is_neither_file_nor_folder_nor_link_stays_out(tmp_path):
    root = fill(tmp_path, {"a": "", "x": None})
    os.mkfifo(root / "x/pipe")
    assert chosen(root) == ["a"]
    assert reasons(root) == {"x/pipe": "is neither file nor folder nor link"}


def test_a_folder_that_cannot_be_read_is_an_error_with_its_name():
    # Not below the test's own folder, which only its owner may enter.
    with tempfile.TemporaryDirectory() as name:
        root = fill(Path(name), {"a": "", "closed/b": ""})
        root.chmod(0o755)
        (root / "closed").chmod(0)
        user = os.geteuid()
        if user == 0:
            os.seteuid(65534)
        try:
            with pytest.raises(errors.FileChangedError) as caught:
                select(os.path.realpath(root), EVERYTHING)
        finally:
            os.seteuid(user)
            (root / "closed").chmod(0o700)
    assert caught.value.error_message == "closed: cannot be packed: Permission denied"


def test_links_to_folders_are_not_walked(tmp_path):
    root = fill(tmp_path / "r", {"here": Link("."), "out": Link("../elsewhere"), "a": ""})
    fill(tmp_path / "elsewhere", {"b": ""})
    assert chosen(root) == ["a", "here", "out"]


# What stays out in any case

PLACES = ["{}", "deep/er/{}", "{}/inside", "deep/{}/in/side"]


@pytest.fixture(params=["git", "plain"])
def place(request, tmp_path):
    """Return what makes a workspace of a table, with git and without."""

    def make(entries):
        entries = {"conda.toml": "", **entries}
        return repository(tmp_path, entries) if request.param == "git" else fill(tmp_path, entries)

    make.has_git = request.param == "git"
    return make


def names_like(pattern):
    return [pattern.replace("*", word) for word in ("local", "a.b")] if "*" in pattern else [pattern]


@pytest.mark.parametrize("pattern", SENSITIVE)
def test_what_may_hold_secrets_stays_out_anywhere_and_in_any_case(place, pattern):
    # All letters of a name change at a time, so that the names are not the same one to a system that ignores case.
    secret = {}
    for number, name in enumerate(names_like(pattern)):
        for shape, letters in enumerate((name, name.upper())):
            for at, where in enumerate(PLACES):
                secret[f"{number}{shape}{at}/{where.format(letters)}"] = "s3cret"
    top = {letters: "s3cret" for name in names_like(pattern) for letters in (name, name.swapcase())}
    root = place({**secret, **top})
    assert chosen(root) == ["conda.toml"]
    assert chosen(root, ArchiveConfig(include=("*",))) == ["conda.toml"]
    assert reasons(root) == dict.fromkeys(sorted([*secret, *top]), "may hold secrets")


@pytest.mark.parametrize("name", HARMLESS)
def test_what_only_looks_like_a_secret_goes_in(place, name):
    entries = {name: "", f"deep/{name}": "", f"a/{name.upper()}": ""}
    assert chosen(place(entries)) == sorted(["conda.toml", *entries])


def test_what_resembles_a_secret_goes_in(place):
    names = [
        *(".environment", "env", "my.env.txt", "secretsx", "nosecrets", "x.secrets.txt", "keys", "a.key.txt", "x.pem2"),
        *("gcloud/x", ".config/other", "conda/workspace.lock", ".conda/workspace.lock.txt", "id_rsa.pub", ".sshx"),
        *("key", "pem", "docker", ".dockerignore", "deep/.config/gcloudx", "kubeconfigs"),
    ]
    assert chosen(place(dict.fromkeys(names, ""))) == sorted(["conda.toml", *names])


def test_a_secret_is_known_however_unicode_writes_it(place):
    root = place({"K\u0065ys/\u017fecret\u017f": "", "x/.\u017f\u017fh/config": "", "\u212aubeconfig": ""})
    assert chosen(root) == ["conda.toml"]


@pytest.mark.parametrize("name", [*MADE_AGAIN, "my/envs"])
def test_what_can_be_made_again_stays_out_anywhere(place, name):
    if name == ".git":
        pytest.skip("git itself takes no such name")
    entries = {f"{name}/a": "", f"deep/{name}/b/c": "", f"{name}x/d": "", f"x{name}/e": ""}
    root = place(entries)
    config = ArchiveConfig(include=("*",))
    assert chosen(root, config, envs_dir="my/envs") == sorted(["conda.toml", f"{name}x/d", f"x{name}/e"])
    shown = {f"{name}/a", f"deep/{name}/b/c"} if place.has_git else {f"{name}/", f"deep/{name}/"}
    assert reasons(root, envs_dir="my/envs") == dict.fromkeys(shown, "can be made again")


@pytest.mark.parametrize("name", MADE_AGAIN_UNTRACKED)
def test_what_tools_leave_behind_goes_in_only_where_git_tracks_it(place, name):
    entries = {f"{name}/a": "", f"deep/{name}/b": ""}
    assert chosen(place(entries)) == sorted(["conda.toml", *(entries if place.has_git else [])])


def test_repositories_inside_are_taken_without_their_git(tmp_path):
    root = fill(tmp_path, {"a": "", "sub/.git/config": "", "sub/b": "", "tree/.git": "gitdir: elsewhere", "tree/c": ""})
    assert chosen(root) == ["a", "sub/b", "tree/c"]


@pytest.mark.parametrize("envs_dir", ["build/envs", "./build/envs", "build/envs/", "build//envs"])
def test_environments_stay_out_however_their_folder_is_written(tmp_path, envs_dir):
    root = fill(
        tmp_path / "r", {"conda.toml": f"{MANIFEST}envs-dir = '{envs_dir}'\n", "build/envs/x/f": "", "build/a": ""}
    )
    archive = WorkspaceArchive.create(workspace=root, output=tmp_path / "x.tar.zst")
    assert packed(archive) == ["build/a", "conda.toml"]


@pytest.mark.parametrize("envs_dir", ["/opt/envs", "../envs", "~/envs"])
def test_environments_elsewhere_change_nothing(tmp_path, envs_dir):
    root = fill(tmp_path, {"envs/a": "", "opt/envs/b": ""})
    assert chosen(root, envs_dir=envs_dir) == ["envs/a", "opt/envs/b"]


# Patterns

TREE = ["README.md", "pixi.toml", "src", "src.txt", "lib/src/x.py", "src/a.py", "src/deep/b.py", "src/deep/pixi.toml"]


@pytest.mark.parametrize(
    ("pattern", "wanted"),
    [
        pytest.param("src", ["src/a.py", "src/deep/b.py", "src/deep/pixi.toml"], id="folder"),
        pytest.param("src/*", ["src/a.py", "src/deep/b.py", "src/deep/pixi.toml"], id="all in a folder"),
        pytest.param("src/**", ["src/a.py", "src/deep/b.py", "src/deep/pixi.toml"], id="all below a folder"),
        pytest.param("src/", [], id="folder with a slash"),
        pytest.param("src/**/*.py", ["src/deep/b.py"], id="two stars are one"),
        pytest.param("*.toml", ["pixi.toml", "src/deep/pixi.toml"], id="a star matches slashes"),
        pytest.param("*/x.py", ["lib/src/x.py"], id="any folder"),
        pytest.param("s?c", ["src/a.py", "src/deep/b.py", "src/deep/pixi.toml"], id="question mark"),
        pytest.param("[p-r]*.toml", ["pixi.toml"], id="range"),
        pytest.param("[!p]*.toml", ["src/deep/pixi.toml"], id="negated range"),
        pytest.param("SRC", [], id="other case"),
        pytest.param("./src", [], id="dot"),
        pytest.param("/src", [], id="absolute"),
        pytest.param("a.py", [], id="no anchor anywhere"),
        pytest.param("!src", [], id="no negation"),
        pytest.param("", [], id="empty"),
        pytest.param(
            "*", ["README.md", "lib/src/x.py", "pixi.toml", "src.txt", "src/a.py", "src/deep/b.py", "src/deep/pixi.toml"], id="star"
        ),
    ],
)  # fmt: skip
def test_patterns_mean_what_conda_workspaces_says(place, pattern, wanted):
    names = [name for name in TREE if name != "src"]
    root = place(dict.fromkeys(names, ""))
    os.unlink(root / "conda.toml")
    if place.has_git:
        git(root, "add", "-A")
    assert chosen(root, ArchiveConfig(include=(pattern,))) == wanted
    assert chosen(root, ArchiveConfig(exclude=(pattern,))) == [name for name in sorted(names) if name not in wanted]


@pytest.mark.parametrize(
    "pattern",
    ["[]a]x", "a[]]b", "[!]]x", "[a", "a[", "a]", "[]", "[!]", "*[*]*", "[[]x", "a.b", "a+b", "(a)", "^a", "a$", "*a*b*", "*a*b", "[a-]", "{a,b}", "a|b", "?", "??", "\\a", "a\\*"],
)  # fmt: skip
def test_patterns_are_those_of_fnmatch(pattern):
    names = [
        "ax",
        "]x",
        "a]b",
        "[a",
        "a[",
        "a]",
        "[]",
        "[!]",
        "x*y",
        "[x",
        "a.b",
        "axb",
        "a+b",
        "(a)",
        "^a",
        "a$",
        "aabb",
        "xaxbx",
        "-",
        "a",
        "{a,b}",
        "a|b",
        "xx",
        "\\a",
        "a\\c",
        "a/b",
        "ab/a",
        "b/a/b/a",
    ]

    def wanted(name):
        parts = name.split("/")
        return any(fnmatch.fnmatchcase("/".join(parts[:end]), pattern) for end in range(1, len(parts) + 1))

    assert [names[index] for index in matching([pattern], names)] == [name for name in names if wanted(name)]


def test_include_chooses_and_exclude_has_the_last_word(tmp_path):
    root = fill(tmp_path, {"src/a.py": "", "src/b.txt": "", "docs/c.md": "", "d.md": ""})
    config = ArchiveConfig(include=("src", "*.md"), exclude=("*.txt", "docs/c.*"))
    assert chosen(root, config) == ["d.md", "src/a.py"]
    assert reasons(root, config) == {"src/b.txt": "exclude pattern '*.txt'", "docs/c.md": "exclude pattern 'docs/c.*'"}
    assert reasons(root, ArchiveConfig(include=("src",))) == dict.fromkeys(
        ["d.md", "docs/c.md"], "no include pattern matches"
    )


@pytest.mark.parametrize("config", [ArchiveConfig(include=("src",)), ArchiveConfig(exclude=("conda.*",))])
def test_a_manifest_that_patterns_leave_out_is_an_error(tmp_path, config):
    text = "".join(f"{key} = {list(getattr(config, key))}\n" for key in ("include", "exclude"))
    root = fill(tmp_path, {"conda.toml": f"{MANIFEST}[workspace.archive]\n{text}", "src/a": ""})
    with pytest.raises(errors.NeededFileError) as caught:
        WorkspaceArchive.create(workspace=root)
    reason = "no include pattern matches" if config.include else "exclude pattern 'conda.*'"
    assert caught.value.error_message == f"conda.toml has to go into the archive: {reason}"
    assert sorted(os.listdir(root)) == ["conda.toml", "src"]


def test_patterns_of_the_caller_come_on_top(tmp_path):
    text = f"{MANIFEST}[workspace.archive]\nexclude = ['a*']\n"
    root = fill(tmp_path / "r", {"conda.toml": text, "a1": "", "b1": "", "c1": ""})
    archive = WorkspaceArchive.create(workspace=root, output=tmp_path / "x.tar.zst", exclude=["b*"])
    assert packed(archive) == ["c1", "conda.toml"]


# Archives and receipts of before


def test_what_is_about_to_be_written_is_not_taken(place, tmp_path):
    root = place({"out/a.tar.zst": "old", "out/a.tar.zst.receipt.json": "old", "b": ""})
    outputs = [str(root / "out/a.tar.zst"), str(root / "out/a.tar.zst.receipt.json"), "/elsewhere/b"]
    assert chosen(root, outputs=outputs) == ["b", "conda.toml"]
    assert reasons(root, outputs=outputs) == dict.fromkeys(
        ["out/a.tar.zst", "out/a.tar.zst.receipt.json"], "is written anew"
    )


@pytest.mark.parametrize("suffix", [".tar.zst", ".tar.gz", ".tar.bz2"])
@pytest.mark.parametrize("signed", [False, True])
def test_archives_and_receipts_of_before_are_not_swallowed_without_git(tmp_path, suffix, signed, make_keys):
    root = fill(
        tmp_path / "r", {"conda.toml": MANIFEST, "conda.lock": LOCK, "a": "", "data.tar.gz": "no archive of ours"}
    )
    key = make_keys(tmp_path, "ed25519")[0] if signed else None
    for name in ("space", "other", "sub/third"):
        WorkspaceArchive.create(workspace=root, output=root / f"{name}{suffix}", receipt=True, sign=key)
    archive = WorkspaceArchive.create(workspace=root, output=tmp_path / "new.tar.zst")
    assert packed(archive) == ["a", "conda.lock", "conda.toml", "data.tar.gz"]
    kept = reasons(root)
    for name in ("space", "other", "sub/third"):
        assert kept[f"{name}{suffix}"] == "is an archive of a workspace"
        assert kept[f"{name}{suffix}.receipt.json"] == "is the receipt of an archive"


def test_an_archive_without_a_receipt_is_known_by_its_index_or_its_name(tmp_path):
    root = fill(tmp_path / "r", {"conda.toml": MANIFEST})
    for name in ("old.tar.zst", "older.tzst", "space.tar.gz"):
        WorkspaceArchive.create(workspace=root, output=root / name)
    archive = WorkspaceArchive.create(workspace=root, output=tmp_path / "new.tar.zst")
    assert packed(archive) == ["conda.toml"]


@pytest.mark.parametrize("padding", range(3))
def test_a_signed_receipt_is_known_wherever_in_it_the_word_begins(tmp_path, padding, make_keys):
    from cwtasks.archive.signing import sign

    statement = b" " * padding + b'{"predicateType": "https://c.example/workspace-archive-receipt-1.schema.json"}'
    root = fill(tmp_path / "r", {"a": ""})
    (root / "x.receipt.json").write_bytes(sign(statement, make_keys(tmp_path, "ed25519")[0]))
    assert chosen(root) == ["a"]


def test_other_receipts_go_in(tmp_path):
    root = fill(
        tmp_path,
        {"groceries.receipt.json": '{"milk": 2}', "x.receipt.json": '{"payloadType": "other", "payload": "YQ=="}'},
    )
    assert chosen(root) == ["groceries.receipt.json", "x.receipt.json"]


def test_a_pipe_that_is_named_like_an_archive_does_not_make_us_wait(tmp_path):
    root = fill(tmp_path / "r", {"x.tar.zst": Link("../pipe"), "y.receipt.json": Link("../pipe")})
    os.mkfifo(tmp_path / "pipe")
    assert chosen(root) == ["x.tar.zst", "y.receipt.json"]


# Names that cannot be


@pytest.mark.parametrize("name", ["a\nb", "a\nb/c", "\n"])
def test_a_line_break_in_a_name_is_refused(place, name):
    root = place({name: ""})
    with pytest.raises(errors.ControlCharacterError) as caught:
        select(os.path.realpath(root), EVERYTHING)
    assert caught.value.error_message == f"member {name!r} is refused: its name contains a control character"


def test_a_line_break_in_the_name_of_an_empty_folder_is_refused(tmp_path):
    root = fill(tmp_path, {"conda.toml": MANIFEST, "a\nb": None})
    with pytest.raises(errors.ControlCharacterError, match=r"member 'a\\nb' is refused"):
        WorkspaceArchive.create(workspace=root)


def test_a_name_that_is_not_utf_8_is_refused(place):
    root = place({})
    os.close(os.open(os.fsencode(root) + b"/\xff.txt", os.O_CREAT))
    if place.has_git:
        git(root, "add", "-A")
    (root / "conda.toml").write_text(MANIFEST)
    with pytest.raises(errors.MemberRefusedError) as caught:
        WorkspaceArchive.create(workspace=root)
    assert caught.value.error_message == "member '\\\\xff.txt' is refused: its name is not UTF-8"
    assert "space.tar.zst" not in tree_of(root)
    archive = WorkspaceArchive.create(workspace=root, output=root.parent / "x.tar.zst", exclude=["*.txt"])
    assert packed(archive) == ["conda.toml"]
    archive.path.unlink()
