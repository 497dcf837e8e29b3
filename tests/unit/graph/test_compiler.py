import pytest

from cwtasks.exceptions import (
    AmbiguousTaskError,
    CwtasksError,
    CyclicDependencyError,
    EnvironmentNotFoundError,
    TaskArgumentError,
    TaskNotAvailableError,
    TaskNotFoundError,
    TemplateError,
)
from cwtasks.graph.compiler import Request, Surroundings, compile_all, compile_steps

HERE = Surroundings("/w/pixi.toml", "1.2", "/w/src", "/w", ".conda/envs")


def compiled(catalog, *requests, **options):
    asked = [Request(request) if isinstance(request, str) else request for request in requests]
    return compile_steps(catalog, asked, HERE, **options)


def ids(catalog, *requests, **options):
    return list(compiled(catalog, *requests, **options).steps)


def only(catalog, *requests):
    """The last step: the one asked for."""
    return list(compiled(catalog, *requests).steps.values())[-1]


def refusal(kind, catalog, *requests):
    with pytest.raises(CwtasksError) as error:
        compiled(catalog, *requests)
    assert type(error.value) is kind
    return error.value.render()


ORDERS = [
    pytest.param('a = "1"', ["a"], ["a"], id="alone"),
    pytest.param('a = "1"\nb = "2"', ["b", "a"], ["b", "a"], id="as-asked"),
    pytest.param('a = "1"', ["a", "a"], ["a"], id="asked-twice"),
    pytest.param(
        'root = { cmd = "r", depends-on = ["a", "b"] }\na = { cmd = "a", depends-on = ["x"] }\nb = "b"\nx = "x"',
        ["root"],
        ["x", "a", "b", "root"],
        id="depth-first-as-written",
    ),
    pytest.param(
        'root = { cmd = "r", depends-on = ["b", "a"] }\na = { cmd = "a", depends-on = ["x"] }\nb = { cmd = "b", depends-on = ["x"] }\nx = "x"',
        ["root"],
        ["x", "b", "a", "root"],
        id="shared-once",
    ),
    pytest.param('a = { cmd = "a", depends-on = "b" }\nb = "b"', ["b", "a"], ["b", "a"], id="already-there"),
    pytest.param('a = [{ task = "b" }, { task = "c" }]\nb = "b"\nc = "c"', ["a"], ["b", "c", "a"], id="array-alias"),
    pytest.param('_a = "a"\nb = { cmd = "b", depends-on = ["_a"] }', ["b"], ["_a", "b"], id="hidden"),
]


@pytest.mark.parametrize(("tasks", "asked", "expected"), ORDERS)
def test_steps_stand_in_the_written_order_each_after_what_it_needs(pixi, tasks, asked, expected):
    assert ids(pixi(f"[tasks]\n{tasks}"), *asked) == expected


def test_roots_are_what_was_asked_for_each_once(pixi):
    graph = compiled(pixi('[tasks]\na = { cmd = "a", depends-on = ["b"] }\nb = "b"\nc = "c"'), "c", "a", "c")
    assert graph.roots == ("c", "a")
    assert [step.needs for step in graph.steps.values()] == [(), (), ("b",)]


def test_a_repeated_entry_runs_again_after_its_elder_siblings(pixi):
    catalog = pixi('[tasks]\nroot = { depends-on = ["status", "_restart", "status"] }\nstatus = "s"\n_restart = "r"')
    steps = compiled(catalog, "root").steps
    assert list(steps) == ["status", "_restart", "status#2", "root"]
    assert steps["status#2"].after == ("status", "_restart")
    assert steps["root"].needs == ("status", "_restart", "status#2")
    assert steps["status#2"].command == "s"


def test_an_entry_repeated_twice_is_three_steps(pixi):
    catalog = pixi('[tasks]\nroot = { depends-on = ["s", "s", "s"] }\ns = { cmd = "s", depends-on = ["x"] }\nx = "x"')
    steps = compiled(catalog, "root").steps
    assert list(steps) == ["x", "s", "s#2", "s#3", "root"]
    assert (steps["s#3"].after, steps["s#3"].needs) == (("s", "s#2"), ("x",))


