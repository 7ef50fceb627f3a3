// The ways back to user mode of a 32-bit kernel's entry assembler: where each clears the CPU's buffers with VERW, what
// it loads behind that, and through which segment VERW reads its selector. Follows the text, not the processor: 32-bit
// stubs are not run.
import type { Place } from '../base/span.ts';
import { outermost } from '../base/span.ts';
import { configurationOf } from '../preprocess/configurations.ts';
import { preprocess } from '../preprocess/preprocess.ts';
import type { AssemblerStream, Configuration, InstructionItem } from '../preprocess/stream.ts';
import type { TreeSource } from './tree.ts';
import { walk32 } from './walk-32.ts';
import type { Walk32 } from './walk-32.ts';

export interface BufferClear32 {
  /** Where a stub clears. */
  readonly place: Place;
  /** Where the instruction itself is written: in the stub, or in the macro that it uses. */
  readonly written: Place;
  /** General registers loaded from the stack behind it, before the return. */
  readonly loadsBehind: number;
  /** Where user space's DS was loaded before it, if it reads its selector through DS; else null. */
  readonly userDs: Place | null;
}

export interface Returns32 {
  readonly clears: readonly BufferClear32[];
  /** Returns to user mode without one, in code where others have one. */
  readonly bare: readonly { readonly mnemonic: string; readonly place: Place }[];
}

const ENTRY_32 = 'arch/x86/entry/entry_32.S';
const nothing: Returns32 = { clears: [], bare: [] };

/** What a 32-bit kernel sets of that which its entry code asks for. */
const options32 = 'X86 X86_32 SMP X86_ESPFIX32 PAGE_TABLE_ISOLATION MITIGATION_PAGE_TABLE_ISOLATION ARCH_USE_SYM_ANNOTATIONS VM86 X86_MCE X86_SMAP PAGE_SHIFT=12';
const configuration32: Configuration = configurationOf('32-bit', new Map(options32.split(' ').map((option) => option.split('=')).map(([name = '', value = '1']) => [`CONFIG_${name}`, value])));

const GENERAL = /^[er]?(?:ax|bx|cx|dx|si|di|bp)$/;

/** The entry assembler of the 32-bit kernel, expanded. */
function streams32(source: TreeSource, root: string, design: boolean, asks: RegExp): readonly AssemblerStream[] {
  const files = design ? source.list('').filter((name) => /\.[sS]$/.test(name) && /\bsysexit\b|^\s*iretl?\b/m.test(source.read(name) ?? '')) : [ENTRY_32];
  return files.flatMap((file) => {
    const text = source.read(file);
    if (text === null || !asks.test(text)) return [];
    return [preprocess(root + file, { read: (path) => (path.startsWith(root) ? source.read(path.slice(root.length)) : null) }, configuration32)];
  });
}

export function returns32(source: TreeSource, root: string, design: boolean): Returns32 {
  const all = streams32(source, root, design, /\bverw\b|\bCLEAR_CPU_BUFFERS\b/).map(returnsOf);
  return all.length === 0 ? nothing : { clears: all.flatMap(({ clears }) => clears), bare: all.flatMap(({ bare }) => bare) };
}

/** All paths through it; nothing in code that has registers of 64 bits. */
export function walks32(source: TreeSource, root: string, design: boolean): readonly Walk32[] {
  return streams32(source, root, design, design ? /^(?![^]*%r[a-ds][xpi]\b)[^]*%e[a-ds][xpi]\b/ : /./).map(walk32);
}

type Item = AssemblerStream['items'][number];

/** Fixups stand in a section of their own between instructions that follow each other. */
const isFixup = (item: Item): boolean => 'section' in item && /fixup/.test(item.section);

function returnsOf({ items: all }: AssemblerStream): Returns32 {
  const items = all.filter((item) => !isFixup(item));
  const clears = items.flatMap((item, at): readonly BufferClear32[] => (isInstruction(item) && item.mnemonic === 'verw' ? [{
    place: outermost(item.origin),
    written: { file: item.origin.file, span: item.origin.span },
    loadsBehind: loadsBehind(items, at),
    userDs: throughDs(item) ? userDs(items, at) : null,
  }] : []));
  if (clears.length === 0) return nothing;
  const bare = items.flatMap((item, at) => {
    if (!isInstruction(item) || !leavesToUser(items, item, at)) return [];
    const chain = chainBefore(items, at);
    return chain.some(({ mnemonic }) => mnemonic === 'verw') ? [] : [{ mnemonic: item.mnemonic, place: outermost(item.origin) }];
  });
  return { clears, bare };
}

