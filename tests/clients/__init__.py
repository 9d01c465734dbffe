"""The C++ and Java clients against a real agent; `make test-clients` builds them first."""
