"""Every error a caller may want to catch, each with its own sentence and its own hint.

A class takes fields, never a finished sentence, so no raise site can forget the hint. Knows nothing of the program:
this is the lowest floor. Printing is the front doors' business; :meth:`CwtasksError.render` is what they print.
"""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from pathlib import Path


def shown_path(path: str | Path) -> str:
    """Return a path as people are told it: relative when it is below the current directory, otherwise as it is."""
    text = str(path)
    try:
        here = os.path.join(os.getcwd(), "")
    except OSError:
        # The current directory may have been removed; that is no reason to fail while telling of another error.
        return text
    return text.removeprefix(here)


def nearest(word: str, known: Iterable[str]) -> str | None:
    """Return the known word most like ``word``, or ``None`` when none is close."""
    import difflib  # only an error needs it, and every start would pay for it

    matches = difflib.get_close_matches(word, list(known), n=1, cutoff=0.6)
    return matches[0] if matches else None


def suggestion(word: str, known: Iterable[str], *, label: str) -> str:
    """Say which known word was probably meant, and which ones there are.

    Args:
        word: What was found.
        known: What would have been accepted.
        label: Plural noun for ``known``, for example ``"Defined features"``.
    """
    names = sorted(known)
    shown = names if len(names) <= MAX_SUGGESTIONS else [*names[:MAX_SUGGESTIONS], f"… {len(names)} in all"]
    listed = f"{label}: {', '.join(shown)}" if names else f"{label}: none"
    likely = nearest(word, names)
    return f"did you mean '{likely}'? {listed}" if likely else listed


#: How many known words an error lists; a hint longer than the screen helps nobody.
MAX_SUGGESTIONS = 20


class Mistake(NamedTuple):
    """One thing wrong in a document: where, what, and what to do about it."""

    place: str
    """Dotted key inside the document, for example ``environments.test.features[1]``; empty for the whole file."""
    fact: str
    """What was found and what was expected."""
    hint: str = ""
    """One imperative sentence, or empty."""


class CwtasksError(Exception):
    """Root of all errors of this package.

    Attributes:
        error_message: The fact, in one or more lines.
        hints: What to do about it, one sentence each.
    """

    #: What a front door exits with when this error ends the run: nothing was executed.
    exit_code = 3

    def __init__(self, message: str, *, hints: Iterable[str] | None = None) -> None:
        self.error_message = message
        self.hints = [hint for hint in (hints or ()) if hint]
        super().__init__(message)

    def __str__(self) -> str:
        return "\n".join([self.error_message, *(f"hint: {hint}" for hint in self.hints)])

    def render(self) -> str:
        """Return what a user is shown: ``error:`` and ``hint:`` lines, without a final newline."""
        return f"error: {self}"


class WorkspaceNotFoundError(CwtasksError):
    """No manifest with a workspace in a directory or any of its parents."""

    def __init__(self, search_dir: str | Path) -> None:
        self.search_dir = search_dir
        super().__init__(
            f"{search_dir}: no workspace manifest here or in a parent directory",
            hints=["create a conda.toml or pixi.toml with a [workspace] table, or change into the workspace"],
        )


class NoTaskFileError(CwtasksError):
    """No file with tasks in a directory or any of its parents."""

    def __init__(self, search_dir: str | Path) -> None:
        self.search_dir = search_dir
        super().__init__(
            f"{search_dir}: no file with tasks here or in a parent directory",
            hints=["add a [tasks] table to conda.toml, pixi.toml or (under [tool.conda]) pyproject.toml"],
        )


class ManifestError(CwtasksError):
    """A manifest that cannot be used; carries every mistake found in it.

    Attributes:
        path: The manifest.
        reason: All mistakes as text, one per line.
        mistakes: The same as records.
    """

    def __init__(self, path: str | Path, reason: str | Sequence[Mistake]) -> None:
        self.path = path
        self.mistakes = (Mistake("", reason),) if isinstance(reason, str) else tuple(reason)
        self.reason = "\n".join(f"{m.place}: {m.fact}" if m.place else m.fact for m in self.mistakes)
        super().__init__("\n".join(self._lines()))

    def _lines(self) -> list[str]:
        lines = []
        for mistake in self.mistakes:
            lines.append(": ".join(part for part in (shown_path(self.path), mistake.place, mistake.fact) if part))
            if mistake.hint:
                lines.append(f"hint: {mistake.hint}")
        return lines

    def render(self) -> str:
        """Return every mistake as an ``error:`` line followed by its ``hint:`` line."""
        return "\n".join(line if line.startswith("hint: ") else f"error: {line}" for line in self._lines())