def test_entries_that_differ_in_arguments_are_not_repeated_ones(pixi):
    catalog = pixi(
        '[tasks]\nroot = { depends-on = [{ task = "g", args = ["1"] }, { task = "g", args = ["2"] }, { task = "g", args = [{ n = "1" }] }] }\n'
        'g = { cmd = "echo {{ n }}", args = ["n"] }'
    )
    assert ids(catalog, "root") == ["g(n=1)", "g(n=2)", "g(n=1)#2", "root"]


def test_alone_leaves_dependencies_out_even_missing_ones(pixi):
    graph = compiled(pixi('[tasks]\na = { cmd = "a", depends-on = ["b", "nope"] }\nb = "b"'), "a", alone=True)
    assert [(step.id, step.needs) for step in graph.steps.values()] == [("a", ())]


def test_a_chain_longer_than_the_stack_compiles(pixi):
    count = 20_000
    chain = "\n".join(f't{i} = {{ cmd = "x", depends-on = ["t{i + 1}"] }}' for i in range(count))
    graph = compiled(pixi(f'[tasks]\n{chain}\nt{count} = "x"'), "t0")
    assert list(graph.steps) == [f"t{i}" for i in range(count, -1, -1)]


def test_a_cycle_runs_each_task_once_in_pixi_and_warns(pixi):
    graph = compiled(pixi('[tasks]\na = { cmd = "a", depends-on = ["b"] }\nb = { cmd = "b", depends-on = ["a"] }'), "a")
    assert [(step.id, step.needs) for step in graph.steps.values()] == [("b", ()), ("a", ("b",))]
    assert graph.warnings == ("tasks depend on each other: a -> b -> a; each runs once",)


def test_a_task_that_needs_itself_runs_once_in_pixi_and_warns(pixi):
    graph = compiled(pixi('[tasks]\na = { cmd = "a", depends-on = ["a"] }'), "a")
    assert ([*graph.steps], graph.steps["a"].needs) == (["a"], ())
    assert graph.warnings == ("tasks depend on each other: a -> a; each runs once",)


def test_an_entry_may_be_repeated_beside_one_that_closes_a_cycle(pixi):
    steps = compiled(pixi('[tasks]\na = { cmd = "a", depends-on = ["a", "b", "b"] }\nb = "b"'), "a").steps
    assert [(step.id, step.after) for step in steps.values()] == [("b", ()), ("b#2", ("b",)), ("a", ())]


@pytest.mark.parametrize(
    ("tasks", "cycle"),
    [
        pytest.param('a = { depends-on = ["b"] }\nb = { depends-on = ["a"] }', "a -> b -> a", id="two"),
        pytest.param('a = { depends-on = ["a"] }', "a -> a", id="itself"),
        pytest.param(
            'a = { depends-on = ["b"] }\nb = { depends-on = ["c"] }\nc = { depends-on = ["b"] }',
            "b -> c -> b",
            id="below",
        ),
    ],
)
def test_a_cycle_is_an_error_in_conda(conda, tasks, cycle):
    assert refusal(CyclicDependencyError, conda(f"[tasks]\n{tasks}"), "a") == (
        f"error: tasks depend on each other: {cycle}\nhint: remove one of these depends-on entries"
    )


BROKEN = '[tasks]\nfine = "f"\nall = { depends-on = ["fine", "docs"] }\ndocs = { cmd = "d", depends-on = ["biuld"] }'


def test_a_missing_dependency_matters_only_to_those_who_need_it(pixi):
    assert ids(pixi(BROKEN), "fine") == ["fine"]
    assert refusal(TaskNotFoundError, pixi(BROKEN), "all") == (
        "error: task 'biuld' is not defined (needed by all -> docs)\nhint: Available tasks: all, docs, fine"
    )


def test_compile_all_keeps_what_compiles_and_tells_what_does_not(pixi):
    graph = compile_all(pixi(BROKEN), HERE)
    assert (list(graph.steps), graph.roots, list(graph.broken)) == (["fine"], ("fine",), ["all", "docs"])
    assert str(graph.broken["docs"]).startswith("task 'biuld' is not defined (needed by docs)\n")


def test_compile_all_leaves_tasks_that_want_arguments_to_those_who_give_them(pixi):
    graph = compile_all(
        pixi('[tasks]\na = { cmd = "{{ x }}", args = ["x"] }\nb = [{ task = "a", args = ["1"] }]'), HERE
    )
    assert (list(graph.steps), graph.roots) == (["a(x=1)", "b"], ("b",))
    assert str(graph.broken["a"]) == "task 'a': needs a value for 'x'\nhint: usage: a X"


