"""Run in background: launch, start, status, logs, stop, and the controller itself."""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Callable, Mapping

from ..cli import Outcome, arguments
from ..kernel.core.errors import Refusal
from ..kernel.core.settings import BUDGETS, LAUNCH
from ..setup import start_flags
from . import agent_flags

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from ..kernel.disk.layout import Layout
    from .launch import LaunchRequest

CHAT = "chat"  # --notify: the ready form
_LOOK = 0.5  # seconds between looks at a log that is followed


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The subcommands with their flags (docs/artifacts.md, Commands)."""
    kind = _deferred(type(parser))
    commands = parser.add_subparsers(dest="command", required=True, metavar="COMMAND", parser_class=kind)
    for name, (about, groups) in _COMMANDS.items():
        fill = (arguments.add_paths, *groups)
        commands.add_parser(name, help=about, description=about, allow_abbrev=False, fill=fill)


def _deferred(base: Any) -> Any:
    """A parser that gets its flags when it is asked to parse: of seven subcommands one is."""

    class Deferred(base):  # type: ignore[misc]
        """Keeps what adds its flags until it parses."""

        def __init__(self, *args: Any, fill: tuple[Callable[[Any], None], ...] = (), **known: Any) -> None:
            super().__init__(*args, **known)
            self._fill = fill

        def parse_known_args(self, args: Any = None, namespace: Any = None) -> Any:
            """Parse, giving a subcommand its flags only now."""
            fill, self._fill = self._fill, ()
            for group in fill:
                group(self)
            return super().parse_known_args(args, namespace)

    return Deferred


def _agreed(parser: argparse.ArgumentParser) -> None:
    start_flags.add_flags(parser)
    add = parser.add_argument
    add("--no-baseline", action="store_true", help="leave set-up and baseline to the first session")
    add("--original-goal", default="", help="the user's words")
    add("--prompt-text", default="", help="the user's prompt, given to each session")
    add("--approval", action="append", metavar="K=V", help="what the user allowed")
    add("--default", action="append", metavar="K=V", help="what was assumed and not contradicted")
    add("--resume-seed", action="append", metavar="K=V", help="what an earlier run left to know")
    add("--note", action="append", metavar="TEXT", help="for each session")
    add("--force", action="store_true", help="replace an earlier launch manifest")
    arguments.add_settings(parser, LAUNCH)
    add("--setup", metavar="CMD", help="prepares a fresh worktree")
    add("--link", action="append", metavar="PATH", help="linked into a fresh worktree, e.g. node_modules")
    add("--notify", metavar="CMD", help=f"gets the ending as JSON on stdin; {CHAT}: it is reported in this chat")


def _fresh(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--fresh-start", action="store_true", help="archive the earlier run")


def _controller(parser: argparse.ArgumentParser) -> None:
    add = parser.add_argument
    add("--sleep-seconds", type=float, metavar="S", help="pause between sessions (default: 0)")
    add("--max-stagnation", type=int, metavar="N", help="sessions without a row before a human is asked (default: 3)")
    add("--min-free-mb", type=int, metavar="N", help="disk space below which no session starts")
    agent_flags.add(parser)
    add("--log-path", metavar="PATH", help="instead of autoresearch-runtime.log")
    add("--backoff-seconds", type=float, metavar="S", help="first wait after an error, doubled each time (default: 60)")
    add("--wait-usage-limit", type=float, metavar="HOURS", help="for the reset of a plan's limit (default: 6)")
    add("--resume-tokens", type=int, metavar="N", help="go on with shorter threads (default: 50000; 0: never)")
    add("--workers", type=int, metavar="N", help="sessions side by side, each in a worktree (default: 1)")
    add("--oversubscribe", action="store_true", default=None, help="as many as asked for, even if the machine is small")
    add("--escalate", metavar="'MODEL:EFFORT, …'", help="after each pivot the next of these models does the work")
    add("--silence-seconds", type=float, metavar="S", help="end a session without an event for so long (default: 3600)")


def _more(parser: argparse.ArgumentParser) -> None:
    add = parser.add_argument_group("more than was agreed (+20: from here on; 70: in all)").add_argument
    for row in BUDGETS:
        add(f"--{row.flag}", metavar="+N")
    add("--until", metavar="TIME", help="another wall clock; none for none")
    add("--stop-condition", metavar="TEXT", help="another end; none for no such end")
    add("--price", metavar="IN,CACHED,OUT", help="what --max-cost counts with")


def _word(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("text", metavar="TEXT", help="one sentence, e.g. 'leave the parser alone'")


def _unkept(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("number", type=int, metavar="N", help="the kept iteration")
    parser.add_argument("--why", default="", help="what is wrong with it; becomes a lesson")


def _lock(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--lock-fd", type=int, help=argparse.SUPPRESS)


def _grace(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--grace-seconds", type=float, default=10.0, metavar="S", help="until what runs is killed")


def _format(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--format", choices=("text", "json"), help="default: text on a terminal, else JSON")


def _follow(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--follow", action="store_true", help="go on until interrupted or the run ends")
    parser.add_argument("--lines", type=int, default=40, metavar="N")


_COMMANDS = {
    "create-launch": ("write the launch manifest", (_agreed, _controller)),
    "launch": ("measure the baseline, write the manifest and start in background", (_agreed, _fresh, _controller)),
    "start": ("resume, extend, or start what create-launch confirmed", (_controller, _more)),
    "tell": ("pass what the user says on with the next answer", (_word,)),
    "pause": ("end between two experiments; start goes on", ()),
    "take-back": ("revert a kept experiment by the user's will", (_unkept,)),
    "run": ("control the run in this process", (_controller, _lock)),
    "status": ("what is true now", (_format,)),
    "stop": ("end the run with all it started", (_grace,)),
    "logs": ("the controller's log", (_follow,)),
}


def run(args: argparse.Namespace) -> Mapping[str, Any] | Outcome:
    """Do what was asked."""
    return _ACTIONS[args.command](args, arguments.layout_of(args))


def _create(args: argparse.Namespace, layout: Layout) -> Mapping[str, Any]:
    from . import launch

    return launch.create(layout, _wish(args, layout))


def _launch(args: argparse.Namespace, layout: Layout) -> Mapping[str, Any]:
    from . import launch

    _refuse_sandbox(layout)
    return launch.launch(layout, _wish(args, layout))


def _start(args: argparse.Namespace, layout: Layout) -> Mapping[str, Any]:
    from ..agreement import agreement
    from . import launch

    _refuse_sandbox(layout)
    more = {name: getattr(args, name) for name in agreement.EXTENDABLE}
    return launch.start(layout, _changes(args), {name: text for name, text in more.items() if text is not None})


def _tell(args: argparse.Namespace, layout: Layout) -> Mapping[str, Any]:
    from ..agreement import agreement, said

    run = agreement.tell(layout, args.text)
    return {"told": said.words(run.log)[-1], "iteration": run.state.iteration, "results_path": str(layout.results)}


def _pause(args: argparse.Namespace, layout: Layout) -> Mapping[str, Any]:
    from . import steering

    return steering.pause(layout)


def _take_back(args: argparse.Namespace, layout: Layout) -> Mapping[str, Any]:
    from . import steering

    return steering.take_back(layout, args.number, args.why)


def _run(args: argparse.Namespace, layout: Layout) -> Outcome:
    from . import controller, launch, manifest_file, runtime_file

    if args.lock_fd is not None:
        launch.adopt_lock(layout, args.lock_fd)  # it is held until this process ends
        ended = controller.run(layout, manifest_file.require(layout), tuple(sys.argv))
    else:
        _refuse_sandbox(layout)
        with launch.locked(layout):
            ended = controller.run(layout, launch.prepare_run(layout, _changes(args)), tuple(sys.argv))
    return Outcome(runtime_file.answer(layout), exit_code=0 if ended.status in ("terminal", "stopped") else 1)


def _status(args: argparse.Namespace, layout: Layout) -> Mapping[str, Any] | Outcome:
    from . import launch_facts, runtime_file

    answer = runtime_file.answer(layout)
    if answer["status"] == "idle":
        answer.update({**launch_facts.standing(layout), **launch_facts.foreground(layout)})
    wanted = args.format or ("text" if sys.stdout.isatty() else "json")
    return answer if wanted == "json" else Outcome(answer, text=_screen(layout) + _as_text(answer))


def _screen(layout: Layout) -> str:
    """The screen of `watch` above the controller's facts, where there is a run to show."""
    from ..kernel import ports

    text = "".join(screen(layout) for screen in ports.asked("session", "screen"))
    return text.rstrip("\n") + "\n\n" if text else ""


