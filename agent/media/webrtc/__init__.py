"""WHIP and WHEP: sessions with a media server, from the first request to the statistics."""