def test_compile_all_compiles_for_the_environment_asked_for(pixi):
    catalog = pixi('[tasks]\na = "a"\n[feature.f.tasks]\nb = "b"\n[environments]\ne = ["f"]\nempty = []')
    graph = compile_all(catalog, HERE, wish="empty")
    assert (list(graph.steps), list(graph.broken)) == (["a:empty"], ["b"])


SPREAD = """
[tasks]
fetch = "curl"

[feature.test.tasks]
build = { cmd = "make", depends-on = ["fetch"] }
test = { cmd = "pytest", depends-on = ["build"] }
check = { depends-on = [{ task = "test", environment = "py312" }] }

[environments]
py311 = ["test"]
py312 = ["test"]
"""


def test_a_pixi_dependency_is_looked_up_afresh(pixi):
    assert refusal(AmbiguousTaskError, pixi(SPREAD), "check") == (
        "error: task 'check' is ambiguous: environments py311, py312 define it\nhint: name one: check:py311, or -e py311"
    )
    text = '[tasks]\nfetch = "c"\n[feature.f.tasks]\nbuild = { cmd = "m", depends-on = ["fetch"] }\n[environments]\ne = ["f"]'
    assert [(step.id, step.environment) for step in compiled(pixi(text), "build").steps.values()] == [
        ("fetch", "default"),
        ("build", "e"),
    ]


def test_an_ambiguous_dependency_tells_who_needs_it(pixi):
    assert refusal(
        AmbiguousTaskError,
        pixi(
            SPREAD
            + '[feature.other.tasks]\nall = { depends-on = ["build"] }\n[environments.other]\nfeatures = ["other"]'
        ),
        "all",
    ) == (
        "error: task 'build' is ambiguous: environments py311, py312 define it (needed by all)\n"
        "hint: name one: build:py311, or -e py311"
    )


def test_a_wish_reaches_every_dependency(pixi):
    assert ids(pixi(SPREAD), Request("test", "py311")) == ["fetch:py311", "build:py311", "test:py311"]


def test_a_pixi_edge_environment_beats_the_wish_and_is_not_passed_on(pixi):
    assert ids(pixi(SPREAD), Request("check", "py311")) == ["fetch:py311", "build:py311", "test:py312", "check:py311"]


def test_a_conda_edge_environment_beats_the_wish_and_is_passed_on(conda):
    assert ids(conda(SPREAD), Request("check", "py311")) == ["fetch:py312", "build:py312", "test:py312", "check:py311"]


def test_a_dependency_that_the_environment_asked_for_does_not_show_is_an_error_in_pixi(pixi):
    text = '[feature.a.tasks]\na = { cmd = "a", depends-on = ["b"] }\n[feature.b.tasks]\nb = "b"\n[environments]\nea = ["a"]\neb = ["b"]'
    assert ids(pixi(text), "a") == ["b", "a"]
    assert refusal(TaskNotAvailableError, pixi(text), Request("a", "ea")) == (
        "error: task 'b' is not available in environment 'ea' (needed by a)\nhint: it is defined for: eb"
    )


TYPO = '[tasks]\na = { depends-on = [{ task = "b", environment = "tset" }] }\nb = "b"\n[environments]\ntest = []'


def test_an_edge_environment_that_does_not_exist_is_passed_over_in_pixi_with_a_warning(pixi):
    graph = compiled(pixi(TYPO), Request("a", "test"))
    assert list(graph.steps) == ["b:test", "a:test"]
    assert graph.warnings == ("task 'a': depends-on 'b': environment 'tset' is not defined",)


def test_an_edge_environment_that_does_not_exist_is_an_error_in_conda(conda):
    assert refusal(EnvironmentNotFoundError, conda(TYPO), "a") == (
        "error: environment 'tset' is not defined\nhint: did you mean 'test'? Defined environments: default, test"
    )


@pytest.mark.parametrize("name", ["conda.toml"])
def test_without_a_workspace_there_is_no_environment(catalog_of, name):
    steps = compiled(
        catalog_of('[tasks]\na = { cmd = "a", depends-on = ["b"] }\nb = "b"', name, workspace=""), "a"
    ).steps
    assert [(step.id, step.environment) for step in steps.values()] == [("b", None), ("a", None)]


