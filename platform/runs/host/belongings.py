"""What a run has in its host beside its cluster: it stays while the cluster dozes (`doze.py`)."""

from __future__ import annotations

from dataclasses import dataclass

from runs.host.checker import Results
from runs.host.clock import Setting
from runs.host.cookies import Jars
from runs.host.live import Tabs
from runs.host.terminal import Terminal


@dataclass(frozen=True, slots=True)
class Belongings:
    """See the module."""

    user_id: int
    """Its owner's."""
    token: str
    """The way in of its terminals' programs, which know it from their kubeconfig."""
    terminal: Terminal
    setting: Setting
    """Its clock's."""
    results: Results
    """Of its checks."""
    jars: Jars
    """The cookies of its pages."""
    tabs: Tabs
    """The browser tabs that are open."""

    @property
    def watched(self) -> bool:
        """Whether anybody is connected."""
        return self.terminal.watched or bool(self.tabs)

    async def close(self) -> None:
        """End what is connected."""
        self.tabs.close()
        await self.terminal.close()