class WorkspaceParseError(ManifestError):
    """The workspace part of a manifest is wrong, or the file is no TOML."""


class TaskParseError(ManifestError):
    """The tasks of a manifest are wrong."""


class ManifestExistsError(CwtasksError):
    """A manifest would have been overwritten."""

    def __init__(self, path: str | Path) -> None:
        self.path = path
        super().__init__(f"{shown_path(path)}: already exists", hints=["remove it first, or choose another place"])


class ManifestChangedError(CwtasksError):
    """A manifest that is no longer what was read, so that what was made of it must not be written."""

    def __init__(self, path: str | Path) -> None:
        self.path = path
        super().__init__(
            f"{shown_path(path)}: changed on disk since it was read; nothing was written", hints=["run it again"]
        )


class ManifestNotWritableError(CwtasksError):
    """A manifest that cannot be written; it is as it was.

    Attributes:
        path: The manifest.
        reason: What the system says.
    """

    def __init__(self, path: str | Path, reason: str) -> None:
        self.path = path
        self.reason = reason
        super().__init__(
            f"{shown_path(path)}: cannot be written: {reason}", hints=["check its permissions and those of its folder"]
        )


class ManifestNotEditableError(CwtasksError):
    """A manifest in a form that cannot be changed without changing something else.

    Attributes:
        path: The manifest.
        place: Dotted key of what was to be changed.
    """

    def __init__(self, path: str | Path, place: str) -> None:
        self.path = path
        self.place = place
        super().__init__(
            f"{shown_path(path)}: {place}: cannot be changed without changing something else; nothing was written",
            hints=["change it in an editor"],
        )


class EntryExistsError(CwtasksError):
    """Something to be added to a manifest that is there, and says something else.

    Attributes:
        path: The manifest.
        place: Dotted key of what is there.
    """

    def __init__(self, path: str | Path, place: str, *, hint: str) -> None:
        self.path = path
        self.place = place
        super().__init__(f"{shown_path(path)}: {place}: is there already, and says something else", hints=[hint])


class DependencyNotFoundError(CwtasksError):
    """A dependency to be removed that a table of a manifest does not have.

    Attributes:
        path: The manifest.
        name: Of the package.
        place: Dotted key of the table.
        elsewhere: Dotted keys of the tables that have it.
    """

    def __init__(
        self, path: str | Path, name: str, place: str, *, known: Iterable[str] = (), elsewhere: Iterable[str] = ()
    ) -> None:
        self.path = path
        self.name = name
        self.place = place
        self.elsewhere = sorted(elsewhere)
        where = f"it is in {', '.join(self.elsewhere)}" if self.elsewhere else ""
        super().__init__(
            f"{shown_path(path)}: {place}: '{name}' is not there",
            hints=[where or suggestion(name, known, label="There are")],
        )


class ManifestImportError(ManifestError):
    """A file that no manifest can be made of, such as an ``environment.yml`` with mistakes."""

    def __init__(self, path: str | Path, reason: str | Sequence[Mistake], *, hints: Iterable[str] = ()) -> None:
        given = [Mistake("", reason)] if isinstance(reason, str) else list(reason)
        super().__init__(path, [*given[:-1], given[-1]._replace(hint=given[-1].hint or "; ".join(hints))])


class OutputExistsError(CwtasksError):
    """A file would have been overwritten that nobody said may be."""

    def __init__(self, path: str | Path) -> None:
        self.path = path
        super().__init__(f"{shown_path(path)}: already exists", hints=["--force overwrites it"])


class UnknownFormatError(CwtasksError, ValueError):
    """The name of a format that does not exist."""

    def __init__(self, name: str, available: Iterable[str]) -> None:
        self.name = name
        self.available = sorted(available)
        super().__init__(
            f"format '{name}' does not exist", hints=[suggestion(name, self.available, label="Known formats")]
        )


class LossyConversionError(CwtasksError):
    """A file that cannot say all that the other says, where nobody said that this does not matter.

    Attributes:
        target: What cannot say it.
        losses: What would be lost, one line each.
    """

    def __init__(self, target: str, losses: Iterable[str]) -> None:
        self.target = target
        self.losses = tuple(dict.fromkeys(losses))
        listed = "\n".join(f"  {loss}" for loss in self.losses)
        super().__init__(f"{target} cannot say all of it; lost would be\n{listed}", hints=["--allow-loss goes on"])


