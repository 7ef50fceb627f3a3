// A unit as read and linked: the files of one folder with the headers they follow, its annotations, scenarios and
// program. Derived from texts alone; a unit whose texts changed is made anew.
import type { Read } from '../base/reads.ts';
import type { Problem } from '../base/span.ts';
import { is32 } from '../preprocess/configurations.ts';
import type { AssemblerStream, Configuration, FileSource } from '../preprocess/stream.ts';
import { buildProgram } from '../program/build.ts';
import type { CSource } from '../program/c-source.ts';
import type { Program } from '../program/program.ts';
import { vectorByNumber } from '../machine/vectors.ts';
import { aloneScenario, builtInScenarios } from '../scenarios/built-in.ts';
import { isScenarioFile, parseScenarios } from '../scenarios/scenario-file.ts';
import type { ScenarioFile } from '../scenarios/scenario-file.ts';
import type { Scenario } from '../scenarios/scenario.ts';
import { isSidecarFile } from '../syntax/annotation-sidecar.ts';
import type { AnnotationSet, Directive } from '../syntax/annotation-types.ts';
import { parseAnnotations } from '../syntax/annotations.ts';
import { scanComments } from '../syntax/comments.ts';
import type { Unit, Workspace } from '../review-types.ts';
import type { Streams } from './streams.ts';
import { applies } from './run.ts';
import { joinSidecar } from './sidecar.ts';

export interface LinkedUnit {
  readonly unit: Unit;
  readonly streams: readonly AssemblerStream[];
  readonly sources: readonly CSource[];
  readonly annotations: ReadonlyMap<string, AnnotationSet>;
  readonly scenarioFiles: ReadonlyMap<string, ScenarioFile>;
  readonly program: Program;
  /** Folder of the kernel tree that the unit lies in, or null. */
  readonly root: string | null;
  /** Texts the unit was made of, headers included; null for a file that was looked for and not found. */
  readonly reads: ReadonlyMap<string, string | null>;
}

/** Folders with more sources than this are reviewed file by file. */
const MOST_SOURCES = 24;
const LARGEST_TEXT = 2_000_000;

export function isAssembler(file: string): boolean {
  return /\.(S|s)$/.test(file) && !file.endsWith('.lds.S');
}

export function isC(file: string): boolean {
  return file.endsWith('.c');
}

export function isHeader(file: string): boolean {
  return file.endsWith('.h');
}

/** Why a text is not analysed, or null. */
export function refusalOf(text: string): string | null {
  if (text.length > LARGEST_TEXT) return `not analysed: larger than ${LARGEST_TEXT / 1_000_000} million characters`;
  if (text.includes('\0')) return 'not analysed: this is a binary file';
  return null;
}

export function folderOf(file: string): string {
  const slash = file.lastIndexOf('/');
  return slash < 0 ? '' : slash === 0 ? '/' : file.slice(0, slash);
}

export function join(folder: string, name: string): string {
  return folder === '' ? name : folder.endsWith('/') ? `${folder}${name}` : `${folder}/${name}`;
}

