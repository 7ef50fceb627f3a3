// Configurations by name and from a `.config`: which CONFIG_ symbols are set. Knows no tree; folders of includes are
// the caller's.
import type { Configuration } from './stream.ts';

/** What the compiler and the kernel's build define for every assembler file. */
export const assemblerDefines: ReadonlyMap<string, string> = new Map([
  ['__ASSEMBLY__', '1'], ['__ASSEMBLER__', '1'], ['__x86_64__', '1'], ['__x86_64', '1'], ['__amd64__', '1'], ['__LP64__', '1'], ['__ELF__', '1'],
  ['__KERNEL__', '1'], ['__linux__', '1'], ['linux', '1'], ['unix', '1'], ['__unix__', '1'], ['__GNUC__', '12'], ['__GNUC_MINOR__', '2'],
  ['__GNUC_PATCHLEVEL__', '0'], ['__SIZEOF_POINTER__', '8'], ['__SIZEOF_LONG__', '8'], ['__BYTE_ORDER__', '1234'], ['__ORDER_LITTLE_ENDIAN__', '1234'],
  ['__CHAR_BIT__', '8'], ['CC_USING_FENTRY', '1'],
]);

/** `CONFIG_X=y` is 1, `=m` defines CONFIG_X_MODULE, strings and numbers are taken as written. */
export function parseConfig(text: string): Map<string, string> {
  const defines = new Map<string, string>();
  for (const line of text.split('\n')) {
    const found = /^(?:#define\s+)?(CONFIG_\w+)(?:=|\s+)(.*?)\s*$/.exec(line);
    if (found === null) continue;
    const [, name, value] = found;
    if (value === 'y') defines.set(name!, '1');
    else if (value === 'm') defines.set(`${name!}_MODULE`, '1');
    else if (value !== 'n') defines.set(name!, value!);
  }
  return defines;
}

export function configurationOf(name: string, config: ReadonlyMap<string, string>, includePaths: readonly string[] = []): Configuration {
  return { name, defines: config, includePaths };
}

const words = (text: string): string[] => text.trim().split(/\s+/);

/** Set in every 64-bit kernel that presets stand for; of the thousands of symbols, those that entry code and its headers ask for. */
const common = words(`
  64BIT X86 X86_64 MMU X86_5LEVEL PGTABLE_LEVELS=5 PAGE_SHIFT=12 X86_L1_CACHE_SHIFT=6 X86_INTERNODE_CACHE_SHIFT=6 PHYSICAL_START=0x1000000 PHYSICAL_ALIGN=0x200000
  ILLEGAL_POINTER_VALUE=0xdead000000000000 HZ=1000 X86_MINIMUM_CPU_FAMILY=64 PHYS_ADDR_T_64BIT ARCH_DMA_ADDR_T_64BIT PANIC_TIMEOUT=0 BASE_SMALL=0
  ARCH_USE_SYM_ANNOTATIONS ARCH_HAS_SYSCALL_WRAPPER ARCH_HAS_COPY_MC ARCH_HAS_CACHE_LINE_SIZE ARCH_HAS_UACCESS_FLUSHCACHE ARCH_HAS_MEM_ENCRYPT ARCH_HAS_PTE_SPECIAL
  CC_IS_GCC GCC_VERSION=120200 CC_HAS_ASM_INLINE GENERIC_ENTRY GENERIC_BUG GENERIC_BUG_RELATIVE_POINTERS BUG DEBUG_BUGVERBOSE
  OBJTOOL HAVE_STATIC_CALL HAVE_STATIC_CALL_INLINE HAVE_ARCH_PREL32_RELOCATIONS HAVE_ARCH_JUMP_LABEL_RELATIVE HAVE_JUMP_LABEL_HACK JUMP_LABEL HAVE_FENTRY HAVE_DYNAMIC_FTRACE_WITH_ARGS
  HAVE_SETUP_PER_CPU_AREA HAVE_UNSTABLE_SCHED_CLOCK HAVE_PERF_REGS HAVE_HW_BREAKPOINT HAVE_PREEMPT_DYNAMIC_CALL PREEMPTION PREEMPT_COUNT PREEMPT_DYNAMIC PREEMPT_RCU PREEMPT_VOLUNTARY
  CONTEXT_TRACKING CONTEXT_TRACKING_IDLE THREAD_INFO_IN_TASK VMAP_STACK STACKPROTECTOR RANDOMIZE_BASE RANDOMIZE_MEMORY RANDOMIZE_KSTACK_OFFSET DYNAMIC_MEMORY_LAYOUT DYNAMIC_SIGFRAME
  UNWINDER_ORC SOFTIRQ_ON_OWN_STACK IRQ_WORK PERF_EVENTS KPROBES KRETPROBES KRETPROBE_ON_RETHOOK RETHOOK OPTPROBES UPROBES TRACEPOINTS TRACE_IRQFLAGS_SUPPORT AUDIT AUDITSYSCALL SECCOMP
  MODULES MODULES_USE_ELF_RELA SMP X86_64_SMP NR_CPUS=64 NUMA NODES_SHIFT=6 HOTPLUG_CPU HOTPLUG_SMT SPARSEMEM SPARSEMEM_EXTREME SPARSEMEM_VMEMMAP STRICT_KERNEL_RWX STRICT_MODULE_RWX
  X86_CMOV X86_CMPXCHG64 X86_TSC X86_PAT X86_IO_APIC X86_LOCAL_APIC X86_MPPARSE X86_UMIP X86_DEBUGCTLMSR X86_DEBUG_FPU X86_IOPL_IOPERM X86_FEATURE_NAMES X86_VMX_FEATURE_NAMES
  X86_INTEL_MEMORY_PROTECTION_KEYS X86_VSYSCALL_EMULATION X86_THERMAL_VECTOR CPU_SUP_AMD CPU_SUP_INTEL MICROCODE PCI PCI_MSI ACPI EFI EFI_MIXED KEXEC_CORE KALLSYMS KALLSYMS_ALL PRINTK
  BLOCK NET PROC_FS SYSFS SYSCTL RSEQ HIGH_RES_TIMERS SUSPEND PM PM_SLEEP PM_SLEEP_SMP HUGETLB_PAGE SWAP COMPACTION MIGRATION ZONE_DMA ZONE_DMA32 GENERIC_IRQ_PROBE GENERIC_PENDING_IRQ
`);

/** What x86_64_defconfig adds: mitigations, 32-bit programs, the guest side of hypervisors. */
const usual = words(`
  HYPERVISOR_GUEST PARAVIRT KVM_GUEST IA32_EMULATION COMPAT COMPAT_OLD_SIGACTION COMPAT_FOR_U64_ALIGNMENT UID16 HAVE_UID16 OLD_SIGSUSPEND3 MODIFY_LDT_SYSCALL X86_ESPFIX64
  X86_HV_CALLBACK_VECTOR X86_MCE X86_MCE_AMD X86_MCE_INTEL X86_MCE_THRESHOLD
`);

interface Release {
  /** The first release of Linux that is read with it. */
  readonly since: readonly [version: number, patchLevel: number];
  readonly base: readonly string[];
  readonly mitigations: readonly string[];
  readonly pti: string;
  /** Of the kernels that distributions build. */
  readonly usual: readonly string[];
  readonly guests: readonly string[];
  /** Of those common to all, what is no longer there. */
  readonly gone: readonly string[];
}

const base612 = words('X86_KERNEL_IBT X86_CET FUNCTION_ALIGNMENT=16 FUNCTION_PADDING_BYTES=16 CC_HAS_NAMED_AS USE_X86_SEG_SUPPORT ARCH_WANTS_NO_INSTR ARCH_PKEY_BITS=4');
const mitigations612 = words(`
  CPU_MITIGATIONS MITIGATION_RETPOLINE MITIGATION_RETHUNK MITIGATION_UNRET_ENTRY MITIGATION_IBPB_ENTRY MITIGATION_IBRS_ENTRY MITIGATION_SRSO MITIGATION_ITS
  MITIGATION_CALL_DEPTH_TRACKING CALL_THUNKS CALL_PADDING
`);
const guests612 = words('X86_FRED KVM KVM_X86 UNACCEPTED_MEMORY');

const release61: Release = {
  since: [6, 0],
  base: words('HAVE_KVM CC_HAS_ASM_GOTO_OUTPUT CC_HAS_ASM_GOTO_TIED_OUTPUT'),
  mitigations: words('RETPOLINE RETHUNK CPU_UNRET_ENTRY CPU_IBPB_ENTRY CPU_IBRS_ENTRY CPU_SRSO MITIGATION_ITS'),
  pti: 'PAGE_TABLE_ISOLATION',
  usual: [],
  guests: [],
  gone: [],
};

/** Oldest first: a tree is read with the last one that is not newer than it. */
const releases: ReadonlyMap<string, Release> = new Map([
  ['5.10', { ...release61, since: [0, 0], base: [...release61.base, ...words('X86_SMAP ARCH_RANDOM CC_HAS_ASM_GOTO')] }],
  ['6.1', release61],
  ['6.12', { since: [6, 6], base: base612, mitigations: mitigations612, pti: 'MITIGATION_PAGE_TABLE_ISOLATION', usual: [], guests: guests612, gone: [] }],
  ['7.3', {
    since: [7, 0],
    base: [...base612, ...words(`
      X86_CX8 X86_X2APIC X86_BUS_LOCK_DETECT AMD_NB AMD_NODE BROADCAST_TLB_FLUSH ARCH_HAS_PTE_PROTNONE QUEUED_SPINLOCKS FUNCTION_PADDING_CFI=11 UNWIND_USER HAVE_UNWIND_USER_FP
      GENERIC_IRQ_ENTRY GENERIC_SYSCALL HAVE_GENERIC_TIF_BITS HAS_SEPARATE_PREEMPT_RESCHED_BITS SYSCALL_USER_DISPATCH HRTIMER_REARM_DEFERRED FUTEX_ROBUST_UNLOCK COMPAT_32
    `)],
    mitigations: mitigations612,
    pti: 'MITIGATION_PAGE_TABLE_ISOLATION',
    // KVM for Intel takes FRED's code with it, and calls stubs of events itself.
    usual: words('KVM KVM_X86 IA32_FEAT_CTL KVM_INTEL X86_FRED'),
    guests: [...guests612, ...words('KVM_AMD KVM_AMD_SEV KVM_INTEL_TDX VIRT_XFER_TO_GUEST_WORK PERF_GUEST_MEDIATED_PMU')],
    gone: words('X86_5LEVEL BASE_SMALL=0 DYNAMIC_MEMORY_LAYOUT X86_64_SMP X86_CMPXCHG64 X86_FEATURE_NAMES PREEMPT_VOLUNTARY'),
  }],
]);

/** The preset's release nearest to a tree's: its own, or the last one before it. */
export function releaseFor(version: number, patchLevel: number): string {
  const fitting = [...releases].filter(([, { since: [first, level] }]) => version > first || (version === first && patchLevel >= level));
  return fitting.at(-1)?.[0] ?? '5.10';
}

const confidential = words(`
  DEBUG_ENTRY NOINSTR_VALIDATION XEN XEN_PV XEN_PVHVM XEN_PV_SMP XEN_PV_DOM0 XEN_DOM0 PARAVIRT_XXL AMD_MEM_ENCRYPT ARCH_HAS_CC_PLATFORM DYNAMIC_PHYSICAL_MASK INTEL_TDX_GUEST X86_X2APIC
  KVM_INTEL USER_RETURN_NOTIFIER PREEMPT_NOTIFIERS GUEST_PERF_EVENTS
`);
const uniprocessor = new Set(['SMP', 'X86_64_SMP', 'NR_CPUS=64', 'NUMA', 'NODES_SHIFT=6', 'HOTPLUG_CPU', 'HOTPLUG_SMT', 'PM_SLEEP_SMP']);

/** Variants of a release: as configured by default, without PTI, with everything that adds entry code, with nothing that does. */
export const variants = ['pti', 'nopti', 'xenpv+sev+tdx+fred', 'minimal'] as const;
export type Variant = (typeof variants)[number];

/** Names of the built-in configurations; a release alone means its first variant. */
export const presetNames: readonly string[] = [...releases.keys()].flatMap((release) => [release, ...variants.map((variant) => `${release}:${variant}`), `${release}:32-bit`]);

const presets = new Map<string, Configuration>();

/** The configuration of that name (`6.12`, `6.12:minimal`), or null. */
export function presetConfiguration(name: string): Configuration | null {
  const known = presets.get(name);
  if (known !== undefined) return known;
  const [releaseName = '', variant = 'pti'] = name.split(':');
  const release = releases.get(releaseName);
  if (release !== undefined && variant === '32-bit') return configuration32(name, releaseName);
  if (release === undefined || !variants.some((each) => each === variant)) return null;
  const symbols = [...common.filter((each) => !release.gone.includes(each)), ...release.base];
  if (variant !== 'minimal') symbols.push(...usual, ...release.usual, ...release.mitigations);
  if (variant === 'pti' || variant === 'xenpv+sev+tdx+fred') symbols.push(release.pti);
  if (variant === 'xenpv+sev+tdx+fred') symbols.push(...confidential, ...release.guests);
  const kept = variant === 'minimal' ? [...symbols.filter((each) => !uniprocessor.has(each)), 'NR_CPUS=1', 'UP_LATE_INIT'] : symbols;
  const defines = new Map(kept.map((each): [string, string] => {
    const [symbol = '', value = '1'] = each.split('=');
    return [`CONFIG_${symbol}`, value];
  }));
  const made: Configuration = { name, defines, includePaths: [] };
  presets.set(name, made);
  return made;
}

/** Options of 64-bit kernels alone, or of code that only those build. */
const only64 = /^CONFIG_(?:64BIT|X86_64\w*|X86_5LEVEL|X86_ESPFIX64|IA32_EMULATION|COMPAT\w*|COMPAT_32|HAVE_UID16|UID16|X86_VSYSCALL_EMULATION|PHYS_ADDR_T_64BIT|X86_KERNEL_IBT|X86_CET|X86_FRED|MITIGATION_CALL_DEPTH_TRACKING|CALL_THUNKS|CALL_PADDING|OBJTOOL)$/;
const only32 = words('X86_32 X86_32_SMP X86_ESPFIX32 VM86 HIGHMEM X86_PAE MATH_EMULATION X86_F00F_BUG DOUBLEFAULT X86_INVD_BUG');

/** The 32-bit kernel that the same tree builds. One stands for all of them. */
function configuration32(name: string, releaseName: string): Configuration | null {
  const base = presetConfiguration(releaseName);
  if (base === null) return null;
  const defines = new Map([...base.defines].filter(([symbol]) => !only64.test(symbol)));
  for (const symbol of only32) defines.set(`CONFIG_${symbol}`, '1');
  const made: Configuration = { name, defines, includePaths: [] };
  presets.set(name, made);
  return made;
}

/** Whether it is one of a 32-bit kernel. */
export function is32(configuration: Configuration): boolean {
  return configuration.defines.has('CONFIG_X86_32');
}

export const emptyConfiguration: Configuration = { name: 'none', defines: new Map(), includePaths: [] };