function isInstruction(item: Item | undefined): item is InstructionItem {
  return item?.kind === 'instruction';
}

/** Whether no other segment and no stack register stands in the operand. */
function throughDs({ operands, prefixes }: InstructionItem): boolean {
  const [operand] = operands;
  return operand?.kind === 'memory' && operand.segment === null && !prefixes.some((prefix) => /^(?:cs|ss|es|fs|gs)$/.test(prefix)) && !/^e?[sb]p$/.test(operand.base ?? '');
}

/** Up to the return, or the jump to it. */
function loadsBehind(items: readonly Item[], from: number): number {
  let loads = 0;
  for (let at = from + 1; at < items.length; at++) {
    const item = items[at];
    if (!isInstruction(item)) continue;
    if (/^(?:iretl?|sysexit|jmp|ret|call)$/.test(item.mnemonic)) break;
    if (loadsGeneral(item)) loads++;
  }
  return loads;
}

function loadsGeneral({ mnemonic, operands }: InstructionItem): boolean {
  const [first, second] = operands;
  if (/^popl?$/.test(mnemonic)) return first?.kind === 'register' && GENERAL.test(first.name);
  return /^movl?$/.test(mnemonic) && first?.kind === 'memory' && first.base === 'esp' && second?.kind === 'register' && GENERAL.test(second.name);
}

/** The load of DS from the saved registers, where it is the last write of DS in the symbol. */
function userDs(items: readonly Item[], from: number): Place | null {
  for (let at = from - 1; at >= 0; at--) {
    const item = items[at];
    if (item?.kind === 'directive' && item.name === '.size') return null;
    if (!isInstruction(item)) continue;
    const written = item.operands.at(-1);
    if (written?.kind !== 'register' || written.name !== 'ds' || !/^(?:pop|mov)/.test(item.mnemonic)) continue;
    return item.mnemonic.startsWith('pop') || item.operands[0]?.kind === 'memory' ? outermost(item.origin) : null;
  }
  return null;
}

/** SYSEXIT, IRET behind a restored DS, and the jump of an NMI stub to IRET. */
function leavesToUser(items: readonly Item[], item: InstructionItem, at: number): boolean {
  if (item.mnemonic === 'sysexit') return true;
  const restores = (): boolean => chainBefore(items, at).some(({ mnemonic, operands: [only] }) => /^popl?$/.test(mnemonic) && only?.kind === 'register' && only.name === 'ds');
  if (/^iretl?$/.test(item.mnemonic)) return restores();
  if (item.mnemonic !== 'jmp') return false;
  const target = item.operands[0]?.kind === 'memory' && item.operands[0].displacement?.kind === 'symbol' ? item.operands[0].displacement.name : null;
  const label = target === null ? -1 : items.findIndex((other) => other.kind === 'label' && other.name === target);
  const next = label < 0 ? undefined : items.slice(label).find(isInstruction);
  return next !== undefined && /^iretl?$/.test(next.mnemonic) && /nmi/.test(symbolAt(items, at)) && restores();
}

/** Instructions before one, back to the last call or jump away. */
function chainBefore(items: readonly Item[], to: number): readonly InstructionItem[] {
  const chain: InstructionItem[] = [];
  for (let at = to - 1; at >= 0; at--) {
    const item = items[at];
    if (item?.kind === 'directive' && item.name === '.size') break;
    if (!isInstruction(item)) continue;
    // The jump over an alternative's own text leads on.
    if (item.mnemonic === 'call' || (item.mnemonic === 'jmp' && !/\.L(?:skip|end)/.test(item.text))) break;
    chain.push(item);
  }
  return chain;
}

function symbolAt(items: readonly Item[], from: number): string {
  for (let at = from; at >= 0; at--) {
    const item = items[at];
    if (item?.kind === 'label' && item.section !== '.altinstr_replacement' && !/^\.L|#/.test(item.name)) return item.name;
  }
  return '';
}