class EnvironmentNotFoundError(CwtasksError):
    """An environment name that the workspace does not declare."""

    def __init__(self, name: str, available: Iterable[str]) -> None:
        self.name = name
        self.available = sorted(available)
        super().__init__(
            f"environment '{name}' is not defined",
            hints=[suggestion(name, self.available, label="Defined environments")],
        )


class EnvironmentNameInvalidError(CwtasksError):
    """An environment name that cannot be a directory on every supported system."""

    def __init__(self, name: str, reason: str = "") -> None:
        self.name = name
        self.reason = reason
        super().__init__(
            f"environment name '{name}' is not valid" + (f": {reason}" if reason else ""),
            hints=["use letters, digits and '-', and no name twice in another case"],
        )


class EnvironmentNotInstalledError(CwtasksError):
    """An environment that is needed and has not been installed."""

    def __init__(self, name: str) -> None:
        self.name = name
        super().__init__(f"environment '{name}' is not installed", hints=[f"run 'doit install:{name}'"])


class ActivationError(CwtasksError):
    """An environment whose scripts or files of variables do not work.

    Attributes:
        environment: Its name.
        reason: What failed; the last lines a script wrote follow, one per line.
    """

    def __init__(self, environment: str, reason: str) -> None:
        self.environment = environment
        self.reason = reason
        super().__init__(
            f"environment '{environment}' cannot be activated: {reason}",
            hints=["correct what is named above, or reinstall the environment if a package brought it"],
        )


class FeatureNotFoundError(CwtasksError):
    """An environment lists a feature that the workspace does not declare."""

    def __init__(self, feature: str, environment: str, available: Iterable[str] = ()) -> None:
        self.feature = feature
        self.environment = environment
        self.available = sorted(available)
        hints = [suggestion(feature, self.available, label="Defined features")] if self.available else []
        super().__init__(f"environments.{environment}: feature '{feature}' is not defined", hints=hints)


class PlatformError(CwtasksError):
    """A platform nobody declared or nobody knows."""

    def __init__(
        self,
        platform: str,
        available: Iterable[str] = (),
        *,
        known_platforms: Iterable[str] = (),
        hints: Iterable[str] | None = None,
    ) -> None:
        self.platform = platform
        self.available = sorted(available)
        self.known_platforms = sorted(known_platforms)
        own = [suggestion(platform, self.available or self.known_platforms, label="Known platforms")]
        super().__init__(f"platform '{platform}' is not available", hints=[*(hints or ()), *own])


class PlatformNotRunnableError(CwtasksError):
    """An environment that this machine cannot run."""

    def __init__(self, environment: str, platform: str) -> None:
        self.environment = environment
        self.platform = platform
        super().__init__(
            f"environment '{environment}' is for {platform} and cannot be installed here",
            hints=["add the platform of this machine to the workspace and to the features of the environment"],
        )


class TaskNotFoundError(CwtasksError):
    """A task that does not exist here."""

    def __init__(self, name: str, available: Iterable[str] | None = None, *, needed_by: Sequence[str] = ()) -> None:
        self.name = name
        self.available = sorted(task for task in available or () if not task.startswith("_"))
        self.needed_by = tuple(needed_by)
        chain = f" (needed by {' -> '.join(self.needed_by)})" if self.needed_by else ""
        hints = [suggestion(name, self.available, label="Available tasks")] if available is not None else []
        super().__init__(f"task '{name}' is not defined{chain}", hints=hints)


class TaskNotAvailableError(CwtasksError):
    """A task that exists, but not in the environment or on the platform asked for."""

    def __init__(self, name: str, where: str, elsewhere: Iterable[str], *, needed_by: Sequence[str] = ()) -> None:
        self.name = name
        self.where = where
        self.elsewhere = sorted(elsewhere)
        self.needed_by = tuple(needed_by)
        chain = f" (needed by {' -> '.join(self.needed_by)})" if self.needed_by else ""
        hint = f"it is defined for: {', '.join(self.elsewhere)}" if self.elsewhere else "it is for another platform"
        super().__init__(f"task '{name}' is not available {where}{chain}", hints=[hint])


