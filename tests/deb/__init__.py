"""The Debian package in a Debian of its own; needs root, debootstrap and a mirror of Debian."""
