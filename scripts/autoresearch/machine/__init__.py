"""What there is to work with: CPU, memory, accelerators, toolchains."""

USES = ("cli", "kernel")
