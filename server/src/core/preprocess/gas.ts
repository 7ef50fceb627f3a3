// The macro language of GNU as: reads preprocessed lines, expands macros and repeated blocks, decides conditionals and
// hands each remaining statement to the emitter. Knows no C and no instruction.
import type { Place } from '../base/span.ts';
import { conditionHolds, conditionalWords } from './gas-conditions.ts';
import type { Assembly } from './gas-emit.ts';
import { assign, changeSection, dataSize, sectionWords, emitData, emitDirective, emitInstruction, emitLabel, flushPrefixes, newAssembly } from './gas-emit.ts';
import type { Macro, Parameter } from './gas-macro.ts';
import { bindArguments, parseParameters, prepareBody, readArgument, skipSeparator, substituteLine } from './gas-macro.ts';
import type { Frame, ReaderMark } from './gas-reader.ts';
import { startReader } from './gas-reader.ts';
import { isBlank, scrubOperands } from './gas-text.ts';
import { expressionOf, valueOf } from './expression.ts';
import type { Journal } from './journal.ts';
import type { Limits } from './limits.ts';
import { shiftMacro } from './shift.ts';
import type { MappedText, Traced, Use } from './text.ts';
import { originOf, plainText, sliceMapped, trace } from './text.ts';

export interface Assembler {
  readonly assembly: Assembly;
  /** Every macro defined, in order. */
  readonly defined: Macro[];
  /** Reads one statement; false at the end of the file. */
  readonly step: () => boolean;
  /** Says what was left open at the end. */
  readonly end: () => void;
  /** Where the run stands, between two lines of the file; null inside of anything. */
  readonly mark: () => GasMark | null;
  readonly resume: (mark: GasMark) => void;
}

export interface GasMark {
  readonly reader: ReaderMark;
  readonly items: number;
  readonly defined: number;
  readonly uses: number;
  readonly alternate: boolean;
  readonly locals: number;
  readonly section: string;
  readonly previous: string;
  readonly stack: Assembly['stack'];
  readonly numeric: ReadonlyMap<string, number>;
}

