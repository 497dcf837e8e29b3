"""Tasks -> steps: what runs, with which arguments, in which environment, in which order. Pure and iterative.

A node is (task, environment, arguments); the same node reached twice runs once. Dependencies are found when a graph
that needs them is compiled, so a task its author broke stops only those who ask for it. Knows no file, no process,
no doit.
"""

from __future__ import annotations

import shlex
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any, NamedTuple

from cwtasks import templates
from cwtasks.exceptions import CwtasksError, CyclicDependencyError
from cwtasks.graph.arguments import bind
from cwtasks.graph.quoting import list_text
from cwtasks.graph.step import Step, StepKind
from cwtasks.graph.workspace_steps import NO_WORKSPACE_STEPS, WorkspaceSteps

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    from cwtasks.environments import Catalog, Choice, EnvironmentTasks
    from cwtasks.models import Task, TaskDependency


MAX_CALLS_OF_ITSELF = 100
"""How often a task may need itself, through others or not, with other arguments each time."""


class Request(NamedTuple):
    """One task asked for by name."""

    task: str
    environment: str | None = None
    """Environment asked for; ``None`` leaves it to the rules of the dialect."""
    positional: tuple[str, ...] = ()
    named: tuple[tuple[str, str], ...] = ()
    words: tuple[str, ...] = ()
    """Appended to the command."""
    kind: StepKind = "task"
    """For another kind, ``task`` is its short name and ``environment`` the one it is for, ``None`` for all."""


class Surroundings(NamedTuple):
    """What templates may know beside the arguments."""

    manifest_path: str = ""
    version: str = ""
    """Of this program, as ``pixi.version``."""
    init_cwd: str = ""
    """Folder the user called from."""
    root: str = ""
    envs_dir: str = ".conda/envs"


@dataclass(frozen=True, slots=True)
class Graph:
    """Steps in an order that runs every step after what it needs, siblings as written."""

    steps: dict[str, Step] = field(default_factory=dict)
    """Id to step."""
    roots: tuple[str, ...] = ()
    """Ids of the steps asked for, in that order, each once."""
    warnings: tuple[str, ...] = ()
    broken: dict[str, CwtasksError] = field(default_factory=dict)
    """Task name to what is wrong with it; filled only by :func:`compile_all`."""


class _Node(NamedTuple):
    """Identity of a step before it is rendered."""

    task: str
    environment: str
    arguments: tuple[tuple[str, str], ...]
    words: tuple[str, ...]
    occurrence: int = 1
    """Which repetition inside one ``depends-on`` list: repeated entries run again."""


class _Visit(NamedTuple):
    """A node whose dependencies are being visited."""

    node: _Node
    task: Task
    names: Mapping[str, Any]
    edges: list[_Edge]
    left: Iterator[_Edge]
    after: tuple[_Node, ...]


class _Edge(NamedTuple):
    node: _Node
    task: Task
    wish: str | None
    """Environment asked for that this dependency's own dependencies inherit."""
    after: tuple[_Node, ...] = ()
    """Siblings written before a repeated entry."""


def compile_steps(
    catalog: Catalog,
    requests: Iterable[Request],
    surroundings: Surroundings,
    *,
    alone: bool = False,
    workspace_steps: WorkspaceSteps = NO_WORKSPACE_STEPS,
) -> Graph:
    """Compile the tasks asked for and all they need.

    Args:
        catalog: Every task of the workspace.
        requests: What is asked for; equal requests are one.
        surroundings: What templates may know.
        alone: Leave dependencies out.
        workspace_steps: What the workspace has beside its tasks.

    Raises:
        TaskNotFoundError, TaskNotAvailableError, AmbiguousTaskError: a task that is asked for or needed.
        EnvironmentNotFoundError: an environment that does not exist.
        TaskArgumentError: arguments do not fit.
        TemplateError: a template cannot be rendered.
        CyclicDependencyError: tasks need each other, where the dialect forbids it.
    """
    compiler = _Compiler(catalog, surroundings, workspace_steps, alone=alone)
    roots = [compiler.add(request) for request in requests]
    return Graph(compiler.steps, tuple(dict.fromkeys(roots)), tuple(dict.fromkeys(compiler.warnings)))


def compile_all(
    catalog: Catalog,
    surroundings: Surroundings,
    *,
    wish: str | None = None,
    workspace_steps: WorkspaceSteps = NO_WORKSPACE_STEPS,
) -> Graph:
    """Compile every task that can be run without arguments, in each environment it would be run in by default.

    Tasks that cannot be compiled are left out and stand in :attr:`Graph.broken`.
    """
    compiler = _Compiler(catalog, surroundings, workspace_steps, alone=False)
    roots: list[str] = []
    broken: dict[str, CwtasksError] = {}
    for name in catalog.names():
        before = len(compiler.steps)
        try:
            roots.append(compiler.add(Request(name, wish)))
        except CwtasksError as error:
            broken[name] = error
            for step_id in list(compiler.steps)[before:]:
                del compiler.steps[step_id]
    return Graph(compiler.steps, tuple(dict.fromkeys(roots)), tuple(dict.fromkeys(compiler.warnings)), broken)


