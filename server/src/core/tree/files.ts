// Which files of a kernel tree hold its C entry code. Knows paths, not contents.
import { files32 } from './kernel-32.ts';
import type { TreeSource } from './tree.ts';

/** Folders whose C files belong to it. */
const folders = ['arch/x86/entry', 'arch/x86/kernel/cpu/mce', 'arch/x86/coco', 'arch/x86/coco/sev', 'arch/x86/coco/tdx', 'arch/x86/lib', 'kernel/entry'];

/** Single files. Those of SEV were `sev-es` up to 5.13; those of SEV and TDX moved to `coco` after 6.1. */
const files = `
arch/x86/kernel/nmi.c arch/x86/kernel/traps.c arch/x86/kernel/idt.c arch/x86/kernel/irq.c arch/x86/kernel/irq_64.c arch/x86/kernel/irq_work.c
arch/x86/kernel/kvm.c arch/x86/kernel/fred.c arch/x86/kernel/hw_breakpoint.c arch/x86/kernel/sev.c arch/x86/kernel/sev-shared.c arch/x86/kernel/tdx.c
arch/x86/kernel/sev-es.c arch/x86/kernel/sev-es-shared.c
arch/x86/kernel/dumpstack.c arch/x86/kernel/dumpstack_64.c arch/x86/kernel/cet.c arch/x86/kernel/cpu/common.c
arch/x86/kernel/process_64.c arch/x86/kernel/smp.c arch/x86/kernel/apic/apic.c arch/x86/mm/cpu_entry_area.c arch/x86/mm/pti.c arch/x86/mm/tlb.c
arch/x86/mm/fault.c arch/x86/mm/extable.c mm/maccess.c
`.trim().split(/\s+/);

const headers = `
arch/x86/include/asm/idtentry.h arch/x86/include/asm/ptrace.h arch/x86/include/asm/debugreg.h arch/x86/include/asm/irqflags.h arch/x86/include/asm/entry-common.h
arch/x86/include/asm/cpu_entry_area.h arch/x86/include/asm/sev.h arch/x86/include/asm/sev-es.h arch/x86/include/asm/traps.h arch/x86/include/asm/nmi.h arch/x86/include/asm/kvm_para.h arch/x86/include/asm/fred.h arch/x86/include/asm/desc.h
arch/x86/include/asm/tdx.h arch/x86/include/asm/mce.h arch/x86/include/asm/msr.h arch/x86/include/asm/irq_stack.h arch/x86/include/asm/stacktrace.h arch/x86/include/asm/text-patching.h
arch/x86/include/asm/special_insns.h arch/x86/include/asm/kprobes.h arch/x86/include/asm/hardirq.h arch/x86/kernel/cpu/mce/internal.h
include/linux/entry-common.h include/linux/irq-entry-common.h include/linux/entry-kvm.h include/linux/hardirq.h include/linux/context_tracking.h include/linux/context_tracking_irq.h
include/linux/context_tracking_state.h
`.trim().split(/\s+/);

/** Files of 32-bit kernels only (`entry/syscall_32.c` has the system calls of 32-bit programs), and the test facility that calls the #MC handler from where no hardware does. */
const others = /(?:(?<!\/syscall)_32|\/inject|32bit|csum-|kaslr|error-inject|memcpy|strstr|inat|cmdline)\.c$/;

/** More than this is not read: a tree that has more is not one of the kind that is meant. */
export const MOST_FILES = 200;

export interface ChosenFiles {
  readonly paths: readonly string[];
  /** Files left out by the bound. */
  readonly left: number;
}

/** The entry set of a kernel tree, those before others whose definitions win: architecture before generic. */
export function entryFiles(source: TreeSource, bits: 32 | 64): ChosenFiles {
  const found = new Set<string>();
  for (const folder of folders) {
    for (const name of [...source.list(folder)].sort()) if (name.endsWith('.c') && !others.test(`${folder}/${name}`)) found.add(`${folder}/${name}`);
  }
  for (const file of files) if (!others.test(file) && source.read(file) !== null) found.add(file);
  for (const header of headers) if (source.read(header) !== null) found.add(header);
  if (bits === 32) {
    for (const path of found) if (path.endsWith('_64.c')) found.delete(path);
    for (const file of files32) if (source.read(file) !== null) found.add(file);
  }
  const paths = [...found];
  return { paths: paths.slice(0, MOST_FILES), left: Math.max(0, paths.length - MOST_FILES) };
}

/** Whether a file of a kernel tree belongs to the entry set, by its path. */
export function isEntryFile(path: string): boolean {
  const folder = path.slice(0, Math.max(0, path.lastIndexOf('/')));
  if (files.includes(path) || headers.includes(path) || files32.includes(path)) return true;
  return folders.includes(folder) && path.endsWith('.c') && !others.test(path);
}

/** Whether a file belongs to the entry code at all, its stubs and what is built beside them included. */
export function belongsToEntry(path: string): boolean {
  return path.startsWith('arch/x86/entry/') || isEntryFile(path);
}

/** The C files of a design's folder. */
export function designFiles(source: TreeSource): ChosenFiles {
  const paths = source.list('').filter((name) => name.endsWith('.c') || name.endsWith('.h')).sort();
  return { paths: paths.slice(0, MOST_FILES), left: Math.max(0, paths.length - MOST_FILES) };
}

/** Assembler files of the entry stubs. */
export const entryAssembler: readonly string[] = ['arch/x86/entry/entry_64.S', 'arch/x86/entry/entry_64_compat.S'];

/** That of 32-bit kernels. */
export const entryAssembler32 = 'arch/x86/entry/entry_32.S';
