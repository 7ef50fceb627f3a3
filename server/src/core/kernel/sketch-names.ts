// What Linux's entry code calls things, for sketches that are pasted without the headers: the names are Linux's
// (arch/x86/entry/calling.h, include/linux/linkage.h, arch/x86/include/asm), what stands behind them is the least that has
// the same effect on the state that stubs rely on. A sketch's own definitions win.
import { ASM_OFFSETS } from './offsets.ts';
import { EXTABLE_TYPES } from './primitives.ts';

interface Name {
  readonly names: readonly string[];
  readonly text: string;
}

/** struct pt_regs from its lowest word up (arch/x86/include/asm/ptrace.h). */
const PT_REGS = ['R15', 'R14', 'R13', 'R12', 'RBP', 'RBX', 'R11', 'R10', 'R9', 'R8', 'RAX', 'RCX', 'RDX', 'RSI', 'RDI', 'ORIG_RAX', 'RIP', 'CS', 'EFLAGS', 'RSP', 'SS'];

const CONSTANTS: readonly (readonly [string, string])[] = [
  ...PT_REGS.map((name, index) => [name, String(index * 8)] as const),
  ['__USER_CS', '0x33'], ['__USER_DS', '0x2b'], ['__KERNEL_CS', '0x10'], ['__KERNEL_DS', '0x18'], ['__USER32_CS', '0x23'],
  ['MSR_GS_BASE', '0xc0000101'], ['MSR_KERNEL_GS_BASE', '0xc0000102'], ['MSR_IA32_MCG_STATUS', '0x17a'], ['MSR_IA32_SPEC_CTRL', '0x48'],
  ['X86_EFLAGS_TF', '0x100'], ['X86_EFLAGS_IF', '0x200'], ['X86_EFLAGS_DF', '0x400'], ['X86_EFLAGS_NT', '0x4000'], ['X86_EFLAGS_RF', '0x10000'], ['X86_EFLAGS_AC', '0x40000'], ['X86_EFLAGS_FIXED', '2'],
  ['FRAME_SIZE', '168'],
  // Vectors of interrupts (arch/x86/include/asm/irq_vectors.h), which differ between releases in nothing that stubs rely on.
  ['FIRST_EXTERNAL_VECTOR', '0x20'], ['FIRST_SYSTEM_VECTOR', '0xec'], ['NR_EXTERNAL_VECTORS', '204'], ['NR_SYSTEM_VECTORS', '20'], ['NR_VECTORS', '256'], ['NUM_EXCEPTION_VECTORS', '32'], ['IA32_SYSCALL_VECTOR', '0x80'], ['NMI_VECTOR', '2'], ['LOCAL_TIMER_VECTOR', '0xec'], ['IRQ_WORK_VECTOR', '0xf6'], ['CALL_FUNCTION_SINGLE_VECTOR', '0xfb'], ['CALL_FUNCTION_VECTOR', '0xfc'], ['RESCHEDULE_VECTOR', '0xfd'], ['IDT_ALIGN', '8'],
  ...[...EXTABLE_TYPES].map(([value, name]) => [name, String(value)] as const),
  // Macros that switch CR3 are those of a kernel that has two page tables.
  ['CONFIG_MITIGATION_PAGE_TABLE_ISOLATION', '1'], ['CONFIG_PAGE_TABLE_ISOLATION', '1'],
  // Any layout without overlaps gives the same answers.
  ...[...ASM_OFFSETS].map(([name, value]) => [name, String(value)] as const),
];

const begins = (name: string): string => `#define ${name}(name...) _SKETCH_BEGIN(name)`;
const label = '#define _SKETCH_BEGIN(name, ...) .globl name; name:\n';

const extable = (type: string): string => `.pushsection "__ex_table", "a"; .balign 4; .long (from) - .; .long (to) - .; .long ${type}; .popsection`;

