from dataclasses import replace

import pytest

from cwtasks.lockfile import (
    Lock,
    LockedEnvironment,
    LockedPyPI,
    LockPlatform,
    WantedEnvironment,
    WantedPlatform,
    parse_conda_lock,
    read_lock,
    wanted_of,
    why_stale,
)
from cwtasks.models import MatchSpec
from cwtasks.models.packages import Channel
from cwtasks.requirements import Requirements, VirtualPackage

CHANNEL = "https://channel.example/main"
MACHINE = (("__unix", "0", "0"), ("__glibc", "2.28", "0"), ("__archspec", "1", "x86_64"))


def wanted(*specs, name="default", platform="linux-64", channels=(CHANNEL,), machine=MACHINE, subdir="linux-64"):
    parsed = tuple(spec if isinstance(spec, MatchSpec) else MatchSpec(spec) for spec in specs)
    return WantedEnvironment(name, channels, {platform: WantedPlatform(subdir, parsed, machine)})


@pytest.fixture
def good(package, lock_of):
    return lock_of(
        package("app-1.10-py310_0", depends=["lib >=1,<2", "python 3.10.*", "__glibc >=2.17"], constrains=["gone <1"]),
        package("lib-1.5-h1_2"),
        package("python-3.10.1-0", subdir="noarch", python_site_packages_path="lib/python3.10/site-packages"),
    )


def test_a_lock_that_answers(good):
    assert why_stale(good, [wanted("app >=1.9", "lib 1.5 h1_*", "__glibc >=2.17")]) is None


def test_an_empty_environment_answers(lock_of):
    assert why_stale(lock_of(), [wanted()]) is None


def test_a_slash_at_the_end_of_a_channel_and_a_repetition_do_not_matter(lock_of):
    lock = lock_of(channels=(f"{CHANNEL}/", CHANNEL))
    assert why_stale(lock, [wanted(channels=(CHANNEL,))]) is None
    assert why_stale(lock, [wanted(channels=(f"https://me:secret@{CHANNEL[8:]}", CHANNEL))]) is None


@pytest.mark.parametrize(
    ("version", "reason"),
    [
        (2, "expected conda.lock of version 1, found version 2"),
        (None, "expected conda.lock of version 1, found no version"),
    ],
)
def test_the_version_comes_first(version, reason):
    assert why_stale(Lock(environments={}, version=version), [wanted("nothing")]) == reason


def test_environments_that_are_too_many(good):
    lock = Lock(environments={**good.environments, "old": good.environments["default"]})
    assert why_stale(lock, [wanted("missing")]) == "environment 'old' is locked, and the manifest has none of this name"


def test_environments_that_are_missing(good):
    reason = why_stale(good, [wanted("missing"), wanted(name="test")])
    assert reason == "environment 'test' is not locked"


@pytest.mark.parametrize(
    ("channels", "reason"),
    [
        pytest.param(
            ("https://channel.example/other", CHANNEL),
            "channels are https://channel.example/other, https://channel.example/main, "
            "locked with https://channel.example/main",
            id="one-more",
        ),
        pytest.param((), "channels are none, locked with https://channel.example/main", id="none"),
        pytest.param(
            ("https://me:secret@channel.example/x",),
            "channels are https://channel.example/x, locked with https://channel.example/main",
            id="secret",
        ),
    ],
)
def test_other_channels(good, channels, reason):
    assert why_stale(good, [wanted(channels=channels)]) == f"environment 'default': {reason}"


def test_the_order_of_channels_matters(lock_of):
    lock = lock_of(channels=("https://channel.example/a", "https://channel.example/b"))
    assert why_stale(lock, [wanted(channels=("https://channel.example/b", "https://channel.example/a"))])


def test_platforms_that_are_missing_are_missed_even_when_not_looked_at(good):
    reason = why_stale(good, [wanted(platform="win-64", subdir="win-64")], platforms=["linux-64"])
    assert reason == "environment 'default' is not locked for win-64"


def test_only_the_platforms_asked_for_are_looked_at(good):
    assert why_stale(good, [wanted("missing")], platforms=["win-64"]) is None
    assert why_stale(good, [wanted("missing")], platforms=["linux-64"])


def test_more_platforms_than_asked_for_are_fine(package):
    environment = LockedEnvironment(channels=(CHANNEL,), packages={"linux-64": (), "win-64": (package("a-1-0"),)})
    assert why_stale(Lock(environments={"default": environment}), [wanted()]) is None


def reason_for(lock, *specs, **keywords):
    reason = why_stale(lock, [wanted(*specs, **keywords)])
    return reason and reason.removeprefix("environment 'default', linux-64: ")


