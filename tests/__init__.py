"""The tests of Lars: unit/ mirrors lars/, integration/ starts real processes, soak/ holds the long ones."""

import signal

from hypothesis import settings

# A script's `make test &` ignores SIGINT, and so would the programs that tests interrupt.
if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
    signal.signal(signal.SIGINT, signal.default_int_handler)

# A busy machine is no reason to fail; the examples themselves are few and small.
settings.register_profile("lars", deadline=None)
settings.load_profile("lars")