const FUNCTIONS: readonly Name[] = [
  ...['SYM_CODE_START', 'SYM_CODE_START_NOALIGN', 'SYM_CODE_START_LOCAL', 'SYM_CODE_START_LOCAL_NOALIGN', 'SYM_FUNC_START', 'SYM_FUNC_START_NOALIGN', 'SYM_FUNC_START_LOCAL', 'SYM_INNER_LABEL', 'SYM_INNER_LABEL_ALIGN', 'ENTRY', 'GLOBAL'].map((name) => ({ names: [name], text: `${label}${begins(name)}` })),
  ...['SYM_CODE_END', 'SYM_FUNC_END', 'END', 'ENDPROC', 'EXPORT_SYMBOL', 'EXPORT_SYMBOL_GPL', '_ASM_NOKPROBE', 'STACK_FRAME_NON_STANDARD', 'STACK_FRAME_NON_STANDARD_FP'].map((name) => ({ names: [name], text: `#define ${name}(name)` })),
  { names: ['ENABLE_INTERRUPTS'], text: '#define ENABLE_INTERRUPTS(clobbers) sti' },
  { names: ['DISABLE_INTERRUPTS'], text: '#define DISABLE_INTERRUPTS(clobbers) cli' },
  { names: ['ALT_NOT'], text: '#define ALT_NOT(feature) ~feature' },
  { names: ['PER_CPU_VAR'], text: '#define PER_CPU_VAR(var) %gs:(var)(%rip)' },
  { names: ['_ASM_EXTABLE'], text: `#define _ASM_EXTABLE(from, to) ${extable('1')}` },
  { names: ['_ASM_EXTABLE_TYPE'], text: `#define _ASM_EXTABLE_TYPE(from, to, type) ${extable('type')}` },
  { names: ['_ASM_EXTABLE_UA'], text: `#define _ASM_EXTABLE_UA(from, to) ${extable('3')}` },
  { names: ['_ASM_EXTABLE_FAULT'], text: `#define _ASM_EXTABLE_FAULT(from, to) ${extable('2')}` },
];

/** Names that stand for an instruction, and those that stand for nothing that is modelled. */
const WORDS: readonly (readonly [string, string])[] = [
  ['ASM_CLAC', 'clac'], ['ASM_STAC', 'stac'], ['SWAPGS', 'swapgs'], ['SWAPGS_UNSAFE_STACK', 'swapgs'], ['USERGS_SYSRET64', 'swapgs; sysretq'], ['INTERRUPT_RETURN', 'iretq'], ['ENDBR', 'endbr64'], ['ERETU', 'eretu'], ['ERETS', 'erets'],
  ['FENCE_SWAPGS_USER_ENTRY', 'lfence'], ['FENCE_SWAPGS_KERNEL_ENTRY', 'lfence'], ['CLEAR_CPU_BUFFERS', 'verw mds_verw_sel(%rip)'],
  ...['UNWIND_HINT_EMPTY', 'UNWIND_HINT_ENTRY', 'UNWIND_HINT_IRET_ENTRY', 'UNWIND_HINT_END_OF_STACK', 'UNWIND_HINT_FUNC', 'UNWIND_HINT_UNDEFINED', 'UNWIND_HINT_SAVE', 'UNWIND_HINT_RESTORE', 'ANNOTATE_NOENDBR', 'ANNOTATE_INTRA_FUNCTION_CALL', 'ANNOTATE_RETPOLINE_SAFE', 'CALL_DEPTH_ACCOUNT', 'ANNOTATE_NO_STACK', 'STACKLEAK_ERASE', 'STACKLEAK_ERASE_NOCLOBBER', 'TRACE_IRQS_OFF', 'TRACE_IRQS_ON', 'TRACE_IRQS_IRETQ', 'UNTRAIN_RET', 'UNTRAIN_RET_FROM_CALL', 'CLEAR_BRANCH_HISTORY', 'VALIDATE_UNRET_BEGIN', 'VALIDATE_UNRET_END'].map((name) => [name, ''] as const),
];

