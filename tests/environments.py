"""A workspace with a channel of its own, for tests of locking and installing."""

from channels import Channel, Package, script

LEAF1 = Package(name="leaf", version="1.0", files={"bin/leaf": script("#!/bin/sh\necho leaf one\n")})
LEAF2 = Package(name="leaf", version="2.0", files={"bin/leaf": script("#!/bin/sh\necho leaf two\n")})
OTHER = Package(name="other", version="1.0", files={"share/other": "1"})
LIVELY = Package(
    name="lively",
    files={
        "etc/conda/activate.d/lively.sh": 'export LIVELY="$CONDA_DEFAULT_ENV-$GIVEN"\n',
        "etc/conda/env_vars.d/lively.json": '{"GIVEN": "by-package"}',
    },
)
MANIFEST = """
[workspace]
name = "w"
channels = ["CHANNEL"]
platforms = ["linux-64", "osx-arm64"]

[dependencies]
leaf = "<2"

[feature.new.dependencies]
leaf = ">=2"

[environments]
new = ["new"]

[tasks]
say = "leaf"
make = { cmd = "leaf > out", inputs = ["in"], outputs = ["out"] }

[feature.new.tasks]
check = { cmd = "leaf > checked", inputs = ["in"], outputs = ["checked"] }
"""


class Workspace:
    """A workspace with a channel of its own."""

    def __init__(self, space, channel: Channel) -> None:
        self.space = space
        self.channel = channel
        # What is configured for the user who runs the tests is none of ours.
        space.environ |= {"CWTASKS_CACHE": str(space.root.parent / "cache")}

    def write(self, text: str = MANIFEST, name: str = "conda.toml") -> None:
        self.space.write({name: text.replace("CHANNEL", self.channel.url), "in": "1"})

    def edit(self, old: str, new: str) -> None:
        text = self.space.read("conda.toml")
        assert old in text
        self.space.write({"conda.toml": text.replace(old, new)})

    def doit(self, *words: str, **options) -> str:
        """Run doit, expect success, and return its output without the progress, which goes to stderr."""
        done = self.space.run(*words, **options)
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout

    def silent(self, *words: str, **options) -> str:
        """The same, with nothing to lock or install."""
        return self.space.doit(*words, **options)
