// XR-VE11: two vectors share an IST stack, or one vector that can come again has nothing that keeps it from its own
// frame. The first is read from the table, the second is judged where it happens.
import { vectorTitle } from '../machine/vectors.ts';
import type { Handler, Program } from '../program/program.ts';
import type { Tree, TreeGate } from '../tree/tree.ts';
import { guardedWord } from './example-text.ts';
import { lossesOf } from './overwritten.ts';
import { userReachable, userReachableRows } from './ist-on-user-reachable-trap.ts';
import { istEntry } from './ist-required.ts';
import type { Inspection, Judgement, Observation, Rule } from './rule.ts';
import { findings } from './tree-entries.ts';
import { gatePlace, handlerOf, stackName } from './vocabulary.ts';

function inspect({ program }: Inspection): readonly Judgement[] {
  if (program.delivery === 'fred') return [];
  const first = new Map<string, Handler>();
  const out: Judgement[] = [];
  for (const handler of program.handlers) {
    const stack = handler.ist.value;
    if (stack === null) continue;
    const other = first.get(stack);
    if (other === undefined) first.set(stack, handler);
    else if (other.vector !== handler.vector && userReachable(handler, other) === null) out.push(...shared(program, handler, other, stack));
  }
  return out;
}

function shared(program: Program, handler: Handler, other: Handler, stack: string): readonly Judgement[] {
  const place = gatePlace(program, handler);
  const before = gatePlace(program, other);
  if (place === null) return [];
  return [
    {
      place,
      message: `${vectorTitle(handler.vector)} and ${vectorTitle(other.vector)} share the IST stack ${stack}: one in the handler of the other rewinds the stack and overwrites its frame; give each an IST stack of its own, there are seven`,
      premises: [],
      related: before === null ? [] : [{ place: before, message: `${vectorTitle(other.vector)} uses it too` }],
    },
  ];
}

/** In a tree: the rows of the IDT tables. */
function examine(tree: Tree): readonly Judgement[] {
  const found = findings(tree);
  const first = new Map<string, TreeGate>();
  for (const gate of tree.gates) {
    if (gate.ist === null) continue;
    const other = first.get(gate.ist);
    if (other === undefined) first.set(gate.ist, gate);
    else if (other.vector !== gate.vector && userReachableRows(gate, other) === null) {
      found.place(gate.place, `${gate.vector} and ${other.vector} share the IST stack ${gate.ist}: one in the handler of the other rewinds the stack and overwrites its frame; give each an IST stack of its own, there are seven`, {
        related: [{ place: other.place, message: `${other.vector} uses it too` }],
      });
    }
  }
  for (const one of tree.functions) {
    const owners = new Map<string, string>();
    const levels = new Map<string, string>();
    for (const step of one.graph().steps) {
      const level = step.kind === 'call' && /wrmsr/.test(step.name) ? /^MSR_IA32_FRED_(RSP[123])$/.exec(step.arguments[0] ?? '')?.[1] : undefined;
      const top = level === undefined || step.kind !== 'call' ? undefined : /^__this_cpu_ist_top_va\((\w+)\)$/.exec(step.arguments[1] ?? '')?.[1];
      if (level !== undefined && top !== undefined) {
        const same = levels.get(top);
        if (same !== undefined && same !== level) found.at(step, { function: one, calls: [] }, `${level} and ${same} of FRED are given the same stack, ${top}: an event that raises the stack level begins at the top of a stack that is in use; give each level its own`);
        levels.set(top, level);
      }
      const entry = istEntry(step);
      if (entry === null) continue;
      const other = owners.get(entry.stack);
      if (other !== undefined && other !== entry.index) found.at(step, { function: one, calls: [] }, `${entry.index} and ${other} of the TSS are given the same stack, ${entry.stack}: an event in the handler of the other rewinds the stack and overwrites its frame; give each its own`);
      owners.set(entry.stack, entry.index);
    }
  }
  return found.all();
}

function judge(observation: Observation): readonly Judgement[] {
  const { program } = observation;
  const out: Judgement[] = [];
  for (const { lost, cause } of lossesOf(observation)) {
    const handler = cause.kind === 'unguarded' ? handlerOf(program, lost.vector) : null;
    const place = handler === null ? null : gatePlace(program, handler);
    if (place === null) continue;
    const event = vectorTitle(lost.vector);
    out.push({
      place,
      message: `${event} can arrive again while its frame on the ${stackName(program, lost)} stack is live, and nothing in view keeps it from overwriting that frame; declare the guard that does, or move the frame off the IST stack first`,
      premises: [{ fact: `no guard of ${event} protects the stack`, place: null, assumed: true }],
    });
  }
  return out;
}

function design(stack: string, mark: string): string {
  return `${guardedWord('deferred')}
/* xctx: handler vector=VE ist=VE */
/* xctx: defers-to ve_rearm via=self-ipi */
/* xctx: fallback-ok vmexit -- the host stops the virtual CPU until the page is back */
void demo_ve(struct pt_regs *regs)
{
	apic_self_ipi(0xf3);
}

/* xctx: handler vector=0xf3 */
void ve_rearm(struct pt_regs *regs)
{
	this_cpu_write(ve_page.busy, 0);
}

/* xctx: handler vector=MC ist=${stack} */${mark}
void demo_mc(struct pt_regs *regs)
{
	wrmsrl(0x17a, 0);
}
`;
}

export const istStackShared: Rule = {
  name: 'ist-stack-shared',
  id: 'XR-VE11',
  group: 'Re-entrancy and #VE',
  severity: 'error',
  summary: 'two vectors share an IST stack, or a vector that can nest has nothing to protect its frame',
  why: 'Delivery through an IST entry starts at the same address every time, whatever is on that stack. Two vectors of which one can arrive in the handler of the other need two stacks; a vector that can arrive in its own handler needs a guard, a shifted IST entry, or a handler that leaves the stack.',
  instead: 'An IST index for each vector (the TSS has seven), and a declared guard for one that can come again.',
  falsePositives: ['FRED stack levels do not rewind and may be shared.'],
  references: ['SDM vol. 3A, "Interrupt Stack Table"', 'semantics IDT-04, FR-08'],
  bad: [
    { title: '#MC on the stack of #VE', files: { 'design.c': design('VE', ' //~ ist-stack-shared') } },
    {
      title: 'No guard in view',
      files: {
        'design.c': `static u64 count;

/* xctx: handler vector=VE ist=VE */ //~ ist-stack-shared
void demo_ve(struct pt_regs *regs)
{
	count++;
}
`,
      },
    },
  ],
  good: [{ title: 'A stack each', files: { 'design.c': design('MCE', '') } }],
  judge,
  inspect,
  examine,
  fix: null,
};
