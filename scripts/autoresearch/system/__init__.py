"""What `machine` knows, under the name that it had in earlier versions: for programs that import it from here."""

from ..machine import accelerators
from ..machine import limits as machine

USES = ("machine",)

__all__ = ["accelerators", "machine"]
