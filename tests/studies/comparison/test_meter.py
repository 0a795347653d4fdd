import time

from tl_keras.studies.comparison.meter import Meter


def test_the_shared_forward_pass_counts_as_the_method_s_own():
    meter = Meter()
    started = time.process_time()
    while time.process_time() - started < 0.02:
        pass
    costs = meter.costs(forward=10)
    assert 10.02 <= costs["cpu_seconds"] < 12 and 10.02 <= costs["seconds"] < 20
    assert costs.keys() == {"cpu_seconds", "seconds", "joules"}
