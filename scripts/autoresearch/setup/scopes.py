"""What a scope means in this repository: one that matches nothing is refused with what would match."""

from __future__ import annotations

import shlex
from collections.abc import Mapping, Sequence
from pathlib import Path

from ..kernel.core import artifacts, scope
from ..kernel.core.errors import Refusal
from ..kernel.core.settings import Config
from ..kernel.core.text import listing, one_line
from . import evaluator_files
from .listing import Listing

Trees = Mapping[str, tuple[Path, str]]  # repository to checkout and scope


def trees_of(root: Path, config: Config) -> dict[str, tuple[Path, str]]:
    """The checkouts and scopes of a run that is not set up yet."""
    found = {repo.path: (Path(repo.path), repo.scope) for repo in config.companions}
    return {str(root): (Path(config.worktree or root), config.scope), **found}


def check(trees: Trees) -> tuple[str, ...]:
    """Warnings on the scopes of `trees`; raises `Refusal` for one under which no trial could be made."""
    warnings: list[str] = []
    for tree, pattern in trees.values():
        repo = Listing(tree)
        _refuse_unseen(repo, tree, pattern)
        warnings += _line_ends(repo, pattern)
        if pattern.strip():
            warnings += _matching(repo, tree, pattern)
    return tuple(warnings)


def _refuse_unseen(repo: Listing, tree: Path, pattern: str) -> None:
    """Refuse files in the scope that git does not look at, where it was told so or they are named and ignored."""
    inside = scope.matcher(pattern)
    unwatched = [path for path in repo.unwatched() if inside(path)]
    if unwatched:
        raise Refusal(
            f"git was told not to look at {listing(unwatched, 3)} (assume-unchanged or skip-worktree), so an edit "
            f"would be in no commit; expected files that git sees: {seen_again(unwatched[0])}, "
            "or take it out of the scope"
        )
    items = [item.lstrip("!") for item in scope.split(pattern)]
    within = [path for path in repo.submodules() if any(item.startswith(f"{path}/") for item in items)]
    if within:
        raise Refusal(
            f"{listing(within, 2)} is a submodule, so an edit in it would be in no commit of {tree.name}; expected a "
            f"scope of this repository: --companion-repo-scope {shlex.quote(within[0])}='…' takes the submodule along"
        )
    named = {item.rstrip("/") for item in scope.split(pattern) if not set("*?[!").intersection(item)}
    ignored = [path for path in repo.ignored_roots() if path.rstrip("/") in named and not artifacts.is_owned(path)]
    if ignored:
        raise Refusal(
            f"{listing(ignored, 3)} is in the scope but ignored by git, so an edit would be in no commit; "
            f"expected files that git sees: git add -f {shlex.quote(ignored[0])} and commit, or another --scope"
        )


def seen_again(path: str) -> str:
    """The commands after which git looks at a file again; it takes one of the two flags a call."""
    name = shlex.quote(path)
    return f"git update-index --no-assume-unchanged {name} && git update-index --no-skip-worktree {name}"


def _line_ends(repo: Listing, pattern: str) -> list[str]:
    """Refuse files in the scope whose line endings git wants to change; those outside are told of."""
    found = repo.line_ends()
    inside = list(filter(scope.matcher(pattern), found))
    if inside:
        raise Refusal(
            f"{listing(inside, 3)} is stored with CRLF line endings, which .gitattributes forbids, so git calls it "
            "changed for ever and neither a stash nor a worktree helps; expected line endings as the attributes ask: "
            "git add --renormalize . and commit, then repeat the command"
        )
    told = f"{listing(found, 3)} has CRLF line endings against .gitattributes: git add --renormalize ."
    return [told] if found else []


def _matching(repo: Listing, tree: Path, pattern: str) -> list[str]:
    files = repo.files()
    inside = scope.matcher(pattern)
    plain = {item.rstrip("/") for item in scope.split(pattern) if not set("*?[!").intersection(item)}
    if not any(map(inside, files)) and not any(map(artifacts.is_owned, plain)):
        raise Refusal(_useless(repo, tree, pattern, files))
    bare = " ".join(pattern.replace("\\ ", " ").replace('"', "").replace("'", "").split())
    if bare != " ".join(pattern.split()) and len(scope.outside(files, bare)) == len(files):
        return [f"without its quotes the scope matches no file; keep them in every command: {one_line(pattern, 80)}"]
    return _dead(files, tree, pattern)


