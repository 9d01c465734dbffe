"""A clock for tests of what happens in which turn of the reactor."""

from twisted.internet.task import Clock


class Turns(Clock):
    """A clock whose turns are the reactor's: what a turn schedules for no later than now waits for the next."""

    def turn(self) -> None:
        for call in [call for call in self.calls if call.getTime() <= self.seconds()]:
            self.calls.remove(call)
            call.func(*call.args, **call.kw)
