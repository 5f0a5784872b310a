"""The mutants: each a small fault in the kernel that some test must notice.

A mutant names its module, and the tests that should notice (few, and quick), by the files' names, for both move. Its
old text stands once in the module.
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Mutant:
    """One fault: its name, where it is put, and the tests that should notice."""

    name: str
    module: str
    old: str
    new: str
    tests: tuple[str, ...]


def _of(module: str, *found: tuple[str, ...]) -> tuple[Mutant, ...]:
    """Mutants of one module: name, old text, new text, tests (a name without a file belongs to the one before)."""
    return tuple(Mutant(name, module, old, new, _tests(named)) for name, old, new, *named in found)


def _tests(named: list[str]) -> tuple[str, ...]:
    found: list[str] = []
    for text in named:
        if text.startswith("::"):
            file = found[-1].partition("::")[0]
            found = found[:-1] if found[-1] == file else found
        found.append(file + text if text.startswith("::") else text)
    return tuple(found)


FOLD = "test_fold.py"
LADDER = "test_ladder.py"
NUMBERS = "test_numbers.py"
STOP = "core/test_stop.py"
ROWS = "test_rows.py"
SCOPE = "test_scope.py"
SUPERVISE = "test_supervise.py"
STAGNATION = "test_stagnation.py"
ARCHIVES = "test_archives.py"
READING = "test_reading.py"
METRIC = "test_printed.py"
DECISION = "test_decision.py"
OUTCOMES = "test_outcomes.py"
CHEATS = "test_cheats.py"
PLACES = "run/test_places.py"
LIMITS = "test_timelimit.py"
JOURNAL = "test_journal.py"
ATOMIC = "test_atomic.py"
SNAPSHOT = "test_snapshot.py"
LOCKS = "test_locks.py"
GIT = "test_git.py"
PROCESS = "test_process.py"
KILLED = "test_killed_trial.py"
STEERING = "test_steering.py"
RECORD = "test_record_iteration.py"
PROMISES = "test_promises.py"

TABLE = (
    # The six that an earlier round found without a test.
    *_of(
        "intent",
        (
            "a row that is in the log already is written again",
            "if before.state.iteration >= note.iteration:",
            "if False:",
            PROMISES,
            "::test_a_trial_that_was_killed_after_its_row_is_not_recorded_twice",
        ),
    ),
    *_of(
        "journal",
        (
            "a row is acknowledged before it is on the disk",
            "    os.fsync(handle)\n",
            "",
            PROMISES,
            "::test_a_row_is_on_the_disk_before_it_counts",
        ),
    ),
    *_of(
        "atomic",
        (
            "a file is renamed before it is on the disk",
            "            os.fsync(file.fileno())\n",
            "",
            PROMISES,
            "::test_a_file_is_on_the_disk_before_it_has_its_name",
        ),
        (
            "a rename is not made durable",
            "        sync_folder(path.parent)\n",
            "",
            PROMISES,
            "::test_a_file_is_on_the_disk_before_it_has_its_name",
        ),
    ),
    *_of(
        "timelimit",
        (
            "a check that takes minutes is ended after five",
            "return max(HANG_LEAST, HANG_TIMES * slowest)",
            "return HANG_LEAST",
            LIMITS,
            "::test_limits_are_generous_and_the_users_own_is_his",
        ),
        (
            "what hangs runs on for a day",
            "HANG_TIMES, HANG_LEAST = 10.0, 300.0",
            "HANG_TIMES, HANG_LEAST = 10.0, 86400.0",
            LIMITS,
            "::test_limits_are_generous_and_the_users_own_is_his",
        ),
        (
            "without a baseline nothing is ended",
            "FIRST = 1800.0",
            "FIRST = 180000.0",
            PROMISES,
            "::test_before_a_baseline_half_an_hour_is_the_limit",
        ),
    ),
    *_of(
        "trial_gate",
        (
            "a full disk refuses no trial",
            "if free < MIN_FREE_MB:",
            "if free < 0:",
            PROMISES,
            "::test_a_full_disk_refuses_a_trial",
        ),
    ),
    *_of(
        "judge",
        (
            "only fifty times the best gain is unlikely",
            "UNLIKELY = 5\n",
            "UNLIKELY = 50\n",
            PROMISES,
            "::test_more_than_five_times_the_best_gain_is_measured_again",
        ),
        (
            "twice the best gain is unlikely",
            "UNLIKELY = 5\n",
            "UNLIKELY = 2\n",
            PROMISES,
            "::test_more_than_five_times_the_best_gain_is_measured_again",
        ),
        (
            "the evaluator is not compared once more after measuring",
            "    moved = evaluator_lock.violated(run)\n",
            "    moved = ()\n",
            PROMISES,
            "::test_an_evaluator_file_that_comes_while_it_is_measured_keeps_nothing",
        ),
    ),
    # What the log says is what is so.
    *_of(
        "fold",
        ("a drift retains nothing", "if status.retains:", "if status.retains and not status.free:", FOLD),
        ("a worker's row counts", "if row.worker:\n            return", "if row.worker:\n            pass", FOLD),
        ("a gap in the numbers is let through", "row.iteration != self.iteration + 1 or ", "", FOLD),
        ("a keep leaves the strikes", "row, 0, self.tried_commits", "row, self.strikes, self.tried_commits", FOLD),
        ("the pivots outlive a keep", "0 if status.restarts else self.pivots", "self.pivots", FOLD),
        (
            "the tool's own trial is a strike",
            "status.strike and not row.is_own",
            "status.strike",
            FOLD,
            "test_retry.py",
        ),
        ("the tool's own trial is paid for", "status.free or row.is_own", "status.free", FOLD, "test_retry.py"),
        (
            "the last keep is the best",
            "            self.best, self.best_iteration = row.metric, row.iteration",
            "            pass",
            FOLD,
        ),
        (
            "what was taken back stays the best",
            "if number < gone]",
            "if number <= gone]",
            STEERING,
            "::test_a_kept_experiment_is_taken_back",
        ),
        ("six digits name a commit", "min(len(one), len(other)) >= 7", "min(len(one), len(other)) >= 6", FOLD),
    ),
    *_of(
        "statuses",
        (
            "a no-op is no failure",
            '("tick", "discard", "no change"), failure=True',
            '("tick", "discard", "no change")',
            LADDER,
        ),
        (
            "a typed keep is accepted in a measured run",
            '        trial_only=True,\n        valued=True,\n    ),\n    Status(\n        "discard"',
            '        valued=True,\n    ),\n    Status(\n        "discard"',
            RECORD,
            "::test_a_measured_run_takes_no_typed_result",
        ),
    ),
    *_of(
        "rows",
        ("a tab in a description stays", "prefix + text.one_line(row.description)", "prefix + row.description", ROWS),
        (
            "anybody may call a trial the tool's own",
            "    while rest.startswith((*_OWN, LINE)):\n        rest = rest[1:]\n",
            "",
            ROWS,
            "test_retry.py",
        ),
        (
            "labels keep their case",
            "part.strip().lower() for value in values",
            "part.strip() for value in values",
            ROWS,
        ),
    ),
    *_of(
        "journal",
        ("a torn line is read", 'complete = data[: data.rfind(b"\\n") + 1]', "complete = data", JOURNAL),
        (
            "what a torn write left stays",
            "            os.ftruncate(self._handle, self.log.size)\n            _write_at",
            "            _write_at",
            PROMISES,
            "::test_nothing_of_a_longer_write_that_was_torn_stays_behind_the_next",
        ),
        (
            "a failed write stays half",
            "            os.ftruncate(self._handle, self.log.size)\n            raise",
            "            raise",
            JOURNAL,
        ),
        (
            "the log is written without its lock",
            "handle = locks.open_locked(path, os.O_RDWR)",
            "handle = os.open(path, os.O_RDWR)",
            JOURNAL,
        ),
        (
            "a log that does not fold is written to",
            "        log.state  # noqa: B018 - raises for a log that cannot be folded\n    return log",
            "        pass\n    return log",
            JOURNAL,
        ),
        (
            "an event without its row counts",
            "if begun is not None or kind not in log_events.ALONE:",
            "if False:",
            JOURNAL,
        ),
    ),
    *_of(
        "atomic",
        ("a link in the place of the temporary file is followed", " | os.O_NOFOLLOW", "", ATOMIC),
        (
            "a failed write leaves its temporary file",
            "        _forget(temporary)\n        raise unwritable(path, error)",
            "        raise unwritable(path, error)",
            ATOMIC,
        ),
    ),
    *_of(
        "locks",
        (
            "a lock on a file that was replaced counts",
            "            if _is_current(handle, path):\n                return handle",
            "            return handle",
            LOCKS,
            JOURNAL,
        ),
        (
            "a busy lock is waited for",
            "(0 if wait else fcntl.LOCK_NB)",
            "0",
            LOCKS,
            "::test_a_lock_is_refused_while_held_and_free_once_its_holder_is_killed",
        ),
        (
            "who only looks is a holder",
            "_PROBES if not wait else ()",
            "()",
            LOCKS,
            "::test_who_only_looks_is_not_taken_for_a_holder",
        ),
    ),
    *_of(
        "snapshot",
        ("an edited snapshot is old", "not fold.differing(state, log.state_at(iteration))", "True", SNAPSHOT),
        ("another run's snapshot is this one's", 'or not same_tag(snapshot.get("run_tag"), log)', "", SNAPSHOT),
        ("a version of the future is read", 'data.get("version", 1) != 1', "False", SNAPSHOT),
    ),
    # What is decided.
    *_of(
        "numbers",
        ("equal is better", "new < old if direction", "new <= old if direction", NUMBERS, DECISION),
        ("higher is lower", "else new > old", "else new < old", NUMBERS),
        (
            "differences are rounded",
            "EXACT = Context(prec=2 * (_MAX_DIGITS + _MAX_EXPONENT))",
            "EXACT = Context(prec=28)",
            NUMBERS,
        ),
        ("NaN is a number", r'_NUMBER = re.compile(r"[+-]?', r'_NUMBER = re.compile(r"NaN|[+-]?', NUMBERS, METRIC),
    ),
    *_of(
        "decision",
        ("a failed guard keeps", 'if improved and guard == "fail":', "if False:", DECISION),
        ("a crash is a discard", 'TrialOutcome("crash", False', 'TrialOutcome("discard", False', DECISION),
        ("a missing label is nothing", 'if outcome.status != "keep" or not missing:', "if True:", DECISION),
    ),
    *_of(
        "judge",
        ("a small gain is kept", "< config.min_delta:", "< 0:", OUTCOMES, "::test_a_small_gain_is_not_worth_keeping"),
        (
            "a failed guard is passed over",
            '    if guard == "fail":\n        return Verdict("discard"',
            '    if False:\n        return Verdict("discard"',
            OUTCOMES,
            "::test_a_failed_guard_discards",
        ),
        (
            "confirm is not asked",
            "if run.config.confirm and not _confirmed(run, bench):",
            "if False:",
            OUTCOMES,
            "::test_the_hidden_check_discards_and_shows_nothing",
        ),
        (
            "confirm writes what it prints",
            'run.config.confirm, "")[0]',
            'run.config.confirm, "confirm")[0]',
            OUTCOMES,
            "::test_the_hidden_check_discards_and_shows_nothing",
        ),
        (
            "an unlikely gain is believed",
            "    if unlikely:\n        measured",
            "    if False:\n        measured",
            OUTCOMES,
            "::test_an_unlikely_gain_is_measured_twice",
            "::test_a_gain_that_does_not_come_again_is_a_crash",
        ),
        (
            "a required number is not looked at",
            "missed = exact.rule().missed(run.config, measured)",
            'missed = ""',
            OUTCOMES,
            "::test_another_metric_must_hold",
        ),
        (
            "labels are not asked for",
            "run.config.required_keep_labels, labels)",
            "(), labels)",
            OUTCOMES,
            "::test_a_missing_label_discards_and_is_named",
        ),
        (
            "an equal number is kept without its label",
            "SIMPLIFY not in labels or ",
            "",
            OUTCOMES,
            "::test_no_gain_is_discarded",
            "::test_equal_and_shorter_is_kept_when_asked",
        ),
        (
            "equal and longer is kept as simpler",
            'return changes.only_deletes(b"\\n".join(patches))',
            "return True",
            OUTCOMES,
            "::test_equal_and_shorter_is_kept_when_asked",
        ),
    ),
    *_of(
        "ladder",
        (
            "own trials climb the ladder",
            " and not row.is_own and not is_undecided(row)",
            " and not is_undecided(row)",
            LADDER,
            "test_retry.py",
        ),
        ("an undecided trial is a step", " and not is_undecided(row)\n", "\n", LADDER),
        ("a keep is no new start", "if row.status in _RESTARTS or (", "if (", LADDER),
        ("searches have no distance", "now - searches[-1] < 2", "now - searches[-1] < 1", LADDER),
        ("four searches in ten iterations", "for at in searches) >= 3", "for at in searches) >= 4", LADDER),
        ("crashes of two kinds are one", "and _kind(mains[-1 - count]) == _kind(mains[-1])", "", LADDER),
    ),
    *_of(
        "choices",
        ("a refine comes after four failures", "HAND_OVER_AT = 3, 5, 2, 3", "HAND_OVER_AT = 4, 5, 2, 3", LADDER),
        ("a pivot comes after six experiments", "HAND_OVER_AT = 3, 5, 2, 3", "HAND_OVER_AT = 3, 6, 2, 3", LADDER),
        (
            "a human is asked after four pivots",
            "HAND_OVER_AT = 3, 5, 2, 3",
            "HAND_OVER_AT = 3, 5, 2, 4",
            LADDER,
            SUPERVISE,
        ),
    ),
    *_of(
        "supervise",
        (
            "one iteration more than agreed",
            "state.counted >= config.iterations:",
            "state.counted > config.iterations:",
            SUPERVISE,
        ),
        (
            "the goal is reached without its labels",
            " or decision.missing_labels(config.required_stop_labels, state.current_labels)",
            "",
            SUPERVISE,
        ),
        ("no budget but experiments is used up", "if taken >= limit:", "if False:", SUPERVISE),
        ("a budget may be used up twice", "if taken >= limit:", "if taken >= 2 * limit:", SUPERVISE),
        ("no experiment counts against its budget", "return counted if", "return 0 if", "test_nextstep.py"),
        ("a blocked run goes on", 'if state.last_status == "blocked" and', "if False and", SUPERVISE),
    ),
    *_of(
        "stop_rules",
        ("at most is less than", '"<=": operator.le,', '"<=": operator.lt,', STOP),
        ("a doubt is passed over", "if len(ops) != 1 or _DOUBT.search(rest):", "if len(ops) != 1:", STOP),
        (
            "a bare number is a floor where lower is better",
            'bare = "<=" if direction == "lower" else ">="',
            'bare = ">="',
            STOP,
        ),
    ),
    *_of(
        "timelimit",
        (
            "one slow run is too slow",
            "return min(mine) > allowed(max(theirs), crowd)",
            "return max(mine) > allowed(max(theirs), crowd)",
            LIMITS,
        ),
        ("what takes a little longer is slow", "SLOW_TIMES, SLACK = 2.0, 10.0", "SLOW_TIMES, SLACK = 1.0, 0.0", LIMITS),
    ),
    *_of(
        "resume_rules",
        (
            "an edited snapshot is taken for a whole run",
            '"diverged": Ruling(\n        WIZARD,',
            '"diverged": Ruling(\n        FULL,',
            "test_resume.py",
        ),
        (
            "a lost log is a fresh start",
            "WIZARD, NO_LOG",
            "FRESH, NO_LOG",
            "test_resume.py",
        ),
    ),
    # What may be edited, and what judges.
    *_of(
        "scope",
        ("a star crosses folders", '"*": "[^/]*"', '"*": ".*"', SCOPE),
        ("what is taken out stays in", "and not any(r.fullmatch(path) for r in unwanted)", "", SCOPE),
        ("a path may leave the repository", ' or ".." in bare.split("/")', "", SCOPE),
    ),
    *_of(
        "trial_gate",
        (
            "an edited evaluator is measured",
            "    if protected:\n",
            "    if False:\n",
            OUTCOMES,
            "::test_the_evaluator_may_not_change",
        ),
        (
            "an edit outside the scope is committed",
            "    if outside:\n",
            "    if False:\n",
            OUTCOMES,
            "::test_a_change_out_of_scope_is_refused",
        ),
        (
            "a moved HEAD is not noticed",
            "if expected and head != expected:",
            "if False:",
            OUTCOMES,
            "::test_a_moved_head_is_refused",
        ),
        (
            "a repeated patch is measured again",
            'event.get("key") == key and event.get("outcome") != decision.UNDECIDED:',
            "False:",
            OUTCOMES,
            "::test_a_repeated_patch_is_refused",
        ),
        (
            "a run that is over goes on",
            "if verdict.decision != supervise.RELAUNCH:",
            "if False:",
            OUTCOMES,
            "::test_a_finished_run_refuses",
        ),
    ),
    *_of(
        "evaluator_lock",
        (
            "a new file under a protected pattern is free",
            "(*changed(run.tree, digests), *(name for name in new if not tree.is_below(name, left)))",
            "changed(run.tree, digests)",
            CHEATS,
            "::test_a_new_file_that_a_protected_pattern_covers_is_refused",
        ),
        (
            "the lock of the start is for ever",
            'for e in log.backwards("evaluator") if',
            'for e in log.of_kind("evaluator") if',
            CHEATS,
            "::test_a_wanted_change_of_the_evaluator_goes_through_a_recorded_recalibration",
        ),
    ),
    *_of(
        "measure",
        (
            "an evaluator that changes under verify is not seen",
            "problem = ran.cleaned or _tampered(bench) or _failure(done, bench.config.verify_exit",
            "problem = ran.cleaned or _failure(done, bench.config.verify_exit",
            CHEATS,
            PROMISES,
            "::test_the_evaluator_is_compared_after_each_run_of_a_comparison",
        ),
        (
            "an evaluator that changes under guard is not seen",
            "problem = cleaned or _tampered(bench) or _failure(done, False, bench.limit.hard)\n        if problem:",
            "problem = cleaned or _failure(done, False, bench.limit.hard)\n        if problem:",
            CHEATS,
            "::test_an_evaluator_that_the_program_rewrites_under_guard_fails_it",
        ),
        (
            "an exit code is passed over",
            "if done.exit_code != 0 and not any_exit:",
            "if False:",
            OUTCOMES,
            "::test_a_bad_check_is_a_named_crash",
        ),
        (
            "what is left behind is passed over",
            'if done.leftovers else ""',
            'if False else ""',
            OUTCOMES,
            "::test_a_bad_check_is_a_named_crash",
        ),
        (
            "a result of an earlier run counts",
            "problem = problem or _stale(bench, stamps)",
            "pass",
            "test_proof.py",
            "::test_a_result_of_an_earlier_run_is_no_result",
        ),
    ),
    *_of(
        "require",
        (
            "a bound is never missed",
            "if not TESTS[sign](others[key], Decimal(bound)):",
            "if False:",
            OUTCOMES,
            "::test_another_metric_must_hold",
        ),
        (
            "a number that is not printed is fine",
            '            return f"{key} was not printed"\n        if not TESTS[sign](others[key], Decimal(bound)):',
            "            continue\n        if not TESTS[sign](others[key], Decimal(bound)):",
            PROMISES,
            "::test_a_required_number_that_is_not_printed_discards",
        ),
    ),
    *_of(
        "record",
        (
            "a typed keep may be worse",
            "if report.metric is None or not numbers.better(run.config.direction, report.metric, retained):",
            "if report.metric is None:",
            RECORD,
            "::test_what_cannot_be_a_row_is_refused",
        ),
    ),
    # What a kill must not cost.
    *_of(
        "intent",
        (
            "the commit of an undecided trial stays",
            "            repo.soft_undo(place.base, trial)\n",
            "",
            KILLED,
            "::test_killed_inside_a_check",
        ),
        (
            "a commit of anybody is a trial's",
            'return head if mine and repo.parent(head) == place.base else ""',
            "return head",
            PROMISES,
            "::test_a_commit_of_the_users_after_a_kill_is_not_taken_for_the_trial",
        ),
        (
            "a discarded edit stays",
            "if note.rollback and place.trial:",
            "if False:",
            OUTCOMES,
            "::test_no_gain_is_discarded",
        ),
        (
            "what a killed check started runs on",
            "    end(layout, note.mark)\n    for place",
            "    for place",
            KILLED,
            "::test_killed_inside_a_check",
        ),
    ),
    *_of(
        "stale",
        (
            "a living git is robbed of its lock",
            "            _refuse_living(repo, path)\n",
            "",
            "test_meanwhile.py",
            "::test_a_living_git_is_not_robbed_of_its_lock",
        ),
        (
            "a killed git's lock stays",
            "            path.unlink(missing_ok=True)\n\n\ndef forget_checkouts",
            "            pass\n\n\ndef forget_checkouts",
            KILLED,
            "::test_a_lock_of_a_killed_git_does_not_block",
        ),
    ),
    *_of(
        "gitundo",
        (
            "a file in the way is deleted",
            "            elif path not in same:\n                self._aside(path)\n",
            "            elif path not in same:\n                (self.top / path).unlink()\n",
            GIT,
            "::test_what_is_in_the_way_of_an_undo_is_moved_aside",
        ),
        (
            "a commit on top is taken back too",
            "    if tip == trial.commit:\n        return paths\n",
            "    return paths\n",
            GIT,
            "::test_a_commit_on_top_stays_and_the_trial_below_it_is_reverted",
            "::test_an_amended_trial_is_reverted_where_it_is_still_the_trials",
        ),
    ),
    *_of(
        "git",
        ("HEAD is moved wherever it is", '"HEAD", new, old])', '"HEAD", new])', GIT, PROMISES),
        (
            "a temporary index of a killed command stays",
            "        self.sweep_indexes()\n",
            "",
            GIT,
            "::test_leftover_index_of_a_killed_process_is_swept",
        ),
    ),
    *_of(
        "process",
        (
            "a check that ignores the end lives on",
            "        elif now >= self.kill_at:\n            self._signal(signal.SIGKILL)\n",
            "",
            PROCESS,
            "::test_timeout_ends_what_ignores_sigterm_and_children_in_new_sessions",
        ),
        (
            "a number that was used again is signalled",
            "    if known is None or identity(pid) != known:\n        return\n    try:\n        os.kill",
            "    try:\n        os.kill",
            PROCESS,
            "::test_a_stranger_with_a_reused_pid_is_never_signalled",
        ),
        (
            "a daemon lives on",
            "            found |= mine | _below(mine, parents)\n",
            "",
            "safeguard/test_put_back.py",
            "::test_a_daemon_without_our_environment_is_ended_and_told",
        ),
        (
            "a flood has no end",
            "self.capture.most() > self.limits.total",
            "False",
            PROCESS,
            "::test_a_flood_is_stopped_and_kept_in_bounds",
        ),
        (
            "an interrupt leaves the check running",
            "        _end(strays.pids, limits.grace)\n        raise",
            "        raise",
            PROCESS,
            "::test_an_interrupt_ends_the_check_before_it_goes_on",
        ),
        (
            "an outer mark is lost",
            'f"{outer}/{mark}" if outer else mark',
            "mark",
            PROCESS,
            "::test_ending_an_outer_mark_ends_checks_started_within",
        ),
    ),
    *_of(
        "interrupts",
        (
            "a signal during the start of a child strikes there",
            " and not _Asked.shields:",
            ":",
            PROMISES,
            "::test_a_signal_is_obeyed_behind_the_shield",
        ),
        (
            "a second signal is lost for ever",
            "    elif time.monotonic() - _Asked.obeyed > INSIST:\n        raise KeyboardInterrupt\n",
            "",
            PROMISES,
            "::test_who_insists_is_obeyed",
        ),
    ),
    *_of(
        "leftovers",
        (
            "what a check writes to tracked files stays",
            "            repo.restore(ours)\n",
            "",
            PLACES,
            "::test_tracked_files_that_the_check_writes_are_put_back",
        ),
    ),
    *_of(
        "tree",
        (
            "the user's unchanged work is an edit",
            "paths = [change.path for change in changes if change.path not in same]",
            "paths = [change.path for change in changes]",
            PLACES,
            "::test_the_users_changes_stay_as_they_are",
        ),
    ),
    *_of(
        "unseen",
        (
            "an ignored file that becomes visible is committed",
            "    if exposed:\n",
            "    if False:\n",
            "test_users_files.py",
        ),
    ),
    *_of(
        "drift",
        (
            "a drift measures an edit too",
            "        _refuse_dirty(run)\n",
            "",
            PROMISES,
            "::test_a_drift_measures_no_edit",
        ),
    ),
    *_of(
        "baseline",
        (
            "the baseline may be a dirty tree",
            "        if strict:\n            refuse_dirty(dirty)\n",
            "",
            PLACES,
            "::test_the_users_change_in_scope_is_refused_at_set_up",
        ),
        (
            "a check that rewrites itself is locked",
            '    if moved:\n        raise Refusal(\n            f"the check changes its own files',
            '    if False:\n        raise Refusal(\n            f"the check changes its own files',
            "test_lock.py",
            "::test_a_judge_that_the_check_writes_is_refused",
        ),
    ),
    *_of(
        "metric",
        (
            "one of two lines of a name counts",
            "if len(values) < len(found) or (wanted",
            "if (wanted",
            "core/test_metric.py",
        ),
        ("one of several names counts", " and len(values) != 1)", " and not values)", "core/test_metric.py"),
    ),
    # Features on which the kernel's promises rest.
    *_of(
        "archives",
        (
            "an older archive is overwritten",
            "    if os.path.lexists(target):\n        os.replace(target, archive_name(path))\n",
            "",
            ARCHIVES,
        ),
    ),
    *_of(
        "stagnation",
        (
            "stagnation hands nothing over",
            "and counters.stagnation >= limit",
            "and counters.stagnation > limit",
            STAGNATION,
        ),
        ("a session that recorded stagnates", "and before.signature == signature", "", STAGNATION),
    ),
    *_of(
        "evaluator",
        (
            "what the evaluator imports is free",
            "*_imported(root, named, inside), ",
            "",
            CHEATS,
            "::test_an_edited_file_that_the_evaluator_imports_is_refused",
        ),
    ),
    *_of(
        "safeguard",
        (
            "what a check deletes is gone",
            'lost = [name.replace(".tmp", "") for name in keepsake.put_back(known.files)]',
            "lost: list[str] = []",
            "safeguard/test_put_back.py",
            "::test_what_a_check_deletes_in_a_trial_is_put_back_and_the_row_is_a_crash",
        ),
    ),
    *_of(
        "printed",
        ("the last of several values counts", "if len(chosen) != 1:", "if not chosen:", METRIC),
        (
            "a second number within a line is nothing",
            "    if within:\n",
            "    if False:\n",
            READING,
        ),
        ("the form of the baseline binds nobody", "if not known.kind:", "if True:", METRIC),
    ),
)
