// What kernel C needs so that the C grammar can read it: attribute macros blanked, per-CPU definitions and other
// declaring macros turned into declarations, assembler templates into one string. Every replacement has the length of
// what it replaces, so offsets stay; what was taken out is returned by place.
import type { Span } from '../base/span.ts';
import { attributeCalls, attributeWords, exportMacro, perCpuMacro } from './c-attributes.ts';
import { bracketsOf, LEFT_OUT_WORD, leftOutAt, standsAlone } from './c-left-out.ts';
import type { Brackets } from './c-left-out.ts';
import type { CAttribute } from './c-syntax.ts';
import { isWordStart, matchParenthesis, normalised, overwriting, skipBlank, skipOpaque, wordEnd } from './c-text.ts';
import type { Overwriting, Parenthesised } from './c-text.ts';

export interface AssemblyText {
  readonly span: Span;
  readonly template: string;
  readonly extable: string | null;
  /** Names that macros among the outputs mention: `EAX_EDX_RET(val, low, high)`. */
  readonly outputNames: readonly string[];
}

export interface Rewritten {
  readonly text: string;
  /** Where the text stands in the source: all other offsets are those of the source. */
  readonly offset: number;
  /** In text order. */
  readonly attributes: readonly CAttribute[];
  /** `DEFINE_PER_CPU` and the like by the offset of what it declares; `SYSCALL_DEFINE3` by the function's name. */
  readonly declaredBy: ReadonlyMap<number, string>;
  /** By the offset of the template. */
  readonly assembly: ReadonlyMap<number, AssemblyText>;
  /** Offsets of the `while` that stands for a `for_each_...` macro. */
  readonly eachLoops: ReadonlySet<number>;
}

interface Work {
  readonly text: string;
  readonly brackets: Brackets;
  readonly out: Overwriting;
  readonly attributes: CAttribute[];
  readonly declaredBy: Map<number, string>;
  readonly assembly: Map<number, AssemblyText>;
  readonly eachLoops: Set<number>;
}