def _stop(args: argparse.Namespace, layout: Layout) -> Outcome:
    from . import launch_facts, stopping

    answer = stopping.stop(layout, max(0.0, args.grace_seconds))
    if answer["status"] == "idle":
        answer.update(launch_facts.foreground(layout, stopping=True))
    return Outcome(answer, exit_code=1 if answer["reason"] == "stop_failed" else 0)


def _logs(args: argparse.Namespace, layout: Layout) -> Outcome:
    from ..kernel.system import interrupts
    from . import runlog, runtime_file

    path = runtime_file.logged_at(layout)
    text, offset = runlog.tail(path, args.lines)
    while args.follow:
        sys.stdout.write(text)
        sys.stdout.flush()
        if not runtime_file.is_running(layout):
            return Outcome({}, text="")
        interrupts.pause(_LOOK)
        text, offset = runlog.read(path, offset)
    return Outcome({}, text=text)


_ACTIONS: dict[str, Callable[[argparse.Namespace, Layout], Mapping[str, Any] | Outcome]] = {
    "create-launch": _create,
    "launch": _launch,
    "start": _start,
    "tell": _tell,
    "pause": _pause,
    "take-back": _take_back,
    "run": _run,
    "status": _status,
    "stop": _stop,
    "logs": _logs,
}


