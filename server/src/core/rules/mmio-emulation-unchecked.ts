// XR-VE18: an access is emulated as MMIO although it may be one that a user made or chose, or one of private memory.
import { placeIn } from '../tree/tree.ts';
import type { Step, Tree, TreeFunction } from '../tree/tree.ts';
import type { Judgement } from './rule.ts';
import { findings, isCall, treeRule } from './tree-entries.ts';
import type { Findings } from './tree-entries.ts';
import { watchProofs, whats } from './tree-proofs.ts';
import type { Proof } from './tree-proofs.ts';

const acts = /mmio_(?:read|write)$|_do_mmio$|handle_mmio_movs$/;
const kernel: Proof = { key: 'u', what: 'user_mode() said no', test: (text, holds) => !holds && text.startsWith('user_mode(') };
const address: Proof = { key: 'k', what: 'fault_in_kernel_space() said that the address is the kernel\'s', test: (text, holds) => holds && text.startsWith('fault_in_kernel_space(') };
const onePage: Proof = { key: 's', what: 'the access was seen to lie in one page', test: (text, holds) => holds && /(?:PAGE_SIZE\)?|\bPFN_DOWN\([^()]*\)|PAGE_SHIFT\)?|PAGE_MASK\)?) == /.test(text) };
const shared: Proof = { key: 'p', what: 'is_private_gpa() said no', test: (text, holds) => !holds && asksForPrivate(text) };