def test_packages_of_an_index(lock_of):
    lock = lock_of()
    environment = replace(lock.environments["default"], pypi={"linux-64": (LockedPyPI("six", "1.16", "x"),)})
    assert reason_for(Lock(environments={"default": environment})) == "six is no conda package"
    assert reason_for(Lock(environments={"default": environment}, version=6, format="pixi.lock")) is None


@pytest.mark.parametrize(
    "url",
    [
        pytest.param("https://channel.example/main/noarch/a-1-0.conda", id="same"),
        pytest.param("https://CHANNEL.example:443/main/noarch/a-1-0.conda", id="another-way-to-write-it"),
        pytest.param("https://channel.example/m%61in/noarch/a-1-0.conda", id="encoded"),
        pytest.param("https://channel.example/main/linux-64/a-1-0.tar.bz2", id="platform"),
    ],
)
def test_urls_below_a_channel(package, lock_of, url):
    lock = lock_of(replace(package("a-1-0"), url=url, fn=url.rpartition("/")[2], subdir=url.split("/")[-2]))
    assert reason_for(lock) is None


@pytest.mark.parametrize(
    "url",
    [
        pytest.param("https://other.example/main/noarch/a-1-0.conda", id="server"),
        pytest.param("http://channel.example/main/noarch/a-1-0.conda", id="scheme"),
        pytest.param("https://channel.example:8443/main/noarch/a-1-0.conda", id="port"),
        pytest.param("https://channel.example/mainly/noarch/a-1-0.conda", id="prefix-of-a-name"),
        pytest.param("https://channel.example/main/noarch/x/a-1-0.conda", id="deeper"),
        pytest.param("https://channel.example/main/win-64/a-1-0.conda", id="platform"),
        pytest.param("https://channel.example/main/../evil/noarch/a-1-0.conda", id="dots"),
        pytest.param("https://channel.example/main/%2e%2e/noarch/a-1-0.conda", id="encoded-dots"),
        pytest.param("https://channel.example/main/noarch/..%2fa-1-0.conda", id="encoded-slash"),
        pytest.param("https://channel.example/main/noarch/%255ca-1-0.conda", id="encoded-twice"),
        pytest.param("https://channel.example/main/noarch/..%5ca-1-0.conda", id="backslash"),
        pytest.param("https://channel.example/main/noarch/%00a-1-0.conda", id="nul"),
        pytest.param("https://channel.example/main/noarch/?x=/a-1-0.conda", id="query"),
        pytest.param("https://channel.example:x/main/noarch/a-1-0.conda", id="no-port"),
    ],
)
def test_urls_from_elsewhere(package, lock_of, url):
    lock = lock_of(replace(package("a-1-0", subdir="noarch"), url=url))
    assert reason_for(lock) == "a-1-0.conda is not from a channel of this environment"


def test_a_spec_may_name_another_channel_or_a_url(package, lock_of):
    other = package("a-1-0", channel="https://other.example/x")
    assert reason_for(lock_of(other), MatchSpec("a", channel="https://other.example/x")) is None
    assert reason_for(lock_of(other), MatchSpec("a", url=f"{other.url}#sha256:ab")) is None


def test_packages_without_a_digest(package, lock_of):
    assert reason_for(lock_of(package("a-1-0", sha256=None))) == "a-1-0.conda has neither a sha256 nor an md5"
    assert reason_for(lock_of(package("a-1-0", sha256=None, md5="ab" * 16))) is None


def test_packages_without_a_record(package, lock_of):
    one = package("a-1-0")
    assert reason_for(lock_of(one, unrecorded=frozenset([one.url]))) == "a-1-0.conda has no record"


@pytest.mark.parametrize(
    ("field", "value"), [("name", "b"), ("version", "2"), ("build", "1"), ("subdir", "noarch"), ("fn", "b-1-0.conda")]
)
def test_records_that_contradict_their_url(package, lock_of, field, value):
    lock = lock_of(replace(package("a-1-0"), **{field: value}))
    assert reason_for(lock) == f"a-1-0.conda: its record says {field} '{value}'"


def test_packages_for_another_platform(package, lock_of):
    other = package("a-1-0", subdir="win-64")
    spec = MatchSpec("a", url=other.url)
    assert reason_for(lock_of(other), spec) == "a-1-0.conda is for win-64"


def test_two_packages_of_one_name(package, lock_of):
    lock = lock_of(package("a-1-0"), package("a-2-0"))
    assert reason_for(lock) == "two packages called a: a-1-0.conda and a-2-0.conda"


