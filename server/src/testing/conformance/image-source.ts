// The assembler file of the conformance image: code, gates and start state of every variant. Knows the structures of
// driver.c and nothing of QEMU.
import { flagsImage, GENERAL_REGISTERS, pointName } from './names.ts';
import type { Value } from './sequence.ts';
import { gatesOf, registerValue, SELECTORS, systemValue } from './start.ts';
import type { Block, Variant } from './variant.ts';

/** `v12_code_3`: symbol of an instruction. */
export function symbolOf(variant: number, block: Block, index: number): string {
  return `v${variant}_${block.point ?? 'code'}_${index}`;
}

/** Symbols of instructions by how recordings name them: `code+3`, `NMI+1`; default handlers are named likewise. */
export function instructionNames(variants: readonly Variant[]): ReadonlyMap<string, string> {
  const names = new Map<string, string>();
  for (let vector = 0; vector < 256; vector += 1) for (const index of [0, 1]) names.set(`default_${vector}_${index}`, `${pointName(vector)}+${index}`);
  variants.forEach((variant, number) => {
    for (const block of variant.blocks) block.lines.forEach((_, index) => names.set(symbolOf(number, block, index), `${block.name}+${index}`));
  });
  return names;
}

export function imageSource(variants: readonly Variant[]): string {
  const code = variants.flatMap((variant, number) => variant.blocks.flatMap((block) => blockText(number, block)));
  const gates = variants.flatMap((variant, number) => gatesText(variant, number));
  const rows = variants.flatMap((variant, number) => variantText(variant, number));
  return [
    '#include "layout.h"', '#include "record.h"', '#include "pseudo.h"', '', '\t.text', ...code, '', '\t.section .rodata', '\t.balign 8', ...gates, '',
    '\t.globl variants, variant_count', 'variants:', ...rows, `variant_count:\t.quad ${variants.length}`, '\t.section .note.GNU-stack, "", @progbits', '',
  ].join('\n');
}

function blockText(number: number, block: Block): readonly string[] {
  return block.lines.flatMap(({ labels, text }, index) => [
    ...labels.map((label) => `v${number}_l_${label}:`),
    `${symbolOf(number, block, index)}:\t${text === 'log' ? `LOG ${block.point ?? 0}` : local(text, number)}`,
  ]);
}

/** `@label` is a label of the variant's own. */
function local(text: Value, number: number): string {
  return text.replaceAll(/@(\w+)/g, `v${number}_l_$1`);
}

function gatesText(variant: Variant, number: number): readonly string[] {
  const rows = [...gatesOf(variant)].map(([vector, gate]) => {
    const block = variant.blocks.find(({ point }) => point === vector);
    const own = block === undefined ? `default_${vector}_0` : symbolOf(number, block, 0);
    const type = gate.type | (gate.dpl << 5) | (gate.present ? 0x80 : 0);
    return `\t.quad ${vector}, ${gate.offset === null ? own : local(gate.offset, number)}, ${gate.selector}, ${type}, ${gate.ist}`;
  });
  return [`v${number}_gates:`, ...rows];
}

function variantText(variant: Variant, number: number): readonly string[] {
  const { sequence, timer } = variant;
  const { cs, ss } = SELECTORS[sequence.mode];
  const entry = variant.blocks[0];
  const handler = variant.blocks.find(({ name }) => name === 'syscall');
  const quads = (values: readonly (Value | number | bigint)[]): string => `\t.quad ${values.map((value) => (typeof value === 'string' ? local(value, number) : value.toString())).join(', ')}`;
  const system = (...names: readonly string[]): string => quads(names.map((name) => systemValue(variant, name)));
  const lstar = sequence.system.get('lstar') ?? (handler === undefined ? '0' : symbolOf(number, handler, 0));
  const check = sequence.machineCheck;
  return [
    quads([entry === undefined ? '0' : symbolOf(number, entry, 0), cs, flagsImage(sequence.flags), registerValue(variant, 'rsp'), ss]),
    quads(GENERAL_REGISTERS.filter((name) => name !== 'rsp').map((name) => registerValue(variant, name))),
    quads([timer === null ? 0 : `LAUNCH_TICKS+${timer.boundary}`]),
    quads([systemValue(variant, 'star'), lstar, systemValue(variant, 'fmask')]),
    system('gs_base', 'kernel_gs_base', 'cr2', 'cr4', 'dr0', 'dr1', 'dr2', 'dr3', 'dr6', 'dr7', 'rsp0', 'ist1', 'ist2', 'ist3', 'ist4', 'ist5', 'ist6', 'mcg_status'),
    quads([timer === null ? 0 : timer.vector === 2 ? 0x400 : timer.vector]),
    quads([check?.bank ?? 0, check?.status ?? '0', check?.global ?? 0, (check?.broadcast === true ? 1 : 0) | (check?.nmi === true ? 2 : 0) | (check?.other === true ? 4 : 0)]),
    quads([check?.other === true ? 1 : 0, gatesOf(variant).size, `v${number}_gates`]),
  ];
}
