"""Every error that is the user's to mend is an `EventsimError`; the command line prints it as one sentence."""


class EventsimError(Exception):
    """Base class: what was wrong, what is allowed, and what to do about it, in one sentence."""


class FormatError(EventsimError):
    """A file is not what it claims to be: unreadable, truncated, corrupt, or of an unknown format or version."""


class ConfigError(EventsimError, ValueError):
    """An argument or option has a value that cannot work."""


class DeviceError(EventsimError):
    """The requested compute device cannot be used."""