const interesting = /[A-Za-z_$\d][\w$]*|\/[/*]|["']|\.{3}/g;

/** A stretch of the source, by default all of it. */
export function rewriteForGrammar(source: string, part: Span = { start: 0, end: source.length }): Rewritten {
  const text = source.slice(0, part.end);
  const work: Work = { text, brackets: bracketsOf(text, part.start), out: overwriting(text, part.start), attributes: [], declaredBy: new Map(), assembly: new Map(), eachLoops: new Set() };
  for (let at = part.start; ; ) {
    interesting.lastIndex = at;
    const found = interesting.exec(text);
    if (found === null) break;
    const start = found.index;
    const end = interesting.lastIndex;
    if (isWordStart(text[start])) at = rewriteWord(work, start, end);
    else if (text[start] === '.') at = rewriteLeftOut(work, start, end);
    else at = /\d/.test(text.charAt(start)) ? end : Math.max(end, skipOpaque(text, start));
  }
  const { attributes, declaredBy, assembly, eachLoops } = work;
  return { text: work.out.result(), offset: part.start, attributes, declaredBy, assembly, eachLoops };
}

function rewriteLeftOut(work: Work, start: number, end: number): number {
  const line = leftOutAt(work.text, start, work.brackets);
  if (line === null) return end;
  work.out.replace(line.span.start, line.span.end, line.statement ? `${LEFT_OUT_WORD};` : '');
  return Math.max(end, line.span.end);
}

/** Rewrites what starts with this word and gives the offset to go on from. */
function rewriteWord(work: Work, start: number, end: number): number {
  const { text } = work;
  const word = text.slice(start, end);
  if (attributeWords.has(word)) return blankAttribute(work, start, end);
  if (/^(?:asm|__asm__|__asm|asm_inline)$/.test(word)) return rewriteAssembly(work, start, end);
  const open = skipBlank(text, end);
  if (text[open] === ':') return closeLabel(work, open, end);
  if (text[open] !== '(') return end;
  if (attributeCalls.has(word) || exportMacro.test(word)) {
    const group = matchParenthesis(text, open);
    return group === null ? end : blankAttribute(work, start, group.end);
  }
  if (/^(?:INTG|SYSG|ISTG)$/.test(word)) return rewriteRow(work, start, open, end);
  if (perCpuMacro.test(word)) return rewritePerCpu(work, word, start, open, end);
  if (word === 'DECLARE_ARGS' || namingMacro.test(word)) return rewriteNaming(work, word, start, open, end);
  if (/^(?:COMPAT_)?SYSCALL_DEFINE\d$/.test(word)) return rewriteSystemCall(work, word, start, open, end);
  if (/for_each/.test(word)) return rewriteEach(work, start, open, end);
  if (/^(?:__)?typeof(?:__|_member|_unqual)?$/.test(word)) return rewriteTypeof(work, start, open, end);
  if (/^(?:container_of(?:_const)?|h?list_entry)$/.test(word)) return joinTypeArgument(work, open, end);
  if (word === 'offsetof') return plainMember(work, open, end);
  return end;
}

/** `out: }`: a label at the end of a block gets the empty statement that the grammar wants, in the place of a blank. */
function closeLabel(work: Work, colon: number, end: number): number {
  const next = skipBlank(work.text, colon + 1);
  if (work.text[next] !== '}' || !/\s/.test(work.text.charAt(next - 1))) return end;
  work.out.replace(next - 1, next, ';');
  return next;
}

/** Rows of a gate table without the table, as a mail quotes them, become calls. */
function rewriteRow(work: Work, start: number, open: number, end: number): number {
  const group = matchParenthesis(work.text, open);
  if (group === null || !/[,\s]/.test(work.text.charAt(group.end)) || !standsAlone(work.text, start, work.brackets)) return end;
  work.out.replace(group.end, group.end + 1, ';');
  return group.end + 1;
}

function blankAttribute(work: Work, start: number, end: number): number {
  work.attributes.push({ text: normalised(work.text.slice(start, end)), span: { start, end } });
  work.out.replace(start, end, '');
  return end;
}

/** `DEFINE_PER_CPU(type, name)` becomes `type name`. */
function rewritePerCpu(work: Work, word: string, start: number, open: number, end: number): number {
  const group = matchParenthesis(work.text, open);
  const comma = group?.commas[0];
  if (group === null || comma === undefined) return end;
  work.declaredBy.set(skipBlank(work.text, comma + 1), word);
  const storage = word.startsWith('DECLARE') && open + 1 - start >= 7 ? 'extern ' : '';
  work.out.replace(start, open + 1, storage);
  work.out.replace(comma, comma + 1, '');
  work.out.replace(group.end - 1, group.end, '');
  return group.end;
}

/** Other macros that define what they name first: `DEFINE_SPINLOCK(lock)`, `DECLARE_BITMAP(bits, 64)`, `LIST_HEAD(list)`. */
const namingMacro = /^(?:DEFINE|DECLARE)_(?!IDTENTRY|FREDENTRY|PER_CPU|EVENT|TRACE|ASM|STATIC_CALL)[A-Z_]+$|^(?:LIST|HLIST|LLIST|ATOMIC_NOTIFIER|RAW_NOTIFIER|BLOCKING_NOTIFIER)_HEAD$/;

/** Becomes `long name[1]`, or `long name, name` for `DECLARE_ARGS`; only where it stands as a declaration. */
function rewriteNaming(work: Work, word: string, start: number, open: number, end: number): number {
  const { text } = work;
  const group = matchParenthesis(text, open);
  if (group === null || !/[;=]/.test(text.charAt(skipBlank(text, group.end)))) return end;
  const comma = group.commas[0];
  if (word === 'DECLARE_ARGS') {
    if (comma === undefined) return end;
    work.out.replace(start, comma + 1, 'long');
    work.out.replace(group.end - 1, group.end, '');
    return group.end;
  }
  const name = skipBlank(text, open + 1);
  const nameEnd = wordEnd(text, name);
  if (nameEnd === name) return end;
  work.declaredBy.set(name, word);
  work.out.replace(start, open + 1, 'long');
  work.out.replace(nameEnd, group.end, group.end - nameEnd >= 3 ? '[1]' : '');
  return group.end;
}

/** `SYSCALL_DEFINE2(name, int, a, long, b)` becomes `long name( int a, long b)`. */
function rewriteSystemCall(work: Work, word: string, start: number, open: number, end: number): number {
  const group = matchParenthesis(work.text, open);
  if (group === null) return end;
  const name = skipBlank(work.text, open + 1);
  work.declaredBy.set(name, word);
  work.out.replace(start, open + 1, 'long');
  const [first, ...rest] = group.commas;
  if (first === undefined) {
    // No parameters: the closing parenthesis of the macro is the only place for `()`, and it is one character short.
    work.out.replace(name, group.end, `${work.text.slice(name, group.end - 2)}()`);
    return group.end;
  }
  work.out.replace(first, first + 1, '(');
  rest.forEach((comma, index) => {
    if (index % 2 === 0) work.out.replace(comma, comma + 1, '');
  });
  return group.end;
}

/** The template becomes one string literal, whatever macros it is made of. */
function rewriteAssembly(work: Work, word: number, end: number): number {
  const { text } = work;
  let open = skipBlank(text, end);
  while (isWordStart(text[open])) open = skipBlank(text, wordEnd(text, open));
  const group = text[open] === '(' ? matchParenthesis(text, open) : null;
  if (group === null) return end;
  const start = skipBlank(text, open + 1);
  const close = group.colons[0] ?? group.end - 1;
  if (close - start < 2) return end;
  const written = text.slice(start, close);
  work.out.replace(word, end, 'asm');
  work.out.replace(start, close, '""');
  const outputNames = blankOperandMacros(work, group);
  const extable = /_ASM_EXTABLE\w*\s*\([^)]*\)/.exec(written)?.[0] ?? null;
  work.assembly.set(start, { span: { start, end: close }, template: templateOf(written), extable, outputNames });
  return group.end;
}

