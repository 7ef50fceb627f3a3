// XR-VE10: a vector that can arrive anywhere in kernel mode has no IST stack, so in the SYSCALL gap its frame goes to the
// user's stack pointer.
import type { Place } from '../base/span.ts';
import { vectorTitle } from '../machine/vectors.ts';
import type { Handler, Program } from '../program/program.ts';
import { placeIn } from '../tree/tree.ts';
import type { Step, Tree } from '../tree/tree.ts';
import { guardedWord } from './example-text.ts';
import type { Fix } from './finding.ts';
import type { Inspection, Judgement, Observation, Rule } from './rule.ts';
import { findings } from './tree-entries.ts';
import { gatePlace, handlerOf, isAbout, neverInGap } from './vocabulary.ts';

function declaredAnywhere(program: Program, handler: Handler): boolean {
  return program.directives.some((directive) => directive.kind === 'may-hit' && isAbout(program, directive, handler));
}

function judgement(program: Program, handler: Handler, fact: string): readonly Judgement[] {
  const place = gatePlace(program, handler);
  if (place === null) return [];
  const event = vectorTitle(handler.vector);
  return [
    {
      place,
      message: `${event} has no IST stack and ${fact}: between SYSCALL and the load of the kernel's RSP its frame is pushed where user space points; give it an IST stack, or say never-in gap vectors=${handler.name} with a reason`,
      premises: [{ fact: `${event} has no IST stack`, place: handler.ist.place, assumed: handler.ist.from === 'assumption' && handler.place === null }],
    },
  ];
}

function judge(observation: Observation): readonly Judgement[] {
  const { program } = observation;
  return observation.effects.flatMap((effect) => {
    if (effect.kind !== 'frame-on-user-stack') return [];
    const handler = handlerOf(program, effect.vector);
    if (handler === null || handler.byName || handler.ist.value !== null || neverInGap(program, handler) || declaredAnywhere(program, handler)) return [];
    return judgement(program, handler, 'can arrive in the SYSCALL gap');
  });
}

function inspect({ program }: Inspection): readonly Judgement[] {
  if (program.delivery === 'fred') return [];
  return program.handlers.flatMap((handler) =>
    handler.ist.value === null && declaredAnywhere(program, handler) && !neverInGap(program, handler) ? judgement(program, handler, 'is declared to hit any kernel code') : [],
  );
}

/** May arrive at any kernel instruction, also where there is no kernel stack (IDT-05). */
const anywhere = new Set(['X86_TRAP_NMI', 'X86_TRAP_DF', 'X86_TRAP_MC', 'X86_TRAP_DB', 'X86_TRAP_VC']);

/** In a tree: the last row of each vector, for later tables replace earlier ones. */
function examine(tree: Tree): readonly Judgement[] {
  const found = findings(tree);
  for (const gate of new Map(tree.gates.map((one) => [one.vector, one] as const)).values()) {
    if (gate.ist === null && anywhere.has(gate.vector)) found.place(gate.place, `${gate.vector} may arrive at any instruction and has no IST stack: in the SYSCALL gap its frame goes to the user's stack; use ISTG`);
  }
  // The descriptor counts from 1, the TSS from 0.
  for (const { name, arguments: fields, place } of tree.gateMacros) {
    // Anything but the index itself may count right, by a macro of its own.
    if (name === 'ISTG' && /^\(?\s*\w+\s*\)?$/.test(fields[2] ?? '')) found.place(place, `ISTG puts ${fields[2] ?? 'the index'} into the gate as it is, and gates count from 1: the vector of index 0 gets no IST stack, and every other one the stack of the one before it; add 1`);
  }
  for (const one of tree.functions) {
    const set = new Set(one.graph().steps.flatMap((step) => istEntry(step)?.index ?? []));
    if (set.size < 3 || !one.whole) continue;
    for (const gate of new Map(tree.gates.flatMap((row) => (row.ist === null ? [] : [[row.ist, row] as const]))).values()) {
      if (gate.ist !== null && !set.has(gate.ist)) found.place(placeIn(tree, one.file, one.nameSpan), `${one.name}() gives the TSS no stack for ${gate.ist}, which ${gate.vector} has in its gate: its frame is pushed at address 0, and that becomes a double fault; set it too`, { related: [{ place: gate.place, message: 'the gate' }] });
    }
  }
  return found.all();
}

