"""Where a step's parameters and buffers live in each style."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from nngen.catalog import LAYERS
from nngen.catalog.entry import State
from nngen.emit.constructor import is_block_list
from nngen.graph.containers import CONTAINERS
from nngen.graph.flow import Module
from nngen.teach.lesson.families import asks_for_mode
from nngen.teach.translations import translate

OWNS = "The module `{module}` owns {states}; keys in the state_dict: {keys}."
OWNS_NOTHING = (
    "The module `{module}` has no parameters and no keys in the state_dict; it keeps its arguments."
)
ITS_BUFFERS = "Its buffers are saved in the state_dict too, but no optimizer changes them: {keys}."
SETS_MODE = "`model.train()` and `model.eval()` set its `training`."
CLASS_OWNS = "The class itself owns {attributes}; `__init__` makes and draws them, and `forward` passes them to `{function}`."
CLASS_REGISTERS = (
    "`register_buffer` makes the buffers part of the state_dict and of `.to(device)`: {attributes}."
)
CLASS_COUNTS = "`F.batch_norm` moves the running statistics in train mode; the batches are counted by a line above it: {counter}."
ONLY_CALLS = "`__init__` builds nothing; `forward` calls `{function}`."
PASSES_MODE = "A function knows no mode, so it is told: `self.training` is passed to it."
PASSED_ON = "Nothing is built and nothing is computed: the value is passed on."
BLOCK = "`{module}` is an object of the class `{kind}`; {prefix} begins the keys of its parameters."
BLOCK_STAYS = (
    "`{module}` is an object of the class `{kind}` here too: a block stays a module, and only what is in it is written "
    "with functions."
)
SEQUENTIAL = "`{module}` is an `nn.Sequential`: it owns its layers, calls them in order, and numbers their keys: {keys}."
UNROLLED = "A function cannot stand in a container, so each layer has lines of its own."
CLASS_OWNS_ALL = "The parameters and buffers belong to the class itself: {attributes}."
NONE_AT_ALL = "There are no parameters."
BLOCKS_STAY = "The blocks in it stay modules."
COPIES = "`{module}` is an `nn.ModuleList` of copies, each with parameters of its own: {keys}."
BLOCK_LIST = "`{module}` holds the blocks in this style too, and a loop calls them."
COMPOSITE = "The module `{module}` builds its layers itself and owns all their parameters: {keys}."
COMPOSITE_CLASS = (
    "torch has no function for the whole, so this file has a class `{kind}` with explicit parameters; `{module}` is an "
    "object of it."
)
COMPOSITE_LISTS = (
    "torch has no function for the whole, so this file has a class for the layer inside; the class itself holds a list "
    "of its copies, and `forward` goes through it."
)
PARAMETER = (
    "An `nn.Parameter` of the class in both styles; the optimizer finds it, and its key is {keys}."
)
BUFFER = "A buffer of the class in both styles: it moves with the model, is saved as {keys}, and is not learned."
NOT_SAVED = "A buffer of the class in both styles: it moves with the model, and is neither saved nor learned."
COMPUTED = "The weight is not a parameter: it is computed from others at each use ({modifiers})."
LINE = "The line is the same in both styles; it has no parameters of its own."
LINE_MODULES = "The line calls modules, which own their parameters: {layers}."
LINE_FUNCTIONS = (
    "Where the line calls layers, this style calls functions with the parameters of the class; blocks stay modules: "
    "{layers}."
)
LOSS_MODULE = "`__init__` builds the loss as `{module}`, and the method `loss` calls it."
LOSS_FUNCTION = "The method `loss` calls `{function}` itself, with the same arguments."
GIVEN = "Nothing is owned: `init` makes the tensors, and each call finds them in the dicts that it is given, by their keys: {keys}."
NEW_BUFFERS = "In train mode the call works on copies of the buffers, and the new ones come back."
LINE_GIVEN = "Where the line calls layers, this style calls functions with tensors that it is given: {layers}."
NOTHING_GIVEN = "Nothing is owned here, and nothing is looked up."
KNOWS_PREFIX = "An object without tensors, which knows how the keys of what is in it begin: {keys}."

AND = " and "
COMMA = ", "

SENTENCES = frozenset(
    (
        *(OWNS, OWNS_NOTHING, ITS_BUFFERS, SETS_MODE, CLASS_OWNS, CLASS_REGISTERS, CLASS_COUNTS),
        *(ONLY_CALLS, PASSES_MODE, PASSED_ON, BLOCK, BLOCK_STAYS, SEQUENTIAL, UNROLLED),
        *(CLASS_OWNS_ALL, NONE_AT_ALL, BLOCKS_STAY, COPIES, BLOCK_LIST, COMPOSITE),
        *(COMPOSITE_CLASS, COMPOSITE_LISTS, PARAMETER, BUFFER, NOT_SAVED, COMPUTED),
        *(GIVEN, LINE_GIVEN, NEW_BUFFERS, NOTHING_GIVEN, KNOWS_PREFIX),
        *(LINE, LINE_MODULES, LINE_FUNCTIONS, LOSS_MODULE, LOSS_FUNCTION, AND, COMMA),
    )
)
# More names than these are told by the first two and the last.
_SHOWN = 4


# Who owns the parameters of a step, by the styles of which there is something to say; code stands between backticks.
Ownership = Mapping[str, str]


def _in_twins(nn: str, functional: str) -> Ownership:
    return {"nn": nn, "functional": functional}


def of_module(module: Module, language: str) -> Ownership:
    """Who owns the parameters and buffers of a layer, block or container, of a Parameter or a Buffer."""
    return {**_of_twins(module, language), "stateless": _of_stateless(module, language)}


def _of_stateless(module: Module, language: str) -> str:
    say = _Speaker(module, language)
    if module.kind in ("Parameter", "Buffer"):
        return say(GIVEN, keys=[module.name])
    keys = _keys(module)
    if module.flow is not None:
        return say(KNOWS_PREFIX, keys=keys)
    if not keys:
        return say(NOTHING_GIVEN)
    changes = any(state.written for _, state in module.leaves())
    return say.all(iter([say(GIVEN, keys=keys), *([say(NEW_BUFFERS)] if changes else [])]))


def _of_twins(module: Module, language: str) -> Ownership:
    say = _Speaker(module, language)
    kind = module.kind
    if kind in ("Parameter", "Buffer"):
        sentence = PARAMETER if kind == "Parameter" else BUFFER
        if not module.values.get("persistent", True):
            sentence = NOT_SAVED
        both = say(sentence, keys=[module.name])
        return _in_twins(both, both)
    if kind in CONTAINERS:
        return _container(module, say)
    if module.is_stack or (module.flow is not None and module.flow.body.layer):
        return _composite(module, say)
    if module.flow is not None:
        prefix = [".".join(module.path) + "."]
        return _in_twins(say(BLOCK, kind=kind, prefix=prefix), say(BLOCK_STAYS, kind=kind))
    return _loss(module, say) if LAYERS[kind].is_loss else _layer(module, say)


def of_line(layers: Sequence[str], language: str) -> Ownership:
    """The same for a line of Python that calls these layers."""
    if not layers:
        both = translate(LINE, language)
        return {**_in_twins(both, both), "stateless": both}
    names = listed(layers, language)
    functions = translate(LINE_FUNCTIONS, language, layers=names)
    modules = translate(LINE_MODULES, language, layers=names)
    return {
        **_in_twins(modules, functions),
        "stateless": translate(LINE_GIVEN, language, layers=names),
    }


def listed(names: Sequence[str], language: str) -> str:
    """Names as code in a sentence: `a`, `b` and `c`."""
    code = [f"`{name}`" for name in names]
    if len(code) > _SHOWN:
        code = [*code[:2], "…", code[-1]]
        return translate(COMMA, language).join(code)
    *others, last = code
    both = [translate(COMMA, language).join(others)] * bool(others)
    return translate(AND, language).join([*both, last])


@dataclass(frozen=True)
class _Speaker:
    """Puts sentences about one module into a language; lists of names become words."""

    module: Module
    language: str

    def __call__(self, sentence: str, **fields: str | Sequence[str]) -> str:
        words = {
            key: value if isinstance(value, str) else listed(value, self.language)
            for key, value in fields.items()
        }
        return translate(sentence, self.language, module=_attribute(self.module), **words)

    def all(self, sentences: Iterator[str]) -> str:
        space = "" if self.language == "zh" else " "
        return space.join(sentences)


def _attribute(module: Module) -> str:
    """The module as code of the nn twin: `self.features[0]`."""
    first, *rest = module.path
    if not first.isidentifier():
        return f'self.get_submodule("{".".join(module.path)}")'
    inside = (
        f"[{part}]" if part.isdigit() else f".{part}" if part.isidentifier() else f'["{part}"]'
        for part in rest
    )
    return f"self.{first}{''.join(inside)}"


def _layer(module: Module, say: _Speaker) -> Ownership:
    mode = asks_for_mode(module.entry) and _by_mode(module)

    def nn() -> Iterator[str]:
        yield from _owned(module, say)
        if mode:
            yield say(SETS_MODE)

    def functional() -> Iterator[str]:
        parameters, buffers = _parted(module, module.attribute)
        function = module.entry.function
        if parameters:
            yield say(CLASS_OWNS, attributes=_own(parameters), function=function)
        elif function:
            yield say(ONLY_CALLS, function=function)
        else:
            yield say(PASSED_ON)
        if buffers:
            yield say(CLASS_REGISTERS, attributes=_own(buffers))
        counter = [each for each in buffers if each.endswith("num_batches_tracked")]
        if counter and function == "F.batch_norm":
            yield say(CLASS_COUNTS, counter=_own(counter))
        if module.modifiers:
            yield say(COMPUTED, modifiers=list(module.modifiers))
        if mode:
            yield say(PASSES_MODE)

    return _in_twins(say.all(nn()), say.all(functional()))


def _owned(module: Module, say: _Speaker) -> Iterator[str]:
    parameters, buffers = _parted(module, module.key)
    if parameters:
        states = [state.name for state in module.state if not state.buffer]
        yield say(OWNS, states=states, keys=parameters)
    elif not buffers:
        yield say(OWNS_NOTHING)
    if buffers:
        yield say(ITS_BUFFERS, keys=buffers)
    if module.modifiers:
        yield say(COMPUTED, modifiers=list(module.modifiers))


def _by_mode(module: Module) -> bool:
    """Whether the mode changes what the layer computes with these arguments."""
    values = module.values
    if "track_running_stats" in values:
        return bool(values["track_running_stats"])
    return values.get("dropout") != 0


def _parted(module: Module, name: Callable[[State], str]) -> tuple[list[str], list[str]]:
    """What a module holds, by a name for each: parameters and buffers."""
    found: tuple[list[str], list[str]] = ([], [])
    for state in module.state:
        found[state.buffer].append(name(state))
    return found


def _own(attributes: Sequence[str]) -> list[str]:
    return [f"self.{each}" for each in attributes]


def _container(module: Module, say: _Speaker) -> Ownership:
    keys = _keys(module) or [".".join((*module.path, "0")) + "."]
    nn = say(SEQUENTIAL if module.kind == "Sequential" else COPIES, keys=keys)
    if is_block_list(module):
        return _in_twins(nn, say(BLOCK_LIST))

    def functional() -> Iterator[str]:
        yield say(UNROLLED)
        attributes = [owner.attribute(state) for owner, state in module.leaves()]
        if attributes:
            yield say(CLASS_OWNS_ALL, attributes=_own(attributes))
        if _has_blocks(module):
            yield say(BLOCKS_STAY)
        elif not attributes:
            yield say(NONE_AT_ALL)

    return _in_twins(nn, say.all(functional()))


def _has_blocks(module: Module) -> bool:
    return any(child.flow is not None or _has_blocks(child) for child in module.children)


def _keys(module: Module) -> list[str]:
    """The keys in a container; of a block, what they begin with."""
    if module.flow is not None:
        return [".".join(module.path) + "."]
    own = [module.key(state) for state in module.state]
    return [*(key for child in module.children for key in _keys(child)), *own]


def _composite(module: Module, say: _Speaker) -> Ownership:
    keys = _keys(module) or [".".join(module.path) + "."]
    lists = module.is_stack
    functional = say(COMPOSITE_LISTS) if lists else say(COMPOSITE_CLASS, kind=module.kind)
    return _in_twins(say(COMPOSITE, keys=keys), functional)


def _loss(module: Module, say: _Speaker) -> Ownership:
    def nn() -> Iterator[str]:
        yield say(LOSS_MODULE)
        if module.state:
            yield from _owned(module, say)

    def functional() -> Iterator[str]:
        parameters, buffers = _parted(module, module.attribute)
        yield say(LOSS_FUNCTION, function=module.entry.function)
        if parameters:
            yield say(CLASS_OWNS_ALL, attributes=_own(parameters))
        if buffers:
            yield say(CLASS_REGISTERS, attributes=_own(buffers))

    return _in_twins(say.all(nn()), say.all(functional()))