const SAVED = ['rdi', 'rsi', 'rdx', 'rcx', 'rax', 'r8', 'r9', 'r10', 'r11', 'rbx', 'rbp', 'r12', 'r13', 'r14', 'r15'];
const CLEARED = ['esi', 'edx', 'ecx', 'r8d', 'r9d', 'r10d', 'r11d', 'ebx', 'ebp', 'r12d', 'r13d', 'r14d', 'r15d'];

const pushes = SAVED.slice(2).map((name) => (['rdx', 'rcx', 'rax'].includes(name) ? `pushq \\${name}` : `pushq %${name}`)).join('\n');
const clears = CLEARED.map((name) => `xorl %${name}, %${name}`).join('\n');
const pops = [...SAVED].reverse().slice(0, -1).map((name) => `popq %${name}`).join('\n');

/** Up to Linux 5.17 the words of R11 and RCX could be taken into RSI, which is popped behind them. */
const popsBut = [...SAVED].reverse().slice(0, -1).map((name) => (name === 'r11' || name === 'rcx' ? `.if \\skip_r11rcx\npopq %rsi\n.else\npopq %${name}\n.endif` : `popq %${name}`)).join('\n');

function macro(name: string, parameters: string, body: string, needs: string = ''): Name {
  return { names: [name], text: `${needs}.macro ${name}${parameters === '' ? '' : ` ${parameters}`}\n${body}\n.endm` };
}

const pushRegs = `.macro PUSH_REGS rdx=%rdx rcx=%rcx rax=%rax save_ret=0 unwind_hint=1
.if \\save_ret
pushq %rsi
movq 8(%rsp), %rsi
movq %rdi, 8(%rsp)
.else
pushq %rdi
pushq %rsi
.endif
${pushes}
.if \\save_ret
pushq %rsi
.endif
.endm
`;
const clearRegs = `.macro CLEAR_REGS clear_bp=1\n${clears}\n.endm\n`;
const popRegs = `.macro POP_REGS pop_rdi=1 skip_r11rcx=0\n${popsBut}\n.if \\pop_rdi\npopq %rdi\n.endif\n.endm\n`;
const percpuBase = '.macro GET_PERCPU_BASE reg:req scratch_reg\nmovq __per_cpu_offset(%rip), \\reg\n.endm\n';

/** Bits of CR3 that choose the user page table and its PCID (arch/x86/include/asm/processor-flags.h). */
const USER_CR3 = '0x1800';
const toKernel = (register: string): string => `movq %cr3, ${register}\nandq $~${USER_CR3}, ${register}\nmovq ${register}, %cr3`;
const toUser = (register: string): string => `movq %cr3, ${register}\norq $${USER_CR3}, ${register}\nmovq ${register}, %cr3`;

const replaces = (from: string, to: string, flags: string): string => `.long 140b - .\n.long ${from}f - .\n.4byte \\${flags}\n.byte 142b-140b\n.byte ${to}f-${from}f\n`;
/** What is patched in, by feature; the row is Linux's (arch/x86/include/asm/alternative.h). */
const alternative = (name: string, replacements: readonly (readonly [string, string])[]): Name => {
  const rows = replacements.map(([, flags], index) => replaces(String(143 + index), String(144 + index), flags)).join('');
  const code = replacements.map(([text], index) => `${143 + index}:\n\\${text}\n`).join('');
  return macro(name, `oldinstr ${replacements.map(([text, flags]) => `${text} ${flags}`).join(' ')}`, `140:\n\\oldinstr\n142:\n.pushsection .altinstructions, "a"\n${rows}.popsection\n.pushsection .altinstr_replacement, "ax"\n${code}${143 + replacements.length}:\n.popsection`);
};