/** A store of an IST stack into the TSS: `tss->x86_tss.ist[IST_INDEX_NMI] = __this_cpu_ist_top_va(NMI)`. */
export function istEntry(step: Step): { readonly index: string; readonly stack: string } | null {
  const index = step.kind === 'store' && step.operator === '=' ? /\bist\[(IST_INDEX_\w+)\]$/.exec(step.target)?.[1] : undefined;
  const stack = step.kind === 'store' ? /\bist_top_va\((\w+)\)/.exec(step.value.replace('__this_cpu_', ''))?.[1] : undefined;
  return index === undefined || stack === undefined ? null : { index, stack };
}

/** `INTG(v, s)` to `ISTG(v, s, IST_INDEX_NAME)`, `ist=none` to `ist=NAME`. */
function fix(place: Place, inspection: Inspection): Fix | null {
  const text = inspection.text(place.file)?.slice(place.span.start, place.span.end) ?? '';
  const handler = inspection.program.handlers.find((one) => gatePlace(inspection.program, one)?.span.start === place.span.start);
  if (handler === undefined) return null;
  const row = /^INTG\(([^()]*)\)/.exec(text);
  const newText = row !== null ? text.replace(row[0], `ISTG(${row[1] ?? ''}, IST_INDEX_${handler.name})`) : text.replace(/\bist=none\b/, `ist=${handler.name}`);
  return newText === text ? null : { title: `Give ${vectorTitle(handler.vector)} an IST stack`, edits: [{ place, newText }] };
}

function design(stack: string, more: string): string {
  return `${guardedWord('deferred', 'stack,info')}
/* xctx: handler vector=VE ist=${stack} origin=any */${stack === 'none' && more === '' ? ' //~ ist-required' : ''}
/* xctx: defers-to ve_rearm via=self-ipi */
${more}void demo_ve(struct pt_regs *regs)
{
	apic_self_ipi(0xf3);
}

/* xctx: handler vector=0xf3 ist=none */
void ve_rearm(struct pt_regs *regs)
{
	this_cpu_write(ve_page.busy, 0);
}
`;
}

const table = (early: string, row: string, mark: string): string => `static const struct idt_data early_idts[] = {
	${early},
};

static const struct idt_data def_idts[] = {
	${row},${mark}
};
`;

export const istRequired: Rule = {
  name: 'ist-required',
  id: 'XR-VE10',
  group: 'Re-entrancy and #VE',
  severity: 'error',
  summary: 'a vector that can arrive in the SYSCALL gap has no IST stack',
  why: 'Without a privilege change and without IST the CPU pushes the frame at the current RSP. Between SYSCALL and the load of the kernel RSP that is the value user mode left: the frame is written at CPL 0 wherever it points. Events that code never raises there, such as #PF on pinned entry text, can live without IST; an event that any access can raise cannot.',
  instead: 'Give the vector an IST stack (or use FRED), or have it promised, as the TDX module does, that it never comes there, and write that down: never-in gap vectors=VE -- who promises it.',
  falsePositives: ['#VE in Linux, which is an interrupt gate without IST on the promise of the TDX module.', '#BP, which was moved off its IST stack on purpose.', 'Early tables, whose rows later ones replace.'],
  references: ['SDM vol. 3A, "Stack Switching in 64-Bit Mode"', 'semantics IDT-05, VE-20, SYS-03'],
  bad: [
    { title: 'A row without an IST stack', files: { 'idt.c': table('ISTG(X86_TRAP_NMI, asm_exc_nmi, IST_INDEX_NMI)', 'INTG(X86_TRAP_MC, asm_exc_machine_check)', ' //~ ist-required') } },
    { title: 'No IST stack, and nothing keeps #VE out of the gap', files: { 'design.c': design('none', '') } },
    {
      title: 'Declared to hit any code, in a table row without IST',
      files: {
        'design.c': `/* xctx: may-hit any */
void demo_mc(struct pt_regs *regs)
{
	wrmsrl(0x17a, 0);
}

/* xctx: handler vector=MC */
static const struct idt_data idt[] = {
	INTG(X86_TRAP_MC,	asm_demo_mc), //~ ist-required
};
`,
        'entry.S': `.globl asm_demo_mc
asm_demo_mc:
	call	demo_mc
	iretq
`,
      },
    },
  ],
  good: [
    { title: 'A row with an IST stack, which replaces an early one', files: { 'idt.c': table('INTG(X86_TRAP_DB, asm_exc_debug)', 'ISTG(X86_TRAP_DB, asm_exc_debug, IST_INDEX_DB)', '') } },
    { title: 'An IST stack', files: { 'design.c': design('VE', '/* xctx: fallback-ok vmexit -- the host resolves it */\n') } },
    { title: 'A promise, written down', files: { 'design.c': design('none', '/* xctx: never-in gap vectors=VE -- the host never takes entry text or stacks away */\n') } },
  ],
  judge,
  inspect,
  examine,
  only64: true,
  fix,
};