class AmbiguousTaskError(CwtasksError):
    """Several environments offer a task and nothing says which one is meant."""

    def __init__(self, name: str, environments: Iterable[str], *, needed_by: Sequence[str] = ()) -> None:
        self.name = name
        self.environments = list(environments)
        self.needed_by = tuple(needed_by)
        chain = f" (needed by {' -> '.join(self.needed_by)})" if self.needed_by else ""
        super().__init__(
            f"task '{name}' is ambiguous: environments {', '.join(self.environments)} define it{chain}",
            hints=[f"name one: {name}:{self.environments[0]}, or -e {self.environments[0]}"],
        )


class CyclicDependencyError(CwtasksError):
    """Tasks that need each other.

    Attributes:
        cycle: Task names in order; the first one stands again at the end.
    """

    def __init__(self, cycle: Sequence[str]) -> None:
        names = list(cycle)
        self.cycle = names if len(names) > 1 and names[0] == names[-1] else [*names, *names[:1]]
        super().__init__(
            f"tasks depend on each other: {' -> '.join(self.cycle)}",
            hints=["remove one of these depends-on entries"],
        )


class TaskArgumentError(CwtasksError):
    """Arguments that a task does not take, lacks, or does not allow."""

    def __init__(self, task: str, fact: str, *, usage: str, needed_by: Sequence[str] = ()) -> None:
        self.task = task
        self.fact = fact
        self.usage = usage
        self.needed_by = tuple(needed_by)
        chain = f" (needed by {' -> '.join(self.needed_by)})" if self.needed_by else ""
        super().__init__(f"task '{task}': {fact}{chain}", hints=[f"usage: {usage}"])


class TemplateError(CwtasksError):
    """A ``{{ … }}`` that cannot be rendered."""

    def __init__(self, place: str, text: str, reason: str, *, known: Iterable[str] = ()) -> None:
        self.place = place
        self.text = text
        self.reason = reason
        names = sorted(known)
        super().__init__(
            f"{place}: cannot render {text!r}: {reason}",
            hints=[
                f"known names: {', '.join(names)}; a literal '{{{{' is written {{% raw %}}{{{{{{% endraw %}}"
                if names
                else ""
            ],
        )


class TaskExecutionError(CwtasksError):
    """A command that ran and failed.

    Attributes:
        task: Name of the step.
        exit_code: Its exit status; 128 + n when signal n ended it.
    """

    def __init__(self, task: str, exit_code: int, fact: str = "") -> None:
        self.task = task
        self.exit_code = exit_code
        super().__init__(f"task '{task}' {fact or f'failed with exit status {exit_code}'}")


class WorkingDirectoryError(CwtasksError):
    """The ``cwd`` of a task is not a directory."""

    def __init__(self, task: str, cwd: str) -> None:
        self.task = task
        self.cwd = cwd
        super().__init__(
            f"task '{task}': cwd '{cwd}' is not a directory",
            hints=["create it, or let a task it depends on create it; it is relative to the workspace"],
        )


class LockfileNotFoundError(CwtasksError):
    """There is no lock, so nobody knows the packages of an environment."""

    def __init__(self, environment: str, path: str | Path) -> None:
        self.environment = environment
        self.path = path
        super().__init__(
            f"{shown_path(path)}: no such file: environment '{environment}' is not locked",
            hints=["run 'doit lock' and commit the file it writes"],
        )


class LockfileIntegrityError(CwtasksError):
    """A lock that cannot be used as it is.

    Attributes:
        path: The lock.
        reason: What was expected and what kind of thing was found; never a value of the file, which may be a secret.
    """

    def __init__(self, path: str | Path, reason: str) -> None:
        self.path = path
        self.reason = reason
        super().__init__(
            f"{shown_path(path)}: {reason}",
            hints=["restore the file from version control, or remove it and run 'doit lock'"],
        )


class LockfileStaleError(CwtasksError):
    """A lock that does not answer the manifest, where it must not be changed.

    Attributes:
        manifest: What asks.
        lockfile: What should answer.
        reason: The first difference, one line; may be empty.
    """

    def __init__(self, manifest: str | Path, lockfile: str | Path, reason: str = "") -> None:
        self.manifest = manifest
        self.lockfile = lockfile
        self.reason = reason
        super().__init__(
            f"{shown_path(lockfile)} does not answer {shown_path(manifest)}" + (f": {reason}" if reason else ""),
            hints=["run 'doit lock' and commit the file it writes"],
        )


