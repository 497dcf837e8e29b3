import pytest

from cwtasks.exceptions import TemplateError
from cwtasks.templates import has_template, render

NAMES = {"who": "Bob", "empty": "", "pixi": {"platform": "linux-64", "is_win": False, "environment": {"name": "test"}}}


def rendered(text, /, **names):
    return render(text, {**NAMES, **names}, place="task 'x': cmd")


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        pytest.param("plain", "plain", id="plain"),
        pytest.param("", "", id="empty"),
        pytest.param("line\n", "line\n", id="line-end-without-template"),
        pytest.param("{ who }", "{ who }", id="single-braces"),
        pytest.param("a }} b %} #}", "a }} b %} #}", id="closing-only"),
        pytest.param("hi {{ who }}", "hi Bob", id="name"),
        pytest.param("{{who|upper}}", "BOB", id="filter"),
        pytest.param("{{ pixi.environment.name }}", "test", id="namespace"),
        pytest.param("{% if pixi.is_win %}win{% else %}unix{% endif %}", "unix", id="condition"),
        pytest.param("{% if empty %}a{% else %}b{% endif %}", "b", id="empty-text-is-false"),
        pytest.param("{# note #}x", "x", id="comment"),
        pytest.param("{% raw %}{{ json }}{% endraw %}", "{{ json }}", id="raw"),
        pytest.param("{{ '{{' }}", "{{", id="quoted-braces"),
        pytest.param("{{ nope | default('d') }}", "d", id="default"),
        pytest.param("{{ nope is defined }}", "False", id="is-defined"),
        pytest.param("<{{ who }}&{{ '<' }}", "<Bob&<", id="no-escaping"),
        pytest.param("{{ who }}\n", "Bob", id="one-line-end-dropped"),
        pytest.param("{{ who }}\n\n", "Bob\n", id="only-one-line-end-dropped"),
        pytest.param("{% for i in range(2) %}{{ i }},{% endfor %}", "0,1,", id="loop"),
        pytest.param("{{ 'a b' | split | last }}", "b", id="minijinja-filter"),
    ],
)
def test_text_renders_to(text, expected):
    assert rendered(text) == expected


def test_a_value_is_not_rendered_again():
    assert rendered("{{ who }}", who="{{ pixi.platform }}") == "{{ pixi.platform }}"


@pytest.mark.parametrize("name", ["name", "source", "text", "place", "names", "template"])
def test_an_argument_may_have_any_name(name):
    assert rendered(f"{{{{ {name} }}}}", **{name: "value"}) == "value"


@pytest.mark.parametrize(
    ("text", "expected"), [("a", False), ("a }}", False), ("{{", True), ("{%", True), ("{#", True), ("{ {", False)]
)
def test_text_that_may_be_a_template_is_known(text, expected):
    assert has_template(text) is expected


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        pytest.param("{{ nope }}", "`nope` is undefined", id="unknown-name"),
        pytest.param("{% if nope %}x{% endif %}", "`nope` is undefined", id="unknown-name-in-condition"),
        pytest.param("{{ pixi.nope }}", "`pixi.nope` is undefined", id="unknown-attribute"),
        pytest.param("{{ who", "unexpected end of input, expected end of variable block", id="unclosed"),
        pytest.param("{{ who | nope }}", "filter nope is unknown", id="unknown-filter"),
        pytest.param(
            "{{ 1 + who }}", "tried to use + operator on unsupported types number and string", id="wrong-types"
        ),
        pytest.param("{{ who() }}", "value of type string is not callable", id="calling-text"),
        pytest.param("{{ pixi() }}", "'dict' object is not callable", id="calling-a-namespace"),
        pytest.param("{% include 'x' %}", "tried to include non-existing template 'x'", id="include"),
    ],
)
def test_a_template_that_cannot_be_rendered_says_why(text, reason):
    with pytest.raises(TemplateError) as error:
        rendered(text)
    assert error.value.render() == (
        f"error: task 'x': cmd: cannot render {text!r}: {reason}\n"
        "hint: known names: empty, pixi, who; a literal '{{' is written {% raw %}{{{% endraw %}"
    )


def test_an_argument_called_self_is_an_error_and_no_crash():
    with pytest.raises(TemplateError, match=r"^task 'x': cmd: cannot render"):
        rendered("{{ self }}", self="x")
