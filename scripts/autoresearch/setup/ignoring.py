"""What git ignores here, and would have ignored at a commit."""

from __future__ import annotations

import os
from collections.abc import Sequence

from ..kernel.system import gitcall, gitfiles
from ..kernel.system.gitread import Reader, names_in, text_in


class Ignoring(Reader):
    """A repository asked about its ignore files and attributes."""

    def ignored_roots(self) -> tuple[str, ...]:
        """Ignored paths, a wholly ignored folder as one entry ending in "/"."""
        found = self._status("normal", "--ignored=traditional")
        return tuple(entry[2:] for entry in found if entry.startswith("! "))

    def private_ignore_rules(self) -> str:
        """The ignore rules that are in force here and not part of the tree: the user's, and those of this clone."""
        own = os.path.join(os.environ.get("XDG_CONFIG_HOME") or os.path.expanduser("~/.config"), "git", "ignore")
        named = self._setting("core.excludesFile")
        files = (os.path.expanduser(named) if named else own, self.common_dir() / "info" / "exclude")
        lines = [line for path in files for line in gitfiles.text_of(self._cwd() / path).split("\n")]
        told = (line for line in lines if line.strip() and not line.startswith("#") and "autoresearch" not in line)
        return "\n".join(line for line in told if "research-results" not in line)

    def ignored_at(self, commit: str, rules: str, paths: Sequence[str]) -> set[str]:
        """Those of `paths` that the ignore files of `commit`, or `rules`, hide."""
        names = [n for n in names_in(self._read("ls-tree", "-r", "-z", "--name-only", commit)) if _is_ignore_file(n)]
        with gitfiles.scratch(self.git_dir(), "ignore") as folder:
            for name in names:
                target = folder / "tree" / name
                target.parent.mkdir(parents=True, exist_ok=True)
                target.write_bytes(self._read("cat-file", "blob", f"{commit}:{name}"))
            (folder / "tree").mkdir(exist_ok=True)
            (folder / "rules").write_bytes(os.fsencode(rules + "\n"))
            env = {"GIT_DIR": str(self.git_dir().absolute()), "GIT_WORK_TREE": str(folder / "tree")}
            env["GIT_LITERAL_PATHSPECS"] = "0"  # it takes no literal ones; "./" keeps a leading colon from meaning more
            args = ["-c", f"core.excludesFile={folder / 'rules'}", "check-ignore", "--no-index", "-z", "--stdin"]
            stdin = b"".join(b"./" + os.fsencode(path) + b"\0" for path in paths)
            code, out, err = gitcall.attempt(folder / "tree", args, stdin, env)
        if code not in (0, 1):
            raise gitcall.error(err)
        return {name[2:] for name in names_in(out)}

    def changed_by_attributes(self, commit: str, paths: Sequence[str]) -> tuple[str, ...]:
        """Those of `paths` whose content equals that of `commit` once the attributes of `commit` are applied to it."""
        if not paths:
            return ()
        index = names_in(self._read("ls-tree", "-r", "-z", commit, "--", *paths))
        blobs = {entry.partition("\t")[2]: entry.split(" ")[2].partition("\t")[0] for entry in index}
        names = [n for n in names_in(self._read("ls-tree", "-r", "-z", "--name-only", commit)) if _is_attributes(n)]
        with gitfiles.scratch(self.git_dir(), "attributes") as folder:
            for name in names:
                target = folder / name
                target.parent.mkdir(parents=True, exist_ok=True)
                target.write_bytes(self._read("cat-file", "blob", f"{commit}:{name}"))
            env = {"GIT_DIR": str(self.git_dir().absolute()), "GIT_WORK_TREE": str(folder)}
            found = []
            for path in paths:
                file = self._cwd() / path
                if path in blobs and file.is_file() and not file.is_symlink():
                    args = ["hash-object", "--stdin", "--path=" + path]
                    out = gitcall.call(folder, args, file.read_bytes(), env)
                    found += [path] if text_in(out) == blobs[path] else []
        return tuple(found)


def _is_ignore_file(path: str) -> bool:
    return path.rpartition("/")[2] == ".gitignore"


def _is_attributes(path: str) -> bool:
    return path.rpartition("/")[2] == ".gitattributes"
