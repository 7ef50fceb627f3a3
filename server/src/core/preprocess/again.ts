// One assembler file read again and again while it is edited: a reading goes back to the last line before the edit, and
// once it stands where the last reading stood, takes over what that made of the rest. The same stream as a fresh reading
// gives; whatever cannot be shown to be the same is read anew.
import { difference } from '../base/difference.ts';
import { firstWhere } from '../base/first.ts';
import type { Place, Problem } from '../base/span.ts';
import { assemblerDefines } from './configurations.ts';
import type { Conditional as CppConditional, CppMark, CppRun } from './cpp.ts';
import type { Assembler, GasMark } from './gas.ts';
import type { Changes } from './journal.ts';
import { sameChanges } from './journal.ts';
import type { Limits } from './limits.ts';
import { defaultLimits } from './limits.ts';
import { startReading, streamOf } from './preprocess.ts';
import type { Reading } from './preprocess.ts';
import type { Shift } from './shift.ts';
import { shiftItem, shiftMacro, shiftOffset, shiftPlace, shiftProblem } from './shift.ts';
import type { AssemblerStream, Configuration, FileSource } from './stream.ts';

export interface Preprocessor {
  readonly read: (source: FileSource) => AssemblerStream;
}

interface Mark {
  readonly cpp: CppMark;
  readonly gas: GasMark;
  readonly problems: number;
  readonly changes: number;
}

/** What a reading leaves for the next one. */
interface Record {
  readonly text: string;
  readonly reading: Reading;
  readonly marks: Mark[];
  readonly reads: Map<string, string | null>;
  readonly stream: AssemblerStream;
}

/** Readings taken over before one starts afresh, so that what was moved many times is made anew. */
const MOST_TAKEN_OVER = 200;

export function createPreprocessor(file: string, configuration: Configuration, limits: Limits = defaultLimits): Preprocessor {
  let last: Record | null = null;
  let takenOver = 0;
  let current: FileSource = { read: () => null };
  const reads = new Map<string, string | null>();
  const source: FileSource = {
    read: (path) => {
      const text = current.read(path);
      reads.set(path, text);
      return text;
    },
  };

  function fresh(text: string | null): AssemblerStream {
    reads.clear();
    takenOver = 0;
    const reading = startReading(file, source, configuration, assemblerDefines, limits);
    const marks: Mark[] = [];
    while (reading.gas.step()) note(marks, reading);
    reading.gas.end();
    const stream = streamOf(file, reading, limits);
    last = text === null || includesItself(reading.cpp) ? null : { text, reading, marks, reads, stream };
    return stream;
  }

  const includesItself = (cpp: CppRun): boolean => cpp.includes.some(({ resolved }) => resolved === file);

  return {
    read: (from) => {
      current = from;
      const text = from.read(file);
      if (last === null || text === null || takenOver >= MOST_TAKEN_OVER) return fresh(text);
      for (const [path, known] of last.reads) if (path !== file && from.read(path) !== known) return fresh(text);
      if (text === last.text) return last.stream;
      const stream = again(last, text);
      if (stream === null) return fresh(text);
      takenOver += 1;
      return stream;
    },
  };

  function again(before: Record, text: string): AssemblerStream | null {
    const { reading, marks } = before;
    const edit = difference(before.text, text);
    const at = lastMarkBefore(marks, edit.start);
    const from = marks[at];
    if (from === undefined) return null;
    const shift: Shift = { file, from: edit.oldEnd, by: edit.newEnd - edit.oldEnd };
    const rest = cut(reading, from, marks.splice(at + 1));
    reading.cpp.resume(from.cpp, text);
    reading.gas.resume(from.gas);
    let candidate = 0;
    for (;;) {
      if (!reading.gas.step()) {
        reading.gas.end();
        break;
      }
      const mark = note(marks, reading);
      if (mark === null || mark.cpp.offset < edit.newEnd) continue;
      while ((rest.marks[candidate]?.cpp.offset ?? Infinity) + shift.by < mark.cpp.offset) candidate += 1;
      const old = rest.marks[candidate];
      if (old === undefined || old.cpp.offset + shift.by !== mark.cpp.offset || old.cpp.offset < edit.oldEnd) continue;
      if (!sameState(mark, old, shift) || !sameChanges(reading.journal.since(from.changes), rest.changes.slice(0, old.changes - from.changes))) continue;
      if (!takeOver(reading, marks, mark, old, rest, from, candidate, shift)) continue;
      break;
    }
    const stream = streamOf(file, reading, limits);
    last = includesItself(reading.cpp) ? null : { ...before, text, stream };
    return stream;
  }
}

/** The mark where the run stands, or null where it stands inside of something. */
function note(marks: Mark[], reading: Reading): Mark | null {
  const gas = reading.gas.mark();
  const cpp = gas === null ? null : reading.cpp.mark();
  if (gas === null || cpp === null) return null;
  reading.journal.record();
  const mark = { cpp, gas, problems: reading.reported.length, changes: reading.journal.length() };
  marks.push(mark);
  return mark;
}

/** The last mark that was reached without looking at anything from `start` on. */
function lastMarkBefore(marks: readonly Mark[], start: number): number {
  return firstWhere(marks, ({ cpp: { reach, offset } }) => reach >= start || offset > start) - 1;
}

/** What the last reading made behind a mark. */
interface Rest {
  readonly marks: readonly Mark[];
  readonly changes: Changes;
  readonly items: Assembler['assembly']['items'];
  readonly defined: Assembler['defined'];
  readonly problems: readonly Problem[];
  readonly includes: CppRun['includes'];
  readonly inactive: readonly Place[];
}

