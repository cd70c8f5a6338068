"""The room's own picture, and the screen with everybody else's."""