const MACROS: readonly Name[] = [
  macro('CALL_NOSPEC', 'reg:req', 'call *%\\reg'),
  macro('JMP_NOSPEC', 'reg:req', 'jmp *%\\reg'),
  macro('FILL_RETURN_BUFFER', 'reg:req nr:req ftr:req ftr2', ''),
  alternative('ALTERNATIVE', [['newinstr', 'ft_flags']]),
  alternative('ALTERNATIVE_2', [['newinstr1', 'ft_flags1'], ['newinstr2', 'ft_flags2']]),
  { names: ['PUSH_REGS'], text: pushRegs },
  { names: ['CLEAR_REGS'], text: clearRegs },
  macro('PUSH_AND_CLEAR_REGS', 'rdx=%rdx rcx=%rcx rax=%rax save_ret=0 clear_callee=1 unwind_hint=1', 'PUSH_REGS rdx=\\rdx, rcx=\\rcx, rax=\\rax, save_ret=\\save_ret\nCLEAR_REGS', pushRegs + clearRegs),
  { names: ['POP_REGS'], text: popRegs },
  macro('FRED_ENTER', '', 'PUSH_REGS\nCLEAR_REGS\nmovq %rsp, %rdi', pushRegs + clearRegs),
  macro('FRED_EXIT', '', 'POP_REGS', popRegs),
  macro('ENCODE_FRAME_POINTER', 'ptregs_offset=0', ''),
  macro('UNWIND_HINT_REGS', 'base=%rsp offset=0 indirect=0 extra=1 partial=0 signal=1', ''),
  macro('UNWIND_HINT_IRET_REGS', 'base=%rsp offset=0 signal=1', ''),
  macro('ANNOTATE_UNRET_SAFE', '', ''),
  macro('IBRS_ENTER', 'save_reg', ''),
  macro('IBRS_EXIT', 'save_reg', ''),
  macro('GET_PERCPU_BASE', 'reg:req scratch_reg', 'movq __per_cpu_offset(%rip), \\reg'),
  macro('SAVE_AND_SET_GSBASE', 'scratch_reg:req save_reg:req', 'rdgsbase \\save_reg\nGET_PERCPU_BASE \\scratch_reg\nwrgsbase \\scratch_reg', percpuBase),
  macro('SWITCH_TO_KERNEL_CR3', 'scratch_reg:req', toKernel('\\scratch_reg')),
  macro('SWITCH_TO_USER_CR3', 'scratch_reg:req scratch_reg2', toUser('\\scratch_reg')),
  macro('SWITCH_TO_USER_CR3_NOSTACK', 'scratch_reg:req scratch_reg2', toUser('\\scratch_reg')),
  macro('SWITCH_TO_USER_CR3_STACK', 'scratch_reg:req', `pushq %rax\n${toUser('%rax')}\npopq %rax`),
  macro('SAVE_AND_SWITCH_TO_KERNEL_CR3', 'scratch_reg:req save_reg:req', `movq %cr3, \\scratch_reg\nmovq \\scratch_reg, \\save_reg\nandq $~${USER_CR3}, \\scratch_reg\nmovq \\scratch_reg, %cr3`),
  macro('RESTORE_CR3', 'scratch_reg:req save_reg:req', 'movq \\save_reg, %cr3'),
  macro('PARANOID_RESTORE_CR3', 'scratch_reg:req save_reg:req', 'movq \\save_reg, %cr3'),
];

const savedRegisters = SAVED.map((name) => `pushq %${name}`).join('\n');
const restoredRegisters = `${pops}\npopq %rdi`;

const ofUserMode = 'testb $3, 136(%rsp)';

/** The way out to user mode where there are two page tables: it leads over the entry stack, and is not ours to make up. */
const userExit = 'jmp swapgs_restore_regs_and_return_to_usermode';

/** An ordinary stub: the saved CS decides about GS. */
const plainStub = (name: string, call: string, code: string, pti: boolean): string => `.globl ${name}
${name}:
clac
cld
${code}
${savedRegisters}
${clears}
${ofUserMode}
jz .Lkernel_\\@
swapgs
lfence
${pti ? toKernel('%rax') : ''}
jmp .Lset_\\@
.Lkernel_\\@:
lfence
.Lset_\\@:
movq %rsp, %rdi
call ${call}
${ofUserMode}
jz .Lback_\\@
${pti ? userExit : 'swapgs'}
.Lback_\\@:
${restoredRegisters}
addq $8, %rsp
iretq`;

