"""Views in the manner of LiveView, and waiting for what they have started."""
