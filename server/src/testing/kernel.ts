// Small kernels of our own as programs whose entry paths are run: the texts of the fixture, with or without edits. For
// tests only.
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { createStreams } from '../core/review/streams.ts';
import type { KernelProgram } from '../core/review/kernel-run.ts';
import { createParsers } from '../core/syntax/parser.ts';
import { createCParser } from '../core/syntax/c.ts';
import type { CTranslationUnit } from '../core/syntax/c-syntax.ts';
import { emptyConfiguration } from '../core/preprocess/configurations.ts';
import { buildKernelProgram } from '../core/program/kernel-program.ts';
import { loadGrammars } from '../shell/grammars.ts';

const folder = join(process.cwd(), 'test-fixtures/kernel-paths');

export const kernelText: string = readFileSync(join(folder, 'entry.S'), 'utf8');
export const kernelTable: string = readFileSync(join(folder, 'idt.c'), 'utf8');

const numbers = '#define X86_TRAP_DB 1\n#define X86_TRAP_NMI 2\n#define X86_TRAP_BP 3\n#define X86_TRAP_GP 13\n#define X86_TRAP_MC 18\n';

let parse: ((text: string) => CTranslationUnit) | null = null;

export async function kernelOf(text: string, table: string = kernelTable): Promise<KernelProgram> {
  parse ??= createCParser(await createParsers(loadGrammars(__dirname)));
  const texts = new Map([['arch/x86/entry/entry.S', text], ['idt.c', numbers + table]]);
  const streams = createStreams({ read: (path) => texts.get(path) ?? null }, emptyConfiguration, parse);
  const program = buildKernelProgram({ streams: [streams.assembler('arch/x86/entry/entry.S').value], sources: [streams.c('idt.c').value], directives: [], delivery: 'idt', uniprocessor: false });
  return { program, configuration: 'small', variants: [{ name: 'PTI, PCID', present: [] }, { name: 'FSGSBASE, no PTI', present: [] }], beside: false };
}

/** Lines of the kernel that its contract rests on, by their numbers from 0. */
const guards: readonly number[] = kernelText.split('\n').flatMap((line, index) => (line.endsWith('# guard') ? [index] : []));

export const guardLines: readonly string[] = guards.map((index) => kernelText.split('\n')[index] ?? '');

/** The kernel without some of them. */
export function kernelWithout(dropped: readonly number[]): string {
  const gone = new Set(dropped.map((one) => guards[one]));
  return kernelText.split('\n').filter((_, index) => !gone.has(index)).join('\n');
}

/** The same as the files of a tree. */
export function treeWithout(dropped: readonly number[]): { readonly [path: string]: string } {
  return { 'Makefile': 'VERSION = 6\nPATCHLEVEL = 12\n', 'include/linux/kconfig.h': '', 'arch/x86/entry/entry_64.S': kernelWithout(dropped), 'arch/x86/kernel/idt.c': numbers + kernelTable };
}