def greeting(dependency, args='args = ["who"]'):
    return f'[tasks]\nroot = {{ args = [{{ arg = "name", default = "Eve" }}], depends-on = [{dependency}] }}\ngreet = {{ cmd = "echo", {args} }}'


WHO = 'args = ["who", { arg = "how", default = "hi" }]'


@pytest.mark.parametrize(
    ("dependency", "arguments", "step_id"),
    [
        pytest.param(
            '{ task = "greet", args = ["Bob"] }', {"who": "Bob", "how": "hi"}, "greet(who=Bob)", id="position"
        ),
        pytest.param(
            '{ task = "greet", args = [{ who = "Bob" }] }', {"who": "Bob", "how": "hi"}, "greet(who=Bob)", id="name"
        ),
        pytest.param(
            '{ task = "greet", args = ["Bob", { how = "yo" }] }',
            {"who": "Bob", "how": "yo"},
            "greet(who=Bob how=yo)",
            id="both",
        ),
        pytest.param(
            '{ task = "greet", args = ["{{ name }}!"] }', {"who": "Eve!", "how": "hi"}, "greet(who=Eve!)", id="template"
        ),
        pytest.param(
            '{ task = "greet", args = [{ who = "{{ name }}" }] }',
            {"who": "Eve", "how": "hi"},
            "greet(who=Eve)",
            id="named-template",
        ),
        pytest.param(
            '{ task = "greet", args = ["x", "hi"] }',
            {"who": "x", "how": "hi"},
            "greet(who=x)",
            id="value-of-the-default",
        ),
    ],
)
def test_a_dependency_gets_its_arguments(pixi, dependency, arguments, step_id):
    steps = compiled(pixi(greeting(dependency, WHO)), "root").steps
    assert list(steps) == [step_id, "root"]
    assert dict(steps[step_id].arguments) == arguments


def test_arguments_of_the_request_reach_the_dependencies_of_a_dependency(pixi):
    catalog = pixi(
        '[tasks]\na = { args = ["x"], depends-on = [{ task = "b", args = ["{{ x }}b"] }] }\n'
        'b = { args = ["y"], depends-on = [{ task = "c", args = ["{{ y }}c"] }] }\nc = { cmd = "echo {{ z }}", args = ["z"] }'
    )
    steps = compiled(catalog, Request("a", positional=("1",))).steps
    assert list(steps) == ["c(z=1bc)", "b(y=1b)", "a(x=1)"]
    assert steps["c(z=1bc)"].command == "echo 1bc"


def test_a_dependency_without_declared_arguments_gets_words(pixi):
    catalog = pixi(greeting('{ task = "greet", args = ["-k", "{{ name }}", { cov = "yes" }] }', 'env = { A = "1" }'))
    step = compiled(catalog, "root").steps["greet(-- -k Eve cov=yes)"]
    assert (step.words, step.arguments, step.command) == (("-k", "Eve", "cov=yes"), (), "echo")


@pytest.mark.parametrize(
    ("dependency", "fact"),
    [
        pytest.param('"greet"', "needs a value for 'who'", id="missing"),
        pytest.param('{ task = "greet", args = ["a", "b"] }', "takes 1 argument, found 2: a b", id="too-many"),
        pytest.param(
            '{ task = "greet", args = [{ hwo = "a" }] }',
            "has no argument 'hwo' (did you mean 'who'? arguments: who)",
            id="name",
        ),
    ],
)
def test_wrong_arguments_of_a_dependency_tell_who_needs_it(pixi, dependency, fact):
    assert refusal(TaskArgumentError, pixi(greeting(dependency)), "root") == (
        f"error: task 'greet': {fact} (needed by root)\nhint: usage: greet WHO"
    )


def test_wrong_arguments_below_tell_the_whole_chain(pixi):
    catalog = pixi(greeting('"greet"') + '\nall = { depends-on = ["root"] }')
    assert refusal(TaskArgumentError, catalog, "all") == (
        "error: task 'greet': needs a value for 'who' (needed by all -> root)\nhint: usage: greet WHO"
    )


