// Values by the names that a reader points at: registers and their parts, control state, guards, variables, slots of
// stacks, locals, and the terms of C code as they are written.
import { draftOf, load, setRegister } from '../machine/draft.ts';
import { evaluate } from '../machine/expressions.ts';
import type { CExpression } from '../machine/code.ts';
import { addressOfNode, PERCPU_REGION, regionBase, regionIndexOf, stackNamed, top } from '../machine/layout.ts';
import { registerOperand, REGISTER_NAMES, RSP } from '../machine/registers.ts';
import { constant, extractBytes, isConstant } from '../machine/word.ts';
import type { Row } from '../playback-types.ts';
import { controlRows, wordRow, wordRows, wordText } from './playback-rows.ts';
import type { Moment } from './playback-rows.ts';
import { frameAt, localRows, slotNames } from './playback-stacks.ts';

export function findRow(moment: Moment, frame: number, given: string): Row | null {
  const name = given.trim().replace(/^[%$]/, '');
  return (
    localRows(moment, frame).find((row) => row.name === name) ??
    registerRow(moment, name.toLowerCase()) ??
    controlRow(moment, name) ??
    wordRows(moment).find((row) => row.name === name) ??
    variableRow(moment, name) ??
    slotRow(moment, name) ??
    termRow(moment, frame, name) ??
    codeRow(moment, name)
  );
}

function registerRow(moment: Moment, name: string): Row | null {
  const operand = registerOperand(name);
  if (operand?.kind !== 'register') return null;
  const whole = moment.state.registers[operand.register];
  const row: Row = { name, value: wordText(moment, whole), watch: { kind: 'register', name: REGISTER_NAMES[operand.register] ?? name } };
  return operand.size === 8 || whole === undefined ? row : { ...row, value: wordText(moment, extractBytes(whole, operand.high ? 1 : 0, operand.size)) };
}

/** `gs` is a base in the model; `eflags` and `eip` are how debuggers call these. */
const OTHER_NAMES: ReadonlyMap<string, string> = new Map([['eflags', 'rflags'], ['eip', 'rip'], ['gs', 'gs base'], ['gs_base', 'gs base'], ['gsbase', 'gs base'], ['kernel_gs_base', 'kernel gs base'], ['mcip', 'mcg_status.mcip']]);

function controlRow(moment: Moment, given: string): Row | null {
  const lower = given.toLowerCase();
  const name = OTHER_NAMES.get(lower) ?? lower;
  return controlRows(moment).find((row) => row.name.toLowerCase() === name) ?? null;
}

/** `ve_page`, `ve_page+8`, `this_cpu(ve_page)`. */
function variableRow(moment: Moment, name: string): Row | null {
  const parsed = /^(?:PER_CPU_VAR\()?([A-Za-z_]\w*)\)?(?:\+(0x[0-9a-f]+|\d+))?$/i.exec(name);
  if (parsed === null) return null;
  const { layout } = moment.setup;
  const offset = BigInt(parsed[2] ?? 0);
  const percpu = layout.percpu.get(parsed[1] ?? '');
  const base = percpu === undefined ? layout.globals.get(parsed[1] ?? '') : regionBase(PERCPU_REGION) + BigInt(percpu);
  return base === undefined ? null : wordRow(moment, name, base + offset);
}

/** `NMI stack top-0x28`, `NMI top-0x28`, or an address in the machine's memory. */
function slotRow(moment: Moment, name: string): Row | null {
  const parsed = /^(.+?)(?: stack)?,? top-(0x[0-9a-f]+|\d+)(?:[: ].*)?$/i.exec(name);
  const region = parsed === null ? null : stackNamed(moment.setup.layout, parsed[1] ?? '');
  const address = region !== null && parsed !== null ? top(region) - BigInt(parsed[2] ?? 0) : /^0x[0-9a-f]{1,16}$/i.test(name) ? BigInt(name) : null;
  if (address === null || (region === null && regionIndexOf(moment.setup.layout, address) <= 0)) return null;
  const role = slotNames(moment).get(address);
  const row = wordRow(moment, name, address);
  return role === undefined ? row : { ...row, value: `${row.value} (${role})` };
}

/** A term that the function reads or writes, spelled as in the source: `ve->busy`. */
function termRow(moment: Moment, frame: number, text: string): Row | null {
  const at = frameAt(moment, frame);
  const symbol = at === null ? undefined : moment.program.code.nodes[at.node]?.symbol;
  const range = symbol === undefined ? undefined : moment.program.functions.get(symbol);
  if (at === null || range === undefined || range.language !== 'c') return null;
  const wanted = spelled(text);
  for (let id = range.first; id < range.end; id += 1) {
    const node = moment.program.code.nodes[id];
    if (node?.kind !== 'operation') continue;
    const { operation } = node;
    const stored = operation.kind === 'store' && spelled(operation.target) === wanted ? operation : null;
    const term = stored ?? expressionsOf(operation).flatMap(loadsIn).find((one) => spelled(one.text) === wanted) ?? null;
    if (term === null) continue;
    const draft = draftOf(moment.state);
    if (at.rsp !== undefined) setRegister(draft, RSP, at.rsp);
    const address = evaluate(draft, moment.setup, term.address);
    if (!isConstant(address) || regionIndexOf(moment.setup.layout, address.value) <= 0) return { name: text, value: 'unknown', watch: null };
    return { name: text, value: wordText(moment, load(draft, moment.setup, address.value, term.size)), watch: { kind: 'memory', address: address.value, size: term.size } };
  }
  return null;
}

function spelled(text: string): string {
  return text.replaceAll(/\s+/g, '');
}

function expressionsOf(operation: object): readonly CExpression[] {
  return Object.values(operation).flatMap((value: unknown) => (Array.isArray(value) ? value : [value])).filter(isExpression);
}

function isExpression(value: unknown): value is CExpression {
  return typeof value === 'object' && value !== null && 'kind' in value;
}

function loadsIn(expression: CExpression): readonly (CExpression & { readonly kind: 'load' })[] {
  switch (expression.kind) {
    case 'load':
      return [expression, ...loadsIn(expression.address)];
    case 'unary':
      return loadsIn(expression.operand);
    case 'binary':
      return [...loadsIn(expression.left), ...loadsIn(expression.right)];
    default:
      return [];
  }
}

function codeRow(moment: Moment, name: string): Row | null {
  const node = moment.program.code.symbols.get(name);
  return node === undefined ? null : { name, value: wordText(moment, constant(addressOfNode(node, false))), watch: null };
}
