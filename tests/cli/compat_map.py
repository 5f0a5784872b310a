"""What runs and scripts of other tools rely on, each rule with the tests that hold it; `test_compat_map.py` reads it.

The rules are those of docs/artifacts.md, Runs of other tools, cut finer: one line a rule, in the order of the commands.
"""

from __future__ import annotations

_SCRIPTS = "cli/test_compat_scripts.py::"
_CONTROLLER = "background/test_compat_controller.py::"

RULES: dict[str, tuple[str, ...]] = {
    # every script
    "an absolute log path names the run and its repository": (
        _SCRIPTS + "test_an_absolute_results_path_names_the_run",
        _SCRIPTS + "test_the_repository_around_an_absolute_results_path_is_the_runs",
        _SCRIPTS + "test_an_absolute_results_path_names_the_notes_too",
    ),
    "nothing is left in the current folder": (_SCRIPTS + "test_an_absolute_results_path_names_the_run",),
    "an answer names the files that it used": (
        _SCRIPTS + "test_every_answer_names_the_files_it_used",
        _SCRIPTS + "test_an_exec_log_names_its_scratch_file_also_where_its_rows_are_broken",
    ),
    "a reported run works outside git": (
        _SCRIPTS + "test_outside_git_a_reported_run_works",
        _CONTROLLER + "test_a_reported_run_is_launched_gone_on_with_and_stopped_outside_git",
    ),
    "the first writer hides the artifacts": (
        _SCRIPTS + "test_whoever_writes_first_hides_the_artifacts",
        _SCRIPTS + "test_a_log_of_another_name_is_hidden_with_its_archives",
    ),
    "untracked artifacts in subfolders are no change": (
        _SCRIPTS + "test_artifacts_of_an_older_run_in_a_subfolder_are_no_change",
    ),
    "the header holds where the rows are broken": (
        _SCRIPTS + "test_an_exec_log_names_its_scratch_file_also_where_its_rows_are_broken",
    ),
    "a decision has its reasons": (
        _SCRIPTS + "test_the_supervisor_says_how_it_ended",
        _SCRIPTS + "test_a_log_alone_needs_its_launch_confirmed",
    ),
    "a divergence names fields and both values": (_SCRIPTS + "test_a_divergence_names_each_field_with_both_values",),
    "a sentence on a companion names its path": (_SCRIPTS + "test_a_sentence_about_a_companion_names_its_path",),
    # init_run
    "exec refuses a dirty tree": (_SCRIPTS + "test_exec_refuses_a_dirty_tree",),
    "exec wants its number of iterations": (_SCRIPTS + "test_exec_without_iterations_is_the_same_error",),
    "the policy stands where sessions are nested": (_SCRIPTS + "test_the_policy_is_written_where_nested_sessions_run",),
    "maps of commits hold the primary repository": (_SCRIPTS + "test_maps_of_commits_have_every_repository",),
    # record_iteration
    "a row's maps keep what a companion had": (_SCRIPTS + "test_maps_of_commits_have_every_repository",),
    "a discard changes the map of trials alone": (_SCRIPTS + "test_maps_of_commits_have_every_repository",),
    "every keep has its lesson, whatever the tag": (_SCRIPTS + "test_a_keep_has_its_lesson_in_each_run_of_one_tag",),
    # select_parallel_batch, run_batch close
    "without a winner the best trial is the row": (_SCRIPTS + "test_without_a_winner_the_row_is_the_best_trials",),
    "without a number the row tells none": (_SCRIPTS + "test_without_a_number_the_row_tells_none",),
    "only the selected row keeps": (_SCRIPTS + "test_only_the_selected_row_says_keep",),
    "a winner without a commit refuses": (
        _SCRIPTS + "test_a_winner_without_a_commit_and_a_dirty_tree_refuse_the_batch",
    ),
    "files outside the scope refuse a batch": (
        _SCRIPTS + "test_a_winner_without_a_commit_and_a_dirty_tree_refuse_the_batch",
    ),
    # resume_check
    "a snapshot without its fold is unusable": (_SCRIPTS + "test_a_snapshot_without_its_state_is_unusable_not_edited",),
    "an exec run's state is the scratch file": (
        _SCRIPTS + "test_an_exec_log_names_its_scratch_file_also_where_its_rows_are_broken",
    ),
    "the summary has labels and counts": (_SCRIPTS + "test_the_summary_tells_labels_and_counts_rows",),
    # launch_gate
    "a log alone wants a confirmed launch": (_SCRIPTS + "test_a_log_alone_needs_its_launch_confirmed",),
    "the strategy tells a question from a contradiction": (
        _SCRIPTS + "test_what_does_not_fit_together_has_no_strategy",
        _SCRIPTS + "test_a_log_alone_needs_its_launch_confirmed",
    ),
    # supervisor_status
    "the kind of the exit": (
        _SCRIPTS + "test_the_supervisor_says_how_it_ended",
        _SCRIPTS + "test_stagnation_is_told_as_the_exit",
    ),
    "no terminal reason while the run goes on": (
        _SCRIPTS + "test_the_supervisor_says_how_it_ended",
        _CONTROLLER + "test_a_reported_run_is_launched_gone_on_with_and_stopped_outside_git",
    ),
    "a reached number without its labels goes on": (
        _SCRIPTS + "test_a_reached_number_without_its_labels_goes_on_and_says_so",
    ),
    "the answer says whether it wrote": (_SCRIPTS + "test_the_supervisor_says_how_it_ended",),
    # set_session_mode
    "the mode sets and takes the policy": (_SCRIPTS + "test_set_session_mode_sets_and_takes_the_policy",),
    # commit_gate, health_check
    "without scope and run everything is unexpected": (_SCRIPTS + "test_without_scope_and_run_nothing_is_in_scope",),
    "a destructive rollback wants approval": (_SCRIPTS + "test_a_destructive_rollback_needs_approval_in_every_phase",),
    "a repository's entry has role and scope": (_SCRIPTS + "test_a_sentence_about_a_companion_names_its_path",),
    "health counts what is there": (_SCRIPTS + "test_health_counts_what_is_there",),
    "the gate repeats what it was asked": (_SCRIPTS + "test_without_scope_and_run_nothing_is_in_scope",),
    # lessons
    "text that is no lesson is kept": (_SCRIPTS + "test_text_that_is_no_lesson_is_kept_beside",),
    "lessons begin with an entry, empty fields are a dash": (_SCRIPTS + "test_text_that_is_no_lesson_is_kept_beside",),
    "a summary silences its own run alone": (
        "background/test_controller.py::test_only_a_summary_of_this_run_makes_another_needless",
    ),
    "lessons of another editor stay entries": (_SCRIPTS + "test_lessons_of_a_windows_editor_stay_entries",),
    # runtime_ctl
    "another tool's controller is running": (
        _CONTROLLER + "test_it_is_running_for_every_command",
        _CONTROLLER + "test_a_number_that_was_used_again_is_no_controller",
        _CONTROLLER + "test_its_numbers_may_be_texts",
        _CONTROLLER + "test_a_copied_record_names_nobodys_process",
    ),
    "stop ends its group": (_CONTROLLER + "test_stop_ends_it_with_its_group",),
    "what would end it at once refuses the launch": (
        _CONTROLLER + "test_what_would_end_it_at_once_refuses_the_launch",
    ),
    "a session that recorded is followed at once": (_CONTROLLER + "test_a_session_that_recorded_is_followed_at_once",),
    "a fresh start names its archives": (_CONTROLLER + "test_a_fresh_start_names_what_it_archived",),
    "create-launch repeats mode and goals": (_CONTROLLER + "test_without_a_controller_the_status_is_the_gates",),
    "without a controller the status is the gate's": (
        _CONTROLLER + "test_without_a_controller_the_status_is_the_gates",
    ),
}
