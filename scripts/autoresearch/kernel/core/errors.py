"""The one error class for everything the tool declines to do."""


class Refusal(Exception):
    """A request that was understood and declined; the message is one line for the user.

    It says what was wrong, what was expected and what to do next. `cli` prints it as
    `error: …` and exits 1; nothing is half-written when it is raised.
    """


class Postponed(Refusal):
    """A trial that cannot be judged now, through no fault of the edit: nothing is recorded and the edit stays."""
