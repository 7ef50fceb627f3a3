// The C preprocessor as a pull stream: each call gives the next line that the assembler would read, macros expanded,
// includes followed, conditionals decided. Knows nothing of the assembler's own language.
import type { Place } from '../base/span.ts';
import { evaluateTokens } from './cpp-condition.ts';
import { definitionOfLine, expandClosed, expandLine, parseDefinition } from './cpp-macros.ts';
import type { Definition, Definitions, Expansion } from './cpp-macros.ts';
import type { IncludeResolver } from './includes.ts';
import { lexFile, lexText, tokensOf } from './lex.ts';
import type { LexedFile, LogicalLine, Token } from './lex.ts';
import type { Journal } from './journal.ts';
import type { Limits } from './limits.ts';
import { shiftDefinition } from './shift.ts';
import type { AssemblerStream, FileSource } from './stream.ts';
import { addSegment, built, newBuilder } from './text.ts';
import type { MappedText } from './text.ts';

export interface CppRun {
  /** The next line with text, or null at the end of the file. */
  readonly nextLine: () => MappedText | null;
  /** Reads to the end for the directives alone; the text between them is passed over. */
  readonly directivesOnly: () => void;
  readonly definitions: Definitions;
  /** Every definition made, in order, those of headers included. */
  readonly defined: Definitions;
  readonly includes: Include[];
  readonly inactive: Place[];
  /** Where the run stands, between two lines of the file itself; null inside of an include. */
  readonly mark: () => CppMark | null;
  /** Goes on from a mark in a text that is the same up to there; tables are the journal's. */
  readonly resume: (mark: CppMark, text: string) => void;
}

type Include = AssemblerStream['includes'][number];

export interface CppMark {
  /** Line that is read next, and its offset. */
  readonly line: number;
  readonly offset: number;
  readonly conditionals: readonly Conditional[];
  readonly includes: number;
  readonly inactive: number;
  readonly tokens: number;
  /** Offset up to which the text was looked at. */
  readonly reach: number;
}

export interface Conditional {
  active: boolean;
  /** A branch was taken, so that the rest is left out. */
  taken: boolean;
  readonly outerActive: boolean;
  readonly place: Place;
  /** Offset at which the current inactive branch began. */
  skippedFrom: number;
}

interface Frame {
  readonly lexed: LexedFile;
  next: number;
  readonly conditionals: Conditional[];
}

export interface CppInput {
  readonly source: FileSource;
  readonly resolver: IncludeResolver;
  readonly limits: Limits;
  /** Later ones win. */
  readonly predefined: readonly ReadonlyMap<string, string>[];
  readonly report: (place: Place, message: string) => void;
  readonly journal: Journal;
}