/** A stub on an IST stack: from user mode on the task stack, from kernel mode with the GS base saved and put back. */
const paranoidStub = (name: string, kernel: string, user: string, code: string, pti: boolean): string => `.globl ${name}
${name}:
clac
cld
${code}
testb $3, 16(%rsp)
jnz .Luser_\\@
${savedRegisters}
${clears}
${pti ? `movq %cr3, %rax\nmovq %rax, %r15\nandq $~${USER_CR3}, %rax\nmovq %rax, %cr3` : ''}
rdgsbase %r14
movq __per_cpu_offset(%rip), %rax
wrgsbase %rax
lfence
movq %rsp, %rdi
call ${kernel}
${pti ? 'movq %r15, %cr3' : ''}
wrgsbase %r14
${restoredRegisters}
addq $8, %rsp
iretq
.Luser_\\@:
swapgs
lfence
pushq %rax
${pti ? toKernel('%rax') : ''}
movq %rsp, %rax
movq %gs:(cpu_current_top_of_stack)(%rip), %rsp
pushq 48(%rax)
pushq 40(%rax)
pushq 32(%rax)
pushq 24(%rax)
pushq 16(%rax)
pushq 8(%rax)
movq (%rax), %rax
${savedRegisters}
${clears}
movq %rsp, %rdi
call ${user}
${pti ? userExit : `${restoredRegisters}\naddq $8, %rsp\nswapgs\niretq`}`;

const noError = 'pushq $-1';

/** The macros that make whole stubs, with the parameters that Linux gives them. */
function stubs(pti: boolean): readonly Name[] {
  const withCode = `.if \\has_error_code == 0\n${noError}\n.endif`;
  return [
    macro('idtentry', 'vector asmsym cfunc has_error_code:req', plainStub('\\asmsym', '\\cfunc', withCode, pti)),
    macro('idtentry_irq', 'vector cfunc', plainStub('asm_\\cfunc', '\\cfunc', noError, pti)),
    macro('idtentry_sysvec', 'vector cfunc', plainStub('asm_\\cfunc', '\\cfunc', noError, pti)),
    macro('idtentry_mce_db', 'vector asmsym cfunc', paranoidStub('\\asmsym', '\\cfunc', 'noist_\\cfunc', noError, pti)),
    macro('idtentry_vc', 'vector asmsym cfunc', paranoidStub('\\asmsym', 'kernel_\\cfunc', 'user_\\cfunc', '', pti)),
    macro('idtentry_df', 'vector asmsym cfunc', paranoidStub('\\asmsym', '\\cfunc', '\\cfunc', '', pti)),
  ];
}

const NAMES: readonly Name[] = [
  ...CONSTANTS.map(([name, value]) => ({ names: [name], text: `#define ${name} ${value}` })),
  ...FUNCTIONS,
  ...WORDS.map(([name, text]) => ({ names: [name], text: `#define ${name} ${text}` })),
  ...MACROS,
];

/** Definitions of the names that a text uses and does not define; null where it needs none. */
export function sketchNames(text: string): string | null {
  const words = new Set(text.match(/[A-Za-z_]\w*/g) ?? []);
  const own = new Set([...text.matchAll(/^\s*(?:#\s*define|\.macro|\.set|\.equ)\s+(\w+)|^\s*(\w+)\s*=[^=]/gm)].map((match) => match[1] ?? match[2] ?? ''));
  const wanted = [...NAMES, ...stubs(/CR3/i.test(text))].filter(({ names }) => names.some((name) => words.has(name) && !own.has(name)));
  return wanted.length === 0 ? null : `${wanted.map((one) => one.text).join('\n')}\n`;
}

/** Values of Linux's constants in C code without its headers; short ones are names of registers and of much else. */
export const SKETCH_CONSTANTS: ReadonlyMap<string, bigint> = new Map(CONSTANTS.filter(([name]) => name.length > 4).map(([name, value]) => [name, BigInt(value)]));
