"""The tests of Lars: unit/ mirrors lars/, integration/ starts real processes, soak/ holds the long ones."""

from hypothesis import settings

# A busy machine is no reason to fail; the examples themselves are few and small.
settings.register_profile("lars", deadline=None)
settings.load_profile("lars")
