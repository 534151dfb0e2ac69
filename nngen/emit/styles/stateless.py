"""The stateless style: parameters and buffers come in by their keys, and the new buffers come out."""

from __future__ import annotations

import ast
from collections.abc import Container, Iterable, Iterator, Sequence
from dataclasses import replace
from itertools import groupby

from nngen.catalog.partial_evaluation import free_names
from nngen.emit.constructor import Constructor
from nngen.emit.held import blocks_of, changes_buffers, states_of
from nngen.emit.model import (
    Attribute,
    ClassCode,
    Construction,
    Form,
    Given,
    Item,
    LayerState,
    Method,
    Statement,
)
from nngen.emit.style import Parts, Style, scope_names
from nngen.emit.styles.functional import Functional
from nngen.emit.styles.reaching import Keys, Reaching
from nngen.emit.styles.stateless_blocks import BlockWriter, prefix_of
from nngen.emit.styles.stateless_names import with_keys
from nngen.emit.styles.stateless_ties import OneKey
from nngen.emit.variables import Variables
from nngen.errors import SpecError
from nngen.graph.flow import Flow, Module
from nngen.symbolic.expressions import assign, name

_COPYING = """
if training:
    {buffers} = {{key: value.clone() for key, value in {buffers}.items()}}
"""


class Stateless(Functional):
    """The functional style, but that nothing is owned: a tensor is found under the key that the nn twin has for it."""

    form = Form("stateless", "stateless.py", "stateless.py.j2", owns_state=False)

    def write(self, parts: Parts) -> ClassCode | None:
        """A class, as it comes."""
        return Style.write(self, parts)

    def code(self, parts: Parts) -> ClassCode:
        """The functional twin's code, rewritten.

        Raises:
            SpecError: something has the name of a method.
        """
        return _Writer(self, parts).code()

    def key(self, nn: str, functional: str) -> str:
        return nn

    def blocks(
        self, constructor: Constructor, module: Module, step: int, condition: ast.expr | None
    ) -> Iterator[Item]:
        """The place at which `init` draws what is in it."""
        attribute = module.identifier
        yield Attribute(attribute, Construction(""), step, module.mark, condition)