/** The first word of a statement, and the sign that makes it a label or an assignment. */
const headPattern = /\s*(?:([A-Za-z_.$][\w.$]*|\d+|"[^"]*")\s*(:|==?(?!=))?)?/y;
const skippedWord = /^\s*(\.(?:if\w*|else\w*|endif|endc))\b/i;
const blockWords = new Set(['.rept', '.rep', '.irp', '.irpc', '.irep', '.irepc']);

export function startAssembler(nextLine: () => MappedText | null, file: string, limits: Limits, report: (place: Place, message: string) => void, journal: Journal): Assembler {
  const assembly = newAssembly(report, journal);
  const macros = new Map<string, Macro>();
  const defined: Macro[] = [];
  const nowhere: Place = { file, span: { start: 0, end: 0 } };
  const reader = startReader(nextLine, nowhere, limits, report);
  const { frames, conditionals, isActive, next, readBody, enter } = reader;
  let uses = 0;
  let alternate = false;
  let locals = 0;

  function placeOf(statement: MappedText, from: number): Traced {
    return trace(statement, from, statement.text.length, frames.at(-1)?.place ?? nowhere);
  }

  function defineMacro(statement: MappedText, from: number): void {
    const traced = placeOf(statement, 0);
    const wasAlternate = alternate;
    const lines = readBody('.endm', (word) => word === '.macro', traced.place);
    if (lines === null) return;
    const nameFound = /^[,\s]*([^\s,(:]+)/.exec(statement.text.slice(from));
    if (nameFound === null) {
      report(traced.place, '.macro has no name');
      return;
    }
    const name = nameFound[1]!;
    const nameEnd = from + nameFound[0].length;
    const { parameters, problem } = parseParameters(statement, nameEnd);
    if (problem !== null) report(traced.place, problem);
    const nameSpan = trace(statement, nameEnd - name.length, nameEnd, traced.place).place;
    const macro: Macro = { name, definition: traced.place, nameSpan, ...prepareBody(parameters, lines, wasAlternate) };
    journal.put(macros, name.toLowerCase(), macro, shiftMacro);
    defined.push(macro);
  }

  function useMacro(macro: Macro, statement: MappedText, from: number, wordEnd: number): void {
    const traced = placeOf(statement, from);
    const given = scrubOperands(statement, wordEnd);
    const bound = bindArguments(macro.name, macro.parameters, given, alternate ? assembly.names : null);
    if (bound.problem !== null) report(traced.place, bound.problem);
    const use: Use = { place: traced.place, outer: traced.use };
    enter({ kind: 'macro', body: macro, passes: () => null, pass: 0, args: bound.values, at: 0, count: uses++, use, callerUse: traced.use, conditionals: conditionals.length, place: traced.place });
  }

  function repeat(word: string, statement: MappedText, from: number): void {
    const traced = placeOf(statement, 0);
    const lines = readBody('.endr', (each) => blockWords.has(each), traced.place);
    if (lines === null) return;
    const frame = (parameters: readonly Parameter[], passes: Frame['passes']): void => {
      const first = passes(0);
      if (first === null || lines.length === 0) return;
      const body = prepareBody(parameters, lines, alternate);
      const outer = frames.at(-1);
      enter({ kind: 'block', body, passes, pass: 0, args: first, at: 0, count: outer?.count ?? 0, use: null, callerUse: null, conditionals: conditionals.length, place: traced.place });
    };
    const operands = statement.text.slice(from);
    if (word === '.rept' || word === '.rep') {
      const times = valueOf(expressionOf(operands, assembly.names));
      if (times === null) report(traced.place, `count of ${word} is not known`);
      else frame([], (pass) => (BigInt(pass) < times ? [] : null));
      return;
    }
    const given = scrubOperands(statement, from);
    const name = /^[\w.$]+/.exec(given.text)?.[0] ?? '';
    const parameter: Parameter = { name, kind: 'optional', fallback: null };
    let at = skipSeparator(given.text, name.length);
    const values: MappedText[] = [];
    if (word === '.irpc') {
      const value = readArgument(given, at, alternate ? assembly.names : null).value;
      for (let i = 0; i < value.text.length; i++) values.push(sliceMapped(value, i, i + 1));
    } else {
      while (at < given.text.length) {
        const value = readArgument(given, at, alternate ? assembly.names : null);
        values.push(value.value);
        at = skipSeparator(given.text, value.end === at && given.text[at] !== ',' ? at + 1 : value.end);
      }
    }
    if (values.length === 0) values.push(plainText(''));
    frame([parameter], (pass) => (pass < values.length ? [values[pass]!] : null));
  }

  function conditional(word: string, statement: MappedText, from: number): void {
    const outerActive = isActive();
    let active = false;
    if (outerActive) {
      const holds = conditionHolds(assembly, word, statement.text.slice(from));
      if (holds === null) report(placeOf(statement, 0).place, `condition is not known here and counts as false: ${statement.text.slice(from).trim().slice(0, 60)}`);
      active = holds === true;
    }
    open(statement, active, outerActive);
  }

  /** Where it was written is worked out for those of which something is said. */
  function open(statement: MappedText, active: boolean, outerActive: boolean): void {
    const fallback = frames.at(-1)?.place ?? nowhere;
    let place: Place | null = null;
    conditionals.push({
      active,
      taken: active,
      outerActive,
      get place() {
        return (place ??= trace(statement, 0, statement.text.length, fallback).place);
      },
    });
  }

  function branch(word: string, statement: MappedText, from: number): void {
    const innermost = conditionals.at(-1);
    if (innermost === undefined || conditionals.length <= (innermostMacro()?.conditionals ?? 0)) {
      report(placeOf(statement, 0).place, `${word} without .if`);
      return;
    }
    if (word === '.endif' || word === '.endc') conditionals.pop();
    else if (innermost.taken || !innermost.outerActive) innermost.active = false;
    else {
      innermost.active = word === '.else' || conditionHolds(assembly, word, statement.text.slice(from)) === true;
      innermost.taken = innermost.active;
    }
  }

  function innermostMacro(): Frame | undefined {
    for (let i = frames.length - 1; i >= 0; i--) if (frames[i]!.kind === 'macro') return frames[i];
    return undefined;
  }

  function statementOf(statement: MappedText): void {
    const { text } = statement;
    if (!isActive()) {
      const word = skippedWord.exec(text)?.[1]?.toLowerCase();
      if (word === undefined) return;
      if (conditionalWords.has(word)) open(statement, false, false);
      else if (branchWords.has(word)) branch(word, substitutedBranch(statement, word), word.length);
      return;
    }
    let from = 0;
    let word = '';
    let wordEnd = 0;
    for (;;) {
      headPattern.lastIndex = from;
      const head = headPattern.exec(text);
      const name = head?.[1] ?? '';
      const sign = head?.[2];
      const start = name === '' ? from : text.indexOf(name, from);
      if (sign === ':') {
        emitLabel(assembly, name.replace(/"/g, ''), originOf(trace(statement, start, start + name.length, nowhere)));
        from = headPattern.lastIndex;
      } else {
        from = start;
        while (from < text.length && isBlank(text.charCodeAt(from))) from++;
        if (from >= text.length) return;
        if (sign !== undefined && /^[A-Za-z_.$]/.test(name)) {
          assign(assembly, name, text.slice(headPattern.lastIndex), originOf(placeOf(statement, from)));
          return;
        }
        if (/^[A-Za-z_.$]/.test(name)) word = name;
        wordEnd = from + word.length;
        break;
      }
    }
    const lower = word.toLowerCase();
    if (lower.startsWith('.') && directive(lower, statement, from, wordEnd)) return;
    const macro = macros.get(lower);
    if (macro !== undefined) useMacro(macro, statement, from, wordEnd);
    else if (alternate && lower === 'local' && frames.length > 0) defineLocals(statement, wordEnd);
    else if (lower.startsWith('.')) {
      flushPrefixes(assembly);
      emitDirective(assembly, lower, text.slice(wordEnd).trim(), originOf(placeOf(statement, from)));
    } else emitInstruction(assembly, statement, from, frames.at(-1)?.place ?? nowhere);
  }

  /** Branches of a conditional left out were read unsubstituted; the one that may be taken needs its arguments. */
  function substitutedBranch(statement: MappedText, word: string): MappedText {
    const frame = frames.at(-1);
    const open = conditionals.at(-1);
    if (frame === undefined || word !== '.elseif' || open === undefined || open.taken || !open.outerActive) return statement;
    const line = frame.body.lines[frame.at - 1];
    return line === undefined || line.text !== statement ? statement : substituteLine(line, frame.args, frame.count, frame.use, frame.callerUse);
  }

  function defineLocals(statement: MappedText, from: number): void {
    const frame = frames.at(-1)!;
    const added = statement.text.slice(from).split(',').map((each) => each.trim()).filter((each) => each !== '');
    const parameters = [...frame.body.parameters, ...added.map((name): Parameter => ({ name, kind: 'optional', fallback: null }))];
    const args = [...frame.args, ...added.map(() => plainText(`.LL${String(++locals).padStart(4, '0')}`))];
    frames.pop();
    frames.push({ ...frame, args, body: prepareBody(parameters, frame.body.lines.map((line) => line.text), true) });
  }

  /** false where the directive is left to the emitter. */
  function directive(word: string, statement: MappedText, from: number, wordEnd: number): boolean {
    if (conditionalWords.has(word)) {
      conditional(word, statement, wordEnd);
      return true;
    }
    if (branchWords.has(word)) {
      branch(word, statement, wordEnd);
      return true;
    }
    if (blockWords.has(word)) {
      repeat(word, statement, wordEnd);
      return true;
    }
    const rest = statement.text.slice(wordEnd).trim();
    switch (word) {
      case '.macro':
        defineMacro(statement, wordEnd);
        return true;
      case '.endm': case '.endr':
        report(placeOf(statement, from).place, `${word} without a beginning`);
        return true;
      case '.purgem':
        if (!macros.has(rest.toLowerCase())) report(placeOf(statement, from).place, `.purgem of unknown macro ${rest}`);
        journal.put(macros, rest.toLowerCase(), undefined, shiftMacro);
        return true;
      case '.exitm':
        reader.leaveMacro();
        return true;
      case '.altmacro': case '.noaltmacro':
        alternate = word === '.altmacro';
        return true;
      case '.set': case '.equ': case '.equiv': case '.eqv': {
        const comma = rest.indexOf(',');
        if (comma === -1) report(placeOf(statement, from).place, `${word} needs a name and a value`);
        else assign(assembly, rest.slice(0, comma).trim(), rest.slice(comma + 1), originOf(placeOf(statement, from)));
        return true;
      }
      case '.error': case '.err': case '.warning': case '.fail':
        report(placeOf(statement, from).place, rest === '' ? word : rest.replace(/^"|"$/g, ''));
        return true;
      default:
    }
    const size = dataSize(word);
    if (size !== null) {
      flushPrefixes(assembly);
      emitData(assembly, size, rest, originOf(placeOf(statement, from)));
      return true;
    }
    return sectionWords.has(word) && changeSection(assembly, word, rest, originOf(placeOf(statement, from)));
  }

  function step(): boolean {
    const statement = next();
    if (statement === null) return false;
    statementOf(statement);
    if (assembly.items.length > limits.items) reader.stop(`this becomes more than ${limits.items} lines: what is behind is not read`);
    return true;
  }

  function end(): void {
    flushPrefixes(assembly);
    if (!reader.isStopped()) for (const open of conditionals) report(open.place, 'this .if has no .endif');
  }

  /** Numeric labels so far, copied only when there are more. */
  let numeric: ReadonlyMap<string, number> = new Map();
  let counted = 0;

  function mark(): GasMark | null {
    const read = reader.mark();
    if (read === null || assembly.pending !== null) return null;
    let count = 0;
    for (const each of assembly.numeric.values()) count += each;
    if (count !== counted) numeric = new Map(assembly.numeric);
    counted = count;
    return { reader: read, items: assembly.items.length, defined: defined.length, uses, alternate, locals, section: assembly.section, previous: assembly.previous, stack: [...assembly.stack], numeric };
  }

  function resume(from: GasMark): void {
    reader.resume(from.reader);
    assembly.items.length = from.items;
    defined.length = from.defined;
    ({ uses, alternate, locals } = from);
    assembly.section = from.section;
    assembly.previous = from.previous;
    assembly.stack.splice(0, assembly.stack.length, ...from.stack);
    assembly.pending = null;
    assembly.numeric.clear();
    for (const [number, count] of from.numeric) assembly.numeric.set(number, count);
    counted = -1;
  }

  return { assembly, defined, step, end, mark, resume };
}

const branchWords = new Set(['.else', '.elseif', '.elsec', '.endif', '.endc']);
