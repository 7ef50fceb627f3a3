// Completion of assembler: registers, mnemonics, macros and labels, by where in a statement the cursor stands. Knows no
// annotation.
import type { CompletionEntry } from '../editor-types.ts';
import { INSTRUCTION_ROWS } from '../machine/instructions/index.ts';
import { indexOf, isSymbol } from './editor-scope.ts';
import type { Scope } from './editor-scope.ts';

const MOST_ENTRIES = 300;
/** Thousands of C macros are in view: they are offered once this much of a name is typed. */
const SHORTEST_C_MACRO = 2;

const numbered = Array.from({ length: 8 }, (_, index) => index + 8);
const REGISTERS: readonly string[] = [
  ...['ax', 'bx', 'cx', 'dx', 'si', 'di', 'bp', 'sp'].flatMap((name) => [`r${name}`, `e${name}`, name]),
  'al', 'bl', 'cl', 'dl', 'ah', 'bh', 'ch', 'dh', 'sil', 'dil', 'bpl', 'spl',
  ...numbered.flatMap((number) => [`r${number}`, `r${number}d`, `r${number}w`, `r${number}b`]),
  'rip', 'cs', 'ds', 'es', 'fs', 'gs', 'ss', 'cr0', 'cr2', 'cr3', 'cr4', 'cr8', 'dr0', 'dr1', 'dr2', 'dr3', 'dr6', 'dr7',
];

/** Instructions that entry code uses and that have no row: those with one are described. */
const PLAIN = 'adc adcq bsf bsr bswap bt btc btr bts cbw cdq cdqe clflush clui cmovae cmove cmovne cmpxchg cpuid cqo cwd daa div fninit fxrstor fxsave idiv imul in inc int3 invd invlpg invpcid jcxz jrcxz lahf ldmxcsr lfence lldt lmsw ltr mfence monitor mul mwait neg not out pause popcnt prefetcht0 rdfsbase rdpmc rdpru rdrand rdseed rdtsc rdtscp rol ror rsm sahf sar sbb senduipi serialize sete setne sfence sgdt shld shrd sidt sldt smsw stui sysexit tzcnt ud2 verw vmcall vmlaunch vmmcall vmresume wbinvd wrfsbase xadd xgetbv xrstor xsave xsetbv'.split(' ');
const DIRECTIVES = '.align .altmacro .ascii .asciz .balign .byte .else .elseif .endif .endm .endr .equ .globl .if .ifb .ifc .ifdef .ifnb .ifnc .ifndef .irp .long .macro .org .popsection .previous .pushsection .quad .rept .section .set .size .skip .text .type .word'.split(' ');

export function completeAssembler(scope: Scope, offset: number): readonly CompletionEntry[] {
  const { text } = scope;
  const lineStart = text.lastIndexOf('\n', offset - 1) + 1;
  const line = text.slice(lineStart, offset);
  if (/(?:^|\s)\/\/|\/\*(?!.*\*\/)|^\s*\*|(?:^|\s)#(?!\s*(?:if|elif|define))/.test(line)) return [];
  const typed = /[%\w.$\\]*$/.exec(line)?.[0] ?? '';
  const behind = /^[\w.$]*/.exec(text.slice(offset))?.[0].length ?? 0;
  const span = { start: offset - typed.length, end: offset + behind };
  const out: CompletionEntry[] = [];
  const lower = typed.toLowerCase();
  const add = (kind: NonNullable<CompletionEntry['kind']>, label: string, detail: string, documentation = ''): void => {
    if (out.length < MOST_ENTRIES && label.toLowerCase().startsWith(lower)) out.push({ label, detail, documentation, insert: label, span, kind });
  };
  if (typed.startsWith('%')) {
    for (const name of REGISTERS) add('register', `%${name}`, 'register');
    return out;
  }
  const streams = scope.own.flatMap(({ stream }) => stream ?? []);
  const before = line.slice(0, line.length - typed.length);
  const begins = /^(?:[^"]*;)?\s*(?:[\w.$]+:\s*)*(?:(?:rep|lock|repne|repe|notrack)\s+)?$/.test(before);
  if (begins) {
    for (const row of INSTRUCTION_ROWS) add('instruction', row.mnemonic, 'instruction', row.summary);
    for (const name of PLAIN) if (!INSTRUCTION_ROWS.some((row) => row.mnemonic === name)) add('instruction', name, 'instruction');
    if (typed.startsWith('.')) for (const name of DIRECTIVES) add('keyword', name, 'directive');
    for (const stream of streams) for (const macro of stream.macros) add('macro', macro.name, `macro ${macro.parameters.join(', ')}`);
  } else {
    for (const stream of streams) for (const name of indexOf(stream).labels.keys()) if (isSymbol(name) || (name.startsWith('.L') && typed.startsWith('.') && !/^\.L(?:here|__|static_call|_?sym_)/.test(name))) add('label', name, 'label');
  }
  if (typed.length >= SHORTEST_C_MACRO && !typed.startsWith('.')) for (const stream of streams) for (const macro of stream.cMacros) if (!macro.name.startsWith('_')) add('macro', macro.name, macro.parameters === null ? macro.body.slice(0, 60) : `(${macro.parameters.join(', ')})`);
  return unique(out);
}

function unique(entries: readonly CompletionEntry[]): readonly CompletionEntry[] {
  const seen = new Set<string>();
  return entries.filter((entry) => !seen.has(entry.label) && seen.add(entry.label));
}