class _Writer:
    """Writes one class."""

    def __init__(self, style: Stateless, parts: Parts) -> None:
        self.style = style
        self.parts = parts
        loss = parts.criterion
        self.flows = [parts.flow, *(() if loss is None else (loss.flow,))]
        self.states = [each for flow in self.flows for each in states_of(flow)]
        self.blocks = {each.attribute: each for flow in self.flows for each in blocks_of(flow)}
        self.one_key = OneKey(parts.flow)
        self.given = Given(
            self._unused("params"),
            self._unused("buffers"),
            prefix_of(parts.flow) if parts.is_block else "",
        )
        self.writer = BlockWriter(parts.constructor, self.given)
        _refuse_methods(self.flows)

    def _unused(self, wanted: str) -> str:
        """A name that no variable of forward or of the loss has."""
        for flow in self.flows:
            if flow.operations:
                wanted = Variables(flow).unused(wanted)
        return wanted

    def code(self) -> ClassCode:
        """The class, but for what the constructor keeps."""
        style, parts, criterion = self.style, self.parts, self.parts.criterion
        given = self.given
        loss: tuple[Statement, ...] = ()
        if criterion is not None:
            changes = changes_buffers(criterion.flow)
            loss = self._pure(style.loss(criterion), criterion.flow, changes)
            reads = _names(loss) & {given.params, given.buffers, "training"}
            given = replace(given, loss_reads=bool(reads), loss_changes=changes)
        code = ClassCode(
            (),
            tuple(map(self.writer.made, self.blocks.values())),
            self._pure(style.forward(parts), parts.flow, not parts.is_block),
            loss,
            tuple(map(self._method, style.methods(parts))),
            given=given,
            init=self._init(),
        )
        return with_keys(code, parts.flow, self.one_key.after, Keys(given))

    def _reaching(self, params: str = "") -> Reaching:
        """What finds a tensor under the one key that it has."""
        keys = Keys(replace(self.given, params=params or self.given.params))
        one = self.one_key.after
        below = {functional: one[nn] for nn, functional in self.parts.keys.items() if nn in one}
        own = {s.attribute: one.get(s.key, s.key) for s in self.states if not s.buffer}
        return Reaching(
            keys,
            {**below, **own},
            {each.attribute: each.key for each in self.states if each.buffer},
            {each.attribute: each.key for each in self.blocks.values()},
        )

    def _tied(self, target: str) -> ast.stmt | None:
        """What gives the blocks tied parameters under the keys that they look under, if there are such."""
        own = {each.key for each in self.states}
        one = self.one_key
        pairs = [
            (key, one.after[key])
            for key in dict.fromkeys(one.before.values())
            if one.after[key] != key and key not in own
        ]
        if not pairs:
            return None
        keys = Keys(self.given)
        values: list[ast.expr] = [
            name(self.given.params),
            *(keys.parameter(to) for _, to in pairs),
        ]
        return assign(target, ast.Dict([None, *(keys.key(key) for key, _ in pairs)], values))

    def _with_copies(self, keys: Sequence[ast.expr]) -> ast.stmt:
        """What puts copies of some parameters in their place."""
        params = name(self.given.params)
        values = [ast.Subscript(params, key, ast.Load()) for key in keys]
        copies = [ast.Call(ast.Attribute(value, "clone", ast.Load()), [], []) for value in values]
        return assign(self.given.params, ast.Dict([None, *keys], [params, *copies]))

    def _pure(
        self, body: tuple[Statement, ...], flow: Flow, gives_buffers: bool
    ) -> tuple[Statement, ...]:
        """Statements that leave what they are given as it is.

        Args:
            body: the functional twin's.
            flow: what happens in them.
            gives_buffers: in train mode they work on copies of the buffers, and return these as well.
        """
        mark = flow.body.mark
        before: list[Statement] = []
        if gives_buffers and changes_buffers(flow):
            (copying,) = ast.parse(_COPYING.format(buffers=self.given.buffers)).body
            before.append(Statement(copying, "", mark))
        reaching = self._reaching()
        *steps, last = reaching.statements(body)
        texts = list(map(ast.dump, reaching.copies))
        if len(set(texts)) < len(texts):  # what torch rescales once is not to be rescaled twice
            copies = {
                text: key for text, key in zip(texts, reaching.copies) if texts.count(text) > 1
            }
            before.append(Statement(self._with_copies(list(copies.values())), "", mark))
            reaching = replace(self._reaching(), copied=copies.keys())
            *steps, last = reaching.statements(body)
        tied = self._tied(self.given.params)
        if tied is not None and self.given.params in _names((*steps, last)):
            before.append(Statement(tied, "", mark))
        if gives_buffers:
            assert isinstance(last.tree, ast.Return) and last.tree.value is not None
            both = ast.Tuple([last.tree.value, name(self.given.buffers)], ast.Load())
            last = replace(last, tree=ast.Return(both))
        return (*before, *steps, last)

    def _method(self, method: Method) -> Method:
        codes = [self._reaching().on(each) for each in method.codes]
        tied = self._tied(self.given.params)
        return replace(
            method,
            parameters=(f"{self.given.params}: Mapping[str, Tensor]", *method.parameters),
            codes=tuple(codes) if tied is None else (tied, *codes),
        )

    def _init(self) -> tuple[Statement, ...]:
        """What makes and draws parameters and buffers, in the order of the twins."""
        parts, loss = self.parts, self.parts.criterion
        items = self.style.built(parts)
        if loss is not None:
            items += self.style.items(parts.constructor, loss.flow)
        # named_parameters has the class's own Parameters before those of its layers.
        own = {each.attribute for each in self.states if each.own and not each.buffer}
        first = [item for item in items if isinstance(item, LayerState) and _makes(item, own)]
        ordered: list[Item] = [replace(item, draws=()) for item in first]
        for item in items:
            ordered.append(replace(item, lines=()) if item in first else item)
        reaching = self._reaching()
        reaching.params = {each.attribute: each.key for each in self.states if not each.buffer}
        reaching.constants = frozenset(scope_names(parts.flow))
        drawn = [
            (item.condition, Statement(reaching.on(code), "", item.mark))
            for item in ordered
            for code in self._codes(item)
        ]
        return (*_grouped(drawn), *self._ended())

    def _codes(self, item: Item) -> Iterator[ast.stmt]:
        """The statements of one step, as the functional twin has them."""
        if isinstance(item, Attribute):
            yield from self.writer.drawn(self.blocks[item.name])
        elif isinstance(item, LayerState):
            for line in item.lines:
                target = ast.Attribute(name("self"), line.name, ast.Store())
                yield ast.Assign([target], line.value)
            yield from item.draws
        else:
            yield from item.codes

    def _ended(self) -> Iterator[Statement]:
        """What happens once all is drawn: tied parameters become one, and rules draw anew."""
        tie = self.parts.flow.body.tie
        keys, params = Keys(self.given), name(self.given.params)
        for key, to in self.one_key.moves:
            moved: ast.stmt = ast.Delete([keys.parameter(key, ast.Del())])
            if to:
                pop = ast.Call(ast.Attribute(params, "pop", ast.Load()), [keys.key(key)], [])
                moved = ast.Assign([keys.parameter(to, ast.Store())], pop)
            yield Statement(moved, "", tie[0][0].mark)
        redraws = self.style.redraws(self.parts)
        if redraws is None:
            return
        tied = self._tied("tied")
        if tied is not None:
            yield Statement(tied, "", redraws.mark)
        reaching = self._reaching("" if tied is None else "tied")
        reaching.constants = frozenset(scope_names(self.parts.flow))
        for code in redraws.codes:
            yield Statement(reaching.on(code), "", redraws.mark)


def _names(statements: Iterable[Statement]) -> set[str]:
    return {n for each in statements for tree, _ in each.trees() for n in free_names(tree)}


def _makes(item: LayerState, names: Container[str]) -> bool:
    return any(line.name in names for line in item.lines)


def _grouped(drawn: Iterable[tuple[ast.expr | None, Statement]]) -> Iterator[Statement]:
    """Statements under their conditions, neighbours under one `if`."""

    def asked(each: tuple[ast.expr | None, Statement]) -> str:
        return "" if each[0] is None else ast.dump(each[0])

    for _, found in groupby(drawn, asked):
        group = list(found)
        condition, first = group[0]
        statements = tuple(statement for _, statement in group)
        if condition is None:
            yield from statements
        else:
            yield Statement(ast.If(condition, [ast.Pass()], []), "", first.mark, statements)


def _refuse_methods(flows: Iterable[Flow]) -> None:
    """Refuse attributes that have a method's name.

    Raises:
        SpecError: one has.
    """
    for flow in flows:
        named = {option.name: option.mark for option in flow.body.options}
        named |= {text.text: text.mark for text, _ in flow.body.let}
        named |= {each.attribute: each.module.mark for each in blocks_of(flow)}
        if "init" in named:
            raise SpecError(
                "a class of the stateless style has its own 'init'",
                named["init"],
                "choose another name",
            )
