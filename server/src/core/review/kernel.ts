// The entry code of a kernel tree as programs to run: which files it is made of, how they are linked, and for which
// configurations. Derived from texts alone; made anew when one of them changes.
import { FRED_VARIANTS, IDT_VARIANTS } from '../kernel/variants.ts';
import { is32, presetConfiguration } from '../preprocess/configurations.ts';
import type { Configuration } from '../preprocess/stream.ts';
import type { Program } from '../program/program.ts';
import { buildKernelProgram } from '../program/kernel-program.ts';
import type { KernelProgram } from './kernel-run.ts';
import type { Streams } from './streams.ts';

/** Assembler files of the entry paths below the tree's root. */
const NATIVE = 'arch/x86/entry/entry_64.S';
/** Built for 32-bit programs only (arch/x86/entry/Makefile). */
const COMPAT = 'arch/x86/entry/entry_64_compat.S';
const FRED = 'arch/x86/entry/entry_64_fred.S';
/** Calls stubs by software. */
const CALLERS = ['arch/x86/kvm/vmx/vmenter.S', 'arch/x86/entry/entry.S'];
/** Without its gates nothing is known to enter a tree's code. */
const IDT = 'arch/x86/kernel/idt.c';
/** With the types of what stubs call. */
const TABLES = [IDT, 'arch/x86/include/asm/irq_vectors.h', 'arch/x86/include/asm/trapnr.h', 'arch/x86/include/asm/traps.h'];

/** Folders below the root whose files entry paths are made of. */
const FOLDERS: ReadonlySet<string> = new Set(['arch/x86/entry', 'arch/x86/kernel', 'arch/x86/include/asm', 'arch/x86/kvm/vmx']);

/** Root of the tree, with a slash behind it, where a file or folder belongs to its entry code; else null. */
export function entryRootOf(path: string, streams: Streams): string | null {
  const { root } = streams.chosen(path.endsWith('/') ? path : `${path}/`);
  if (root === null || !path.startsWith(root)) return null;
  const below = path.slice(root.length).replace(/\/$/, '');
  const folder = /\.\w+$/.test(below) ? below.slice(0, Math.max(0, below.lastIndexOf('/'))) : below;
  return FOLDERS.has(folder) ? root : null;
}

/** Whether a path belongs to the entry code of a tree that has some; links nothing. */
export function belongsToKernel(path: string, streams: Streams, read: (file: string) => string | null): boolean {
  const root = entryRootOf(path, streams);
  return root !== null && read(root + NATIVE) !== null && read(root + IDT) !== null;
}

interface Linked {
  readonly program: Program;
  readonly parts: readonly unknown[];
}

/** From 7.x on KVM forwards interrupts through FRED's code on a CPU without FRED too: then the file asks for the feature. */
function isForBoth(root: string, streams: Streams): boolean {
  const { defines } = streams.chosen(root + FRED).configuration;
  return defines.has('CONFIG_X86_FRED') && streams.assembler(root + FRED).value.alternatives.some(({ feature }) => feature === 'X86_FEATURE_FRED');
}

/** Assembler files that a program is made of. */
function filesOf(root: string, streams: Streams, delivery: 'idt' | 'fred'): readonly string[] {
  const { defines } = streams.chosen(root + NATIVE).configuration;
  return [NATIVE, ...(defines.has('CONFIG_IA32_EMULATION') ? [COMPAT] : []), ...(delivery === 'fred' || isForBoth(root, streams) ? [FRED] : []), ...CALLERS].map((file) => root + file);
}

function partsOf(root: string, streams: Streams, delivery: 'idt' | 'fred'): readonly unknown[] {
  return [...filesOf(root, streams, delivery).map((file) => streams.assembler(file).value), ...TABLES.map((file) => streams.c(root + file).value)];
}

/** Null where the tree has no 64-bit entry code, or no IDT. */
export function linkKernel(root: string, streams: Streams, delivery: 'idt' | 'fred'): Linked | null {
  const { defines } = streams.chosen(root + NATIVE).configuration;
  const read = filesOf(root, streams, delivery).map((file) => streams.assembler(file).value).filter((stream) => stream.items.length > 0);
  const sources = TABLES.map((file) => streams.c(root + file).value);
  if (!read.some((stream) => stream.file === root + NATIVE)) return null;
  const program = buildKernelProgram({ streams: read, sources, directives: [], delivery, uniprocessor: !defines.has('CONFIG_SMP') });
  // A tree without gates has no code that anything enters, one without the doors of FRED nothing to run with it.
  if (program.handlers.length === 0 || (delivery === 'fred' && program.fred === null)) return null;
  return { program, parts: [...read, ...sources] };
}

/** A tree as one configuration and one way of delivery read it. */
interface Reading {
  readonly name: string;
  readonly from: Streams;
  readonly delivery: 'idt' | 'fred';
  readonly beside: boolean;
}