UNMET = {
    "missing": ("gone", "'gone' is asked for, which is not locked"),
    "version": ("lib >=2", "'lib >=2' is asked for, locked is lib 1.5 h1_2"),
    "build": ("lib 1.5 h2_*", "'lib 1.5 h2_*' is asked for, locked is lib 1.5 h1_2"),
    "platform-has-less": ("__glibc >=3", "'__glibc >=3' is asked for, the platform has __glibc 2.28 0"),
    "platform-has-none": ("__cuda", "'__cuda' is asked for, the platform has no __cuda"),
    "unknown": ("lib 1..2", "'lib 1..2' cannot be checked: '1..2' is no version: a component is empty"),
    "channel": (
        MatchSpec("lib", channel="https://other.example/x"),
        "'https://other.example/x::lib' is asked for, locked is lib 1.5 h1_2",
    ),
}


@pytest.mark.parametrize(("spec", "reason"), [pytest.param(*case, id=name) for name, case in UNMET.items()])
def test_dependencies_of_the_manifest(good, spec, reason):
    assert reason_for(good, spec) == reason


def test_a_secret_in_a_spec_is_not_shown(good):
    spec = MatchSpec("gone", url="https://me:secret@channel.example/main/noarch/gone-1-0.conda")
    assert "secret" not in reason_for(good, spec)


FIELDS = {
    "build_number": ({"build_number": ">=2"}, {"build_number": ">2"}),
    "build_number-exact": ({"build_number": 2}, {"build_number": 3}),
    "build_number-not": ({"build_number": "!=3"}, {"build_number": "!=2"}),
    "subdir": ({"subdir": "linux-64"}, {"subdir": "noarch"}),
    "channel": ({"channel": f"{CHANNEL}/"}, {"channel": "https://channel.example/other"}),
    "sha256": ({"sha256": "AB" * 32}, {"sha256": "cd" * 32}),
    "md5": ({"md5": "ef" * 16}, {"md5": "cd" * 16}),
    "fn": ({"fn": "lib-*.conda"}, {"fn": "lib-*.tar.bz2"}),
    "url": ({"url": f"{CHANNEL}/linux-64/lib-1.5-h1_2.conda"}, {"url": f"{CHANNEL}/linux-64/lib-1.5-h1_3.conda"}),
    "license": ({"license": "mit"}, {"license": "BSD"}),
    "license_family": ({"license_family": "MI*"}, {"license_family": "BSD"}),
    "features": ({"features": "mkl"}, {"features": "mkl blas"}),
    "track_features": ({"track_features": ["x"]}, {"track_features": ["x", "z"]}),
}


@pytest.mark.parametrize(("good", "bad"), [pytest.param(*case, id=name) for name, case in FIELDS.items()])
def test_every_field_of_a_spec_counts(package, lock_of, good, bad):
    one = package(
        "lib-1.5-h1_2", md5="ef" * 16, license="MIT", license_family="MIT", features="mkl", track_features=["x", "y"]
    )
    assert reason_for(lock_of(one), MatchSpec("lib", **good)) is None
    assert "is asked for" in reason_for(lock_of(one), MatchSpec("lib", **bad))


def test_a_build_number_that_is_none(good):
    reason = reason_for(good, MatchSpec("lib", build_number="x"))
    assert reason == (
        "'lib[build_number=x]' cannot be checked: a build number has to be a number, possibly after a comparison"
    )


RELATIONS = {
    "missing": ({"depends": ["gone >=1"]}, "app 1 0 needs 'gone >=1', which is not locked"),
    "version": ({"depends": ["lib >=2"]}, "app 1 0 needs 'lib >=2', locked is lib 1.5 h1_2"),
    "fuzzy": ({"depends": ["lib =1.6"]}, "app 1 0 needs 'lib =1.6', locked is lib 1.5 h1_2"),
    "build": ({"depends": ["lib * *_3"]}, "app 1 0 needs 'lib * *_3', locked is lib 1.5 h1_2"),
    "exact-with-build": ({"depends": ["lib 1.5 h1_3"]}, "app 1 0 needs 'lib 1.5 h1_3', locked is lib 1.5 h1_2"),
    "equals-and-build": ({"depends": ["lib ==1.5=h1_3"]}, "app 1 0 needs 'lib ==1.5=h1_3', locked is lib 1.5 h1_2"),
    "brackets": ({"depends": ["lib[version='>=2']"]}, "app 1 0 needs 'lib[version='>=2']', locked is lib 1.5 h1_2"),
    "platform": ({"depends": ["__glibc >=2.34"]}, "app 1 0 needs '__glibc >=2.34', the platform has __glibc 2.28 0"),
    "platform-none": ({"depends": ["__cuda"]}, "app 1 0 needs '__cuda', the platform has no __cuda"),
    "processor": (
        {"depends": ["__archspec 1 x86_64_v3"]},
        "app 1 0 needs '__archspec 1 x86_64_v3', the platform has __archspec 1 x86_64",
    ),
    "excluded": ({"constrains": ["lib <1"]}, "app 1 0 goes only with 'lib <1', locked is lib 1.5 h1_2"),
    "platform-excluded": (
        {"constrains": ["__glibc <2"]},
        "app 1 0 goes only with '__glibc <2', the platform has __glibc 2.28 0",
    ),
}


