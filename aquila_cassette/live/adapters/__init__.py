"""What may be rendered: a view, a function, or what a UI framework shows, each behind one shape."""

from aquila_cassette.live.adapters.adapter import Adapter
from aquila_cassette.live.adapters.choosing import adapter_for, register_view

__all__ = ["Adapter", "adapter_for", "register_view"]