export interface KernelTrees {
  /** The programs of a tree, the same objects as before where no text of theirs changed. */
  readonly programsOf: (root: string) => readonly KernelProgram[];
  /** Those that are linked and still as the texts say; the same list as before where it has the same programs. */
  readonly linkedSoFar: (root: string) => readonly KernelProgram[];
  /** Reads one more file, or links one more program; true when nothing is left. The tree's own configuration comes first. */
  readonly advance: (root: string) => boolean;
  /** How many shares the programs of a tree can be given out in; links nothing. */
  readonly sharesOf: (root: string) => number;
  /** The programs of one share alone: those of all shares in their order are all programs. */
  readonly shareOf: (root: string, share: number) => readonly KernelProgram[];
}

/** A reading as it was linked; `program` is null where there was nothing to link. */
interface Held {
  readonly parts: readonly unknown[];
  readonly program: KernelProgram | null;
}

/** `streamsFor` reads a tree with another configuration than the chosen one. */
export function createKernelTrees(streams: Streams, streamsFor: (configuration: Configuration) => Streams): KernelTrees {
  const held = new Map<string, Held>();
  /** Files that were read once: again is soon done. */
  const read = new Set<string>();
  const lists = new Map<string, readonly KernelProgram[]>();
  const others = new Map<string, Streams>();

  const keyOf = (root: string, { name, delivery }: Reading): string => `${root}|${name}|${delivery}`;
  const readingsOf = (root: string): readonly Reading[] => readings(streams.chosen(root + NATIVE).configuration);

  /** What a reading was linked to, or null where a text changed since. */
  function current(root: string, reading: Reading): Held | null {
    const before = held.get(keyOf(root, reading));
    if (before === undefined) return null;
    const parts = partsOf(root, reading.from, reading.delivery);
    return before.parts.length === parts.length && before.parts.every((part, index) => part === parts[index]) ? before : null;
  }

  function link(root: string, reading: Reading): Held {
    const made: Held = { parts: partsOf(root, reading.from, reading.delivery), program: linked(root, [reading])[0] ?? null };
    held.set(keyOf(root, reading), made);
    return made;
  }

  function listOf(root: string, programs: readonly KernelProgram[]): readonly KernelProgram[] {
    const before = lists.get(root);
    if (before !== undefined && before.length === programs.length && before.every((program, index) => program === programs[index])) return before;
    lists.set(root, programs);
    return programs;
  }

  function advance(root: string): boolean {
    for (const reading of readingsOf(root)) {
      const { from, delivery } = reading;
      const files = [...filesOf(root, from, delivery).map((file) => ({ file, front: from.assembler })), ...TABLES.map((file) => ({ file: root + file, front: from.c }))];
      const configuration = from.chosen(root + NATIVE).configuration.name;
      const next = files.find(({ file }) => !read.has(`${configuration}|${file}`));
      if (next !== undefined) {
        next.front(next.file);
        read.add(`${configuration}|${next.file}`);
        return false;
      }
      if (current(root, reading) === null) {
        link(root, reading);
        return false;
      }
    }
    return true;
  }

  function linked(root: string, all: readonly Reading[]): readonly KernelProgram[] {
    return all.flatMap(({ name, from, delivery, beside }): readonly KernelProgram[] => {
      const made = linkKernel(root, from, delivery);
      return made === null ? [] : [{ program: made.program, configuration: name, variants: delivery === 'fred' ? FRED_VARIANTS : IDT_VARIANTS, beside }];
    });
  }

  /** The tree's own configuration, and the others, which read the same texts. */
  function shares(root: string): readonly (readonly Reading[])[] {
    const [own, ...others] = readingsOf(root);
    return [own === undefined ? [] : [own], others].filter((share) => share.length > 0);
  }

  function readings(chosen: Configuration): readonly Reading[] {
    // Entry paths are those of 64-bit kernels; the C rules judge the others.
    if (is32(chosen)) return [];
    const out: Reading[] = [{ name: chosen.name, from: streams, delivery: 'idt', beside: false }];
    const release = /^(\d+\.\d+)(:pti)?$/.exec(chosen.name)?.[1];
    const guest = release === undefined ? null : presetConfiguration(`${release}:xenpv+sev+tdx+fred`);
    const whole = guest === null ? null : other(guest);
    if (guest !== null && whole !== null) out.push({ name: guest.name, from: whole, delivery: 'idt', beside: true });
    const fred = whole ?? streams;
    if ((guest ?? chosen).defines.has('CONFIG_X86_FRED')) out.push({ name: `${(guest ?? chosen).name}, FRED`, from: fred, delivery: 'fred', beside: true });
    return out;
  }

  function other(configuration: Configuration): Streams {
    const found = others.get(configuration.name);
    if (found !== undefined) return found;
    const made = streamsFor(configuration);
    others.set(configuration.name, made);
    return made;
  }

  return {
    programsOf: (root) => listOf(root, readingsOf(root).flatMap((reading) => (current(root, reading) ?? link(root, reading)).program ?? [])),
    linkedSoFar: (root) => listOf(root, readingsOf(root).flatMap((reading) => (held.has(keyOf(root, reading)) ? (current(root, reading)?.program ?? []) : []))),
    advance,
    sharesOf: (root) => shares(root).length,
    shareOf: (root, share) => linked(root, shares(root)[share] ?? []),
  };
}