class _Compiler:
    """Depth-first, post-order, without recursion: a chain may be longer than Python's stack."""

    def __init__(
        self, catalog: Catalog, surroundings: Surroundings, workspace_steps: WorkspaceSteps, *, alone: bool
    ) -> None:
        self.catalog = catalog
        self.workspace_steps = workspace_steps
        self.dialect = catalog.dialect
        self.surroundings = surroundings
        self.alone = alone
        self.steps: dict[str, Step] = {}
        self.warnings: list[str] = []
        self._ids: dict[_Node, str] = {}
        self._nodes: dict[str, _Node] = {}
        self._names: dict[str, Mapping[str, Any]] = {}

    def add(self, request: Request) -> str:
        """Compile one request and return the id of its step."""
        if request.kind != "task":
            return self._add_workspace_step(request)
        choice = self.catalog.choose(request.task, request.environment)
        arguments = bind(choice.task, request.positional, dict(request.named))
        node = _Node(request.task, choice.environment.name, arguments, request.words)
        own_wish = choice.task.default_environment if self.dialect.passes_environment_on else None
        self._visit(_Edge(node, choice.task, request.environment or own_wish))
        return self._ids[node]

    def _add_workspace_step(self, request: Request) -> str:
        """Put a step of the workspace into the graph, with what it needs; asked for by name it is not implied."""
        *needed, step = self.workspace_steps.steps(request.kind, request.environment, dict(request.named))
        if not self.alone:
            self._put(one for one in needed if one.kind != request.kind)
            self.steps.update((one.id, one) for one in needed if one.kind == request.kind)
        self.steps[step.id] = step
        return step.id

    def _put(self, steps: Iterable[Step]) -> None:
        for step in steps:
            self.steps.setdefault(step.id, step if step.is_alias else replace(step, is_implied=True))

    def _installed(self, environment: str) -> tuple[str, ...]:
        """Put the steps that install an environment into the graph, and return the id of the last, if there is one."""
        if self.alone or environment not in self.workspace_steps.installed:
            return ()
        steps = self.workspace_steps.steps("install", environment)
        self._put(steps)
        return (steps[-1].id,)

    def _visit(self, root: _Edge) -> None:
        if self._is_done(root.node):
            return
        path: list[str] = []
        open_nodes: dict[_Node, _Visit] = {root.node: self._open(root, path)}
        while open_nodes:
            visit = next(reversed(open_nodes.values()))
            edge = next(visit.left, None)
            if edge is None:
                self._close(visit)
                open_nodes.popitem()
                path.pop()
            elif edge.node in open_nodes:
                self._found_cycle([*open_nodes], edge.node)
                visit.edges.remove(edge)
            elif not self._is_done(edge.node):
                if edge.node.arguments and path.count(edge.node.task) >= MAX_CALLS_OF_ITSELF:
                    # Each call may pass other arguments, so this need never end.
                    raise CyclicDependencyError([edge.node.task])
                open_nodes[edge.node] = self._open(edge, path)

    def _is_done(self, node: _Node) -> bool:
        return self._ids.get(node) in self.steps

    def _open(self, edge: _Edge, path: list[str]) -> _Visit:
        """Put a node on the path, which errors tell, and find what it needs."""
        path.append(edge.node.task)
        names = self._template_names(edge.node)
        edges = [] if self.alone else self._edges(edge, names, path)
        return _Visit(edge.node, edge.task, names, edges, iter(list(edges)), edge.after)

    def _edges(self, parent: _Edge, names: Mapping[str, Any], needed_by: Sequence[str]) -> list[_Edge]:
        """Return what a node needs, as written; an entry repeated in the list is a node of its own that runs again."""
        edges: list[_Edge] = []
        counts: dict[_Node, int] = {}
        for dependency in parent.task.depends_on:
            edge = self._edge(parent, dependency, names, needed_by)
            counts[edge.node] = count = counts.get(edge.node, 0) + 1
            if count > 1:
                node = edge.node._replace(occurrence=count)
                edge = edge._replace(node=node, after=tuple(earlier.node for earlier in edges))
            edges.append(edge)
        return edges

    def _edge(
        self, parent: _Edge, dependency: TaskDependency, names: Mapping[str, Any], needed_by: Sequence[str]
    ) -> _Edge:
        choice = self._choose(parent, dependency, needed_by)
        positional, named = _render_arguments(
            dependency, names, f"task '{parent.node.task}': depends-on '{dependency.task}'"
        )
        words: tuple[str, ...] = ()
        if not choice.task.args:
            # A task without declared arguments takes anything, as words at the end of its command.
            words = (*positional, *(f"{key}={value}" for key, value in named.items()))
            positional, named = [], {}
        arguments = bind(choice.task, positional, named, needed_by=needed_by)
        wish = (dependency.environment if self.dialect.passes_environment_on else None) or parent.wish
        return _Edge(_Node(dependency.task, choice.environment.name, arguments, words), choice.task, wish)

    def _choose(self, parent: _Edge, dependency: TaskDependency, needed_by: Sequence[str]) -> Choice:
        named = dependency.environment
        if named is not None and named not in self.catalog.environments and not self.dialect.passes_environment_on:
            # Pixi ignores an environment that does not exist; what runs there must run here.
            self.warnings.append(
                f"task '{parent.node.task}': depends-on '{dependency.task}': environment '{named}' is not defined"
            )
            named = None
        return self.catalog.choose(dependency.task, parent.wish, edge=named, needed_by=needed_by)

    def _found_cycle(self, path: Sequence[_Node], again: _Node) -> None:
        cycle = [node.task for node in path[path.index(again) :]]
        error = CyclicDependencyError([*cycle, again.task])
        if not self.dialect.runs_cycles_once:
            raise error
        self.warnings.append(f"{error.error_message}; each runs once")

    def _close(self, visit: _Visit) -> None:
        """Render the step of a node all of whose dependencies stand in the graph."""
        node, task = visit.node, visit.task
        step_id = self._name(node, task)
        place = f"task '{task.name}'"
        installed = () if task.cmd is None else self._installed(node.environment)
        self.steps[step_id] = Step(
            id=step_id,
            task=task.name,
            environment=node.environment if self.catalog.manifest.has_workspace else None,
            arguments=node.arguments,
            words=node.words,
            command=self._command(task, visit.names, f"{place}: cmd"),
            cwd=task.cwd,
            env=tuple(
                (key, templates.render(value, visit.names, place=f"{place}: env.{key}"))
                for key, value in task.env.items()
            ),
            env_expands=self.dialect.env_expands,
            clean_env=task.clean_env,
            inputs=_render_all(task.inputs, visit.names, f"{place}: inputs"),
            outputs=_render_all(task.outputs, visit.names, f"{place}: outputs"),
            needs=(*installed, *dict.fromkeys(self._ids[edge.node] for edge in visit.edges)),
            # An elder sibling that closes a cycle is still open, so it comes later.
            after=tuple(dict.fromkeys(self._ids[other] for other in visit.after if self._is_done(other))),
            description=task.description or "",
        )

    def _command(self, task: Task, names: Mapping[str, Any], place: str) -> str | tuple[str, ...] | None:
        if task.cmd is None:
            return None
        if isinstance(task.cmd, str):
            return templates.render(task.cmd, self._quoted(names) if task.args else names, place=place)
        words = _render_all(task.cmd, names, place)
        return list_text(words) if self.dialect.list_is_shell_text else words

    def _quoted(self, names: Mapping[str, Any]) -> Mapping[str, Any]:
        if not self.dialect.quotes_arguments:
            return names
        return {name: shlex.quote(value) if isinstance(value, str) else value for name, value in names.items()}

    def _template_names(self, node: _Node) -> Mapping[str, Any]:
        if node.environment not in self._names:
            environment = self.catalog.environments[node.environment]
            self._names[node.environment] = self._environment_names(environment)
        shared = self._names[node.environment]
        return {**dict(node.arguments), **shared} if node.arguments else shared

    def _environment_names(self, environment: EnvironmentTasks) -> Mapping[str, Any]:
        family = self.catalog.manifest.workspace.platform_subdir(environment.platform).partition("-")[0]
        here = self.surroundings
        names = {
            "platform": environment.platform,
            "environment": {"name": environment.name},
            "environment_name": environment.name,
            "prefix": f"{here.root}/{here.envs_dir}/{environment.name}",
            "manifest_path": here.manifest_path,
            "version": here.version,
            "init_cwd": here.init_cwd,
            "is_win": family == "win",
            "is_unix": family != "win",
            "is_linux": family == "linux",
            "is_osx": family == "osx",
        }
        return {"pixi": names, "conda": names}

    def _name(self, node: _Node, task: Task) -> str:
        """Return the id of a node: short where it can be, unique always."""
        step_id = self._readable_name(node, task)
        while self._nodes.setdefault(step_id, node) != node:
            step_id += "'"
        self._ids[node] = step_id
        return step_id

    def _readable_name(self, node: _Node, task: Task) -> str:
        name = node.task
        if node.environment != self.catalog.usual(node.task):
            name += f":{node.environment}"
        defaults = {arg.name: arg.default for arg in task.args}
        inside = [f"{key}={value}" for key, value in node.arguments if value != defaults[key]]
        if node.words:
            inside += ["--", *node.words]
        if inside:
            name += f"({' '.join(inside)})"
        return name if node.occurrence == 1 else f"{name}#{node.occurrence}"


def _render_all(texts: Sequence[str], names: Mapping[str, Any], place: str) -> tuple[str, ...]:
    return tuple([templates.render(text, names, place=place) for text in texts])


def _render_arguments(
    dependency: TaskDependency, names: Mapping[str, Any], place: str
) -> tuple[list[str], dict[str, str]]:
    """Return the arguments of a ``depends-on`` entry, by position and by name, rendered with the parent's."""
    positional: list[str] = []
    named: dict[str, str] = {}
    for arg in dependency.args:
        if isinstance(arg, str):
            positional.append(templates.render(arg, names, place=place))
        else:
            named.update((key, templates.render(value, names, place=place)) for key, value in arg.items())
    return positional, named
