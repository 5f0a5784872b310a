"""What silences a linter in its settings is counted beside the number, as comments are."""

from __future__ import annotations

from pathlib import Path
from typing import Callable

import pytest
from autoresearch.checks import escapes, silenced

FLAT = """\
// "off" in a comment
export default [
  {ignores: ["dist/**", 'old.js']},
  {rules: {"no-undef": "off", eqeqeq: 0, "no-var": ["off", {a: 1}], indent: ["error", 0], 'max-len': [0, 80], semi: 2}},
]
"""
YAML = """\
linters:
  enable:
    - errcheck
  disable:
    - gosec  # - not an item
    - lll
  exclusions:
    presets: ["comments", "std-error-handling"]
    rules:
      - path: _test\\.go
        linters:
          - dupl
          - errcheck
      - text: weak
    paths:
    - vendor$
issues:
  exclude:
    - "Error return value"
  exclude-dirs: ['a', 'b']
"""
CARGO = """\
[package]
name = "a"
[lints.clippy]
needless_return = "allow"
pedantic = { level = "allow", priority = -1 }
unwrap_used = "deny"
[lints.rust]
dead_code = 'expect'
[features]
x = "allow"
"""


@pytest.mark.parametrize(
    ("count", "files", "wanted"),
    [
        (silenced.eslint, {"eslint.config.mjs": FLAT}, 6),
        (silenced.eslint, {".eslintrc.json": '{"rules": {"a": "off", "b": 2}, "ignorePatterns": ["x"]}'}, 2),
        (silenced.eslint, {"lib/.eslintrc.yml": "rules:\n  a: 'off'\n  b: 0\n", ".eslintignore": "# no\nx\n\ny\n"}, 4),
        (silenced.eslint, {"package.json": '{"eslintConfig": {"rules": {"a": ["off"]}}, "x": "off"}'}, 1),
        (silenced.eslint, {"package.json": "[", "a.js": "'off'"}, 0),
        (silenced.clippy, {"Cargo.toml": CARGO}, 3),
        (silenced.clippy, {"Cargo.toml": '[workspace.lints.clippy]\nall = "allow"\n# x = "allow"\n'}, 1),
        (silenced.clippy, {"inner/Cargo.toml": '[lints]\nworkspace = true\n[lints.clippy]\na = "warn"\n'}, 0),
        (silenced.clippy, {"clippy.toml": "too-many-arguments-threshold = 20\nallow-unwrap-in-tests = true\n"}, 2),
        (silenced.clippy, {".cargo/config.toml": '[build]\nrustflags = ["-Aclippy::all", "-A", "dead_code"]\n'}, 2),
        (silenced.golangci, {".golangci.yml": YAML}, 10),
        (silenced.golangci, {".golangci.toml": '[linters]\ndisable = ["a", "b"]\n'}, 2),
        (silenced.golangci, {"a.go": "disable: [a]\n"}, 0),
    ],
)
def test_entries_of_settings_are_counted(
    count: Callable[[Path], int], files: dict[str, str], wanted: int, tmp_path: Path
):
    for name, text in files.items():
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text(text)
    assert count(tmp_path) == wanted


@pytest.mark.parametrize(
    ("count", "text", "wanted"),
    [
        (escapes.typescript, "// @ts-nocheck\n/* @ts-ignore */ a\n/**\n * @ts-expect-error\n */\n//@ts-ignore\n", 4),
        (escapes.typescript, 'const a = "no comment"\n// about ts-ignore\n', 0),
        (escapes.golang, "//nolint\n//nolint:lll // why\n// nolint\n//lint:ignore S b\n//lint:file-ignore X y\n", 5),
        (escapes.golang, "//go:build linux\n// nolinters\n", 0),
        (escapes.rust, "#![allow(clippy::all)]\n#[expect(dead_code)]\n#[cfg_attr(test, allow(x))]\n#[derive(A)]\n", 3),
        (escapes.rust, "#[allow(\n  a,\n)]\n#![cfg_attr(not(test), expect(b))]\n#[warn(x)]\n", 2),
        (escapes.eslint, "/* eslint-disable */\n// eslint-disable-next-line a\na // eslint-disable-line\n", 3),
        (escapes.eslint, "/* eslint no-undef: 0, eqeqeq: \"off\" */\n/* eslint semi: 2 */\n", 2),
    ],
)  # fmt: skip
def test_comments_are_counted(count: Callable[[list[str]], int], text: str, wanted: int):
    assert count([text]) == wanted
