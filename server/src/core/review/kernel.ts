// The entry code of a kernel tree as one program: which files it is made of, and how they are linked.
import type { Program } from '../program/program.ts';
import { buildKernelProgram } from '../program/kernel-program.ts';
import type { Streams } from './streams.ts';

/** Assembler files of the entry paths below the tree's root; FRED has its own doors. */
const NATIVE = 'arch/x86/entry/entry_64.S';
/** Built for 32-bit programs only (arch/x86/entry/Makefile). */
const COMPAT = 'arch/x86/entry/entry_64_compat.S';
const FRED = 'arch/x86/entry/entry_64_fred.S';
const TABLES = ['arch/x86/kernel/idt.c', 'arch/x86/include/asm/irq_vectors.h', 'arch/x86/include/asm/trapnr.h'];

/** Null where the tree has no 64-bit entry code. `root` ends with a slash. */
export function linkKernel(root: string, streams: Streams, delivery: 'idt' | 'fred'): Program | null {
  const { defines } = streams.chosen(root + NATIVE).configuration;
  const files = [NATIVE, ...(defines.has('CONFIG_IA32_EMULATION') ? [COMPAT] : []), ...(delivery === 'fred' ? [FRED] : [])];
  const read = files.map((file) => streams.assembler(root + file).value).filter((stream) => stream.items.length > 0);
  if (read.length < 1) return null;
  return buildKernelProgram({ streams: read, sources: TABLES.map((file) => streams.c(root + file).value), directives: [], delivery, uniprocessor: !defines.has('CONFIG_SMP') });
}
