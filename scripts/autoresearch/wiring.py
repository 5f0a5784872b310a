"""Who stands at the kernel's ports: one row a port, one name a provider. This is the only list of that kind.

A name is `folder.module` or `folder.module:attribute` below this package; it is imported when the port is first used.
A provider whose folder is gone is passed over, so that a feature can be deleted.
"""

WIRES = {
    "measuring": ("noise.paired",),
    "reading": ("machine.load:around", "gauges.gauge:around", "formats.format_reader:around", "reading.reader:around"),
    "recorded": ("notes.after_row:recorded", "notes.after_row:credited"),
    "screening": ("screening.screening:turned_away",),
    "profile": ("profiles.run_profile",),
    "advice": ("modes.fix_rows:advice", "finalize.true_total:advice", "finalize.at_end:advice"),
    "total": ("finalize.true_total:is_due",),
    "second_look": ("salvage.second_look:look", "findings.changed_places:look"),
    "proving": ("setup.proof:proving", "screening.screening:proving"),
    "admission": ("setup.unseen:refusal", "setup.hidden:refusal"),
    "settling": ("setup.hidden:settled",),
    "refusals": ("muting.muting:refusal",),
    "warnings": ("search.memory:warning",),
    "told": ("notes.bound:told", "search.hints:told", "agreement.agreement:told"),
    "offers": ("search.offers:offered",),
    "own_trial": ("search.offers:due",),
    "retrying": ("search.retry:retry",),
    "environment": ("machine.probe:line",),
    "agent": ("codex.codex_agent", "background.plain_agent"),
    "handover": ("background.taking:takes_over", "hooks.taking_hook:takes_over"),
    "sandbox": ("background.taking:sandbox", "hooks.taking_hook:sandbox"),
    "running": ("executors.elsewhere:run",),
    "ended": ("executors.slurm:ended",),
    "screen": ("report.watch_command:screen",),
}
