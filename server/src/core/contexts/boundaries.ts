// Where asynchronous events are considered: of each run of instructions that commute with any event only the first
// boundary, so that verdicts and the lengths of shortest traces stay those of considering every boundary.
import type { CExpression, CodeNode, InstructionNode, MachineOperand, NodeId, OperationNode } from '../machine/code.ts';
import { CODE_REGION, nodeAtAddress, PERCPU_REGION, regionIndexOf } from '../machine/layout.ts';
import { RSP } from '../machine/registers.ts';
import { PRIMITIVE_BY_NAME } from '../kernel/primitives.ts';
import type { Program } from '../program/program.ts';

const known = new WeakMap<Program, ReadonlySet<NodeId>>();
const knownForVerdict = new WeakMap<Program, VerdictBoundaries>();

/** Boundaries that suffice for a verdict, where the trace is found by others. */
export interface VerdictBoundaries {
  readonly nested: ReadonlySet<NodeId>;
  /** For code on a stack that no nested event runs over: what its own stub keeps there is its own. */
  readonly elsewhere: ReadonlySet<NodeId>;
}

export function verdictBoundaries(program: Program): VerdictBoundaries {
  const found = knownForVerdict.get(program) ?? { nested: findBoundaries(program, nestingStubs(program), false), elsewhere: findBoundaries(program, new Set(), false) };
  knownForVerdict.set(program, found);
  return found;
}

/**
 * A node acts where an event before it and one behind it may end differently: it touches memory other than by a push or
 * pop, or state that a handler sees or changes. Events are considered in the interrupted contexts, behind every node that
 * acts, where events return to, and where an address that code compares with or jumps to begins another run.
 */
export function boundariesOf(program: Program): ReadonlySet<NodeId> {
  const found = known.get(program) ?? findBoundaries(program, nestingStubs(program), true);
  known.set(program, found);
  return found;
}

/** `flags`: what an instruction makes of the arithmetic flags counts: it changes at which boundary first a broken stub shows. */
function findBoundaries(program: Program, nested: ReadonlySet<string>, flags: boolean): ReadonlySet<NodeId> {
  const boundaries = new Set<NodeId>();
  const returning = new Set<string>();
  const add = (...nodes: readonly (NodeId | null | undefined)[]): void => {
    for (const node of nodes) if (node !== null && node !== undefined) boundaries.add(node);
  };
  for (const handler of program.handlers) add(handler.stub);
  if (program.fred !== null) add(program.fred.user, program.fred.kernel);
  add(program.taskWorkEntry);
  for (const { fixup } of program.code.extable) add(fixup);
  if (program.gap !== null) for (let node = program.gap.first; node <= program.gap.end; node += 1) add(node);
  for (const node of program.code.nodes) {
    if (node.kind === 'interrupted' || mayFault(program, node)) add(node.id);
    for (const address of constantsOf(node)) if (regionIndexOf(program.layout, address) === CODE_REGION) add(nodeAtAddress(address));
    if (!acts(node, nested) && !(flags && node.kind === 'instruction' && SETS_FLAGS.test(node.mnemonic))) continue;
    if (node.kind === 'operation' && node.operation.kind === 'return') returning.add(node.symbol);
    for (const behind of followers(node)) {
      add(behind);
      // One boundary of blocking by STI or MOV SS: the first event comes one instruction later.
      const shadowed = program.code.nodes[behind];
      if (shadowed !== undefined && setsShadow(node)) add(...followers(shadowed));
    }
  }
  for (const node of program.code.nodes) {
    if (node.kind === 'operation' && node.operation.kind === 'call' && returning.has(node.operation.name)) add(node.operation.next);
    if (node.kind === 'instruction' && node.target !== null && node.mnemonic.startsWith('call') && returning.has(program.code.nodes[node.target]?.symbol ?? '')) add(node.next);
  }
  return boundaries;
}

/** Stubs that keep words between two events on their own stack. */
function nestingStubs(program: Program): ReadonlySet<string> {
  const names = new Set<string>();
  for (const handler of program.handlers) {
    const stack = program.layout.regions.find((region) => region.name === handler.ist.value);
    if (stack?.keepsStale === true) names.add(program.code.nodes[handler.stub]?.symbol ?? handler.stubName);
  }
  return names;
}

function acts(node: CodeNode, nested: ReadonlySet<string>): boolean {
  switch (node.kind) {
    case 'interrupted':
      return true;
    case 'feature':
      return false;
    case 'operation':
      return operationActs(node);
    case 'instruction':
      return instructionActs(node, nested.has(node.symbol));
  }
}

function operationActs({ operation }: OperationNode): boolean {
  switch (operation.kind) {
    case 'store':
    case 'opaque':
      return true;
    case 'primitive':
      return PRIMITIVE_BY_NAME.get(operation.name)?.effect !== 'nothing' || operation.arguments.some(hasLoad);
    case 'assign':
      return hasLoad(operation.value);
    case 'branch':
      return hasLoad(operation.condition);
    case 'call':
      return operation.arguments.some(hasLoad);
    case 'return':
      return operation.value !== null && hasLoad(operation.value);
    case 'enter':
    case 'result':
      return false;
  }
}

const ACTING = /^(iret|eret|int|ud2|sysenter|sysexit|tdcall|swapgs|sti|cli|popf|pushf|rdmsr|wrmsr|rdgs|wrgs|std|cld|movs[bwlq]?$|stos|syscall|sysret|leave|hlt)/;

