"""How many threads a training uses."""

from __future__ import annotations

from threadpoolctl import threadpool_limits


def one_thread() -> threadpool_limits:
    """Keep BLAS to one thread while the context lasts.

    Trainings run side by side: pools that outnumber the cores spend their time waiting for each other (a fit
    of 2,000 interactions took 8 s instead of 0.4 s on two busy cores), and sums in one order make the same
    model again.
    """
    return threadpool_limits(limits=1, user_api="blas")
