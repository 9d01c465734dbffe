"""The long tests: kill storms and fuzzing, run by `make soak`."""
