// The component explorer in WebAssembly: one fixed module (wasm/explorer.c), instantiated once an exploration. No code is
// made at run time.
import { checkLimits, LARGEST } from './components.ts';
import type { ComponentExplorer, ComponentModel, ComponentProgress } from './components.ts';

/** The part of the platform that is needed, which neither ES nor the core's own types declare. */
declare const WebAssembly: {
  readonly Module: new (bytes: Uint8Array) => CompiledExplorer;
  readonly Instance: new (module: CompiledExplorer, imports: object) => { readonly exports: unknown };
};

/** A compiled module; it can be shared between threads. */
export type CompiledExplorer = object;

interface Exports {
  readonly memory: { readonly buffer: ArrayBuffer };
  readonly ruleTable: () => number;
  readonly stepTable: () => number;
  readonly writeTable: () => number;
  readonly firstSeenTable: () => number;
  readonly rootIds: () => number;
  readonly begin: (components: number, rules: number, maxStates: number) => number;
  readonly added: (component: number) => number;
  readonly addRoot: (root: number) => number;
  readonly run: (units: number) => number;
  readonly stateCount: () => number;
  readonly expandedCount: () => number;
  readonly transitionCount: () => number;
  readonly layers: () => number;
  readonly wasBounded: () => number;
  readonly bytesUsed: () => number;
  readonly answersKept: () => number;
  readonly parentOf: (index: number) => number;
  readonly idsOf: (index: number) => void;
  readonly ruleBetween: (from: number, to: number) => number;
}

const DONE = 1;
const NO_MEMORY = 2;
const NONE = 0xffff_ffff;

export function compileExplorer(bytes: Uint8Array): CompiledExplorer {
  return new WebAssembly.Module(bytes);
}

export function wasmExplorer(module: CompiledExplorer, model: ComponentModel, maxStates: number): ComponentExplorer {
  checkLimits(model);
  const told: number[] = Array.from({ length: model.components }, () => 0);
  const maskWords = Math.max(1, Math.ceil(model.rules.length / 32));
  const mask = new Uint32Array(maskWords);
  let view = new Uint32Array(0);

  const core = new WebAssembly.Instance(module, {
    model: {
      resolve: (slot: number, x: number, y: number) => {
        const value = model.resolve(slot, x, y);
        if (value < 0 || value >= LARGEST) throw new Error(`the model answered ${value}; answers are below ${LARGEST}`);
        tellNewIds();
        return value;
      },
    },
  }).exports as Exports;

  /** Words of the core's memory from an address; the memory moves when it grows. */
  function at(address: number, words: number): Uint32Array {
    if (view.buffer !== core.memory.buffer) view = new Uint32Array(core.memory.buffer);
    return view.subarray(address >>> 2, (address >>> 2) + words);
  }

  function tellNewIds(): void {
    for (let component = 0; component < model.components; component += 1) {
      for (let id = told[component] ?? 0; id < model.size(component); id += 1) {
        mask.fill(0);
        for (let rule = 0; rule < model.rules.length; rule += 1) if (model.allows(component, id, rule)) mask[rule >> 5] = (mask[rule >> 5] ?? 0) | (1 << (rule & 31));
        const address = core.added(component) >>> 0;
        if (address === 0) return;
        at(address, maskWords).set(mask);
        told[component] = id + 1;
      }
    }
  }

  function writeTables(): void {
    let step = 0;
    let write = 0;
    model.rules.forEach((rule, number) => {
      at(core.ruleTable() + number * 20, 5).set([step, rule.steps.length, write, rule.writes.length, rule.observation ? 1 : 0]);
      for (const { slot, x, y, out, guard } of rule.steps) {
        at(core.stepTable() + step * 8, 2).set([slot, x | (y << 8) | (out << 16) | ((guard ? 1 : 0) << 24)]);
        step += 1;
      }
      const bytes = new Uint8Array(core.memory.buffer, core.writeTable());
      for (const [component, register] of rule.writes) {
        bytes[write * 2] = component;
        bytes[write * 2 + 1] = register;
        write += 1;
      }
    });
  }

  writeTables();
  const roots = model.roots();
  let status = core.begin(model.components, model.rules.length, maxStates) === 1 ? 0 : NO_MEMORY;
  tellNewIds();
  roots.forEach((ids, number) => {
    at(core.rootIds(), ids.length).set(ids);
    if (core.addRoot(number) === 0) status = NO_MEMORY;
  });

  function progress(): ComponentProgress {
    return {
      states: core.stateCount() >>> 0,
      expanded: core.expandedCount() >>> 0,
      transitions: core.transitionCount(),
      depth: core.layers() >>> 0,
      done: status === DONE || status === NO_MEMORY,
      boundHit: status === NO_MEMORY ? 'memory' : core.wasBounded() === 0 ? null : 'states',
    };
  }

  return {
    run: (units) => {
      if (status !== NO_MEMORY) status = core.run(units);
      return progress();
    },
    firstSeen: (rule) => {
      const index = at(core.firstSeenTable() + rule * 4, 1)[0] ?? NONE;
      return index === NONE ? -1 : index;
    },
    pathTo: (index) => {
      const rules: number[] = [];
      let to = index;
      let parent = core.parentOf(to);
      for (; parent >= 0; parent = core.parentOf(to)) {
        if (parent >= to) throw new Error(`state ${to} was found from ${parent}, which comes behind it`);
        rules.push(core.ruleBetween(parent, to));
        to = parent;
      }
      return { root: -1 - parent, rules: rules.reverse() };
    },
    idsOf: (index) => {
      core.idsOf(index);
      return [...at(core.rootIds(), model.components)];
    },
    bytes: () => core.bytesUsed(),
    answers: () => core.answersKept() >>> 0,
  };
}
