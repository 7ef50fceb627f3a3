// Where the statements of the macro language come from: the file's lines, and the bodies of macros and repeated blocks
// that are being read, innermost first. Knows the bounds, and of directives only how a body ends.
import type { Place } from '../base/span.ts';
import type { BodyLine, MacroBody } from './gas-macro.ts';
import { substituteLine } from './gas-macro.ts';
import { splitStatements } from './gas-text.ts';
import type { Limits } from './limits.ts';
import type { MappedText, Use } from './text.ts';

/** A body being read: once for a macro, repeatedly for a block. */
export interface Frame {
  readonly kind: 'macro' | 'block';
  readonly body: MacroBody;
  /** Arguments of each pass; a plain repetition has none. */
  readonly passes: (pass: number) => readonly MappedText[] | null;
  pass: number;
  args: readonly MappedText[];
  at: number;
  readonly count: number;
  readonly use: Use | null;
  readonly callerUse: Use | null;
  readonly conditionals: number;
  readonly place: Place;
}

export interface Conditional {
  active: boolean;
  taken: boolean;
  readonly outerActive: boolean;
  readonly place: Place;
}

export interface Reader {
  /** Innermost last. */
  readonly frames: Frame[];
  readonly conditionals: Conditional[];
  /** Is text assembled here, or left out by a conditional? */
  readonly isActive: () => boolean;
  /** The next statement; text that a conditional leaves out comes unsubstituted, as nothing but its first word is read. */
  readonly next: () => MappedText | null;
  /** The statements up to the directive that ends the block; null where the text ends first. */
  readonly readBody: (closing: string, opening: (word: string) => boolean, place: Place) => MappedText[] | null;
  /** Reads a body before going on. */
  readonly enter: (frame: Frame) => void;
  /** `.exitm`: nothing more of the innermost macro is read. */
  readonly leaveMacro: () => void;
  /** Nothing more is read at all. */
  readonly stop: (message: string) => void;
  readonly isStopped: () => boolean;
  /** Where the run stands, between two lines of the file; null inside of a body. */
  readonly mark: () => ReaderMark | null;
  readonly resume: (mark: ReaderMark) => void;
}

export interface ReaderMark {
  readonly conditionals: readonly Conditional[];
  readonly statements: number;
  readonly characters: number;
}

const labelPattern = /^\s*([A-Za-z_.$][\w.$]*|\d+|"[^"]*")\s*:/;
const wordPattern = /^\s*([A-Za-z_.$][\w.$]*)/;

export function startReader(nextLine: () => MappedText | null, nowhere: Place, limits: Limits, report: (place: Place, message: string) => void): Reader {
  const frames: Frame[] = [];
  const conditionals: Conditional[] = [];
  const queue: MappedText[] = [];
  const budget = { statements: limits.statements, characters: limits.expandedLength };
  let queueAt = 0;
  let stopped = false;

  /** Statements made by a substitution or a line that are still to be read. */
  function queued(): MappedText | null {
    if (queueAt < queue.length) return queue[queueAt++]!;
    queue.length = queueAt = 0;
    return null;
  }

  function stop(message: string): void {
    if (!stopped) report(outermostPlace(), message);
    stopped = true;
  }

  function rawLine(frame: Frame): BodyLine | null {
    for (;;) {
      const line = frame.body.lines[frame.at];
      if (line !== undefined) {
        frame.at++;
        return line;
      }
      frame.pass++;
      const args = frame.body.lines.length === 0 ? null : frame.passes(frame.pass);
      if (args === null) return null;
      frame.args = args;
      frame.at = 0;
    }
  }

  const isActive = (): boolean => conditionals.at(-1)?.active ?? true;

  function next(): MappedText | null {
    while (!stopped) {
      const ready = queued();
      if (ready !== null) return count(ready);
      const frame = frames.at(-1);
      if (frame === undefined) {
        const line = nextLine();
        if (line === null) return null;
        for (const each of splitStatements(line)) queue.push(each);
        continue;
      }
      const line = rawLine(frame);
      if (line === null) {
        leaveFrame();
        continue;
      }
      if (!isActive()) return count(line.text);
      const text = substituteLine(line, frame.args, frame.count, frame.use, frame.callerUse);
      budget.characters -= text.text.length;
      if (budget.characters < 0 || text.text.length > limits.lineLength) stop('macro expansion stops here: its text is too long');
      if (line.parts === null) return count(text);
      for (const each of splitStatements(text)) queue.push(each);
      if (queue.length === 0 && --budget.statements < 0) stop('macro expansion stops here: too many statements');
    }
    return null;
  }

  function count(statement: MappedText): MappedText {
    if (--budget.statements < 0) stop('macro expansion stops here: too many statements');
    return statement;
  }

  function outermostPlace(): Place {
    const frame = frames[0];
    if (frame === undefined) return nowhere;
    let use = frame.callerUse;
    let { place } = frame;
    for (; use !== null; use = use.outer) place = use.place;
    return place;
  }

  function leaveFrame(): void {
    const frame = frames.pop();
    if (frame === undefined || frame.kind === 'block') return;
    while (conditionals.length > frame.conditionals) report(conditionals.pop()!.place, 'this .if has no .endif in its macro');
  }

  function readBody(closing: string, opening: (word: string) => boolean, place: Place): MappedText[] | null {
    const lines: MappedText[] = [];
    let depth = 0;
    for (;;) {
      const frames0 = frames.length;
      const statement = next();
      if (statement === null || frames.length < frames0) {
        report(place, `no ${closing} follows`);
        return null;
      }
      const word = wordPattern.exec(statement.text.replace(labelPattern, ''))?.[1]?.toLowerCase() ?? '';
      if (opening(word)) depth++;
      else if (word === closing && depth-- === 0) return lines;
      lines.push(statement);
    }
  }

  function enter(frame: Frame): void {
    if (frames.length >= limits.macroDepth) {
      report(outermostPlace(), `macros nest deeper than ${limits.macroDepth}: the rest of this use is left out`);
      leaveAll();
      return;
    }
    // What the current line has left comes after the body.
    const rest = queue.slice(queueAt);
    queue.length = queueAt = 0;
    if (rest.length > 0) {
      const body = { parameters: [], lines: rest.map((text): BodyLine => ({ text, parts: null })) };
      frames.push({ ...frame, kind: 'block', body, passes: () => null, args: [], pass: 0, at: 0, use: null, callerUse: null });
    }
    frames.push(frame);
  }

  /** Goes on behind the line that the outermost macro is used on. */
  function leaveAll(): void {
    conditionals.length = Math.min(conditionals.length, frames[0]?.conditionals ?? 0);
    frames.length = queue.length = queueAt = 0;
  }

  function leaveMacro(): void {
    while (frames.length > 0 && frames.at(-1)!.kind === 'block') frames.pop();
    queue.length = queueAt = 0;
    const frame = frames.pop();
    if (frame !== undefined) conditionals.length = Math.min(conditionals.length, frame.conditionals);
  }

  function mark(): ReaderMark | null {
    if (frames.length > 0 || queueAt < queue.length || stopped) return null;
    return { conditionals: conditionals.map((each) => ({ ...each })), statements: budget.statements, characters: budget.characters };
  }

  function resume(from: ReaderMark): void {
    frames.length = queue.length = queueAt = 0;
    stopped = false;
    conditionals.splice(0, conditionals.length, ...from.conditionals.map((each) => ({ ...each })));
    budget.statements = from.statements;
    budget.characters = from.characters;
  }

  return { frames, conditionals, isActive, next, readBody, enter, leaveMacro, stop, isStopped: () => stopped, mark, resume };
}