@pytest.mark.parametrize(("fields", "reason"), [pytest.param(*case, id=name) for name, case in RELATIONS.items()])
def test_relations_between_packages(package, lock_of, fields, reason):
    assert reason_for(lock_of(package("app-1-0", **fields), package("lib-1.5-h1_2"))) == reason


@pytest.mark.parametrize(
    "fields",
    [
        pytest.param(
            {"depends": ["lib =1.5", "lib  1.5   h1*", "lib>=1", "lib =*=h1*", "lib 1.5|1.6", "lib"]}, id="met"
        ),
        pytest.param({"depends": ["lib[when='python']", "lib; if win", "lib 1..2"]}, id="grammar-of-tomorrow"),
        pytest.param({"constrains": ["gone <0", "__cuda >=12", "lib[when=x]"]}, id="not-there"),
        pytest.param({"depends": ["app"]}, id="itself"),
    ],
)
def test_relations_that_are_fine(package, lock_of, fields):
    assert reason_for(lock_of(package("app-1-0", **fields), package("lib-1.5-h1_2"))) is None


@pytest.mark.parametrize("path", ["/abs", "../out", "a/../b", "a\\b", "C:/x", "", "a//b"])
def test_module_paths_that_leave_the_prefix(package, lock_of, path):
    lock = lock_of(package("python-3.10-0", python_site_packages_path=path))
    assert reason_for(lock) == "python-3.10-0.conda: the path of its modules leaves the environment"


def test_a_pixi_lock_may_know_more(package):
    environments = {
        "default": LockedEnvironment(
            channels=(f"{CHANNEL}/",),
            packages={"p1": (package("app-1-0", depends=["built >=1"]),)},
            pypi={"p1": (LockedPyPI("six", "1", "x"),)},
            sources={"p1": ("built",)},
        ),
        "other": LockedEnvironment(channels=(), packages={}),
        "empty": LockedEnvironment(channels=(CHANNEL,), packages={}),
    }
    platforms = {"p1": LockPlatform("linux-64", (("__cuda", "12", ""), *MACHINE))}
    lock = Lock(environments=environments, version=7, format="pixi.lock", platforms=platforms)
    machine = (*MACHINE, ("__cuda", "12", "0"))
    asked = [wanted("app", "built", platform="cuda", machine=machine), wanted(name="empty", machine=machine)]
    assert why_stale(lock, asked) is None
    assert why_stale(lock, [wanted("app", platform="cuda")]) == "environment 'default' is not locked for cuda"


def test_requirements_become_what_is_wanted():
    spec, machine = MatchSpec("a"), (VirtualPackage("__unix", "0"),)
    one = Requirements(
        "default",
        "linux-64",
        "linux-64",
        (Channel("https://me:x@channel.example/main"),),
        (spec,),
        (),
        machine,
        "strict",
        None,
    )
    asked = wanted_of([one, replace(one, platform="gpu"), replace(one, environment="test")])
    platform = WantedPlatform("linux-64", (spec,), machine)
    assert asked == (
        WantedEnvironment("default", (CHANNEL,), {"linux-64": platform, "gpu": platform}),
        WantedEnvironment("test", (CHANNEL,), {"linux-64": platform}),
    )


PUBLIC_MACHINE = (
    ("__unix", "0", "0"), ("__linux", "5.10", "0"), ("__glibc", "2.28", "0"),
    ("__osx", "13.0", "0"), ("__win", "10", "0"), ("__archspec", "1", "x86_64"),
)  # fmt: skip


def test_public_locks_answer_what_they_were_made_for(public_lock):
    lock = read_lock(public_lock)
    asked = [
        WantedEnvironment(
            name,
            environment.channels,
            {
                platform: WantedPlatform(
                    lock.platforms[platform].subdir if lock.platforms else platform,
                    tuple(MatchSpec(f"{package.name} =={package.version} {package.build}") for package in packages),
                    PUBLIC_MACHINE,
                )
                for platform, packages in environment.packages.items()
            },
        )
        for name, environment in lock.environments.items()
    ]
    assert why_stale(lock, asked) is None


def test_a_record_of_another_version_is_not_believed(good):
    text = "version: 2\nenvironments: {}\n"
    assert why_stale(parse_conda_lock(text, "conda.lock"), [wanted()]) == (
        "expected conda.lock of version 1, found version 2"
    )
