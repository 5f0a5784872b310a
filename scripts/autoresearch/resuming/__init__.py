"""Taking up what an earlier run left: what log and snapshot allow together, and the snapshot made from the log."""

USES = ("cli", "isolation", "kernel", "longlog")
