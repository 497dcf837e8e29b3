"""``cwt schema`` prints the schema for editors."""

import json


def test_the_schema_is_json_and_needs_no_manifest(space):
    schema = json.loads(space.doit("schema", program="cwt"))
    assert schema["title"] == "conda.toml"
    assert "workspace" in schema["properties"]
