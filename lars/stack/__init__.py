"""All of Lars in one process: for trying it out, for development, for a small site."""