def _refuse_sandbox(layout: Layout) -> None:
    """Say the line to run outside; here it would be killed with this shell call."""
    from . import launch

    problem = launch.sandbox_problem(layout.root)
    if problem:
        import shlex

        line = " ".join(shlex.quote(word) for word in ("python3", os.path.abspath(sys.argv[0]), *sys.argv[1:]))
        raise Refusal(f"{problem}; ask the user to run this line in a terminal of their own: {line}")


def _wish(args: argparse.Namespace, layout: Layout) -> LaunchRequest:
    from ..agreement import validity
    from ..kernel.core import config as values
    from ..kernel.core.frozen import replace
    from ..setup import init
    from . import launch, manifest

    start_flags.take_over(args, layout.root)
    mode = args.mode or "loop"
    metric = arguments.number_of(args.baseline_metric, "baseline metric")
    config = replace(arguments.config_of(args, layout.root), session_mode="background", measured=metric is None)
    config = values.with_policy(config, mode)
    validity.validate(config, mode)
    found = manifest.Manifest(
        mode=mode,
        original_goal=args.original_goal or config.goal,
        prompt_text=args.prompt_text,
        config=config,
        approvals=_pairs(args.approval, "--approval"),
        defaults=_pairs(args.default, "--default"),
        resume_seed=_pairs(args.resume_seed, "--resume-seed"),
        notes=tuple(args.note or ()),
        run_tag=init.tag_of(init.Plan(mode, config, args.run_tag or "")),
        environment=start_flags.environment_of(args, layout.root),
        baseline=manifest.BaselinePlan(
            not args.no_baseline,
            metric,
            args.baseline_commit,
            args.baseline_description,
            arguments.commits_of(args.repo_commit, layout.root),
        ),
        controller=manifest.options(_changes(args)),
    )
    return launch.LaunchRequest(found, args.force, getattr(args, "fresh_start", False))


def _pairs(values: list[str] | None, flag: str) -> dict[str, str]:
    found = {}
    for item in values or ():
        key, equals, value = item.partition("=")
        if not equals or not key.strip():
            raise Refusal(f"{flag} {item[:80]!r} is not usable, expected K=V")
        found[key.strip()] = value
    return found


_OPTIONS = ("sleep_seconds", "max_stagnation", "min_free_mb", "log_path", "backoff_seconds")


def _changes(args: argparse.Namespace) -> dict[str, Any]:
    """The controller's options that were given."""
    if args.log_path:
        from ..cli import outputs
        from . import runlog

        layout = arguments.layout_of(args)
        outputs.refuse(layout.root / args.log_path, "--log-path", layout, runlog.LOOKS, "runtime_log")
    found = {
        name: getattr(args, name)
        for name in (
            *_OPTIONS,
            "silence_seconds",
            "wait_usage_limit",
            "resume_tokens",
            "escalate",
            "workers",
            "oversubscribe",
        )
    }
    found.update(agent_flags.given(args))
    found.update({name: getattr(args, name, None) for name in ("notify", "setup")})
    if found["escalate"]:
        from . import escalation

        escalation.parse(found["escalate"])
    found["links"] = getattr(args, "link", None)
    if found["notify"] == CHAT:
        from . import agent

        usual = found.get("agent") in (None, agent.named("").NAME)
        found["notify"] = agent.named("").telling(str(found.get("agent_bin") or "") if usual else "")
    return {name: value for name, value in found.items() if value is not None}


_PLUMBING = ("pid", "identity", "mark", "thread_id")  # of a session; for programs


def _as_text(answer: Mapping[str, Any]) -> str:
    shown = {name: value for name, value in answer.items() if value not in (None, "", [], {})}
    width = max(len(name) for name in shown)
    return "\n".join(f"{name.replace('_', ' '):{width}}  {_plain(value)}" for name, value in shown.items())


def _plain(value: Any) -> str:
    if isinstance(value, Mapping):
        parts = ((name.replace("_", " "), part) for name, part in value.items() if name not in _PLUMBING)
        return ", ".join(f"{name} {part}" for name, part in parts if part != "")
    return "; ".join(value) if isinstance(value, list) else str(value)
