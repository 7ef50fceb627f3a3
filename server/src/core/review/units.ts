// Units as they are linked for the texts of now, each once, with what is made of one when it is first asked for.
import type { Configuration } from '../preprocess/stream.ts';
import type { Program } from '../program/program.ts';
import type { Unit } from '../review-types.ts';
import type { Inspection } from '../rules/rule.ts';
import type { Scenario } from '../scenarios/scenario.ts';
import { sameCodeAs } from './as-before.ts';
import type { Contexts } from './contexts.ts';
import type { FrontEnd } from './front-end.ts';
import type { KernelReview } from './kernel-review.ts';
import { folderOf, isHeader, linkUnit, mayHaveEntries, programFor, unitFor, unitOfFolder } from './unit.ts';
import type { LinkedUnit } from './unit.ts';

export interface HeldUnit {
  readonly linked: LinkedUnit;
  readonly configuration: Configuration;
  /** Those of scenarios that bring handlers of their own, by name. */
  readonly programs: Map<string, Program>;
  contexts: Contexts | null;
  stubs: KernelReview | null;
}

export interface Units {
  readonly ofFolder: (folder: string) => HeldUnit | null;
  readonly ofFile: (file: string) => HeldUnit | null;
  /** What an editor is told of a file of a kernel tree rests on that file alone unless its unit has entries. */
  readonly edited: (file: string) => HeldUnit | null;
  /** The unit of a design as it was linked for texts of the same code. */
  readonly ofCode: (file: string) => HeldUnit | null;
  /** The folder of a kernel tree is known to have entries. */
  readonly readWhole: (folder: string) => void;
  /** Links all of them anew. */
  readonly forget: () => void;
}

export function createUnits({ workspace, texts, streams }: FrontEnd): Units {
  const held = new Map<string, HeldUnit>();
  const ofSameCode = new Map<string, HeldUnit>();
  const wholes = new Set<string>();

  function current(unit: Unit): HeldUnit {
    const before = held.get(unit.folder);
    if (before !== undefined && isCurrent(before, unit)) return before;
    const linked = linkUnit(unit, texts, streams);
    const made: HeldUnit = { linked, configuration: streams.chosen(unit.folder).configuration, programs: new Map(), contexts: null, stubs: null };
    held.set(unit.folder, made);
    return made;
  }

  function hasParts(before: HeldUnit, unit: Unit): boolean {
    return before.configuration === streams.chosen(unit.folder).configuration && before.linked.unit.files.join('\n') === unit.files.join('\n');
  }

  function isCurrent(before: HeldUnit, unit: Unit): boolean {
    if (!hasParts(before, unit)) return false;
    for (const [path, text] of before.linked.reads) if (texts.read(path) !== text) return false;
    return true;
  }

  return {
    ofFolder: (folder) => {
      const unit = unitOfFolder(folder, workspace);
      return unit === null ? null : current(unit);
    },
    ofFile: (file) => {
      const unit = unitFor(file, workspace);
      return unit === null ? null : current(unit);
    },
    edited: (file) => {
      const unit = unitFor(file, workspace);
      if (unit === null) return null;
      const alone = !isHeader(file) && streams.chosen(file).root !== null && !wholes.has(unit.folder) && !unit.files.some((one) => mayHaveEntries(one, texts.read(one)));
      return current(alone ? { folder: file, name: file.slice(folderOf(file).length + 1), files: [file] } : unit);
    },
    ofCode: (file) => {
      const unit = unitFor(file, workspace);
      if (unit === null) return null;
      const before = ofSameCode.get(unit.folder);
      if (before !== undefined && hasParts(before, unit) && sameCodeAs(before.linked.reads, texts.read)) return before;
      const made = current(unit);
      ofSameCode.set(unit.folder, made);
      return made;
    },
    readWhole: (folder) => void wholes.add(folder),
    forget: () => held.clear(),
  };
}

/** The program that a scenario is run on. */
export function programOf(unit: HeldUnit, scenario: Scenario): Program {
  if (scenario.handlers.every((handler) => handler.from !== null)) return unit.linked.program;
  const known = unit.programs.get(scenario.name);
  if (known !== undefined) return known;
  const made = programFor(unit.linked, scenario);
  unit.programs.set(scenario.name, made);
  return made;
}

/** What rules that need no exploration look at. */
export function inspectionOf(unit: HeldUnit, text: (file: string) => string | null): Inspection {
  return {
    program: unit.linked.program,
    text,
    annotations: [...unit.linked.annotations.values()].flatMap((set) => set.annotations),
  };
}
