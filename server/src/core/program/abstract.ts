// Handlers that a scenario gives as a list of operations: a stub with the operations between its pushes and its pops,
// so that a sketch from a mail runs on the same machine as code.
import type { Origin, Place } from '../base/span.ts';
import type { CExpression, CodeNode, ExtableEntry, MachineOperand, NodeId, Operation, RegisterIndex } from '../machine/code.ts';
import { PERCPU_REGION, regionBase } from '../machine/layout.ts';
import { vectorByName } from '../machine/vectors.ts';
import type { AbstractHandler, AbstractOp, ScenarioGuard } from '../scenarios/scenario.ts';
import type { GateRow } from './gates.ts';
import type { Guard } from './program.ts';
import { PUSHED } from './synthesize.ts';

export interface AbstractDesign {
  readonly handlers: readonly AbstractHandler[];
  readonly guards: readonly ScenarioGuard[];
}

export interface AbstractCode {
  readonly nodes: readonly CodeNode[];
  readonly extable: readonly ExtableEntry[];
  readonly rows: readonly GateRow[];
  readonly guards: readonly Guard[];
  readonly functions: ReadonlyMap<string, NodeId>;
  readonly end: NodeId;
}

/** NMI stack of a sketch: its entry is taken to tolerate nesting, since a sketch of another vector says nothing of it. */
export const NESTING_SAFE_NMI_STACK = 'NMI (nesting handled)';

const REARM_VECTOR = 0xf0;
const PT_REGS_BYTES = 0xa8n;
const RSP_OFFSET = 0x98n;

const register = (index: RegisterIndex): MachineOperand => ({ kind: 'register', register: index, size: 8, high: false });
const immediate = (value: bigint): MachineOperand => ({ kind: 'immediate', value });
const regs: CExpression = { kind: 'local-address', slot: 0, offset: 0 };
const number = (value: bigint): CExpression => ({ kind: 'constant', value });

