"""Named deadlines: what is due when."""

from agent.core.model.deadlines import HealthDue, JoinLate, LeaveLate
from agent.runtime.timers import Timers


def test_nothing_set_means_nothing_to_wait_for():
    timers = Timers()
    assert timers.seconds_to_next(0) is None
    assert timers.due(1e9) == []


def test_each_deadline_is_due_once_and_the_earliest_first():
    timers = Timers()
    timers.set(JoinLate(), 30, now=100)
    timers.set(HealthDue(), 10, now=100)
    assert timers.seconds_to_next(104) == 6
    assert timers.due(109.9) == []
    assert timers.due(131) == [HealthDue(), JoinLate()]
    assert timers.due(131) == []


def test_setting_again_replaces_and_cancelling_forgets():
    timers = Timers()
    timers.set(JoinLate(), 5, now=0)
    timers.set(JoinLate(), 50, now=0)
    timers.set(HealthDue(), 1, now=0)
    timers.cancel(HealthDue())
    timers.cancel(LeaveLate())
    assert timers.due(49) == []
    assert timers.due(50) == [JoinLate()]


def test_a_late_loop_does_not_sleep_a_negative_time():
    timers = Timers()
    timers.set(JoinLate(), 5, now=0)
    assert timers.seconds_to_next(9) == 0
