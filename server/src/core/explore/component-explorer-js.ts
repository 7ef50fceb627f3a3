// The component explorer in plain JavaScript: the reference of wasm/explorer.c, and what runs where WebAssembly may not.
import { checkLimits, NOTHING } from './components.ts';
import type { ComponentExplorer, ComponentModel } from './components.ts';
import { createComponentStates } from './component-states.ts';

/** Answers of the model by slot and operands, in a table that grows by doubling. */
function createAnswers(model: ComponentModel): { readonly of: (slot: number, x: number, y: number) => number; readonly count: () => number } {
  let table = new Int32Array(4 << 12);
  let count = 0;
  const hash = (slot: number, x: number, y: number): number => {
    const value = Math.imul(Math.imul(slot ^ Math.imul(x, 0x9e3779b1), 0x85ebca77) ^ y, 0xc2b2ae3d);
    return (value ^ (value >>> 15)) & (table.length / 4 - 1);
  };

  function put(slot: number, x: number, y: number, value: number): void {
    let at = hash(slot, x, y);
    while (table[at * 4] !== 0) at = (at + 1) & (table.length / 4 - 1);
    table.set([slot + 1, x, y, value], at * 4);
  }

  function ask(slot: number, x: number, y: number): number {
    const value = model.resolve(slot, x, y);
    count += 1;
    if (count * 8 > table.length) {
      const old = table;
      table = new Int32Array(old.length * 2);
      for (let at = 0; at < old.length; at += 4) if (old[at] !== 0) put((old[at] ?? 0) - 1, old[at + 1] ?? 0, old[at + 2] ?? 0, old[at + 3] ?? 0);
    }
    put(slot, x, y, value);
    return value;
  }

  return {
    of: (slot, x, y) => {
      for (let at = hash(slot, x, y); table[at * 4] !== 0; at = (at + 1) & (table.length / 4 - 1)) {
        if (table[at * 4] === slot + 1 && table[at * 4 + 1] === x && table[at * 4 + 2] === y) return table[at * 4 + 3] ?? 0;
      }
      return ask(slot, x, y);
    },
    count: () => count,
  };
}

export function javaScriptExplorer(model: ComponentModel, maxStates: number): ComponentExplorer {
  checkLimits(model);
  const answers = createAnswers(model);
  const maskWords = Math.max(1, Math.ceil(model.rules.length / 32));
  const masks: Uint32Array[][] = Array.from({ length: model.components }, () => []);
  const registers = new Uint32Array(NOTHING + 1);
  const before = new Uint32Array(model.components);
  const after = new Uint32Array(model.components);
  const enabled = new Uint32Array(maskWords);
  const firstSeen = new Int32Array(model.rules.length).fill(-1);
  const roots = model.roots();
  const sizes = (): readonly number[] => Array.from({ length: model.components }, (_, component) => model.size(component));
  const states = createComponentStates(sizes());
  let head = 0;
  let layerEnd = 0;
  let depth = 0;
  let transitions = 0;
  let bounded = false;
  let tooWide = false;

  for (const [number, ids] of roots.entries()) states.add(ids, -1 - number, maxStates);
  layerEnd = states.count();

  function maskOf(component: number, id: number): Uint32Array {
    const known = masks[component]?.[id];
    if (known !== undefined) return known;
    const mask = new Uint32Array(maskWords);
    for (let rule = 0; rule < model.rules.length; rule += 1) if (model.allows(component, id, rule)) mask[rule >> 5] = (mask[rule >> 5] ?? 0) | (1 << (rule & 31));
    const list = masks[component];
    if (list !== undefined) list[id] = mask;
    return mask;
  }

  /** Reads a state and what its components allow. */
  function look(index: number): void {
    states.read(index, before);
    enabled.fill(0xffff_ffff);
    for (let component = 0; component < model.components; component += 1) {
      const id = before[component] ?? 0;
      registers[component] = id;
      const mask = maskOf(component, id);
      for (let at = 0; at < maskWords; at += 1) enabled[at] = (enabled[at] ?? 0) & (mask[at] ?? 0);
    }
  }

  /** Runs a rule on the state last looked at, into `after`; false where a guard stops it or an id does not fit. */
  function runs(number: number): boolean {
    const rule = model.rules[number];
    if (rule === undefined) return false;
    for (const { slot, x, y, out, guard } of rule.steps) {
      const value = answers.of(slot, registers[x] ?? 0, registers[y] ?? 0);
      registers[out] = value;
      if (guard && value === 0) return false;
    }
    after.set(before);
    for (const [component, register] of rule.writes) {
      const id = registers[register] ?? 0;
      after[component] = id;
      if (!states.fits(component, id)) tooWide = true;
    }
    return !tooWide;
  }

  function numbersEnabled(): readonly number[] {
    const numbers: number[] = [];
    for (let at = 0; at < maskWords; at += 1) for (let bits = enabled[at] ?? 0; bits !== 0; bits &= bits - 1) numbers.push(at * 32 + 31 - Math.clz32(bits & -bits));
    return numbers;
  }

  /** False where the state has to be expanded again, once there is room. */
  function expand(index: number): boolean {
    look(index);
    let made = 0;
    for (const number of numbersEnabled()) {
      const goes = runs(number);
      if (tooWide) return false;
      if (!goes) continue;
      if (model.rules[number]?.observation === true) {
        if (firstSeen[number] === -1) firstSeen[number] = index;
        continue;
      }
      const outcome = states.add(after, index, maxStates);
      if (outcome === 'full') return false;
      if (outcome === 'bounded') bounded = true;
      made += 1;
    }
    transitions += made;
    return true;
  }

  function ruleBetween(from: number, to: number): number {
    look(from);
    const wanted = new Uint32Array(model.components);
    states.read(to, wanted);
    return numbersEnabled().find((number) => model.rules[number]?.observation === false && runs(number) && after.every((id, at) => id === wanted[at])) ?? -1;
  }

  return {
    run: (units) => {
      let left = states.maintain(units);
      while (left > 0 && head < states.count() && !states.maintaining()) {
        if (head === layerEnd) {
          depth += 1;
          layerEnd = states.count();
        }
        left -= 1;
        if (expand(head)) head += 1;
        else if (tooWide) {
          tooWide = false;
          states.widen(sizes());
        }
      }
      return { states: states.count(), expanded: head, transitions, depth, done: head === states.count() && !states.maintaining(), boundHit: bounded ? 'states' : null };
    },
    firstSeen: (rule) => firstSeen[rule] ?? -1,
    pathTo: (index) => {
      const rules: number[] = [];
      let to = index;
      let parent = states.parentOf(to);
      for (; parent >= 0; parent = states.parentOf(to)) {
        rules.push(ruleBetween(parent, to));
        to = parent;
      }
      return { root: -1 - parent, rules: rules.reverse() };
    },
    idsOf: (index) => {
      const ids = new Uint32Array(model.components);
      states.read(index, ids);
      return [...ids];
    },
    bytes: () => states.bytes(),
    answers: answers.count,
  };
}
