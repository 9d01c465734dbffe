"""Every public name of lars/ has a docstring.

A method that overrides or implements another may inherit its own; so may those of a typing.Protocol, which only names
methods that others have.
"""

import inspect
import pkgutil
from collections.abc import Iterator
from importlib import import_module
from types import ModuleType

from twisted.trial.unittest import SynchronousTestCase
from zope.interface import implementedBy

import lars

GENERATED = ("lars.wire.lars_pb2",)


def modules() -> Iterator[ModuleType]:
    """All modules of the package but those that are generated and those that run when imported."""
    for found in pkgutil.walk_packages(lars.__path__, "lars."):
        if found.name not in GENERATED and not found.name.endswith(".__main__"):
            yield import_module(found.name)


def undocumented(module: ModuleType) -> Iterator[str]:
    """The public names that a module defines without a docstring, the module's own among them."""
    if not module.__doc__:
        yield module.__name__
    for name, value in tuple(vars(module).items()):
        if name.startswith("_") or getattr(value, "__module__", None) != module.__name__:
            continue
        if inspect.isfunction(value) and not value.__doc__:
            yield f"{module.__name__}.{name}"
        elif inspect.isclass(value) and not getattr(value, "_is_protocol", False):
            yield from _undocumented_of_class(value)


def _undocumented_of_class(cls: type) -> Iterator[str]:
    name = f"{cls.__module__}.{cls.__name__}"
    documentation = vars(cls).get("__doc__")
    if not documentation or documentation.startswith(f"{cls.__name__}("):  # what dataclasses write
        yield name
    for attribute, member in tuple(vars(cls).items()):
        function = member.fget if isinstance(member, property) else getattr(member, "__func__", member)
        if attribute.startswith("_") or not inspect.isfunction(function) or function.__module__ != cls.__module__:
            continue
        if not function.__doc__ and not _inherits(cls, attribute):
            yield f"{name}.{attribute}"


def _inherits(cls: type, attribute: str) -> bool:
    """Whether a base has the documentation: one with a docstring, a class of another project, or an interface."""
    for base in cls.__mro__[1:]:
        if attribute in vars(base) and (vars(base)[attribute].__doc__ or not base.__module__.startswith("lars.")):
            return True
    try:
        return any(attribute in interface.names(all=True) for interface in implementedBy(cls))
    except TypeError:  # a class that zope.interface cannot describe, such as an enumeration
        return False


class Docstrings(SynchronousTestCase):
    """What a reader of the code, and the reference, finds."""

    def test_every_public_name_has_one(self) -> None:
        self.assertEqual("\n".join(name for module in modules() for name in undocumented(module)), "")

    def test_a_missing_one_is_noticed(self) -> None:
        module = ModuleType("lars.example", "A module.")
        source = """
class Documented(dict):
    '''A class.'''
    def keys(self): return ()
    def more(self): return ()
class Bare: pass
def function(): pass
def _private(): pass
"""
        exec(compile(source, "example", "exec"), vars(module))
        self.assertEqual(
            list(undocumented(module)),
            ["lars.example.Documented.more", "lars.example.Bare", "lars.example.function"],
        )
