// What the assembler has put out so far: items, sections, symbols, numeric labels. Knows nothing of macros and
// conditionals, only of statements that are already decided.
import type { Origin, Place } from '../base/span.ts';
import type { Names } from './expression.ts';
import { expressionOf, printExpression } from './expression.ts';
import type { Journal } from './journal.ts';
import { parseStatement, splitArguments } from './operands.ts';
import type { Expression, StreamItem } from './stream.ts';
import type { MappedText } from './text.ts';
import { originOf, trace } from './text.ts';

interface SectionState {
  readonly current: string;
  readonly previous: string;
}

export interface Assembly {
  readonly items: StreamItem[];
  readonly symbols: Map<string, Expression>;
  readonly labels: Set<string>;
  readonly numeric: Map<string, number>;
  readonly stack: SectionState[];
  section: string;
  previous: string;
  /** Prefixes written as statements of their own, which belong to the next instruction. */
  pending: { readonly prefixes: string[]; readonly origin: Origin } | null;
  readonly names: Names;
  readonly report: (place: Place, message: string) => void;
  readonly journal: Journal;
}

/** An expression names no place. */
const stays = (value: Expression): Expression => value;

export function newAssembly(report: (place: Place, message: string) => void, journal: Journal): Assembly {
  const symbols = new Map<string, Expression>();
  const numeric = new Map<string, number>();
  const names: Names = {
    local: (number, direction) => `${number}#${(numeric.get(number) ?? 0) + (direction === 'f' ? 1 : 0)}`,
    // Only numbers are read at once, as the assembler does; an alias of a label keeps its own name.
    symbol: (name) => {
      const value = symbols.get(name);
      return value !== undefined && (value.kind === 'number' || (value.kind === 'symbol' && value.name.startsWith('%'))) ? value : null;
    },
  };
  return { items: [], symbols, labels: new Set(), numeric, stack: [], section: '.text', previous: '.text', pending: null, names, report, journal };
}

export function emitLabel(assembly: Assembly, name: string, origin: Origin): void {
  flushPrefixes(assembly);
  let unique = name;
  if (/^\d/.test(name)) {
    const number = String(BigInt(name));
    const count = (assembly.numeric.get(number) ?? 0) + 1;
    assembly.numeric.set(number, count);
    unique = `${number}#${count}`;
  } else {
    if (assembly.labels.has(name)) assembly.report(origin, `label ${name} is already defined`);
    assembly.journal.add(assembly.labels, name);
  }
  assembly.items.push({ kind: 'label', name: unique, origin, section: assembly.section });
}

