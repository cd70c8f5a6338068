"""Stand-in for kms++, which Debian lacks: picamera2 imports it for its own previews, never used."""


class _AnyName(type):
    def __getattr__(cls, name: str) -> str:
        return name


class PixelFormat(metaclass=_AnyName):
    pass