/** The unit of a file, or null where the file is of no kind that is reviewed. */
export function unitFor(file: string, workspace: Workspace): Unit | null {
  if (!isAssembler(file) && !isC(file) && !isHeader(file) && !isScenarioFile(file) && !isSidecarFile(file)) return null;
  const folder = folderOf(file);
  const names = workspace.list(folder);
  const sources = names.filter((name) => isAssembler(name) || isC(name));
  if (sources.length > MOST_SOURCES && (isAssembler(file) || isC(file))) return { folder: file, name: file.slice(folder.length).replace(/^\//, ''), files: [file] };
  return unitOfFolder(folder, workspace);
}

export function unitOfFolder(folder: string, workspace: Workspace): Unit | null {
  if (isAssembler(folder) || isC(folder)) return { folder, name: folder.slice(folder.lastIndexOf('/') + 1), files: [folder] };
  const files = workspace
    .list(folder)
    .filter((name) => isAssembler(name) || isC(name) || isScenarioFile(name) || isSidecarFile(name))
    .sort()
    .map((name) => join(folder, name));
  if (files.filter((file) => isAssembler(file) || isC(file)).length > MOST_SOURCES) return null;
  // A text that is on no disk may have no folder: it is called by its own name.
  const [first = ''] = files;
  return files.length === 0 ? null : { folder, name: folder.slice(folder.lastIndexOf('/') + 1) || first.replace(/^[a-z]+:/, ''), files };
}

/** The program is built when it is first asked for: in a kernel tree that is seldom. */
export function linkUnit(unit: Unit, source: FileSource, front: Streams): LinkedUnit {
  const reads = new Map<string, string | null>();
  const adopt = <T>({ value, reads: own }: Read<T>): T => {
    for (const [path, text] of own) reads.set(path, text);
    return value;
  };
  const { root, configuration } = front.chosen(unit.files[0] ?? unit.folder);
  const here = unit.files.filter((file) => {
    const text = source.read(file);
    reads.set(file, text);
    return text !== null && !isLeftOut(file, root, configuration);
  });
  const streams = here.filter(isAssembler).map((file) => adopt(front.assembler(file)));
  const sources = here.filter(isC).map((file) => adopt(front.c(file)));
  const scenarioFiles = new Map<string, ScenarioFile>();
  for (const file of here) {
    const text = isScenarioFile(file) ? source.read(file) : null;
    if (text !== null) scenarioFiles.set(file, parseScenarios(file, text));
  }
  const annotations = new Map<string, AnnotationSet>();
  for (const [file, text] of reads) {
    if (text === null || !text.includes('xctx:') || isScenarioFile(file) || isSidecarFile(file)) continue;
    annotations.set(file, parseAnnotations(file, text, scanComments(text, isAssembler(file) ? 'gas' : 'c')));
  }
  for (const file of here) {
    const text = isSidecarFile(file) ? source.read(file) : null;
    if (text !== null) annotations.set(file, joinSidecar(file, text, folderOf(file), streams, sources, root !== null));
  }
  const directives: Directive[] = [...annotations.values()].flatMap((set) => set.directives);
  let program: Program | null = null;
  return {
    unit,
    streams,
    sources,
    annotations,
    scenarioFiles,
    root,
    get program() {
      program ??= buildProgram({ streams, sources, directives, design: null, sketch: root === null });
      return program;
    },
    reads,
  };
}

/** The build of a 64-bit kernel does not read the assembler files of the 32-bit one, and the other way round. */
export function isLeftOut(file: string, root: string | null, configuration: Configuration): boolean {
  if (root === null) return false;
  return is32(configuration) ? /_64(?:_\w+)?\.S$/.test(file) : file.endsWith('_32.S') && configuration.defines.has('CONFIG_X86_64');
}

/** Whether a unit says which code handles which event: the rest of a kernel tree has nothing to explore. */
export function hasEntries({ root, annotations, scenarioFiles, sources }: LinkedUnit): boolean {
  return root === null || scenarioFiles.size > 0 || [...annotations.values()].some((set) => set.directives.some(({ kind }) => kind !== 'allow' && kind !== 'why')) || sources.some((source) => source.idtRows.length > 0);
}

/** A look at the text alone: false where a file of a kernel tree makes no unit have entries. What it includes may. */
export function mayHaveEntries(file: string, text: string | null): boolean {
  return isScenarioFile(file) || isSidecarFile(file) || (text !== null && (text.includes('xctx:') || (isC(file) && /\b(?:INTG|SYSG|ISTG|G)\s*\(/.test(text))));
}

/** Scenarios of a unit: the built-in ones that say something about it, then the ones of its own files. */
export function scenariosOf(linked: LinkedUnit): readonly Scenario[] {
  const own = [...linked.scenarioFiles.values()].flatMap((file) => file.scenarios);
  const names = new Set(own.map((scenario) => scenario.name));
  const builtIn = builtInScenarios.filter((scenario) => !names.has(scenario.name) && applies(linked.program, scenario));
  if (builtIn.length === 0 && own.length === 0 && linked.root === null) {
    const events = linked.program.handlers.flatMap(({ vector }) => vectorByNumber(vector)?.name ?? []);
    return events.map(aloneScenario).filter((scenario) => !names.has(scenario.name));
  }
  return [...builtIn, ...own];
}

/** The program that a scenario runs on: the unit's, or one with the scenario's own handlers. */
export function programFor(linked: LinkedUnit, scenario: Scenario): Program {
  const abstract = scenario.handlers.filter((handler) => handler.from === null);
  if (abstract.length === 0) return linked.program;
  const withCode = scenario.handlers.some((handler) => handler.from !== null);
  return buildProgram({
    streams: withCode ? linked.streams : [],
    sources: withCode ? linked.sources : [],
    directives: withCode ? linked.program.directives : [],
    design: { handlers: abstract, guards: scenario.guards },
    sketch: false,
  });
}

/** Problems of the assembler's side in one file: without C, of which a kernel tree says nothing. */
export function assemblerProblems(linked: LinkedUnit, file: string): readonly Problem[] {
  return linked.streams.flatMap((stream) => stream.problems).filter((problem) => problem.place.file === file);
}

/** Problems of the front end in one file. */
export function frontEndProblems(linked: LinkedUnit, file: string): readonly (Problem & { readonly language: 'gas' | 'c' })[] {
  const c = linked.sources.filter((one) => one.file === file).flatMap((one) => one.problems).filter((problem) => problem.place.file === file);
  return [...assemblerProblems(linked, file).map((problem) => ({ ...problem, language: 'gas' as const })), ...c.map((problem) => ({ ...problem, language: 'c' as const }))];
}