/** What is known of the arithmetic flags is in the frame of an event: one that returns by the wrong words may load them. */
const SETS_FLAGS = /^(cmp|test|and|or|xor|add|sub|inc|dec|neg|sh[lr]|sa[lr]|ro[lr]|bt)/;

/**
 * What lies above RSP is the code's own: an event that writes there overwrites a live frame, which is seen when it
 * does. Only a stub with a nesting protocol is run over on its own stack and goes on. What it pushes counts as written
 * when the next boundary comes: an event there runs over all that one in between would.
 */
function instructionActs(node: InstructionNode, nested: boolean): boolean {
  if (node.mnemonic.startsWith('lea')) return writesRsp(node);
  if (node.operands.some((operand) => (operand.kind === 'memory' && (nested || operand.base !== RSP)) || operand.kind === 'system-register')) return true;
  if (writesRsp(node) && !/^(push|cmp|test)/.test(node.mnemonic)) return true;
  return (ACTING.test(node.mnemonic) && node.operands.every((operand) => operand.kind !== 'register' || !node.mnemonic.startsWith('movs'))) || (node.mnemonic.startsWith('push') && node.operands[0]?.kind === 'immediate');
}

function writesRsp(node: InstructionNode): boolean {
  const last = node.operands.at(-1);
  return last?.kind === 'register' && last.register === RSP;
}

function setsShadow(node: CodeNode): boolean {
  if (node.kind !== 'instruction') return false;
  const target = node.operands.at(-1);
  return node.mnemonic === 'sti' || (target?.kind === 'system-register' && target.name === 'ss');
}

function followers(node: CodeNode): readonly NodeId[] {
  switch (node.kind) {
    case 'interrupted':
      return [];
    case 'feature':
      return [node.present, node.absent];
    case 'instruction':
      return [node.next, node.target].filter((one): one is NodeId => one !== null);
    case 'operation':
      switch (node.operation.kind) {
        case 'branch':
          return [node.operation.then, node.operation.otherwise];
        case 'call':
          return [node.operation.callee];
        case 'return':
          return [];
        default:
          return [node.operation.next];
      }
  }
}

/** Whether one of its accesses may be to memory that fails: an event that returns here starts another run. */
function mayFault(program: Program, node: CodeNode): boolean {
  switch (node.kind) {
    case 'interrupted':
    case 'feature':
      return false;
    case 'instruction':
      return !/^(lea|nop|verw|prefetch|jmp|call)/.test(node.mnemonic) && node.operands.some((operand) => operand.kind === 'memory' && !pinned(program, operand));
    case 'operation': {
      const { operation } = node;
      if (operation.kind === 'opaque') return true;
      if (operation.kind === 'primitive' && PRIMITIVE_BY_NAME.get(operation.name)?.effect === 'user-access') return true;
      return addressesOf(operation).some((address) => !pinnedAddress(program, address));
    }
  }
}

/** Stacks and per-CPU data do not fail. */
function pinned(program: Program, operand: MachineOperand & { readonly kind: 'memory' }): boolean {
  if (operand.segment === 'gs') return operand.base === null && operand.index === null;
  if (operand.base === RSP) return true;
  return operand.base === null && operand.index === null && regionIndexOf(program.layout, BigInt.asUintN(64, operand.displacement)) === PERCPU_REGION;
}

function pinnedAddress(program: Program, address: CExpression): boolean {
  return address.kind === 'local-address' || (address.kind === 'constant' && regionIndexOf(program.layout, BigInt.asUintN(64, address.value)) === PERCPU_REGION);
}

function expressionsOf(operation: OperationNode['operation']): readonly CExpression[] {
  switch (operation.kind) {
    case 'assign':
      return [operation.value];
    case 'store':
      return [operation.address, operation.value];
    case 'branch':
      return [operation.condition];
    case 'call':
    case 'primitive':
    case 'opaque':
      return operation.arguments;
    case 'return':
      return operation.value === null ? [] : [operation.value];
    case 'enter':
    case 'result':
      return [];
  }
}

function addressesOf(operation: OperationNode['operation']): readonly CExpression[] {
  const out: CExpression[] = operation.kind === 'store' ? [operation.address] : [];
  const walk = (expression: CExpression): void => {
    if (expression.kind === 'load') out.push(expression.address);
    for (const part of partsOf(expression)) walk(part);
  };
  for (const expression of expressionsOf(operation)) walk(expression);
  return out;
}

function constantsOf(node: CodeNode): readonly bigint[] {
  const out: bigint[] = [];
  if (node.kind === 'instruction') {
    for (const operand of node.operands) {
      if (operand.kind === 'immediate') out.push(BigInt.asUintN(64, operand.value));
      if (operand.kind === 'memory') out.push(BigInt.asUintN(64, operand.displacement));
    }
  }
  if (node.kind === 'operation') {
    const walk = (expression: CExpression): void => {
      if (expression.kind === 'constant') out.push(BigInt.asUintN(64, expression.value));
      for (const part of partsOf(expression)) walk(part);
    };
    for (const expression of expressionsOf(node.operation)) walk(expression);
  }
  return out;
}

function partsOf(expression: CExpression): readonly CExpression[] {
  switch (expression.kind) {
    case 'load':
      return [expression.address];
    case 'unary':
      return [expression.operand];
    case 'binary':
      return [expression.left, expression.right];
    default:
      return [];
  }
}

function hasLoad(expression: CExpression): boolean {
  return expression.kind === 'load' || partsOf(expression).some(hasLoad);
}