def test_wrong_arguments_of_a_request_are_an_error(pixi):
    catalog = pixi('[tasks]\na = { cmd = "a", args = [{ arg = "x", choices = ["1", "2"] }] }')
    assert refusal(TaskArgumentError, catalog, Request("a", named=(("x", "3"),))) == (
        "error: task 'a': argument 'x' is '3', expected one of: 1, 2\nhint: usage: a 1|2"
    )


def test_a_chain_told_by_an_error_does_not_change_afterwards(pixi):
    graph = compile_all(pixi('[tasks]\na = { depends-on = ["b"] }\nb = { depends-on = ["nope"] }\nc = "c"'), HERE)
    assert [error.needed_by for error in graph.broken.values()] == [("a", "b"), ("b",)]


@pytest.mark.parametrize(
    ("request_", "step_id"),
    [
        pytest.param(Request("plain"), "plain", id="plain"),
        pytest.param(Request("plain", "py311"), "plain:py311", id="other-environment"),
        pytest.param(Request("plain", "default"), "plain", id="its-own-environment"),
        pytest.param(Request("test", "py311"), "test:py311", id="ambiguous"),
        pytest.param(Request("greet", None, ("Bob",)), "greet(who=Bob)", id="argument"),
        pytest.param(Request("greet", None, ("Bob",), (("how", "yo"),)), "greet(who=Bob how=yo)", id="two-arguments"),
        pytest.param(Request("greet", "py311", ("Bob",)), "greet:py311(who=Bob)", id="environment-and-argument"),
        pytest.param(Request("plain", words=("-k", "foo")), "plain(-- -k foo)", id="words"),
        pytest.param(Request("greet", None, ("Bob",), words=("-v",)), "greet(who=Bob -- -v)", id="argument-and-words"),
    ],
)
def test_a_step_is_called(pixi, request_, step_id):
    catalog = pixi(
        '[tasks]\nplain = "p"\ngreet = { cmd = "g", '
        + WHO
        + ' }\n[feature.f.tasks]\ntest = "t"\n[environments]\npy311 = ["f"]\npy312 = ["f"]'
    )
    assert ids(catalog, request_) == [step_id]


def test_steps_that_would_share_an_id_get_two(pixi):
    catalog = pixi(
        '[tasks]\na = { cmd = "a {{ x }} {{ y }}", args = [{ arg = "x", default = "" }, { arg = "y", default = "" }] }'
    )
    first, second = Request("a", named=(("x", "1 y=2"),)), Request("a", named=(("x", "1"), ("y", "2")))
    assert ids(catalog, first, second, first) == ["a(x=1 y=2)", "a(x=1 y=2)'"]


def test_a_step_holds_what_the_manifest_says(pixi):
    catalog = pixi(
        '[tasks]\na = { cmd = "a", cwd = "src", env = { B = "2", A = "1" }, inputs = ["i"], outputs = ["o"], clean-env = true, description = "d" }'
    )
    step = only(catalog, "a")
    assert (step.cwd, step.env, step.inputs, step.outputs) == ("src", (("B", "2"), ("A", "1")), ("i",), ("o",))
    assert (step.clean_env, step.description, step.env_expands, step.is_cacheable, step.is_alias) == (
        True,
        "d",
        True,
        True,
        False,
    )


def test_conda_does_not_expand_variables_in_env(conda):
    assert only(conda('[tasks]\na = { cmd = "a", env = { A = "$B" } }'), "a").env_expands is False


def test_an_alias_has_no_command_and_passes_its_arguments_on(pixi):
    catalog = pixi(greeting('{ task = "greet", args = ["{{ name }}"] }'))
    graph = compiled(catalog, Request("root", positional=("Ann",)))
    assert list(graph.steps) == ["greet(who=Ann)", "root(name=Ann)"]
    assert graph.steps["root(name=Ann)"].is_alias
    assert not graph.steps["root(name=Ann)"].is_cacheable


RENDERED = """
[tasks.a]
cmd = "{{ x }} {% raw %}{{ json }}{% endraw %}"
args = [{ arg = "x", default = "v w" }]
env = { A = "{{ x }}", B = "{{ pixi.environment.name }}" }
inputs = ["{{ x }}.in"]
outputs = ["out/{{ pixi.platform }}"]
cwd = "{{ x }}"
description = "{{ x }}"
"""


