"""A task that needs itself with ever new arguments."""

import pytest

from cwtasks.exceptions import CyclicDependencyError
from cwtasks.graph.compiler import Request, Surroundings, compile_steps


def test_a_task_that_needs_itself_with_other_arguments_each_time_is_a_cycle(pixi):
    catalog = pixi('[tasks.a]\ncmd = "x"\nargs = ["x"]\ndepends-on = [{ task = "a", args = ["{{ x }}1"] }]')
    with pytest.raises(CyclicDependencyError, match="a -> a"):
        compile_steps(catalog, [Request("a", positional=("1",))], Surroundings())