class SolveError(CwtasksError):
    """An environment for which no packages could be chosen.

    Attributes:
        environment: Its name; empty while only an engine knows of it.
        reason: The solver's own words, possibly a tree of several lines.
        platform: Conda platform, ``None`` when it does not matter.
    """

    def __init__(self, environment: str, reason: str, platform: str | None = None) -> None:
        self.environment = environment
        self.reason = reason
        self.platform = platform
        what = f"environment '{environment}'" if environment else "these dependencies"
        where = f" for {platform}" if platform else ""
        super().__init__(f"{what} cannot be solved{where}:\n{reason.strip()}", hints=[self._hint()])

    def _hint(self) -> str:
        return ""


class UnsatisfiableError(SolveError):
    """Dependencies that exclude each other, or that no channel has."""

    @classmethod
    def of_several(cls, errors: Sequence[SolveError]) -> UnsatisfiableError:
        """Return the first of several errors, which also names the others."""
        first, *others = errors
        told = [f"environment '{error.environment}' for {error.platform}" for error in others]
        reason = "\n".join([first.reason.strip(), *(f"neither can {place}" for place in told)])
        return cls(first.environment, reason, first.platform)

    def _hint(self) -> str:
        return "loosen one of the dependencies named above, or add a channel that has what is missing"


class AllTargetsUnsolvableError(CwtasksError):
    """Nothing of a workspace can be solved, so there is nothing that skipping would leave.

    Attributes:
        failures: Why each environment cannot be solved on a platform.
    """

    def __init__(self, failures: Iterable[SolveError]) -> None:
        self.failures = tuple(failures)
        super().__init__("\n".join(error.error_message for error in self.failures), hints=self.failures[0].hints)


class PackageNotLockedError(CwtasksError):
    """A package to be upgraded that no environment has."""

    def __init__(self, name: str, locked: Iterable[str]) -> None:
        self.name = name
        known = sorted(locked)
        likely = nearest(name, known)
        hint = f"did you mean '{likely}'?" if likely else "name a package of the lock, or add it to the manifest"
        super().__init__(f"package '{name}' is not locked in any environment", hints=[hint])


class BadSpecError(CwtasksError):
    """A dependency that is no match spec."""

    def __init__(self, spec: str, reason: str, *, hint: str = "") -> None:
        self.spec = spec
        self.reason = reason
        usual = "write it as name, name >=1.2,<2 or name 1.2.* build*"
        super().__init__(f"dependency '{spec}': {reason}", hints=[hint or usual])


class ChannelUnavailableError(CwtasksError):
    """A channel whose index cannot be read.

    Attributes:
        channel: Its URL without credentials.
        reason: What happened, without credentials.
    """

    def __init__(self, channel: str, reason: str, *, is_offline: bool = False) -> None:
        self.channel = channel
        self.reason = reason
        self.is_offline = is_offline
        hint = "run once with a network, so that its index is kept" if is_offline else "check its URL and the network"
        super().__init__(f"channel {channel} cannot be used: {reason.strip()}", hints=[hint])


class ChannelSettingsError(CwtasksError):
    """A configuration file of conda or rattler that says nothing sensible about channels."""

    def __init__(self, path: str | Path, reason: str) -> None:
        self.path = path
        self.reason = reason
        super().__init__(f"{shown_path(path)}: {reason}", hints=["correct the file, or remove it"])


class PackageUnavailableError(CwtasksError):
    """A package archive that cannot be had.

    Attributes:
        url: Where it should be, without credentials.
        reason: What happened, without credentials.
    """

    def __init__(self, url: str, reason: str, *, is_offline: bool = False) -> None:
        self.url = url
        self.reason = reason
        self.is_offline = is_offline
        hint = "run once with a network, so that it is kept" if is_offline else "lock again if the channel dropped it"
        super().__init__(f"package {url} cannot be fetched: {reason}", hints=[hint])


class DigestMismatchError(CwtasksError):
    """An archive whose content is not the one that was chosen; it was not used.

    Attributes:
        place: URL or path, without credentials.
        algorithm: ``sha256`` or ``md5``.
        expected: Lower-case hexadecimal.
        actual: Likewise.
    """

    def __init__(self, place: str, algorithm: str, *, expected: str, actual: str) -> None:
        self.place = place
        self.algorithm = algorithm
        self.expected = expected
        self.actual = actual
        super().__init__(
            f"{place}: {algorithm} is {actual}, expected {expected}",
            hints=["it was changed after the channel was indexed; lock again if you trust the new content"],
        )


