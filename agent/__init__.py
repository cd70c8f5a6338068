"""diemcau: the agent in a meeting room."""

__version__ = "0.2.0"