export function emitInstruction(assembly: Assembly, statement: MappedText, from: number, fallback: Place): void {
  const origin = originOf(trace(statement, from, statement.text.length, fallback));
  const written = statement.text.slice(from);
  if (/^\s*\[\.{3}\]/.test(written)) return emitDirective(assembly, '...', '', origin);
  const parsed = parseStatement(written, assembly.names);
  const pending = assembly.pending;
  if (parsed.mnemonic === '' && parsed.problem === null) {
    assembly.pending = { prefixes: [...(pending?.prefixes ?? []), ...parsed.prefixes], origin: pending?.origin ?? origin };
    return;
  }
  assembly.pending = null;
  if (parsed.problem !== null) assembly.report(origin, parsed.problem);
  else if (/^\s*\w*[A-Z]\w*\(\s*[^\s%]/.test(written)) assembly.report(origin, `${/\w+/.exec(written)?.[0] ?? ''} is no known macro`);
  const prefixes = [...(pending?.prefixes ?? []), ...parsed.prefixes];
  const text = pending === null ? parsed.text : `${pending.prefixes.join(' ')} ${parsed.text}`;
  assembly.items.push({ kind: 'instruction', prefixes, mnemonic: parsed.mnemonic, operands: parsed.operands, text, origin: pending?.origin ?? origin, section: assembly.section });
}

/** A prefix that no instruction follows stays an instruction of its own. */
export function flushPrefixes(assembly: Assembly): void {
  const pending = assembly.pending;
  if (pending === null) return;
  assembly.pending = null;
  const text = pending.prefixes.join(' ');
  assembly.items.push({ kind: 'instruction', prefixes: pending.prefixes.slice(0, -1), mnemonic: pending.prefixes.at(-1) ?? '', operands: [], text, origin: pending.origin, section: assembly.section });
}

const sizes: ReadonlyMap<string, 1 | 2 | 4 | 8> = new Map([
  ['.byte', 1], ['.dc.b', 1], ['.2byte', 2], ['.word', 2], ['.short', 2], ['.hword', 2], ['.value', 2], ['.dc.w', 2],
  ['.4byte', 4], ['.long', 4], ['.int', 4], ['.dc.l', 4], ['.8byte', 8], ['.quad', 8], ['.dc.a', 8],
]);

export function dataSize(directive: string): 1 | 2 | 4 | 8 | null {
  return sizes.get(directive) ?? null;
}

export function emitData(assembly: Assembly, size: 1 | 2 | 4 | 8, text: string, origin: Origin): void {
  const values: Expression[] = [];
  for (const part of text.trim() === '' ? [] : splitArguments(text)) {
    const value = expressionOf(part, assembly.names);
    if (value === null) assembly.report(origin, `cannot read value ${part.slice(0, 60)}`);
    values.push(value ?? { kind: 'symbol', name: part });
  }
  assembly.items.push({ kind: 'data', size, values, decoded: null, origin, section: assembly.section });
}

const arithmetic = new Set(['.skip', '.space', '.fill', '.org', '.zero', '.align', '.balign', '.p2align', '.size', '.nops', '.p2alignl', '.balignl', '.p2alignw', '.balignw', '.equiv', '.reloc']);
const known = new Set([
  ...arithmetic, '.file', '.loc', '.globl', '.global', '.type', '.ascii', '.asciz', '.string', '.string8', '.string16', '.weak', '.local', '.hidden', '.comm',
  '.lcomm', '.ident', '.code16', '.code16gcc', '.code32', '.code64', '.arch', '.att_syntax', '.intel_syntax', '.sleb128', '.uleb128', '.float', '.double',
  '.single', '.octa', '.version', '.symver', '.protected', '.internal', '.line', '.weakref', '.incbin', '.attach_to_group', '.linkonce', '.list', '.nolist', '.title',
  '.sbttl', '.psize', '.eject', '.end', '.abort', '.print', '.ln', '.loc_mark_labels', '.gnu_attribute', '.tfloat', '.insn', '.ds', '.dcb', '.dc',
  '.linefile', '.lflags', '.func', '.endfunc', '.extern', '.def', '.endef', '.scl', '.val', '.tag', '.dim', '.noexecstack', '.allow_index_reg', '.16byte', '.bfloat16', '.hfloat', '.largecomm', '.sse_check', '.operand_check', '.disallow_index_reg',
]);

/** `...`: code that whoever wrote the sketch left out. It may do anything, as a macro that is not in view. */
const LEFT_OUT = /^\.{3,}$/;

export function emitDirective(assembly: Assembly, name: string, text: string, origin: Origin): void {
  if (LEFT_OUT.test(name)) {
    assembly.items.push({ kind: 'instruction', prefixes: [], mnemonic: '...', operands: [], text: '...', origin, section: assembly.section });
    return;
  }
  if (!known.has(name) && !name.startsWith('.cfi_')) assembly.report(origin, `unknown directive ${name}`);
  const parts = text === '' ? [] : splitArguments(text);
  const args = arithmetic.has(name)
    ? parts.map((part) => {
        const value = expressionOf(part, assembly.names);
        return value === null ? part : printExpression(value);
      })
    : parts;
  assembly.items.push({ kind: 'directive', name, arguments: args, origin, section: assembly.section });
}

/** `.set sym, expr` and `sym = expr`. `.` alone is a label by another name. */
export function assign(assembly: Assembly, name: string, text: string, origin: Origin): void {
  const value = expressionOf(text, assembly.names);
  if (value === null) {
    assembly.report(origin, `cannot read value ${text.slice(0, 60)}`);
    return;
  }
  if (name === '.') emitDirective(assembly, '.org', text, origin);
  else if (value.kind === 'here') {
    assembly.journal.put(assembly.symbols, name, undefined, stays);
    assembly.journal.add(assembly.labels, name);
    assembly.items.push({ kind: 'label', name, origin, section: assembly.section });
  } else assembly.journal.put(assembly.symbols, name, value, stays);
}

/** Directives that `changeSection` follows. */
export const sectionWords = new Set(['.text', '.data', '.bss', '.pushsection', '.section', '.section.s', '.popsection', '.previous', '.subsection']);

/** Section directives; false where `name` is none. */
export function changeSection(assembly: Assembly, name: string, text: string, origin: Origin): boolean {
  const parts = splitArguments(text);
  const first = (parts[0] ?? '').replace(/^"|"$/g, '');
  const enter = (section: string): void => {
    assembly.previous = assembly.section;
    assembly.section = section;
  };
  switch (name) {
    case '.text': case '.data': case '.bss':
      enter(withSubsection(name, first));
      return true;
    case '.pushsection':
      assembly.stack.push({ current: assembly.section, previous: assembly.previous });
      enter(withSubsection(first, parts[1] ?? ''));
      return true;
    case '.section': case '.section.s':
      enter(first);
      return true;
    case '.popsection': {
      const state = assembly.stack.pop();
      if (state === undefined) assembly.report(origin, '.popsection without .pushsection');
      else {
        assembly.section = state.current;
        assembly.previous = state.previous;
      }
      return true;
    }
    case '.previous': {
      const back = assembly.previous;
      enter(back);
      return true;
    }
    case '.subsection':
      enter(withSubsection(assembly.section.replace(/#\d+$/, ''), first));
      return true;
    default: return false;
  }
}

/** Subsection `n` of `.text` is named `.text#n`, subsection 0 is the section itself. */
function withSubsection(section: string, number: string): string {
  return /^[1-9]\d*$/.test(number) ? `${section}#${number}` : section;
}
