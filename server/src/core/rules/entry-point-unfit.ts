// XR-SYS09: an entry point does not begin with what the processor looks for there, or does not lie where it looks.
import type { Place } from '../base/span.ts';
import { instructionDoors } from '../contexts/entry-doors.ts';
import type { InstructionNode, NodeId } from '../machine/code.ts';
import type { Program } from '../program/program.ts';
import { entryStub, handlerOfGp } from './path-examples.ts';
import { isInstruction, pathPlace } from './path-vocabulary.ts';
import type { Inspection, Judgement, Rule } from './rule.ts';

type Stream = Program['streams'][number];
type Directive = Stream['items'][number] & { kind: 'directive' };

/** The first instruction at a node, whatever alternatives stand before it. */
function firstAt(program: Program, entry: NodeId): InstructionNode | null {
  let node = program.code.nodes[entry];
  for (let depth = 0; node?.kind === 'feature' && depth < 8; depth += 1) node = program.code.nodes[node.absent];
  return node !== undefined && isInstruction(node) ? node : null;
}

/** Where the IDT and the MSRs of SYSCALL and SYSENTER lead: with IBT the processor waits for ENDBR behind all of them. */
function targetsOf(program: Program): readonly { readonly name: string; readonly first: InstructionNode; readonly judged: boolean }[] {
  // A sketch may be made of stubs by a kernel's macros and of its own.
  const whole = program.contexts.has('inside C');
  const entries = [
    ...program.handlers.filter((handler) => !handler.synthesized).map(({ stub, stubName }) => ({ entry: stub, name: stubName })),
    ...instructionDoors(program).map(({ entry, name }) => ({ entry, name })),
  ];
  return entries.flatMap(({ entry, name }) => {
    const first = firstAt(program, entry);
    return first === null ? [] : [{ name, first, judged: whole || instructionDoors(program).some((door) => door.name === name) }];
  });
}

const marks = ({ first }: { readonly first: InstructionNode }): boolean => first.mnemonic.startsWith('endbr');

function beginning(program: Program, name: string): NonNullable<Judgement['related']> {
  const place = program.functions.get(name)?.place;
  return place === undefined ? [] : [{ place, message: 'it begins here' }];
}

function withoutMark(program: Program): readonly Judgement[] {
  if (program.fred !== null) return [];
  const targets = targetsOf(program);
  const told = new Map<string, Judgement>();
  if (!targets.some(marks)) return [];
  for (const target of targets.filter((one) => one.judged && !marks(one))) {
    const place = pathPlace(target.first);
    const key = `${place.file} ${place.span.start}`;
    if (!told.has(key)) told.set(key, { place, message: `${target.name} does not begin with ENDBR64, as other entry points do: with IBT the processor takes its entry for an attack and raises #CP, before SWAPGS; begin with ENDBR`, premises: [], related: beginning(program, target.name) });
  }
  return [...told.values()];
}

const USER = 'asm_fred_entrypoint_user';
const KERNEL = 'asm_fred_entrypoint_kernel';
/** FR-02: the page that IA32_FRED_CONFIG names, and what lies in it for events of kernel mode. */
const PAGE = 4096;
const OF_KERNEL = 256;

/** The directive that places a label: the last one before it that may, where no instruction lies in between. */
function placing(stream: Stream, label: string): Directive | null | undefined {
  const at = stream.items.findIndex((item) => item.kind === 'label' && item.name === label);
  for (let index = at - 1; index >= 0; index -= 1) {
    const item = stream.items[index];
    if (item === undefined || item.kind === 'instruction' || item.kind === 'data') return null;
    if (item.kind === 'directive' && /^\.(?:p2|b)?align$|^\.org$/.test(item.name)) return item;
  }
  return at < 0 ? undefined : null;
}

function alignmentOf({ name, arguments: fields }: Directive): number {
  const value = Number(fields.join(' ').split(/[\s,]/)[0]);
  return name === '.p2align' ? 2 ** value : value;
}

function misplaced(program: Program): readonly Judgement[] {
  if (program.fred === null || !program.contexts.has('inside C')) return [];
  return program.streams.flatMap((stream): readonly Judgement[] => {
    const [user, kernel] = [placing(stream, USER), placing(stream, KERNEL)];
    const placeOf = (label: string): Place => pathPlace(program.code.nodes[program.code.symbols.get(label) ?? 0] ?? { kind: 'interrupted', id: 0, symbol: '', text: '', origin: { file: '', span: { start: 0, end: 0 }, uses: [] }, context: '' });
    const found: Judgement[] = [];
    if (user !== undefined && (user === null || user.name === '.org' || !(alignmentOf(user) % PAGE === 0))) {
      found.push({ place: user?.origin ?? placeOf(USER), message: `${USER} does not lie at the start of a page: FRED enters at IA32_FRED_CONFIG with its low 12 bits clear, in whatever lies there; align it to 4096`, premises: [] });
    }
    if (kernel !== undefined && (kernel === null || kernel.name !== '.org' || !new RegExp(`${USER}\\s*\\+\\s*(?:${OF_KERNEL}|0x100)\\b`).test(kernel.arguments.join(' ')))) {
      found.push({ place: kernel?.origin ?? placeOf(KERNEL), message: `${KERNEL} does not lie ${OF_KERNEL} bytes behind ${USER}: FRED enters there for every event of kernel mode, in whatever lies there; place it with .org`, premises: [] });
    }
    return found;
  });
}

function inspect({ program }: Inspection): readonly Judgement[] {
  return [...withoutMark(program), ...misplaced(program)];
}

const syscall = (begin: string, mark: string): string => `	.globl	entry_SYSCALL_64
entry_SYSCALL_64:
${begin}	swapgs${mark}
	movq	%rsp, %gs:saved_rsp(%rip)
	movq	%gs:top_of_stack(%rip), %rsp
	hlt

${entryStub({ clac: '\tendbr64\n\tclac\n' })}`;

export const entryPointUnfit: Rule = {
  name: 'entry-point-unfit',
  id: 'XR-SYS09',
  group: 'SYSCALL, SYSRET, IRET',
  severity: 'error',
  summary: 'an entry point does not begin with ENDBR where others do, or FRED does not find it',
  why: 'With indirect branch tracking the processor waits for ENDBR behind the delivery of an event and behind SYSCALL as behind an indirect jump: any other instruction raises #CP in kernel mode, with the GS base and stack pointer of user mode. FRED has no table: it enters at the start of a page for user mode and 256 bytes behind it for kernel mode.',
  instead: 'Begin every stub with ENDBR, align the FRED entry for user mode to a page and place the one for kernel mode by .org.',
  falsePositives: ['Kernels without indirect branch tracking, in which no entry point has one.', 'The entry points of FRED, behind which the processor does not wait for it.'],
  references: ['SDM vol. 1, "Indirect Branch Tracking"', 'Linux, arch/x86/entry/entry_64_fred.S', 'semantics FR-02'],
  bad: [{ title: 'One of two', files: { 'entry.S': syscall('', ' #~ entry-point-unfit'), 'design.c': handlerOfGp } }],
  good: [{ title: 'Both', files: { 'entry.S': syscall('\tendbr64\n', ''), 'design.c': handlerOfGp } }],
  judge: null,
  inspect,
  fix: null,
};
