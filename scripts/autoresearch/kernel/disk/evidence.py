"""The evidence folder: output, samples, patch and verdict of every attempt, and the intent of a running one."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from ..core import jsontext
from ..core.frozen import Any
from . import atomic, regular

OUTPUT_LIMIT = 256 * 1024
PATCH_LIMIT = 1024 * 1024
POSTPONED = "postponed.json"
TOTAL = "total.json"  # both ends of the run measured in turns
PROFILE = "profile.json"  # where the retained code spends its time, after this iteration
WORTH = "worth.json"  # what each kept experiment is worth today
PULL_REQUEST = "pull-request.md"  # the text for the branch of the kept experiments
ARCHIVING, QUEUE = "archiving.json", "queue.json"  # what a start moves away; a trial that waits
# Of an iteration: its edit, the edit of one that was undone, what was measured and why it was kept or not.
PATCH, UNDONE, RECORD = "patch.diff", "undone.diff", "trial.json"
FINAL = (TOTAL, WORTH, PULL_REQUEST, ARCHIVING, QUEUE)  # written by a holder of the trial lock alone


def folder(root: Path, iteration: int) -> Path:
    """The folder of one iteration: `0007`."""
    return root / f"{iteration:04d}"


def fresh_folder(root: Path, iteration: int) -> None:
    """Take away what an attempt that was never recorded left under this iteration; patches of undone ones stay."""
    for path in folder(root, iteration).glob("*"):
        if path.is_dir():
            _remove(path)
        elif path.name != UNDONE:
            path.unlink()


def _remove(path: Path) -> None:
    import shutil

    shutil.rmtree(path)


def write_json(path: Path, data: Mapping[str, Any]) -> None:
    """One JSON file, atomically."""
    atomic.replace(path, jsontext.dumps(data, indent=2) + "\n")


def read_json(path: Path) -> dict[str, Any] | None:
    """A JSON object, or None when it is missing or unreadable."""
    try:
        data = jsontext.loads(regular.read_text(path))
    except (OSError, ValueError):
        return None
    return data if isinstance(data, dict) else None


def write_bytes(path: Path, data: bytes, limit: int) -> str:
    """Captured bytes, cut in the middle at `limit`; returns the file's name, "" when there is nothing to keep."""
    if not data:
        return ""
    if len(data) > limit:
        half = limit // 2
        data = data[:half] + b"\n[... %d bytes cut ...]\n" % (len(data) - 2 * half) + data[-half:]
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(data)
    except OSError as error:
        raise atomic.unwritable(path, error) from None
    return path.name


def add_patch(path: Path, patch: bytes) -> None:
    """Behind the patches that the file has: of other repositories, of earlier kills. One that is there stays alone."""
    try:
        if path.exists() and patch in regular.read_bytes(path):
            return
        path.parent.mkdir(parents=True, exist_ok=True)
        with open(path, "ab") as file:
            file.write(patch)
    except OSError as error:
        raise atomic.unwritable(path, error) from None


def intent_path(root: Path) -> Path:
    """The note of a running trial; it is gone when no trial runs and none was killed."""
    return root / "intent.json"


def lock_path(root: Path) -> Path:
    """The lock of whoever runs a trial, or what no trial may run beside."""
    return root / "trial.lock"


def batch_path(root: Path) -> Path:
    """The note of an open batch of parallel workers; it is gone when none is open."""
    return root / "batch.json"


def workers_folder(root: Path) -> Path:
    """Where the workers of a batch are measured, one folder each, until the batch has its iteration."""
    return root / "batch"


def clear_intent(root: Path) -> None:
    """The trial is recorded: nothing is left to finish."""
    intent_path(root).unlink(missing_ok=True)


def note_refusal(root: Path, data: Mapping[str, Any]) -> None:
    """Remember a refused attempt; the next row carries it into the log."""
    root.mkdir(parents=True, exist_ok=True)
    with open(root / "refused.jsonl", "a", encoding="utf-8") as file:
        file.write(jsontext.dumps(data) + "\n")


def refusals(root: Path) -> list[dict[str, Any]]:
    """Refused attempts that no row carries yet, at most the last 20."""
    try:
        lines = regular.read_text(root / "refused.jsonl", "replace").split("\n")
    except OSError:
        return []
    found = []
    for line in lines[-21:]:
        try:
            found.append(jsontext.loads(line))
        except ValueError:
            continue
    return [item for item in found if isinstance(item, dict)]


def clear_refusals(root: Path) -> None:
    """The refusals are in the log now."""
    (root / "refused.jsonl").unlink(missing_ok=True)


def note_postponed(root: Path, key: str, at: float, why: str) -> None:
    """Note that an edit (by the key of its patch) was put off, how often in a row, and when (epoch)."""
    before = postponed(root)
    times = int(before.get("times", 0)) + 1 if before.get("key") == key else 1
    write_json(root / POSTPONED, {"key": key, "times": times, "at": f"{at:.1f}", "why": why})


def postponed(root: Path) -> Mapping[str, Any]:
    """The last edit that was put off: `key`, `times`, `at`, `why`; empty when none was."""
    return read_json(root / POSTPONED) or {}