/** Operands that are macros (`ASM_CALL_CONSTRAINT`) vanish with one comma; gives the names in those among the outputs. */
function blankOperandMacros(work: Work, group: Parenthesised): readonly string[] {
  const { text } = work;
  const [outputs, , , labels = group.end - 1] = group.colons;
  if (outputs === undefined) return [];
  const separators = [...group.colons, ...group.commas].filter((at) => at >= outputs && at < labels).sort((a, b) => a - b);
  const names: string[] = [];
  separators.forEach((from, index) => {
    const to = separators[index + 1] ?? labels;
    const operand = skipBlank(text, from + 1);
    if (operand >= to || !isWordStart(text[operand])) return;
    if (to <= (group.colons[1] ?? labels)) names.push(...text.slice(wordEnd(text, operand), to).match(/[A-Za-z_]\w*/g) ?? []);
    const leading = text[from] === ',';
    work.out.replace(leading ? from : operand, !leading && text[to] === ',' ? to + 1 : to, '');
  });
  return names;
}

function templateOf(written: string): string {
  return [...written.matchAll(/"((?:[^"\\]|\\.)*)"/g)].map((match) => match[1] ?? '').join('').replace(/\\n|\\t/g, '\n');
}

/** `for_each_cpu(cpu, mask) statement` becomes `while (cpu, mask) statement`; a prototype or plain call stays. */
function rewriteEach(work: Work, start: number, open: number, end: number): number {
  const group = matchParenthesis(work.text, open);
  if (group === null || end - start < 5) return end;
  const next = work.text[skipBlank(work.text, group.end)];
  if (next === undefined || /[;,)=]/.test(next)) return end;
  work.eachLoops.add(start);
  work.out.replace(start, end, 'while');
  return end;
}

/** `typeof(x) y` becomes `typeof___ y`: one word for a type that is not looked into. */
function rewriteTypeof(work: Work, start: number, open: number, end: number): number {
  const group = matchParenthesis(work.text, open);
  if (group === null || work.text.slice(start, group.end).includes('\n')) return end;
  work.out.replace(start, group.end, work.text.slice(start, group.end).replace(/\W/g, '_'));
  return group.end;
}

/** `container_of(p, struct s, m)`: the type becomes the one word `struct_s`. */
function joinTypeArgument(work: Work, open: number, end: number): number {
  const group = matchParenthesis(work.text, open);
  const [first, second] = group?.commas ?? [];
  if (first === undefined || second === undefined) return end;
  const start = skipBlank(work.text, first + 1);
  const written = work.text.slice(start, second).trimEnd();
  if (!/^(?:struct|union)\s+\w+$/.test(written)) return end;
  work.out.replace(start, start + written.length, written.replace(/\s/g, '_'));
  return end;
}

/** `offsetof(struct s, a.b)`: the grammar wants a single field. */
function plainMember(work: Work, open: number, end: number): number {
  const group = matchParenthesis(work.text, open);
  const comma = group?.commas[0];
  if (group === null || comma === undefined) return end;
  const field = skipBlank(work.text, comma + 1);
  const written = work.text.slice(field, group.end - 1).trimEnd();
  if (/[^\w]/.test(written)) work.out.replace(field, field + written.length, written.replace(/[^\w\n]/g, '_'));
  return group.end;
}
