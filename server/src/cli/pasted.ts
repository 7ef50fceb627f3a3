// Code in what people paste: a mail with quoted text, a Markdown page, or the bare lines of a sketch. What is no code is
// blanked and nothing is moved, so that lines and columns stay those of the text. Knows no file and no rule.

import { hunksAsCode } from './quoted-hunks.ts';

export type PastedLanguage = 'S' | 'c' | 'xctx-scenario.yaml';

export interface PastedFile {
  /** Sketches of one text that define the same names are alternatives: each is reviewed by itself. */
  readonly sketch: number;
  readonly language: PastedLanguage;
  readonly text: string;
}

interface Block {
  readonly language: PastedLanguage;
  readonly lines: ReadonlySet<number>;
}

const FENCE = /^\s*(`{3,}|~{3,})\s*\{?\.?([\w+#.-]*)/;
const QUOTE = /^(?:[>|]\s?)+/;
const HEADER = /^(?:From |[A-Z][\w-]*: )/;

/** The code of a text by language and sketch; empty where nothing looks like code. */
export function pastedFiles(text: string): readonly PastedFile[] {
  const raw = text.replace(/\r\n?/g, '\n').split('\n');
  const quotes = raw.map((line) => QUOTE.exec(line)?.[0] ?? '');
  const code = hunksAsCode(raw.map((line, index) => line.slice(quotes[index]?.length ?? 0)));
  // Quotation marks are blanks from here on.
  const lines = code.map((line, index) => leftOut(' '.repeat(quotes[index]?.length ?? 0) + line));
  const depths = quotes.map((mark) => mark.replace(/\s/g, '').length);
  const fenced = fencedBlocks(lines);
  const blocks = fenced ?? plainBlocks(raw, lines, depths);
  return sketchesOf(blocks, lines);
}

/** What people write where they leave code out, as the three points that mean it in code. */
const LEFT_OUT = /^(\s*)(?:\[(?:\.{3}|…|snip(?:ped)?)\]|<(?:snip|cut)>|\(\.{3}\)|\[\.{3} ?snip ?\.{3}\]|…|\.{4,})(\s*)$/i;

function leftOut(line: string): string {
  const found = LEFT_OUT.exec(line);
  return found === null ? line : `${found[1] ?? ''}...${found[2] ?? ''}`;
}

/** Blocks between fences; null where there are none. */
function fencedBlocks(lines: readonly string[]): readonly Block[] | null {
  const blocks: Block[] = [];
  let open: { readonly mark: string; readonly word: string; readonly from: number } | null = null;
  let seen = false;
  const close = (until: number): void => {
    if (open === null) return;
    const inside = range(open.from, until);
    const language = languageNamed(open.word) ?? (open.word === '' ? languageOf(inside.map((index) => lines[index] ?? '')) : null);
    if (language !== null) blocks.push({ language, lines: new Set(inside) });
    open = null;
  };
  lines.forEach((line, index) => {
    const fence = FENCE.exec(line);
    if (fence === null) return;
    seen = true;
    const [, mark = '', word = ''] = fence;
    if (open === null) open = { mark, word: word.toLowerCase(), from: index + 1 };
    else if (mark.startsWith(open.mark) && word === '') close(index);
  });
  close(lines.length);
  return seen ? blocks : null;
}

function languageNamed(word: string): PastedLanguage | null {
  if (/^(?:c|h|cpp)$/.test(word)) return 'c';
  if (/^(?:asm|s|gas|assembly|assembler|x86asm|att|armasm)$/.test(word)) return 'S';
  return /^ya?ml$/.test(word) ? 'xctx-scenario.yaml' : null;
}

const ASSEMBLER = [
  /^\s*(?:[\w.$\\@]+:)?\s*[a-z]\w+\s+[^;{}]*%(?:[er]?[abcd][xhl]|[er]?(?:[sd]il?|[sb]pl?)|r\d+[bwd]?|[cdefgs]s|[cd]r\d)\b/,
  /^\s*(?:[\w.$\\@]+:)?\s*(?:push|pop|mov|add|sub|and|or|cmp|test|bt)[bwlq]?\s+\$/,
  /^\s*[A-Za-z_.\d][\w.$\\@]*:\s*(?:$|[#/])/,
  /^\s*(?:[\w.$\\@]+:)?\s*(?:swapgs|iretq?|cld|clac|stac|cli|sti|std|sysretq?|lfence|ret|nop|endbr64|pushfq?|popfq?|hlt|ud2|wrmsr|rdmsr|cpuid|syscall|eret[us])\s*(?:$|[#/;])/i,
  /^\s*(?:[\w.$\\@]+:)?\s*(?:call|jmp|j[a-z]{1,3})q?\s+\*?[\w.$\\@]+\s*(?:$|[#/])/,
  /^\s*\.(?:macro|endm|if\w*|else|endif|globl|global|text|rept|endr|section|pushsection|popsection|align|balign|type|size|quad|long|byte|set)\b/,
  /^\s*(?:[\w.$\\@]+:\s*)?(?:SYM_\w+|ENTRY|END|UNWIND_HINT_\w+|PUSH_\w+|POP_\w+|SAVE_\w+|RESTORE_\w+|SWITCH_TO_\w+|SWAPGS\w*|ASM_CLAC|FENCE_\w+|ENDBR|ALTERNATIVE(?:_\d)?|FRED_\w+|ERET[SU]|IBRS_\w+|UNTRAIN_\w+|CLEAR_CPU_BUFFERS|ANNOTATE_\w+|_ASM_EXTABLE\w*|(?:CALL|JMP)_NOSPEC|ENCODE_FRAME_POINTER|idtentry\w*)\b(?!.*[;{}]\s*$)/,
];
const C = [/[;{}]\s*(?:\/[*/].*)?$/, /^\s*(?:\{\s*)?(?:\w+\(.*\)|(?:\.\w+|\[[\w ]+\])\s*=[^,]*)\s*\}?,\s*(?:\/[*/].*)?$/, /^\s*[\w\s*]+\([^()]*\)\s*$/, /^\s*(?:if|for|while|switch|return|else|do|case)\b.*[({);]?\s*$/, /\)\s*\\?$/];
/** Belongs to whatever it stands in. */
const NEUTRAL = /^\s*(?:$|\.{3}|#\s*(?:define|include|if|ifdef|ifndef|else|elif|endif|undef)\b|\/\*|\*|\/\/|#\s)/;
const COMMENT_OPEN = /\/\*(?!.*\*\/)/;

/** Characters of a line that people write; of longer ones nothing is told. */
const LONGEST = 2000;

const tells = (line: string): boolean => line.length <= LONGEST && !NEUTRAL.test(line);

/** By what most of the lines are; null for prose. */
export function languageOf(lines: readonly string[]): PastedLanguage | null {
  const telling = lines.filter(tells);
  if (telling.length === 0) return null;
  if (telling.some((line) => /^\s*handlers:\s*$/.test(line)) && lines.some((line) => /^\s*name:/.test(line))) return 'xctx-scenario.yaml';
  const assembler = telling.filter((line) => ASSEMBLER.some((one) => one.test(line))).length;
  const c = telling.filter((line) => !ASSEMBLER.some((one) => one.test(line)) && C.some((one) => one.test(line)) && !isProse(line)).length;
  if (assembler >= c && assembler * 2 >= telling.length) return 'S';
  return c * 2 >= telling.length ? 'c' : null;
}

/** Several words of letters in a row and no sign of code, or who wrote what is quoted. */
function isProse(line: string): boolean {
  if (line.length > LONGEST) return false;
  return /\bwrote:\s*$/.test(line) || /^\s*[A-Za-z][\w',.-]*(?: [\w',.()-]+){4,}[.,:;?!]?\s*$/.test(line) && !/[{}=]|->|\w\(/.test(line);
}

/** Whether a paragraph is for a machine: prose has lines of many words, and no statement that ends. */
function reads(lines: readonly string[]): boolean {
  const telling = lines.filter(tells);
  const words = telling.filter((line) => /^\s*[A-Za-z"'(][^={};%]*;?\s*$/.test(line) && line.trim().split(/\s+/).length > 6);
  return words.length === 0 || telling.some((line) => /[;{]\s*(?:\/[*/].*)?$|%r|^\s*\w+:\s*$/.test(line)) && words.length * 4 <= telling.length;
}

/** Paragraphs of code in a text without fences. */
function plainBlocks(raw: readonly string[], lines: readonly string[], depths: readonly number[]): readonly Block[] {
  const mail = HEADER.test(raw[0] ?? '') && raw.slice(0, 40).some((line) => /^(?:From|Subject|Date|To|Message-I[Dd]): /.test(line));
  const body = mail ? raw.findIndex((line) => line === '') : 0;
  const end = raw.findIndex((line, index) => index > body && /^-- ?$/.test(line));
  const until = end < 0 ? lines.length : end;
  if (!mail && !raw.some((line) => QUOTE.test(line))) {
    const whole = languageOf(lines);
    const prose = lines.filter((line) => isProse(line) && !NEUTRAL.test(line)).length;
    // The lines of one sketch, pasted alone.
    if (whole !== null && prose === 0 && reads(lines) && !mixed(lines)) return [{ language: whole, lines: new Set(range(0, lines.length)) }];
  }
  const blocks: Block[] = [];
  /** Comments and directives in front of the code that they belong to. */
  let waiting: readonly number[] = [];
  for (const paragraph of paragraphs(lines, depths, Math.max(0, body), until)) {
    const here = paragraph.map((index) => lines[index] ?? '');
    const language = reads(here) ? languageOf(here) : null;
    if (language === null && paragraph.every((index) => NEUTRAL.test(lines[index] ?? ''))) {
      waiting = [...waiting, ...paragraph];
      continue;
    }
    if (language !== null) blocks.push({ language, lines: new Set([...waiting, ...paragraph].filter((index) => NEUTRAL.test(lines[index] ?? '') || !isProse(lines[index] ?? ''))) });
    waiting = [];
  }
  return blocks;
}

/** Whether there are stubs and C functions in one text. */
function mixed(lines: readonly string[]): boolean {
  const assembler = lines.some((line) => tells(line) && ASSEMBLER.some((one) => one.test(line)));
  const opens = lines.some((line, index) => /^(?:[A-Za-z_][\w\s*]*\([^;]*\)\s*)$/.test(line) && /^\s*\{/.test(lines[index + 1] ?? ''));
  return assembler && opens;
}

/** Runs of lines quoted alike and without a blank one, but for those inside braces, a comment or a macro. */
function paragraphs(lines: readonly string[], depths: readonly number[], from: number, until: number): readonly (readonly number[])[] {
  const out: number[][] = [];
  let current: number[] = [];
  let depth = 0;
  let comment = false;
  let macro = 0;
  const flush = (): void => {
    if (current.length > 0) out.push(current);
    current = [];
    depth = 0;
    macro = 0;
  };
  for (let index = from; index < until; index += 1) {
    const line = lines[index] ?? '';
    const blank = line.trim() === '';
    if (!blank && depth <= 0 && !comment && macro <= 0 && current.length > 0 && depths[index] !== depths[index - 1]) flush();
    if (blank && depth <= 0 && !comment && macro <= 0) flush();
    else current.push(index);
    if (comment) comment = !line.includes('*/');
    else if (COMMENT_OPEN.test(line)) comment = true;
    else {
      const code = line.replace(/\/\*.*?\*\/|\/\/.*$|"[^"]*"/g, '');
      // A brace of prose does not swallow the rest: only one that ends or begins a line opens a body.
      if (/\{\s*$/.test(code)) depth += 1;
      if (/^\s*\}/.test(code)) depth -= 1;
      if (/^\s*\.macro\b/.test(code)) macro += 1;
      if (/^\s*\.endm\b/.test(code)) macro -= 1;
    }
  }
  flush();
  return out;
}

/** Puts blocks into files, and begins another sketch where a block defines what one before it did. */
function sketchesOf(blocks: readonly Block[], lines: readonly string[]): readonly PastedFile[] {
  const sketches: { readonly files: Map<PastedLanguage, Set<number>>; readonly names: Set<string> }[] = [];
  for (const block of blocks) {
    const names = namesOf(block, lines);
    let last = sketches.at(-1);
    if (last === undefined || names.some((name) => last?.names.has(name) === true)) {
      last = { files: new Map(), names: new Set() };
      sketches.push(last);
    }
    for (const name of names) last.names.add(name);
    const file = last.files.get(block.language) ?? new Set<number>();
    for (const index of block.lines) file.add(index);
    last.files.set(block.language, file);
  }
  return sketches.flatMap(({ files }, sketch) => [...files].map(([language, held]) => ({ sketch, language, text: lines.map((line, index) => (held.has(index) ? line : '')).join('\n') })));
}

/** Labels and functions that a block defines. */
function namesOf({ language, lines: held }: Block, lines: readonly string[]): readonly string[] {
  return [...held].flatMap((index) => {
    const line = lines[index] ?? '';
    if (line.length > LONGEST) return [];
    const name = language === 'S' ? (/^\s*([A-Za-z_]\w*):/.exec(line)?.[1] ?? /^\s*SYM_CODE_START\w*\((\w+)/.exec(line)?.[1]) : language === 'c' ? /^\s*[A-Za-z_][\w\s*]*?\b(\w+)\([^;]*\)?\s*\{?\s*$/.exec(line)?.[1] : undefined;
    return name === undefined || /^(?:if|for|while|switch|return|sizeof|else)$/.test(name) || /^\s{2,}|^\t/.test(language === 'c' ? line : '') ? [] : [`${language} ${name}`];
  });
}

function range(from: number, until: number): readonly number[] {
  return Array.from({ length: Math.max(0, until - from) }, (_, index) => from + index);
}
