"""Taking the loudspeaker's sound out of the microphone's.

`canceller` is the port and knows its drivers; `reference` keeps what was played until its echo comes
back, `delay` finds out how much later that is.
"""
