"""Who stands at the kernel's ports, and which of a port's questions it answers. This is the only list of that kind.

A provider is a module below this package; it is imported when one of its questions is asked. One whose folder is gone
is passed over, so that a feature can be deleted.
"""

from __future__ import annotations

WIRES: dict[str, dict[str, tuple[str, ...]]] = {
    "measure": {
        "noise.rule": ("rule",),
        "cli.guards": ("parts",),
        "cli.people": ("progress",),
        "cli.endless": ("waits",),
        "machine.load": ("around",),
        "gauges.gauge": ("around",),
        "formats.format_reader": ("around",),
        "reading.reader": ("around",),
        "screening.screening": ("spared", "proving"),
        "setup.proof": ("proving",),
        "safeguard.safeguard": ("kept",),
        "safeguard.strays": ("ended",),
        "executors.elsewhere": ("run",),
        "executors.arrays": ("ahead",),
        "executors.slurm": ("ended",),
        "salvage.chance": ("look", "tests"),
        "findings.changed_places": ("look",),
    },
    "edit": {
        "guidance.one_trial": ("admission",),
        "setup.unseen": ("admission",),
        "setup.hidden": ("admission", "settled"),
        "muting.muting": ("refusal",),
        "search.memory": ("warning",),
    },
    "row": {
        "resuming.foreign_log": ("tidied", "shown"),
        "notes.after_row": ("recorded",),
        "guidance.following": ("told", "shown"),
        "notes.bound": ("told",),
        "search.hints": ("told",),
        "agreement.said": ("told",),
        "search.offers": ("told",),
        "profiles.run_profile": ("shown",),
        "lines.line_told": ("told", "shown", "advice"),
        "findings.line_ends": ("shown",),
        "modes.fix_closing": ("advice",),
        "finalize.total_due": ("told", "advice", "is_due"),
        "finalize.at_end": ("advice",),
    },
    "session": {
        "codex.codex_agent": ("agent",),
        "background.plain_agent": ("agent",),
        "waiting.waiting": ("queue",),
        "background.runtime_file": ("is_running",),
        "background.taking": ("takes_over", "sandbox"),
        "hooks.taking_hook": ("takes_over", "sandbox"),
        "search.retry": ("retry",),
        "report.watch_command": ("screen",),
    },
}
