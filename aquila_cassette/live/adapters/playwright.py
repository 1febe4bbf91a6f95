"""Playwright: a page is settled when two frames in a row were drawn without a change."""

from __future__ import annotations

from typing import Any

from playwright import async_api, sync_api

from aquila_cassette.errors import UsageError
from aquila_cassette.live.adapters.adapter import Adapter

__all__ = ["AsyncPage", "SyncPage"]

_TWO_CALM_FRAMES = """() => new Promise((resolve) => {
  let calm = 0;
  const observer = new MutationObserver(() => { calm = 0; });
  observer.observe(document, {
    subtree: true, childList: true, attributes: true, characterData: true,
  });
  // A page in the background draws no frames.
  const next = (step) => document.hidden ? setTimeout(step) : requestAnimationFrame(step);
  const step = () => {
    calm += 1;
    if (calm === 2) {
      observer.disconnect();
      resolve();
    } else {
      next(step);
    }
  };
  next(step);
})"""

_NAVIGATED = "Execution context was destroyed"


class AsyncPage(Adapter):
    """A page of Playwright's async API; what it renders is its HTML."""

    def __init__(self, page: async_api.Page) -> None:
        self._page = page

    async def settle(self) -> None:
        """Wait for two animation frames in a row without a change of the document."""
        while True:
            try:
                await self._page.evaluate(_TWO_CALM_FRAMES)
            except async_api.Error as error:
                if _NAVIGATED not in error.message:
                    raise
                await self._page.wait_for_load_state()
            else:
                return

    async def render(self) -> str:
        """Give the page's HTML."""
        return await self._page.content()

    def settle_sync(self) -> None:
        """Refuse.

        Raises:
            UsageError: Always.
        """
        self.render_sync()

    def render_sync(self) -> Any:
        """Refuse.

        Raises:
            UsageError: Always: this page is of the async API.
        """
        raise UsageError(
            "This page is of playwright.async_api, and render_sync runs no event loop.",
            fix="Make the test async: await render_async(page)",
        )


class SyncPage(Adapter):
    """A page of Playwright's sync API, for `render_sync`; what it renders is its HTML."""

    def __init__(self, page: sync_api.Page) -> None:
        self._page = page

    async def render(self) -> Any:
        """Refuse.

        Raises:
            UsageError: Always: this page is of the sync API.
        """
        raise UsageError(
            "This page is of playwright.sync_api, which cannot be awaited.",
            fix="In a sync test: render_sync(page); or use a page of playwright.async_api",
        )

    def settle_sync(self) -> None:
        """Wait for two animation frames in a row without a change of the document."""
        while True:
            try:
                self._page.evaluate(_TWO_CALM_FRAMES)
            except sync_api.Error as error:
                if _NAVIGATED not in error.message:
                    raise
                self._page.wait_for_load_state()
            else:
                return

    def render_sync(self) -> str:
        """Give the page's HTML."""
        return self._page.content()