function cut(reading: Reading, from: Mark, marks: readonly Mark[]): Rest {
  const { cpp, gas, reported, journal } = reading;
  return {
    marks,
    changes: journal.rewind(from.changes),
    items: gas.assembly.items.slice(from.gas.items),
    defined: gas.defined.slice(from.gas.defined),
    problems: reported.splice(from.problems),
    includes: cpp.includes.slice(from.cpp.includes),
    inactive: cpp.inactive.slice(from.cpp.inactive),
  };
}

function sameState(mark: Mark, old: Mark, shift: Shift): boolean {
  const [a, b] = [mark.gas, old.gas];
  return (
    a.uses === b.uses &&
    a.alternate === b.alternate &&
    a.locals === b.locals &&
    a.section === b.section &&
    a.previous === b.previous &&
    a.stack.length === b.stack.length &&
    a.stack.every((state, at) => state.current === b.stack[at]?.current && state.previous === b.stack[at].previous) &&
    a.numeric.size === b.numeric.size &&
    [...a.numeric].every(([number, count]) => b.numeric.get(number) === count) &&
    sameConditionals(a.reader.conditionals, b.reader.conditionals, shift) &&
    sameConditionals(mark.cpp.conditionals, old.cpp.conditionals, shift)
  );
}

type Conditional = Omit<CppConditional, 'skippedFrom'> & { readonly skippedFrom?: number };

function sameConditionals(now: readonly Conditional[], before: readonly Conditional[], shift: Shift): boolean {
  return (
    now.length === before.length &&
    now.every((one, at) => {
      const other = before[at]!;
      const place = shiftPlace(other.place, shift);
      return one.active === other.active && one.taken === other.taken && one.outerActive === other.outerActive && one.place.file === place.file && one.place.span.start === place.span.start && one.place.span.end === place.span.end && one.skippedFrom === (other.skippedFrom === undefined ? undefined : shiftOffset(other.skippedFrom, shift));
    })
  );
}

/** Puts behind `mark` what the last reading made behind `old`; false where a bound would then be passed. */
function takeOver(reading: Reading, marks: Mark[], mark: Mark, old: Mark, rest: Rest, from: Mark, candidate: number, shift: Shift): boolean {
  const { cpp, gas, reported, journal } = reading;
  const later = rest.marks.slice(candidate + 1);
  const more = {
    line: mark.cpp.line - old.cpp.line,
    includes: mark.cpp.includes - old.cpp.includes,
    inactive: mark.cpp.inactive - old.cpp.inactive,
    tokens: mark.cpp.tokens - old.cpp.tokens,
    items: mark.gas.items - old.gas.items,
    defined: mark.gas.defined - old.gas.defined,
    statements: mark.gas.reader.statements - old.gas.reader.statements,
    characters: mark.gas.reader.characters - old.gas.reader.characters,
    problems: mark.problems - old.problems,
    changes: mark.changes - old.changes,
  };
  const end = rest.marks.at(-1);
  if (end !== undefined && (end.cpp.tokens + more.tokens < SPARE || end.gas.reader.statements + more.statements < SPARE || end.gas.reader.characters + more.characters < SPARE)) return false;
  for (const item of rest.items.slice(old.gas.items - from.gas.items)) gas.assembly.items.push(shiftItem(item, shift));
  for (const macro of rest.defined.slice(old.gas.defined - from.gas.defined)) gas.defined.push(shiftMacro(macro, shift));
  for (const problem of rest.problems.slice(old.problems - from.problems)) reported.push(shiftProblem(problem, shift));
  for (const include of rest.includes.slice(old.cpp.includes - from.cpp.includes)) cpp.includes.push({ ...include, place: shiftPlace(include.place, shift) });
  for (const place of rest.inactive.slice(old.cpp.inactive - from.cpp.inactive)) cpp.inactive.push(shiftPlace(place, shift));
  journal.replay(rest.changes.slice(old.changes - from.changes), shift);
  const conditionals = <T extends Conditional>(list: readonly T[]): readonly T[] => list.map((one) => ({ ...one, place: shiftPlace(one.place, shift), ...(one.skippedFrom === undefined ? {} : { skippedFrom: shiftOffset(one.skippedFrom, shift) }) }));
  for (const one of later) {
    marks.push({
      cpp: {
        line: one.cpp.line + more.line,
        offset: one.cpp.offset + shift.by,
        conditionals: one.cpp.conditionals.length === 0 ? one.cpp.conditionals : conditionals(one.cpp.conditionals),
        includes: one.cpp.includes + more.includes,
        inactive: one.cpp.inactive + more.inactive,
        tokens: one.cpp.tokens + more.tokens,
        reach: one.cpp.reach + shift.by,
      },
      gas: {
        ...one.gas,
        reader: {
          conditionals: one.gas.reader.conditionals.length === 0 ? one.gas.reader.conditionals : conditionals(one.gas.reader.conditionals),
          statements: one.gas.reader.statements + more.statements,
          characters: one.gas.reader.characters + more.characters,
        },
        items: one.gas.items + more.items,
        defined: one.gas.defined + more.defined,
      },
      problems: one.problems + more.problems,
      changes: one.changes + more.changes,
    });
  }
  return true;
}

/** What is left of every bound behind the last mark: enough for the statements that follow it. */
const SPARE = 10_000;