/** `names` places the guards' words: the guard `ve.busy` is the per-CPU variable of that name. */
export function abstractHandlers(design: AbstractDesign, from: NodeId, variable: (name: string, perCpu: boolean) => bigint): AbstractCode {
  const nodes: CodeNode[] = [];
  const extable: ExtableEntry[] = [];
  const rows: GateRow[] = [];
  const functions = new Map<string, NodeId>();
  const address = (guard: string): bigint => regionBase(PERCPU_REGION) + variable(guard, true);
  const information = (guard: string): bigint => regionBase(PERCPU_REGION) + variable(`${guard} information`, true);
  const landing = design.handlers.flatMap((handler) => handler.ops).find(({ op }) => op.kind === 'clear' && op.at === 'landing-pad');

  const next = (): NodeId => from + nodes.length;
  const instruction = (symbol: string, origin: Origin, text: string, operands: readonly MachineOperand[], target: NodeId | null = null): NodeId => {
    const id = next();
    const words = text.split(' ');
    const repeated = words[0] === 'rep';
    nodes.push({
      kind: 'instruction',
      id,
      symbol,
      text,
      origin,
      mnemonic: (repeated ? words[1] : words[0]) ?? '',
      prefixes: repeated ? ['rep'] : [],
      operands,
      next: text === 'iretq' || text.startsWith('jmp') ? null : id + 1,
      target,
      targetName: null,
    });
    return id;
  };
  const operation = (symbol: string, origin: Origin, text: string, make: (id: NodeId) => Operation): NodeId => {
    const id = next();
    nodes.push({ kind: 'operation', id, symbol, text, origin, operation: make(id) });
    return id;
  };

  const stub = (symbol: string, place: Place | null, errorCode: boolean, body: () => void): NodeId => {
    const origin = originOf(place);
    const entry = next();
    instruction(symbol, origin, 'cld', []);
    if (!errorCode) instruction(symbol, origin, 'pushq $-1', [immediate(-1n)]);
    for (const index of PUSHED) instruction(symbol, origin, 'pushq register', [register(index)]);
    body();
    for (const index of [...PUSHED].reverse()) instruction(symbol, origin, 'popq register', [register(index)]);
    instruction(symbol, origin, 'addq $8, %rsp', [immediate(8n), register(4)]);
    instruction(symbol, origin, 'iretq', []);
    return entry;
  };

  const clear = (symbol: string, origin: Origin, guard: string, text: string): NodeId =>
    operation(symbol, origin, text, (id) => ({ kind: 'store', address: number(address(guard)), size: 4, value: number(0n), form: 'plain', target: guard, next: id + 1 }));

  const deferrals: { guard: string; place: Place; vector: number }[] = [];
  const run = (symbol: string, op: AbstractOp, place: Place, text: string): void => {
    const origin = originOf(place);
    switch (op.kind) {
      case 'read-info': {
        const guard = design.guards[0]?.name ?? 'guard';
        operation(symbol, origin, text, (id) => ({ kind: 'primitive', name: 'asm:', arguments: [{ kind: 'load', address: number(information(guard)), size: 8, text }], result: null, next: id + 1, fixup: null }));
        return;
      }
      case 'fixup': {
        const inHandler = design.handlers.flatMap((handler) => handler.ops).find((one) => one.op.kind === 'clear' && one.op.at === 'extable-handler');
        operation(symbol, origin, text, (id) => ({ kind: 'primitive', name: '__continue_at_fixup', arguments: [regs], result: null, next: id + 1, fixup: null }));
        if (inHandler?.op.kind === 'clear') clear('ex_handler', originOf(inHandler.place), inHandler.op.guard, inHandler.text);
        return;
      }
      case 'clear':
        if (op.at === 'here') clear(symbol, origin, op.guard, text);
        return;
      case 'defer': {
        const before = deferrals.find((one) => one.guard === op.clears);
        const vector = before?.vector ?? REARM_VECTOR + deferrals.length;
        if (before === undefined) deferrals.push({ guard: op.clears, place, vector });
        operation(symbol, origin, text, (id) => ({ kind: 'primitive', name: 'apic_self_ipi', arguments: [number(BigInt(vector))], result: null, next: id + 1, fixup: null }));
        return;
      }
      case 'access': {
        const id = operation(symbol, origin, text, (at) => ({ kind: 'primitive', name: '__get_user', arguments: [], result: null, next: at + 1, fixup: null }));
        if (landing?.op.kind === 'clear') {
          const skip = instruction(symbol, origin, 'jmp 1f', []);
          const pad = clear(symbol, originOf(landing.place), landing.op.guard, landing.text);
          nodes[skip - from] = { ...(nodes[skip - from] as CodeNode & { kind: 'instruction' }), target: next() };
          extable.push({ fault: id, fixup: pad, type: 'EX_TYPE_UACCESS' });
        } else extable.push({ fault: id, fixup: id + 1, type: 'EX_TYPE_UACCESS' });
        return;
      }
      case 'enable-irqs':
      case 'disable-irqs':
        operation(symbol, origin, text, (id) => ({ kind: 'primitive', name: op.kind === 'enable-irqs' ? 'local_irq_enable' : 'local_irq_disable', arguments: [], result: null, next: id + 1, fixup: null }));
        return;
      case 'switch-stack':
        switchStack(symbol, origin, op.to);
        return;
      case 'work':
        operation(symbol, origin, text, (id) => ({ kind: 'opaque', name: op.text, arguments: [], result: null, next: id + 1 }));
        return;
      case 'panic':
        operation(symbol, origin, text, (id) => ({ kind: 'primitive', name: 'panic', arguments: [], result: null, next: id + 1, fixup: null }));
        return;
      case 'iret':
        return;
    }
  };

  /** From user mode every sketch's stub goes to the task stack; `switch-stack` is about the kernel's own events. */
  const toTaskFromUser = (symbol: string, origin: Origin): void => {
    instruction(symbol, origin, 'testb $3, CS(%rsp)', [immediate(3n), { kind: 'memory', segment: null, displacement: 0x88n, base: 4, index: null, scale: 1 }]);
    const jump = instruction(symbol, origin, 'je 1f', []);
    copyRegs(symbol, origin, (target) => instruction(symbol, origin, 'movq %gs:top_of_stack, %rdi', [{ kind: 'memory', segment: null, displacement: regionBase(PERCPU_REGION) + variable('top_of_stack', true), base: null, index: null, scale: 1 }, target]));
    nodes[jump - from] = { ...(nodes[jump - from] as CodeNode & { kind: 'instruction' }), target: next() };
  };

  const copyRegs = (symbol: string, origin: Origin, loadTop: (target: MachineOperand) => NodeId): void => {
    instruction(symbol, origin, 'movq %rsp, %rsi', [register(4), register(6)]);
    loadTop(register(7));
    instruction(symbol, origin, 'andq $-16, %rdi', [immediate(-16n), register(7)]);
    instruction(symbol, origin, 'subq $0xa8, %rdi', [immediate(PT_REGS_BYTES), register(7)]);
    instruction(symbol, origin, 'movq %rdi, %rax', [register(7), register(0)]);
    instruction(symbol, origin, 'movl $21, %ecx', [immediate(21n), register(1)]);
    instruction(symbol, origin, 'rep movsq', []);
    instruction(symbol, origin, 'movq %rax, %rsp', [register(0), register(4)]);
  };

  const switchStack = (symbol: string, origin: Origin, to: 'interrupted' | 'task' | 'checked'): void => {
    const interrupted: MachineOperand = { kind: 'memory', segment: null, displacement: RSP_OFFSET, base: 4, index: null, scale: 1 };
    const perCpu = (name: string): MachineOperand => ({ kind: 'memory', segment: null, displacement: regionBase(PERCPU_REGION) + variable(name, true), base: null, index: null, scale: 1 });
    copyRegs(symbol, origin, (target) => {
      if (to !== 'checked') return instruction(symbol, origin, 'movq new_stack, %rdi', [to === 'task' ? perCpu('top_of_stack') : interrupted, target]);
      // A stack pointer that is not the kernel's is not used: what was interrupted there goes on with a stack of its own.
      const first = instruction(symbol, origin, 'movq fallback_stack, %rdi', [perCpu('fallback_stack_top'), target]);
      instruction(symbol, origin, 'testq %rsp_of_interrupted', [immediate(-1n), interrupted]);
      const skip = instruction(symbol, origin, 'jns 1f', []);
      instruction(symbol, origin, 'movq new_stack, %rdi', [interrupted, target]);
      nodes[skip - from] = { ...(nodes[skip - from] as CodeNode & { kind: 'instruction' }), target: next() };
      return first;
    });
  };

  for (const handler of design.handlers) {
    if (handler.from !== null) continue;
    const vector = vectorByName(handler.vector)?.number ?? Number(handler.vector);
    const symbol = handler.name;
    const errorCode = vectorByName(handler.vector)?.errorCode === true;
    const entry = stub(symbol, handler.place, errorCode, () => {
      toTaskFromUser(symbol, originOf(handler.place));
      for (const { op, place, text } of handler.ops) run(symbol, op, place, text);
    });
    functions.set(symbol, entry);
    const ist = vector === 2 ? NESTING_SAFE_NMI_STACK : handler.ist;
    rows.push({ vector, name: vectorByName(handler.vector)?.name ?? handler.vector, stub: null, function: null, ist: { value: ist, place: handler.place, from: 'annotation' }, dpl: 0, errorCode, place: handler.place, entry });
  }
  for (const deferral of deferrals) {
    const symbol = `re-arm of ${deferral.guard}`;
    const entry = stub(symbol, deferral.place, false, () => {
      toTaskFromUser(symbol, originOf(deferral.place));
      clear(symbol, originOf(deferral.place), deferral.guard, `${deferral.guard} = 0`);
    });
    rows.push({ vector: deferral.vector, name: symbol, stub: null, function: null, ist: { value: null, place: null, from: 'assumption' }, dpl: 0, errorCode: false, place: deferral.place, entry });
  }
  return { nodes, extable, rows, guards: design.guards.map((guard) => abstractGuard(guard, design, address, information)), functions, end: from + nodes.length };
}

function originOf(place: Place | null): Origin {
  return { file: place?.file ?? '', span: place?.span ?? { start: 0, end: 0 }, uses: [] };
}

function abstractGuard(guard: ScenarioGuard, design: AbstractDesign, address: (guard: string) => bigint, information: (guard: string) => bigint): Guard {
  const machineBit = /mcip/i.test(guard.name) ? 'mcip' : null;
  const guarded = guard.vector ?? design.handlers.find((handler) => !/^(NMI|IRQ)$/i.test(handler.vector))?.vector ?? 'VE';
  return {
    name: guard.name,
    vector: machineBit === 'mcip' ? 18 : (vectorByName(guarded)?.number ?? 20),
    address: machineBit === 'mcip' ? null : address(guard.name),
    size: 4,
    machineBit,
    info: { start: information(guard.name), end: information(guard.name) + 8n },
    setBy: guard.set,
    fallback: guard.fallback,
    clears: null,
    protects: guard.protects,
    place: null,
    implicit: false,
  };
}