def _dead(files: Sequence[str], tree: Path, pattern: str) -> list[str]:
    """One pattern of several that matches nothing, as a typing error leaves it."""
    dead = [item for item in scope.split(pattern) if item[0] != "!" and not any(map(scope.matcher(_one(item)), files))]
    dead = [item for item in dead if not artifacts.is_owned(item.rstrip("/")) and not (tree / item).is_dir()]
    told = f"{listing(dead, 3)} in the scope matches no file: a new file may be made there, or is it spelt wrong?"
    told += " (a name with blanks stands in quotes)" if "/" in pattern and " " in pattern.strip() else ""
    return [told] if dead else []


def _one(item: str) -> str:
    return f'"{item}"' if " " in item else item


def _useless(repo: Listing, tree: Path, pattern: str, files: Sequence[str]) -> str:
    """Why a scope matches nothing and which one would."""
    shown = one_line(pattern, 80)
    start = f"scope {shown!r} matches no file of {tree.name} (patterns are relative to the repository's root), "
    ignored = [path for path in repo.ignored_roots() if scope.matcher(pattern)(path)]
    if ignored:
        return f"{start}expected one that does; {listing(ignored, 2)} is ignored by git: git add -f it and commit"
    for text in _meant(tree, pattern):
        inside = scope.matcher(text)
        found = [path for path in files if inside(path)]
        if found:
            return f"{start}expected one that does: --scope {shlex.quote(text)} matches {len(found)}, e.g. {found[0]}"
    return f"{start}expected one that does; {_near(pattern, files)}"


def _meant(tree: Path, pattern: str) -> list[str]:
    """What may be meant: the whole text as one name, paths as seen from the current folder or above the root."""
    text, below = pattern.strip(), _below(tree)
    found = [f'"{text}"'] if " " in text and '"' not in text else []
    for folder in below:
        found += [" ".join(_one(_joined(folder, item)) for item in scope.split(text))]
    if text.startswith(f"{tree.name}/"):
        found.append(text[len(tree.name) + 1 :])
    if "[" in text:
        found.append(text.replace("[", "[[]"))
    if " " not in text and "," not in text and not text.startswith(("**/", "!")):
        found.append(f"**/{text}")
    return found


def _joined(folder: str, item: str) -> str:
    return f"!{folder}/{item[1:]}" if item.startswith("!") else f"{folder}/{item}" if item != "." else folder


def _near(pattern: str, files: Sequence[str]) -> str:
    import difflib

    names = {*files, *(path.rpartition("/")[0] for path in files), *(path.partition("/")[0] for path in files)} - {""}
    bare = pattern.strip().split("*")[0].rstrip("/")
    near = [name for name in sorted(names) if name.lower() == bare.lower()]
    near = near or (difflib.get_close_matches(bare, sorted(names), 2, 0.6) if bare else [])
    if near:
        return f"did you mean {' or '.join(near)}?"
    return f"at the top there are {listing(sorted({path.partition('/')[0] for path in files}), 8)}"


def elsewhere(tree: Path, config: Config) -> list[str]:
    """Files that a check names as they are called from the current folder: checks run in the repository's root."""
    found = []
    for below in _below(tree):
        for name in (*evaluator_files.named(config.verify), *evaluator_files.named(config.guard)):
            if not (tree / name).exists() and (tree / below / name).is_file():
                found.append(f"checks run in the repository's root, where {name} is {below}/{name}: name it so")
    return found


def _below(tree: Path) -> list[str]:
    """The current folder as the root names it, with those above it; nothing outside of the tree or at its top."""
    try:
        name = Path.cwd().resolve().relative_to(tree.resolve())
    except (OSError, ValueError):
        return []
    return [folder.as_posix() for folder in (name, *name.parents) if folder.as_posix() != "."]
