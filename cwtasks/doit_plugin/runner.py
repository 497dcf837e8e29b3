"""Runs doit tasks: one after another in the foreground, or several side by side.

doit chooses what may run next, here it is started and its result taken back. Commands are processes of their own, so
threads are enough to wait for them.
"""

from __future__ import annotations

from collections import deque
from typing import TYPE_CHECKING, Any

from doit.runner import Runner

if TYPE_CHECKING:
    from concurrent.futures import Future

    from doit.control import ExecNode, TaskDispatcher
    from doit.exceptions import BaseFail


class StepRunner(Runner):
    """doit's serial runner, and a parallel one over the same three steps: select, execute, record."""

    def __init__(self, *args: Any, workers: int = 1, **kwargs: Any) -> None:
        """Take doit's arguments.

        Args:
            *args: As for doit's ``Runner``.
            workers: How many commands may run at a time.
            **kwargs: As for doit's ``Runner``.
        """
        super().__init__(*args, **kwargs)
        self.workers = workers
        self.exit_statuses: list[int] = []

    def _handle_task_error(self, node: ExecNode, base_fail: BaseFail) -> None:
        if (status := getattr(base_fail, "exit_status", None)) is not None:
            self.exit_statuses.append(status)
        super()._handle_task_error(node, base_fail)

    def select_task(self, node: ExecNode, tasks_dict: Any) -> bool:
        """Decide whether a task runs. Only what it depends on can hold it back, not what it merely comes after."""
        needs = node.task.step.needs
        node.bad_deps = [other for other in node.bad_deps if other.task.name in needs]
        node.ignored_deps = [other for other in node.ignored_deps if other.task.name in needs]
        has_to_run = bool(super().select_task(node, tasks_dict))
        if has_to_run:
            self.dep_manager.about_to_run(node.task)
        return has_to_run

    def run_tasks(self, task_dispatcher: TaskDispatcher) -> None:
        """Run everything the dispatcher hands out."""
        if self.workers <= 1:
            super().run_tasks(task_dispatcher)
        else:
            self._run_side_by_side(task_dispatcher)

    def _run_side_by_side(self, dispatcher: TaskDispatcher) -> None:
        from concurrent.futures import FIRST_COMPLETED, ThreadPoolExecutor, wait

        running: dict[Future[Any], ExecNode] = {}
        queue = _Queue(dispatcher)
        with ThreadPoolExecutor(self.workers) as pool:
            try:
                while True:
                    while len(running) < self.workers and not self._stop_running and (node := queue.next()):
                        if self.select_task(node, dispatcher.tasks):
                            self.reporter.execute_task(node.task)
                            running[pool.submit(node.task.execute, self.stream)] = node
                        else:
                            queue.report(node)
                    if not running:
                        return
                    for future in wait(running, return_when=FIRST_COMPLETED).done:
                        node = running.pop(future)
                        self.process_task_result(node, future.result())
                        queue.report(node)
            except KeyboardInterrupt:
                pool.shutdown(cancel_futures=True)
                self._record_finished(running)
                raise

    def _record_finished(self, running: dict[Future[Any], ExecNode]) -> None:
        """Keep what ended well while the run was being stopped."""
        for future, node in running.items():
            if not future.cancelled() and future.exception() is None and future.result() is None:
                self.process_task_result(node, None)


class _Queue:
    """The dispatcher's side of a parallel run: which nodes may be looked at now.

    The dispatcher is a generator that answers each message with one node, or with ``"hold on"`` while all others wait
    for a result.
    """

    def __init__(self, dispatcher: TaskDispatcher) -> None:
        self._generator = dispatcher.generator
        self._ready: deque[ExecNode] = deque()
        self._may_ask = True
        self._exhausted = False

    def next(self) -> ExecNode | None:
        """Return a node that waits for nothing, or ``None`` until a result is reported."""
        if not self._ready and self._may_ask:
            self._send(None)
        return self._ready.popleft() if self._ready else None

    def report(self, node: ExecNode) -> None:
        """Tell that a node is done, which may free others."""
        self._send(node)

    def _send(self, node: ExecNode | None) -> None:
        if self._exhausted:
            return
        try:
            answer = self._generator.send(node)
        except StopIteration:
            self._exhausted = True
            self._may_ask = False
            return
        self._may_ask = answer != "hold on"
        if self._may_ask:
            self._ready.append(answer)
