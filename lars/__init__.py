"""Lars: which node do I call for service X right now? (Load balance And Remote service schedule System)"""

__version__ = "0.1.0"
