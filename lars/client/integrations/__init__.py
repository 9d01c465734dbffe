"""Lars in the libraries that programs already use: each file needs the library that it is named after.

See docs/integrations.md.
"""
