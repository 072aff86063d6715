"""Jobs, and how their rows are computed: scheduler, lanes, streams, runtime, calibration."""
