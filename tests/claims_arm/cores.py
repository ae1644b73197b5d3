"""Cores that the figures are for: what selection knows them by, what emulates them, and whose model stands for them."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Core:
    """A kind of core."""

    name: str
    part: int  # of MIDR_EL1; the implementer is Arm
    emulated: str  # qemu 7.2's CPU with the instructions that matter here
    model: str  # llvm-mca's, or "cortex-a53"/"cortex-a55" for `tests.claims_arm.inorder`

    @property
    def type(self) -> str:
        """What tfkit_kernel_runs takes for "the kernel that is selected on these cores"."""
        return f"0x{0x41 << 12 | self.part:x}"


# qemu 7.2 emulates neither the A55 (A76: as many instructions) nor cores newer than the N1 ("max": more).
A53 = Core("Cortex-A53", 0xD03, "cortex-a53", "cortex-a53")
A55 = Core("Cortex-A55", 0xD05, "cortex-a76", "cortex-a55")
A72 = Core("Cortex-A72", 0xD08, "cortex-a72", "cortex-a72")
# LLVM takes the A57's model for an A76; the N1 is the same core.
A76 = Core("Cortex-A76", 0xD0B, "cortex-a76", "neoverse-n1")
N1 = Core("Neoverse N1", 0xD0C, "neoverse-n1", "neoverse-n1")
N2 = Core("Neoverse N2", 0xD49, "max", "neoverse-n2")
V2 = Core("Neoverse V2", 0xD4F, "max", "neoverse-v2")
X1 = Core("Cortex-X1", 0xD44, "max", "neoverse-v1")

ALL = (A53, A55, A72, A76, N1, N2, V2, X1)
# As most phones have them: a process may run on both.
MIXED = (A76, A55)
