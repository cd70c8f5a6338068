"""Microphone and loudspeaker of a meeting: taking, cleaning, mixing, playing."""
