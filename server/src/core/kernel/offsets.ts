// Offsets that a kernel build writes into asm-offsets.h, which an unbuilt tree lacks. Where a structure's layout is not
// architectural the numbers are ours: code uses them by name only, so any layout without overlaps gives the same answers.

/** Symbols of arch/x86/kernel/asm-offsets*.c that entry code uses, with the value that the model's layout gives them. */
export const ASM_OFFSETS: ReadonlyMap<string, bigint> = new Map([
  ['TSS_sp0', 8n],
  ['TSS_sp1', 16n],
  ['TSS_sp2', 24n],
  ['X86_current_task', 0n],
  ['X86_call_depth', 8n],
  ['X86_top_of_stack', 16n],
  ['TLB_STATE_user_pcid_flush_mask', 16n],
  ['TASK_threadsp', 64n],
  ['TASK_stack_canary', 72n],
  ['FIXED_stack_canary', 40n],
  ['stack_canary_offset', 40n],
  ['CPU_ENTRY_AREA_entry_stack', 0x1000n],
  ['SIZEOF_entry_stack', 0x1000n],
  ['MASK_entry_stack', 0xffff_ffff_ffff_f000n],
  // struct pt_regs (arch/x86/include/asm/ptrace.h): 21 words.
  ['PTREGS_SIZE', 168n],
  ['pt_regs_size', 168n],
  // Up to the error code, where ERETS expects RSP.
  ['C_PTREGS_SIZE', 120n],
]);

/** Bytes of the per-CPU structures that the offsets above point into. */
export const PER_CPU_SIZES: ReadonlyMap<string, number> = new Map([
  ['cpu_tss_rw', 128],
  ['pcpu_hot', 64],
  ['cpu_tlbstate', 128],
  ['fixed_percpu_data', 64],
  ['cpu_current_top_of_stack', 8],
  ['__x86_call_depth', 8],
  ['__stack_chk_guard', 8],
  ['x86_spec_ctrl_current', 8],
  ['espfix_stack', 8],
  ['espfix_waddr', 8],
]);