class DigestMissingError(CwtasksError):
    """A record without a usable digest: nothing could tell a good archive from a bad one."""

    def __init__(self, url: str) -> None:
        self.url = url
        super().__init__(
            f"package {url} has neither a sha256 nor an md5", hints=["index the channel again, with digests"]
        )


class EngineNotFoundError(CwtasksError):
    """The name of an engine that does not exist."""

    def __init__(self, name: str, available: Iterable[str]) -> None:
        self.name = name
        self.available = sorted(available)
        super().__init__(
            f"engine '{name}' does not exist", hints=[suggestion(name, self.available, label="Known engines")]
        )


class EngineMissingError(CwtasksError):
    """An engine whose library is not installed beside this program."""

    def __init__(self, engine: str, package: str) -> None:
        self.engine = engine
        self.package = package
        super().__init__(
            f"engine '{engine}' needs {package}, which is not installed", hints=[f"install {package} beside cwtasks"]
        )


class EngineCrashError(CwtasksError):
    """An engine whose process ended without an answer.

    Attributes:
        action: ``solve`` or ``install``.
        exit_code: Its exit status, negative for a signal.
        detail: The last lines it wrote, without credentials.
    """

    def __init__(self, engine: str, action: str, exit_code: int, detail: str = "") -> None:
        self.engine = engine
        self.action = action
        self.exit_code = exit_code
        self.detail = detail
        ended = f"signal {-exit_code}" if exit_code < 0 else f"exit status {exit_code}"
        said = f"\n{detail.strip()}" if detail.strip() else ""
        super().__init__(f"engine '{engine}' ended with {ended} during {action}{said}", hints=["run it again"])


class InstallError(CwtasksError):
    """A prefix that could not be made to hold its packages; the next run completes it."""

    def __init__(self, prefix: str | Path, reason: str) -> None:
        self.prefix = prefix
        self.reason = reason
        super().__init__(f"{shown_path(prefix)} cannot be installed: {reason.strip()}")


class PrefixNotOursError(InstallError):
    """A place for an environment that holds something else."""

    def __init__(self, prefix: str | Path) -> None:
        super().__init__(prefix, "there are files there, and it is no conda environment")
        self.hints = ["move them away, or choose another place"]


class LinkScriptError(InstallError):
    """Post-link scripts that failed.

    Attributes:
        packages: Names of the packages they belong to.
    """

    def __init__(self, prefix: str | Path, packages: Iterable[str], detail: str = "") -> None:
        self.packages = sorted(packages)
        said = f"\n{detail.strip()}" if detail.strip() else ""
        super().__init__(prefix, f"the post-link script failed of {', '.join(self.packages)}{said}")


class PlatformNotLockedError(CwtasksError):
    """A platform for which the lock holds nothing.

    Attributes:
        platform: As asked for.
        locked: Those the lock has.
    """

    def __init__(self, platform: str, locked: Iterable[str]) -> None:
        self.platform = platform
        self.locked = sorted(locked)
        super().__init__(
            f"platform '{platform}' is not locked", hints=[suggestion(platform, self.locked, label="Locked platforms")]
        )


class ArchiveError(CwtasksError):
    """An archive, its receipt or its bundle that cannot be made or used; the root of all errors of that room."""


class ArchivePathTraversalError(ArchiveError):
    """A member of an archive whose name or target could lead out of the folder it is unpacked into.

    Attributes:
        member_path: Its name, as the archive has it.
    """

    def __init__(self, member_path: str, fact: str = "its name leaves the archive") -> None:
        self.member_path = member_path
        super().__init__(
            f"member {member_path!r} is refused: {fact}", hints=["nothing was unpacked; do not trust this archive"]
        )


class ArchiveHashMismatchError(ArchiveError):
    """Content that is not what the receipt says.

    Attributes:
        filename: The archive, or the file in it.
        expected: SHA-256, lower-case hexadecimal.
        actual: Likewise.
    """

    def __init__(self, filename: str, *, expected: str, actual: str) -> None:
        self.filename = filename
        self.expected = expected
        self.actual = actual
        super().__init__(
            f"{filename}: sha256 is {actual}, the receipt says {expected}",
            hints=["get archive and receipt again from where they were made"],
        )
