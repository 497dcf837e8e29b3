"""The lines of an explicit list stand in an order in which they can be installed."""

from cwtasks.exchange.explicit import in_order
from cwtasks.lockfile import LockedPackage


def package(name: str, *depends: str) -> LockedPackage:
    url = f"https://host.org/c/noarch/{name}-1-0.conda"
    return LockedPackage.from_record({"url": url, "depends": list(depends)})


def names(*packages: LockedPackage) -> list[str]:
    return [found.name for found in in_order(packages)]


def test_what_is_needed_stands_first_and_else_names_decide():
    given = [package("b"), package("a", "c >=1", "z"), package("c", "d=1"), package("d"), package("z")]
    assert names(*given) == ["d", "c", "z", "a", "b"]


def test_what_is_not_in_the_list_does_not_matter():
    assert names(package("a", "__glibc >=2", "gone[build=1]", "")) == ["a"]


def test_packages_that_need_each_other_are_all_there():
    assert names(package("python", "pip"), package("pip", "python")) == ["python", "pip"]
    assert names(package("own", "own")) == ["own"]


def test_a_long_chain_is_no_deep_recursion():
    count = 3000
    chain = [package(f"p{index:05}", f"p{index + 1:05}") for index in range(count)]
    assert names(*chain) == [f"p{index:05}" for index in reversed(range(count))]
