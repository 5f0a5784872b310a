"""What checks leave for their next run goes again, and nothing else does."""

from __future__ import annotations

from pathlib import Path

from autoresearch.setup import traces


def test_what_cargo_and_coverage_leave_goes_and_what_was_there_stays(tmp_path: Path):
    def write(*names: str) -> None:
        for name in names:
            (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
            (tmp_path / name).write_text("x")

    kept = (
        "a/Cargo.toml",
        "a/Cargo.lock",
        "b/Cargo.toml",
        "target/notes.txt",
        "c/coverage/mine.txt",
        "c/lock/Cargo.lock",
    )
    write(*kept)
    with traces.swept(tmp_path):
        write("b/Cargo.lock", "b/target/CACHEDIR.TAG", "b/target/debug/x", "coverage/lcov.info", "d/x.tsbuildinfo")
        write("c/coverage/lcov.info")
        write("d/target/CACHEDIR.TAG", ".turbo/x")
    (tmp_path / "c/coverage/lcov.info").unlink()
    left = {
        path.relative_to(tmp_path).as_posix()
        for path in tmp_path.rglob("*")
        if path.is_file() and "home" not in path.parts
    }
    assert left == {*kept, "d/target/CACHEDIR.TAG"}
