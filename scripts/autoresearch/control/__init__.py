"""Unattended runs: manifest, launch gate, controller, Codex adapter, prompt, hooks."""