function asksForPrivate(text: string): boolean {
  return text.startsWith('is_private_gpa(') || /->gpa == cc_mkenc\(/.test(text);
}


function examine(tree: Tree): readonly Judgement[] {
  const found = findings(tree);
  const emulators = new Set<TreeFunction>();
  for (const one of tree.functions) {
    if (!one.graph().steps.some((step) => isCall(step, /^insn_decode_mmio$/))) continue;
    const withInfo = one.parameters.includes('ve');
    if (withInfo) emulators.add(one);
    watchProofs(tree, one, withInfo ? [kernel, address, onePage] : [kernel], {
      at: (step, missing, where) => {
        if (!isCall(step, acts)) return false;
        if (missing.length > 0) found.once(step, where, `the access is emulated as MMIO before ${whats(missing)}: the instruction is read again from memory, and what it reaches is what a user, or an address that a user chose, makes of it; refuse that before anything is emulated`);
        return true;
      },
    });
  }
  for (const one of tree.functions) {
    portAccess(tree, one, found);
    hostsAnswer(tree, one, found);
  }
  if (refusesPrivate(tree)) return found.all();
  for (const one of tree.functions) {
    const calls = (step: Step): boolean => step.kind === 'call' && !step.indirect && [...emulators].some((emulator) => emulator.name === step.name && emulator.file === one.file && !emulator.graph().steps.some((asked) => asked.kind === 'test' && asksForPrivate(asked.text)));
    if (!one.graph().steps.some(calls)) continue;
    watchProofs(tree, one, [shared], {
      at: (step, missing, where) => {
        if (calls(step) && missing.length > 0) found.at(step, where, 'a violation on private memory is emulated as MMIO: the host takes a page away and answers for it; ask is_private_gpa() first and panic');
        return false;
      },
    });
  }
  return found.all();
}

/** CPUID leaves of the hypervisor: the only ones of which the host may say what they are. */
const hosts: readonly Proof[] = [
  { key: 'a', what: 'the leaf is not below 0x40000000', test: (text, holds) => !holds && / < 0x40000000$/i.test(text) },
  { key: 'z', what: 'the leaf is not above 0x4FFFFFFF', test: (text, holds) => !holds && / > 0x4fffffff$/i.test(text) },
];

/** What a TD asks its host, and what it makes of the answer. */
function hostsAnswer(tree: Tree, one: TreeFunction, found: Findings): void {
  if (!one.parameters.includes('ve')) return;
  const { steps } = one.graph();
  const asks = (step: Step): boolean => isCall(step, /^_*tdx_hypercall$/);
  if (one.name.endsWith('cpuid') && steps.some(asks)) {
    watchProofs(tree, one, hosts, {
      follow: (callee) => callee.file === one.file && callee.returns === 'bool' && !/hypercall/.test(callee.name),
      at: (step, missing, where) => {
        if (asks(step) && missing.length > 0) found.at(step, where, `the host is asked for a CPUID leaf before it was seen that ${whats(missing)}: it then chooses which features, sizes and addresses the guest believes in; answer leaves that are not the hypervisor's with zeros`);
        return asks(step);
      },
    });
  }
  // Of what programs do, CPUID alone faults by the TDX module and not by the processor.
  if (one.name.endsWith('_user')) {
    for (const choice of steps) {
      if (choice.kind !== 'switch' || !choice.text.endsWith('exit_reason')) continue;
      for (const { value, to } of choice.arms) {
        const first = steps[to];
        if (value !== null && value !== 'EXIT_REASON_CPUID' && first?.kind === 'call' && one.parameters.includes(first.arguments[0] ?? '')) found.at(first, { function: one, calls: [] }, `${value} is emulated for user mode: a program gets what it has no right to, with what the host says; let it have the signal`);
      }
    }
  }
  for (const move of steps) {
    const by = move.kind === 'store' && move.operator === '+=' && move.target.endsWith('->ip') && /^\w+$/.test(move.value) ? move.value : null;
    if (by === null) continue;
    watchProofs(tree, one, [{ key: 's', what: '', test: (text, holds) => text === (holds ? `${by} > 0` : `${by} < 0`) }], {
      follow: () => false,
      at: (step, missing, where) => {
        if (step === move && missing.length > 0) found.at(step, where, `RIP moves by ${by} although it may be an error: a failed emulation then goes on at an instruction that is none; move it where ${by} is not negative`);
        return step === move;
      },
    });
  }
}

/** `asks` are the functions that ask for the permission. */
const permitted = (asks: ReadonlySet<string>): Proof => ({ key: 'b', what: 'the I/O bitmap of the task was asked', does: (step) => step.kind === 'call' && asks.has(step.name), test: (text, holds) => !holds && text.startsWith('user_mode(') });
/** Asked at all: what the answer leads to is another function's. */
const looked: Proof = { key: 'k', what: 'fault_in_kernel_space() was asked of the address', test: (text, holds) => text.startsWith('fault_in_kernel_space(') || (!holds && text.startsWith('user_mode(')) };

/** IN and OUT of a program: the permission that the intercepted instruction did not check, and the memory that INS and OUTS reach. */
function portAccess(tree: Tree, one: TreeFunction, found: Findings): void {
  const named = (name: string): TreeFunction | undefined => tree.functions.find((other) => other.name === name);
  if (one.name === 'vc_handle_ioio' && named('vc_ioio_check') !== undefined) {
    const message = `before ${whats([permitted(new Set())])}: the intercept comes before the processor's own check, and a program reaches ports that it has no right to; check IOPL and the bitmap first`;
    const asking = tree.functions.flatMap((other) => (other.graph().steps.some((step) => isCall(step, /^vc_ioio_check$/)) ? [other.name] : []));
    const decodes = named('vc_ioio_exitinfo');
    if (asking.length === 0 && decodes !== undefined) {
      found.place(placeIn(tree, decodes.file, decodes.nameSpan), `${decodes.name}() hands an access to a port on for emulation ${message}`);
      return;
    }
    watchProofs(tree, one, [permitted(new Set(['vc_ioio_check', ...asking]))], {
      at: (step, missing, where) => {
        const emulates = isCall(step, /ghcb_hv_call$/);
        if (emulates && missing.length > 0) found.once(step, where, `the access to a port is emulated ${message}`);
        return emulates;
      },
    });
  }
  const check = named('vc_insn_string_check');
  if (!/^vc_\w*string_(?:read|write)$/.test(one.name) || check === undefined) return;
  const danger = 'with the kernel\'s rights a program then reads and writes the kernel; refuse kernel addresses of user mode first';
  if (!check.graph().steps.some((step) => step.kind === 'test' && step.text.startsWith('fault_in_kernel_space('))) {
    found.place(placeIn(tree, check.file, check.nameSpan), `${check.name}() lets every address pass, and the memory of a string instruction is accessed: ${danger}`);
    return;
  }
  watchProofs(tree, one, [looked], {
    follow: (callee) => callee === check,
    at: (step, missing, where) => {
      const moves = isCall(step, /^vc_(?:read|write)_mem$/);
      if (moves && missing.length > 0) found.once(step, where, `the memory of a string instruction is accessed before ${whats(missing)}: ${danger}`);
      return moves;
    },
  });
}

/** Whether the guest stops at boot where the host can raise #VE for private memory: then no handler has to ask. */
function refusesPrivate(tree: Tree): boolean {
  return tree.functions.some((one) => {
    const { steps } = one.graph();
    return steps.some((step) => {
      const refused = step.kind === 'test' && /SEPT_VE_DISABLE/.test(step.text) ? steps[step.no] : undefined;
      return refused !== undefined && isCall(refused, /^panic$/);
    });
  });
}

const handler = (checks: string, marks: readonly [string, string], guard: string): string => `static int handle_mmio(struct pt_regs *regs, struct ve_info *ve)
{
	struct insn insn = {};
	unsigned long vaddr;
	int size;

	if (insn_decode_mmio(&insn, &size) < 0)
		return -EINVAL;
${checks}	vaddr = (unsigned long)insn_get_addr_ref(&insn, regs);
	if (vaddr / PAGE_SIZE != (vaddr + size - 1) / PAGE_SIZE)
		return -EFAULT;
	if (!mmio_write(size, ve->gpa, regs->ax))${marks[0]}
		return -EIO;
	return insn.length;
}

static int handle_violation(struct pt_regs *regs, struct ve_info *ve)
{
${guard}	return handle_mmio(regs, ve);${marks[1]}
}
`;
const checks = '\tif (user_mode(regs))\n\t\treturn -EFAULT;\n\tif (!fault_in_kernel_space(ve->gla))\n\t\treturn -EINVAL;\n';
const guard = '\tif (is_private_gpa(ve->gpa))\n\t\tpanic("private memory");\n';

const handled = (asked: string, mark: string): string => `bool handle_event(struct pt_regs *regs, struct ve_info *ve)
{
	int length = emulate(regs, ve);

${asked}	regs->ip += length;${mark}
	return true;
}
`;

export const mmioEmulationUnchecked = treeRule({
  name: 'mmio-emulation-unchecked',
  id: 'XR-VE18',
  group: 'Re-entrancy and #VE',
  severity: 'error',
  summary: 'a #VE or #VC handler emulates MMIO for an access that is not the kernel\'s own to a shared page',
  why: 'The handler decodes the instruction at the saved RIP and does with the kernel\'s rights what it says. A user can change the bytes or the page tables between the fault and the decode; a user address in a kernel copy reaches pages that the user mapped as shared; and a page that the host took away is not a device.',
  instead: 'Refuse user mode, user addresses and accesses over two pages before the first access, and panic on private memory.',
  falsePositives: ['Guests that refuse to boot where the host may raise #VE for private memory.', '#VC has no linear address to test; there the mode is what counts.'],
  references: ['CVE-2023-46813', 'CVE-2024-47727', 'semantics TDX-01'],
  bad: [
    { title: 'From user mode, for any address', files: { 'tdx.c': handler('', [' //~ mmio-emulation-unchecked', ''], guard) } },
    { title: 'RIP moves by an error', files: { 'tdx.c': handled('', ' //~ mmio-emulation-unchecked') } },
    { title: 'Private memory', files: { 'tdx.c': handler(checks, ['', ' //~ mmio-emulation-unchecked'], '') } },
  ],
  good: [{ title: 'RIP moves where it worked', files: { 'tdx.c': handled('\tif (length < 0)\n\t\treturn false;\n', '') } }, { title: 'All refused', files: { 'tdx.c': handler(checks, ['', ''], guard) } }],
  examine,
});
