"""Which latencies did others measure? One CSV per set: calibration and validation read them."""
