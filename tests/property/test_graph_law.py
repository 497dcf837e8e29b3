"""Laws of the graph: what it orders, and that it orders as a plain reading of the manifest would."""

from pathlib import Path

from hypothesis import given, settings
from hypothesis import strategies as st

from cwtasks.environments import Catalog
from cwtasks.graph.compiler import Request, Surroundings, compile_all, compile_steps
from cwtasks.graph.order import keep_file_order
from cwtasks.graph.step import Step
from cwtasks.host import Host
from cwtasks.manifests import find_parser

NAMES = list("abcdefg")

any_graph = st.fixed_dictionaries({name: st.lists(st.sampled_from(NAMES), max_size=4) for name in NAMES})
acyclic_graph = st.fixed_dictionaries(
    {
        name: st.lists(st.sampled_from(NAMES[index + 1 :]), max_size=4) if NAMES[index + 1 :] else st.just([])
        for index, name in enumerate(NAMES)
    }
)
requests = st.lists(st.sampled_from(NAMES), min_size=1, max_size=3)


def catalog_of(needs, file_name="pixi.toml"):
    tasks = {name: {"cmd": name, "depends-on": list(needed)} for name, needed in needs.items()}
    document = {"workspace": {"channels": [], "platforms": ["linux-64"]}, "tasks": tasks}
    path = Path("/law") / file_name
    return Catalog(find_parser(path).read_data(document, path), Host("linux-64"))


def compiled(catalog, names):
    return compile_steps(catalog, [Request(name) for name in names], Surroundings())


def assert_ordered(steps):
    """Law: a step stands after all it needs and all it must follow, and all of those are there."""
    done = set()
    for step_id, step in steps.items():
        assert step_id == step.id
        assert done.issuperset([*step.needs, *step.after])
        done.add(step_id)


@settings(deadline=None)
@given(needs=any_graph, names=requests)
def test_each_step_stands_after_what_it_needs_even_among_cycles(needs, names):
    graph = compiled(catalog_of(needs), names)
    assert_ordered(graph.steps)
    assert graph.roots == tuple(dict.fromkeys(names))


@settings(deadline=None)
@given(needs=any_graph)
def test_each_step_stands_after_what_it_needs_when_all_are_compiled(needs):
    needs["a"].append("missing")
    needs["b"].append("a")
    graph = compile_all(catalog_of(needs, "conda.toml"), Surroundings())
    assert_ordered(graph.steps)
    assert {*graph.roots, *graph.broken} == set(NAMES)
    assert {"a", "b"} <= set(graph.broken)


def plain_order(needs, names):
    """Read the manifest as a person would: first what stands in the list, in that order, each once; repeats again."""
    order = []

    def run(name, occurrence):
        step_id = name if occurrence == 1 else f"{name}#{occurrence}"
        if step_id in order:
            return
        for index, needed in enumerate(needs[name]):
            run(needed, needs[name][: index + 1].count(needed))
        order.append(step_id)

    for name in names:
        run(name, 1)
    return order


@settings(deadline=None)
@given(needs=acyclic_graph, names=requests)
def test_the_order_is_that_of_a_plain_reading(needs, names):
    for file_name in ("pixi.toml", "conda.toml"):
        assert list(compiled(catalog_of(needs, file_name), names).steps) == plain_order(needs, names)


#: Pattern to the files it names, out of all the files there are; written by hand, so that it owes nothing to `globs`.
#: Not `src` without a slash: text alone does not tell a directory from a file, see `test_file_order`.
FILES = {
    "x.c": {"x.c"},
    "x.h": {"x.h"},
    "src/x.c": {"src/x.c"},
    "src/x.h": {"src/x.h"},
    "src/lib/y.c": {"src/lib/y.c"},
    "./src/../x.c": {"x.c"},
    "*.c": {"x.c", "src/x.c", "src/lib/y.c"},
    "src/": {"src/x.c", "src/x.h", "src/lib/y.c"},
    "src/*": {"src/x.c", "src/x.h"},
    "src/*.c": {"src/x.c"},
    "src/**": {"src/x.c", "src/x.h", "src/lib/y.c"},
    "src/**/*.c": {"src/x.c", "src/lib/y.c"},
    "**/y.c": {"src/lib/y.c"},
    "**/lib/*": {"src/lib/y.c"},
    "src/x.{c,h}": {"src/x.c", "src/x.h"},
    "x.?": {"x.c", "x.h", "src/x.c", "src/x.h"},
    "*.[ch]": {"x.c", "x.h", "src/x.c", "src/x.h", "src/lib/y.c"},
    "**": {"x.c", "x.h", "src/x.c", "src/x.h", "src/lib/y.c"},
}

some_patterns = st.lists(st.sampled_from(sorted(FILES)), max_size=2).map(tuple)


@st.composite
def serial_steps(draw):
    steps = []
    for index in range(draw(st.integers(2, 7))):
        earlier = [step.id for step in steps]
        needs = draw(st.lists(st.sampled_from(earlier), max_size=2, unique=True)) if earlier else []
        name = f"s{index}"
        steps.append(
            Step(
                name,
                name,
                None,
                command="x",
                inputs=draw(some_patterns),
                outputs=draw(some_patterns),
                needs=tuple(needs),
            )
        )
    return steps


def files_of(patterns):
    return set().union(*(FILES[pattern] for pattern in patterns))


def waits_for(steps):
    """Id to all steps that are finished when it starts, however many are run at a time."""
    before = {}
    for step in steps:
        direct = {*step.needs, *step.after}
        before[step.id] = direct.union(*(before[other] for other in direct))
    return before


@settings(deadline=None)
@given(steps=serial_steps())
def test_steps_that_touch_a_file_one_of_them_writes_run_in_serial_order(steps):
    kept = keep_file_order(steps)
    assert [step.id for step in kept] == [step.id for step in steps]
    before = waits_for(kept)
    for index, late in enumerate(kept):
        for early in kept[:index]:
            written = files_of(early.outputs) & files_of((*late.inputs, *late.outputs))
            overwritten = files_of(early.inputs) & files_of(late.outputs)
            assert early.id in before[late.id] or not (written or overwritten)