export function startCpp(file: string, text: string, prelude: readonly string[], input: CppInput): CppRun {
  const { source, resolver, limits, report, journal } = input;
  const definitions: Definitions = new Map();
  const defined: Definitions = new Map();
  const includes: Include[] = [];
  const inactive: Place[] = [];
  const missing = new Set<string>();
  const once = new Set<string>();
  const frames: Frame[] = [];
  const budget = { tokens: limits.tokens };
  let reach = 0;

  for (const defines of input.predefined) for (const definition of definitionsFrom(defines)) definitions.set(definition.name, definition);
  frames.push({ lexed: lexFile(file, text), next: 0, conditionals: [] });
  for (const each of [...prelude].reverse()) {
    const content = source.read(each);
    if (content !== null) frames.push({ lexed: lexFile(each, content), next: 0, conditionals: [] });
  }

  const expansion: Expansion = {
    definitions,
    budget,
    report,
    more: () => {
      const frame = frames.at(-1)!;
      const line = frame.lexed.lines[frame.next];
      lookedAt(line);
      return line === undefined || line.directive ? null : tokensOf(frame.lexed, frame.next++);
    },
    callGoesOn: () => {
      const frame = frames.at(-1)!;
      for (let i = frame.next; ; i++) {
        const line = frame.lexed.lines[i];
        lookedAt(line);
        if (line === undefined || line.directive) return false;
        const first = tokensOf(frame.lexed, i)[0];
        if (first !== undefined) return first.text === '(';
      }
    },
  };

  function lookedAt(line: LogicalLine | undefined): void {
    if (frames.length === 1) reach = Math.max(reach, line === undefined ? Infinity : line.end);
  }

  const isActive = (frame: Frame): boolean => frame.conditionals.at(-1)?.active ?? true;

  const nextLine = (): MappedText | null => read(true);

  function read(wanted: boolean): MappedText | null {
    for (;;) {
      const frame = frames.at(-1);
      if (frame === undefined) return null;
      const index = frame.next;
      const line = frame.lexed.lines[index];
      lookedAt(line);
      if (line === undefined) {
        closeFile(frame);
        continue;
      }
      frame.next++;
      if (line.end - line.start > limits.lineLength) {
        report(placeOfLine(frame, line), `line of ${line.end - line.start} characters is left out`);
        continue;
      }
      if (line.directive) directive(frame, line, tokensOf(frame.lexed, index));
      else if (wanted && isActive(frame)) {
        const tokens = tokensOf(frame.lexed, index);
        if (tokens.length > 0) return textOf(frame, line, tokens);
      }
    }
  }

  function placeOfLine(frame: Frame, line: LogicalLine): Place {
    return { file: frame.lexed.file, span: { start: line.start, end: Math.min(line.end, line.start + 200) } };
  }

  function closeFile(frame: Frame): void {
    for (const open of frame.conditionals) report(open.place, 'this conditional has no #endif');
    endSkip(frame, frame.lexed.text.length);
    frames.pop();
  }

  function textOf(frame: Frame, line: LogicalLine, tokens: readonly Token[]): MappedText {
    const plain = !tokens.some((token) => token.kind === 'identifier' && definitions.has(token.text));
    const builder = newBuilder();
    if (plain && line.ranges.length === 2) {
      addSegment(builder, frame.lexed.text.slice(line.start, line.end), frame.lexed.file, line.start, line.end, null);
      return built(builder);
    }
    let previous: Token | null = null;
    for (const token of plain ? tokens : expandLine(tokens, expansion)) {
      const apart = previous !== null && (token.file !== previous.file || token.start !== previous.end);
      if (token.space || (apart && wordLike.test(previous!.text.at(-1) ?? '') && wordLike.test(token.text[0] ?? ''))) builder.text += ' ';
      addSegment(builder, token.text, token.file, token.start, token.end, token.use);
      previous = token;
      if (builder.text.length > limits.lineLength) {
        report(placeOfLine(frame, line), 'expansion of this line is too long and is cut');
        break;
      }
    }
    return built(builder);
  }

  function directive(frame: Frame, line: LogicalLine, tokens: readonly Token[]): void {
    const name = tokens[1]?.text ?? '';
    const rest = tokens.slice(2);
    const active = isActive(frame);
    switch (name) {
      case 'if': case 'ifdef': case 'ifndef':
        openConditional(frame, line, active, () => (name === 'if' ? condition(frame, line, rest) : definitions.has(rest[0]?.text ?? '') === (name === 'ifdef')));
        return;
      case 'elif': case 'elifdef': case 'elifndef': case 'else':
        nextBranch(frame, line, () => (name === 'else' ? true : name === 'elif' ? condition(frame, line, rest) : definitions.has(rest[0]?.text ?? '') === (name === 'elifdef')));
        return;
      case 'endif':
        if (frame.conditionals.length === 0) report(placeOfLine(frame, line), '#endif without #if');
        endSkip(frame, line.start);
        frame.conditionals.pop();
        return;
      default:
    }
    if (!active) return;
    if (name === 'define') {
      const definition = definitionOfLine(tokens);
      if (definition === null) report(placeOfLine(frame, line), '#define names no macro');
      else {
        journal.put(definitions, definition.name, definition, shiftDefinition);
        journal.put(defined, definition.name, definition, shiftDefinition);
      }
    } else if (name === 'undef') journal.put(definitions, rest[0]?.text ?? '', undefined, shiftDefinition);
    else if (name === 'include' || name === 'include_next') include(frame, line, rest);
    else if (name === 'pragma' && rest[0]?.text === 'once') journal.add(once, frame.lexed.file);
    else if (name === 'error') report(placeOfLine(frame, line), `#error ${rest.map((token) => token.text).join(' ')}`);
  }

  function openConditional(frame: Frame, line: LogicalLine, outerActive: boolean, holds: () => boolean): void {
    const active = outerActive && holds();
    frame.conditionals.push({ active, taken: active, outerActive, place: placeOfLine(frame, line), skippedFrom: outerActive && !active ? line.end : -1 });
  }

  function nextBranch(frame: Frame, line: LogicalLine, holds: () => boolean): void {
    const conditional = frame.conditionals.at(-1);
    if (conditional === undefined) {
      report(placeOfLine(frame, line), 'branch of a conditional without #if');
      return;
    }
    endSkip(frame, line.start);
    conditional.active = conditional.outerActive && !conditional.taken && holds();
    if (conditional.active) conditional.taken = true;
    conditional.skippedFrom = conditional.outerActive && !conditional.active ? line.end : -1;
  }

  function endSkip(frame: Frame, end: number): void {
    const conditional = frame.conditionals.at(-1);
    if (conditional === undefined || conditional.skippedFrom === -1 || frame.lexed.file !== file) return;
    if (end > conditional.skippedFrom) inactive.push({ file, span: { start: conditional.skippedFrom, end } });
    conditional.skippedFrom = -1;
  }

  function condition(frame: Frame, line: LogicalLine, tokens: readonly Token[]): boolean {
    const answered: Token[] = [];
    for (let i = 0; i < tokens.length; i++) {
      const token = tokens[i]!;
      const call = tokens[i + 1]?.text === '(';
      const argument = tokens[i + 2];
      const answer = (holds: boolean, used: number): void => {
        answered.push({ ...token, kind: 'number', text: holds ? '1' : '0' });
        i += used;
      };
      if (token.text === 'defined') {
        if (call) answer(definitions.has(argument?.text ?? ''), 3);
        else answer(definitions.has(tokens[i + 1]?.text ?? ''), 1);
      } else if (kconfigQuestions.has(token.text) && !definitions.has(token.text) && call) {
        const symbol = argument?.text ?? '';
        const builtIn = definitions.get(symbol)?.body[0]?.text === '1';
        const module = definitions.get(`${symbol}_MODULE`)?.body[0]?.text === '1';
        answer(token.text === 'IS_BUILTIN' ? builtIn : token.text === 'IS_MODULE' ? module : builtIn || module, 3);
      } else if (compilerQuestions.has(token.text) && call) {
        const close = tokens.findIndex((each, at) => at > i && each.text === ')');
        if (close === -1) return false;
        const header = tokens.slice(i + 2, close).map((each) => each.text).join('');
        const quoted = header.startsWith('"');
        answer(token.text.startsWith('__has_include') ? resolver.resolve(header.slice(1, -1), quoted, frame.lexed.file) !== null : false, close - i);
      } else answered.push(token);
    }
    const value = evaluateTokens(expandClosed(answered, expansion));
    if (value === null) report(placeOfLine(frame, line), 'condition is no constant expression and counts as false');
    return value !== null && value !== 0n;
  }

  function include(frame: Frame, line: LogicalLine, tokens: readonly Token[]): void {
    const direct = tokens[0]?.kind === 'string' || tokens[0]?.text === '<' ? tokens : expandClosed(tokens, expansion);
    const first = direct[0];
    const place = first === undefined ? placeOfLine(frame, line) : { file: frame.lexed.file, span: { start: tokens[0]!.start, end: tokens.at(-1)!.end } };
    const quoted = first?.kind === 'string';
    const name = quoted ? first.text.slice(1, -1) : direct.slice(1, direct.findIndex((each) => each.text === '>')).map((each) => each.text).join('');
    if (name === '') {
      report(place, '#include names no file');
      return;
    }
    // The Configuration takes this file's part, whatever the tree was last built with.
    if (name === 'generated/autoconf.h') return;
    const resolved = resolver.resolve(name, quoted, frame.lexed.file);
    if (resolved === null) {
      if (missing.has(name)) return;
      journal.add(missing, name);
      includes.push({ place, name, resolved });
      if (resolver.root === null || !generated.test(name)) report(place, `cannot find include file ${name}`);
      return;
    }
    includes.push({ place, name, resolved });
    if (once.has(resolved)) return;
    if (frames.length > limits.includeDepth) {
      report(place, `includes nest deeper than ${limits.includeDepth}`);
      // Every level of a cycle would try again: the cycle ends at its first finding.
      for (const each of frames) journal.add(once, each.lexed.file);
      return;
    }
    const text = source.read(resolved);
    if (text !== null) frames.push({ lexed: lexFile(resolved, text), next: 0, conditionals: [] });
  }

  function mark(): CppMark | null {
    const frame = frames[0];
    if (frame === undefined || frames.length !== 1) return null;
    const line = frame.lexed.lines[frame.next];
    return { line: frame.next, offset: line?.start ?? frame.lexed.text.length, conditionals: frame.conditionals.map((each) => ({ ...each })), includes: includes.length, inactive: inactive.length, tokens: budget.tokens, reach };
  }

  function resume(from: CppMark, text: string): void {
    frames.length = 0;
    frames.push({ lexed: lexFile(file, text), next: from.line, conditionals: from.conditionals.map((each) => ({ ...each })) });
    includes.length = from.includes;
    inactive.length = from.inactive;
    budget.tokens = from.tokens;
    reach = from.reach;
  }

  return { nextLine, directivesOnly: () => void read(false), definitions, defined, includes, inactive, mark, resume };
}

const predefinedOf = new WeakMap<ReadonlyMap<string, string>, readonly Definition[]>();

/** A configuration has thousands of symbols, and serves every file. */
function definitionsFrom(defines: ReadonlyMap<string, string>): readonly Definition[] {
  const known = predefinedOf.get(defines);
  if (known !== undefined) return known;
  const made: Definition[] = [];
  for (const [name, value] of defines) {
    const definition = parseDefinition(lexText(`${name} ${value}`, '<configuration>', [0, 0]));
    if (definition !== null) made.push(definition);
  }
  predefinedOf.set(defines, made);
  return made;
}

const wordLike = /\w/;
const generated = /^(?:asm|generated|uapi\/asm)\/|-offsets\.h$|^[vz]offset\.h$|^linux\/(?:version|compile)\.h$|\/(?:generated|utsrelease)/;
const kconfigQuestions = new Set(['IS_ENABLED', 'IS_BUILTIN', 'IS_MODULE', 'IS_REACHABLE']);
const compilerQuestions = new Set(['__has_include', '__has_include_next', '__has_attribute', '__has_builtin', '__has_feature', '__has_extension']);