def test_templates_are_rendered_in_command_env_inputs_and_outputs_only(pixi):
    step = only(pixi(RENDERED), "a")
    assert step.command == "v w {{ json }}"
    assert (step.env, step.inputs, step.outputs) == ((("A", "v w"), ("B", "default")), ("v w.in",), ("out/linux-64",))
    assert (step.cwd, step.description) == ("{{ x }}", "{{ x }}")


def test_conda_quotes_arguments_in_the_command_only(conda):
    step = only(conda(RENDERED), "a")
    assert (step.command, step.env[0], step.inputs) == ("'v w' {{ json }}", ("A", "v w"), ("v w.in",))


def test_a_list_is_shell_text_in_pixi_and_words_in_conda(pixi, conda):
    text = (
        '[tasks]\na = { cmd = ["echo", "{{ x }}", "", "$HOME", "&&", "ls"], args = [{ arg = "x", default = "v w" }] }'
    )
    assert only(pixi(text), "a").command == 'echo "v w" "" $HOME && ls'
    assert only(conda(text), "a").command == ("echo", "v w", "", "$HOME", "&&", "ls")


@pytest.mark.parametrize("namespace", ["pixi", "conda"])
@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("platform", "linux-64"),
        ("environment.name", "e"),
        ("environment_name", "e"),
        ("prefix", "/w/.conda/envs/e"),
        ("manifest_path", "/w/pixi.toml"),
        ("version", "1.2"),
        ("init_cwd", "/w/src"),
        ("is_win", "False"),
        ("is_unix", "True"),
        ("is_linux", "True"),
        ("is_osx", "False"),
    ],
)
def test_templates_know_where_they_run(pixi, namespace, name, value):
    catalog = pixi(f'[tasks]\na = "{{{{ {namespace}.{name} }}}}"\n[environments]\ne = []')
    assert only(catalog, Request("a", "e")).command == value


def test_templates_are_told_the_platform_by_its_name_and_the_family_by_its_subdir(pixi):
    rich = '[workspace]\nchannels = []\nplatforms = [{ name = "gpu", platform = "win-64" }]\n'
    catalog = pixi('[tasks]\na = "{{ pixi.platform }} {{ pixi.is_win }}"', workspace=rich, host="win-64")
    assert only(catalog, "a").command == "gpu True"


def test_an_argument_cannot_hide_a_namespace(pixi):
    catalog = pixi('[tasks]\na = { cmd = "{{ pixi.platform }}", args = [{ arg = "pixi", default = "x" }] }')
    assert only(catalog, "a").command == "linux-64"


@pytest.mark.parametrize(
    ("task", "place", "text"),
    [
        pytest.param('{ cmd = "{{ y }}" }', "cmd", "{{ y }}", id="cmd"),
        pytest.param('{ cmd = ["x", "{{ y }}"] }', "cmd", "{{ y }}", id="cmd-list"),
        pytest.param('{ cmd = "x", env = { A = "{{ y }}" } }', "env.A", "{{ y }}", id="env"),
        pytest.param('{ cmd = "x", inputs = ["{{ y }}"] }', "inputs", "{{ y }}", id="inputs"),
        pytest.param('{ cmd = "x", outputs = ["{{ y }}"] }', "outputs", "{{ y }}", id="outputs"),
        pytest.param(
            '{ depends-on = [{ task = "b", args = ["{{ y }}"] }] }', "depends-on 'b'", "{{ y }}", id="depends-on"
        ),
    ],
)
def test_a_template_that_cannot_be_rendered_says_where_it_stands(pixi, task, place, text):
    assert refusal(TemplateError, pixi(f'[tasks]\na = {task}\nb = "b"'), "a") == (
        f"error: task 'a': {place}: cannot render '{text}': `y` is undefined\n"
        "hint: known names: conda, pixi; a literal '{{' is written {% raw %}{{{% endraw %}"
    )


def test_arguments_of_a_parent_are_unknown_to_its_dependency(pixi):
    catalog = pixi('[tasks]\na = { args = [{ arg = "x", default = "1" }], depends-on = ["b"] }\nb = "{{ x }}"')
    assert refusal(TemplateError, catalog, "a").startswith(
        "error: task 'b': cmd: cannot render '{{ x }}': `x` is undefined\n"
    )
