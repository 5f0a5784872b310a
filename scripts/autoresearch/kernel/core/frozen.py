"""Frozen dataclasses that cost little to define.

The standard module imports `inspect` and compiles six methods a class: 25 ms for the classes that recording one
row needs, out of a budget of 35. This one shares its methods between classes. Type checkers see the original;
`dataclasses.replace`, `fields` and `asdict` accept instances of both.
"""

from __future__ import annotations

TYPE_CHECKING = False  # `typing` costs more start-up time than the modules of a command
if TYPE_CHECKING:
    from dataclasses import dataclass, field, replace
    from typing import Any
else:
    Any = None

__all__ = ["Any", "Factory", "dataclass", "field", "names", "replace"]
_MISSING = object()


class Factory:
    """A default that is made anew for each instance."""

    def __init__(self, make: Any) -> None:
        """`make` takes nothing and returns the value."""
        self.make = make


class _Fields:
    """`__dataclass_fields__` in the standard form, built when the standard module asks for it."""

    def __get__(self, instance: Any, owner: Any) -> dict[str, Any]:
        import dataclasses

        found = {}
        for name, default in owner.__defaults__.items():
            found[name] = item = dataclasses.field()
            item.name, item.type, item._field_type = name, "Any", dataclasses._FIELD  # type: ignore[attr-defined]
            if isinstance(default, Factory):
                item.default_factory = default.make
            elif default is not _MISSING:
                item.default = default
        return found


def _init(self: Any, *args: Any, **kwargs: Any) -> None:
    defaults = type(self).__defaults__
    if len(args) > len(defaults):
        raise TypeError(f"{type(self).__name__} takes at most {len(defaults)} values, {len(args)} given")
    values = dict(zip(defaults, args))
    for name, default in defaults.items():
        if name in kwargs:
            if name in values:
                raise TypeError(f"{type(self).__name__} got {name} twice")
            values[name] = kwargs.pop(name)
        elif name not in values:
            if default is _MISSING:
                raise TypeError(f"{type(self).__name__} needs {name}")
            values[name] = default.make() if isinstance(default, Factory) else default
    if kwargs:
        raise TypeError(f"{type(self).__name__} has no {', '.join(kwargs)}")
    self.__dict__.update(values)
    check = getattr(self, "__post_init__", None)
    if check is not None:
        check()


def _values(self: Any) -> tuple[Any, ...]:
    return tuple(self.__dict__[name] for name in type(self).__defaults__)


def _refuse(self: Any, name: str, value: Any = None) -> None:
    raise AttributeError(f"{type(self).__name__} is frozen: {name} cannot be changed")


def _equal(self: Any, other: Any) -> bool:
    return _values(self) == _values(other) if type(self) is type(other) else NotImplemented


def _hash(self: Any) -> int:
    return hash(_values(self))


def _repr(self: Any) -> str:
    inner = ", ".join(f"{name}={value!r}" for name, value in zip(type(self).__defaults__, _values(self)))
    return f"{type(self).__qualname__}({inner})"


_METHODS = {
    "__init__": _init,
    "__setattr__": _refuse,
    "__delattr__": _refuse,
    "__eq__": _equal,
    "__hash__": _hash,
    "__repr__": _repr,
    "__dataclass_fields__": _Fields(),
}

if not TYPE_CHECKING:

    def dataclass(*, frozen: bool):
        """Make a class of annotated fields a frozen value: init, equality, hash and repr by its fields."""
        assert frozen

        def make(cls):
            """Give the class its fields and the shared methods."""
            own = cls.__dict__.get("__annotations__", {})  # noqa: RUF063 - the remedy is no standard library
            inherited = getattr(cls, "__defaults__", {})
            cls.__defaults__ = {**inherited, **{name: cls.__dict__.get(name, _MISSING) for name in own}}
            for name, method in _METHODS.items():
                setattr(cls, name, method)
            return cls

        return make

    def field(*, default_factory):
        """A field whose default is made anew for each instance."""
        return Factory(default_factory)

    def replace(value, /, **changes):
        """A copy of `value` with these fields changed."""
        return type(value)(**{**dict(zip(type(value).__defaults__, _values(value))), **changes})


def names(cls: type) -> tuple[str, ...]:
    """The names of a frozen dataclass's fields, in order."""
    return tuple(cls.__dict__["__defaults__"])
