// Hardware races and code of Linux 6.1 to 7.3 that break a rule on their face and that the kernel accepts, with why: shown
// as hovers at these places, never as findings (rules.md, "What maintainers would reject as noise"). Rows, no code.

export interface AcceptedRow {
  /** Paths below the root of the tree; files move between releases. */
  readonly files: readonly string[];
  /** Functions or symbols that hold the place. */
  readonly symbols: readonly string[];
  /** What the line there says. */
  readonly line: RegExp;
  readonly title: string;
  readonly because: string;
  /** Row of the semantics that says so. */
  readonly source: string;
  /** The rule that speaks of such code elsewhere. */
  readonly rule: string;
}

export const ACCEPTED: readonly AcceptedRow[] = [
  {
    files: ['arch/x86/kernel/cpu/mce/core.c'],
    symbols: ['do_machine_check', 'mce_check_crashing_cpu'],
    line: /wrmsr\w*\(MSR_IA32_MCG_STATUS, 0\b/,
    title: 'MCIP is cleared while the frame of this #MC is live on its IST stack',
    because: 'the next #MC before the IRET starts over at the top of that stack and overwrites the frame. Hardware offers nothing better: only this write clears MCIP, and with MCIP set the next #MC shuts the machine down. It is the last thing that the handler does, which keeps the window short',
    source: 'MC-01, MC-02; SDM vol. 3B, "Machine-Check Global Status MSR"',
    rule: 'guard-cleared-on-rewinding-stack',
  },
  {
    files: ['arch/x86/kernel/nmi.c'],
    symbols: ['exc_nmi'],
    line: /\bsev_es_nmi_complete\(\)/,
    title: 'the hypervisor may inject the next NMI from here on, while this one is live on the NMI IST stack',
    because: 'an SEV-ES guest has to ask for it, as its IRET is not seen by the hypervisor, and asking first loses no NMI. The nesting protocol of asm_exc_nmi and nmi_state take an NMI inside this one',
    source: 'VC-04, NMI-06, NMI-08',
    rule: 'guard-cleared-on-rewinding-stack',
  },
  {
    files: ['arch/x86/entry/entry_64.S'],
    symbols: ['asm_exc_nmi'],
    line: /\bcmpl\s+\$1, -8\(%rsp\)/,
    title: 'reads a word below RSP, where the next event pushes its frame',
    because: 'this is the word "NMI executing", in a slot of the NMI stack that the protocol owns: an NMI that arrives here finds it in the same place, and what other events push there is repaired before the outermost NMI returns. Only the first 8 bytes below the hardware frame are read, and only to tell a nested NMI',
    source: 'NMI-06, NMI-07',
    rule: 'frame-below-rsp',
  },
  {
    files: ['arch/x86/kernel/nmi.c'],
    symbols: ['nmi_check_duration', 'pci_serr_error', 'io_check_error', 'unknown_nmi_error'],
    line: /\b(?:printk|pr_(?:emerg|alert|crit|err|warn|info|cont))\w*\(/,
    title: 'prints in NMI context',
    because: 'printk writes its record without a lock that others hold, and leaves the consoles to an irq_work that runs after the NMI',
    source: 'semantics.md §18, row "printk"',
    rule: 'lock-in-nmi-like',
  },
  {
    files: ['arch/x86/kernel/cpu/mce/core.c'],
    symbols: ['wait_for_panic'],
    line: /\blocal_irq_enable\(\)/,
    title: 'interrupts are enabled on whatever stack the #MC runs on, the IST stack too',
    because: 'the path is terminal: this CPU waits for another one that panics, answers its IPIs meanwhile, and never returns to the frame below',
    source: 'MC-09',
    rule: 'rearm-lands-on-live-frame',
  },
  {
    files: ['arch/x86/kernel/traps.c'],
    symbols: ['exc_double_fault'],
    line: /^\s*return;/,
    title: 'returns from a #DF, which the architecture calls an abort',
    because: 'the IRET to a 16-bit stack segment faulted on the read-only espfix stack, and the saved RIP is known to be that IRET: the frame has just been rewritten, so that the return enters the #GP handler with a frame on the task stack',
    source: 'DF-05, IRET-06',
    rule: 'frame-unbalanced-at-return',
  },
];
