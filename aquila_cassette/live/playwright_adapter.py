"""The adapter for Playwright pages."""

from __future__ import annotations

from playwright import async_api, sync_api

from aquila_cassette.live.adapter import Adapter

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


class AsyncPageAdapter(Adapter):
    """A page of Playwright's async API; what it renders is its HTML."""

    def __init__(self, page: async_api.Page) -> None:
        self._page = page

    async def settle(self) -> None:
        try:
            await self._page.evaluate(_TWO_CALM_FRAMES)
        except async_api.Error as error:
            if _NAVIGATED not in error.message:
                raise
            await self._page.wait_for_load_state()
            await self.settle()

    async def render(self) -> str:
        return await self._page.content()


class SyncPageAdapter(Adapter):
    """A page of Playwright's sync API, for `render_sync`; what it renders is its HTML."""

    def __init__(self, page: sync_api.Page) -> None:
        self._page = page

    async def render(self) -> str:
        return self.render_sync()

    def settle_sync(self) -> None:
        try:
            self._page.evaluate(_TWO_CALM_FRAMES)
        except sync_api.Error as error:
            if _NAVIGATED not in error.message:
                raise
            self._page.wait_for_load_state()
            self.settle_sync()

    def render_sync(self) -> str:
        return self._page.content()
