"""Patterns with back references: a matcher that goes back and tries again, within the limits of the run.

Such patterns cannot be matched in linear time. The tree becomes a program for a small machine whose every instruction
costs the run a step, so that a pattern that runs away ends with `EvaluationFailed`, as an endless loop does.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass

from engine.errors import EvaluationFailed
from engine.feel.environment import FeelError, Run
from engine.feel.regex_syntax import Anchor, BackReference, Characters, Choice, Group, Part, Repeat, Sequence, Syntax

MAX_PROGRAM = 20_000
MAX_PENDING = 100_000
CHARGE_EVERY = 64

Slots = tuple[int, ...]  # start and end of each group, then where each loop's round began; -1: not yet
Test = Callable[[str, int, Slots], int]  # where the match goes on, or -1


@dataclass(frozen=True, slots=True)
class Step:
    """Go on where a test says."""

    test: Test


@dataclass(frozen=True, slots=True)
class Save:
    """Note the position in a slot."""

    slot: int


@dataclass(frozen=True, slots=True)
class Progress:
    """Fail if nothing was matched since the position was noted in a slot."""

    slot: int


@dataclass(slots=True)
class Fork:
    """Go on at `first`; if that fails, at `second` (None: nowhere else)."""

    first: int
    second: int | None


Instruction = Step | Save | Progress | Fork


@dataclass(frozen=True, slots=True)
class Match:
    """A match of a pattern: the text, and the slots of its groups (0: all of it)."""

    text: str
    slots: Slots

    def group(self, group: int = 0) -> str | None:
        """Return what a group matched; None if it took no part."""
        start, end = self.slots[2 * group : 2 * group + 2]
        return None if start < 0 or end < 0 else self.text[start:end]

    def start(self) -> int:
        """Return where the match begins."""
        return self.slots[0]

    def end(self) -> int:
        """Return where the match ends."""
        return self.slots[1]


class BacktrackingPattern:
    """A pattern as a program.

    Raises:
        FeelError: the program becomes too long.
    """

    def __init__(self, syntax: Syntax) -> None:
        self.groups = syntax.groups
        self._program: list[Instruction] = []
        self._slots = 2 * (syntax.groups + 1)
        self._emit(Save(0))
        self._write(syntax.part)
        self._emit(Save(1))

    def found(self, text: str, run: Run) -> bool:
        """Tell whether the pattern matches anywhere in a text."""
        return next(self.matches(text, run), None) is not None

    def matches(self, text: str, run: Run) -> Iterator[Match]:
        """Yield all matches, from left to right, none inside another.

        Raises:
            EvaluationFailed: the run's limits are used up.
        """
        position = 0
        while position <= len(text):
            match = self._match_at(text, position, run)
            if match is None:
                position += 1
                continue
            yield match
            position = match.end() if match.end() > position else position + 1

    def _match_at(self, text: str, start: int, run: Run) -> Match | None:
        program = self._program
        pending: list[tuple[int, int, Slots]] = [(0, start, (-1,) * self._slots)]
        steps = 0
        while pending:
            counter, position, slots = pending.pop()
            while counter < len(program):
                steps += 1
                if steps % CHARGE_EVERY == 0:
                    run.charge(CHARGE_EVERY)
                instruction = program[counter]
                counter += 1
                if isinstance(instruction, Step):
                    position = instruction.test(text, position, slots)
                    if position < 0:
                        break
                elif isinstance(instruction, Save):
                    slots = (*slots[: instruction.slot], position, *slots[instruction.slot + 1 :])
                elif isinstance(instruction, Fork):
                    if instruction.second is not None:
                        pending.append((instruction.second, position, slots))
                    counter = instruction.first
                elif slots[instruction.slot] == position:
                    break
            else:
                return Match(text, slots)
            if len(pending) > MAX_PENDING:
                raise EvaluationFailed("正则表达式要记住的位置太多，已停止 (the pattern has to remember too many positions)")
        run.charge(steps % CHARGE_EVERY)
        return None

    # --- tree → program -----------------------------------------------------------------------------------------------

    def _emit(self, instruction: Instruction) -> None:
        if len(self._program) >= MAX_PROGRAM:
            raise FeelError("正则表达式太大 (the pattern becomes too large)")
        self._program.append(instruction)

    def _write(self, part: Part) -> None:
        if isinstance(part, Characters):
            self._emit(Step(_one_of(part)))
        elif isinstance(part, Anchor):
            self._emit(Step(_anchor(part)))
        elif isinstance(part, BackReference):
            self._emit(Step(_again(part)))
        elif isinstance(part, Sequence):
            for inner in part.parts:
                self._write(inner)
        elif isinstance(part, Choice):
            self._write_choice(part.parts)
        elif isinstance(part, Group):
            self._write_group(part)
        elif isinstance(part, Repeat):
            self._write_repeat(part)

    def _write_group(self, group: Group) -> None:
        if group.number is not None:
            self._emit(Save(2 * group.number))
        self._write(group.part)
        if group.number is not None:
            self._emit(Save(2 * group.number + 1))

    def _write_choice(self, parts: tuple[Part, ...]) -> None:
        exits: list[Fork] = []
        for part in parts[:-1]:
            fork = self._fork()
            self._write(part)
            exits.append(self._fork())
            fork.second = len(self._program)
        self._write(parts[-1])
        for fork in exits:
            fork.first = len(self._program)

    def _write_repeat(self, repeat: Repeat) -> None:
        for _ in range(repeat.least):
            self._write(repeat.part)
        if repeat.most is None:
            self._write_loop(repeat)
            return
        skips: list[Fork] = []
        for _ in range(repeat.most - repeat.least):
            skips.append(self._fork())
            self._write(repeat.part)
        for skip in skips:
            self._leave(skip, skip.first, repeat.lazy)

    def _write_loop(self, repeat: Repeat) -> None:
        slot = self._slots
        self._slots += 1
        begin = len(self._program)
        fork = self._fork()
        self._emit(Save(slot))
        self._write(repeat.part)
        self._emit(Progress(slot))
        self._emit(Fork(begin, None))
        self._leave(fork, fork.first, repeat.lazy)

    def _fork(self) -> Fork:
        """Write a fork that goes on after itself; where else is not known yet."""
        fork = Fork(len(self._program) + 1, None)
        self._emit(fork)
        return fork

    def _leave(self, fork: Fork, inside: int, lazy: bool) -> None:
        """Let a fork choose between a repetition and what is written next."""
        after = len(self._program)
        fork.first, fork.second = (after, inside) if lazy else (inside, after)


def _one_of(part: Characters) -> Test:
    characters = part.set

    def test(text: str, position: int, _slots: Slots) -> int:
        return position + 1 if position < len(text) and text[position] in characters else -1

    return test


def _anchor(anchor: Anchor) -> Test:
    def at_start(text: str, position: int, _slots: Slots) -> int:
        if position == 0 or (anchor.lines and position < len(text) and text[position - 1] == "\n"):
            return position
        return -1

    def at_end(text: str, position: int, _slots: Slots) -> int:
        return position if position == len(text) or (anchor.lines and text[position] == "\n") else -1

    return at_start if anchor.start else at_end


def _again(reference: BackReference) -> Test:
    def test(text: str, position: int, slots: Slots) -> int:
        start, end = slots[2 * reference.group : 2 * reference.group + 2]
        if start < 0 or end < start:
            return position  # a group that matched nothing is empty
        wanted, found = text[start:end], text[position : position + end - start]
        same = _folded(found) == _folded(wanted) if reference.ignore_case else found == wanted
        return position + len(wanted) if same else -1

    return test


def _folded(text: str) -> list[str]:
    return [character.upper().lower() for character in text]
