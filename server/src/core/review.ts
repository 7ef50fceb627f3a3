// The one API of the language server, the command line, the worker and the tests: files in, findings, contexts and
// verdicts out. Knows nothing of protocols, disks or clocks.
import type { Configuration, FileSource } from './preprocess/stream.ts';
import type { Program } from './program/program.ts';
import type { ContextInfo, Exploration, HoverText, Review, Unit, Workspace } from './review-types.ts';
import { acceptedAt } from './review/accepted.ts';
import { createContexts } from './review/contexts.ts';
import { createKernelReview, hasStubs, unitVariants } from './review/kernel-review.ts';
import type { KernelReview } from './review/kernel-review.ts';
import { EVENT_NAMES, eventNamed, eventTitle } from './review/arrivals.ts';
import { belongsToKernel, createKernelTrees, entryRootOf } from './review/kernel.ts';
import { createKernels } from './review/kernels.ts';
import type { Contexts } from './review/contexts.ts';
import { pathCoverage } from './review/coverage.ts';
import { createCovered } from './review/covered.ts';
import { createDocuments } from './review/documents.ts';
import { contextAsBefore, hoverAsBefore, sameCodeAs } from './review/as-before.ts';
import { sameCode } from './review/edit-effect.ts';
import { createStreams } from './review/streams.ts';
import { codeSymbols, expansionOfSymbol, symbolAt } from './review/editor-expansion.ts';
import { definitionsAt, linksOf, referencesAt, workspaceSymbolsOf } from './review/editor-navigate.ts';
import { renamingAt } from './review/editor-rename.ts';
import { scopeOf } from './review/editor-scope.ts';
import type { Scope } from './review/editor-scope.ts';
import { inactiveOf, tokensOf } from './review/editor-tokens.ts';
import { nameAt } from './review/editor-words.ts';
import { completionsOf, foldsOf, hoverOf, symbolsOf } from './review/editor.ts';
import { inspect, merge, plainFinding } from './review/findings.ts';
import { both, nothing, runsOf } from './review/explorations.ts';
import { replayTrace } from './review/run.ts';
import { createHierarchyReview } from './review/hierarchy-review.ts';
import { createTreeFindings } from './review/tree-findings.ts';
import { mends } from './review/verify.ts';
import { createOutline } from './review/outline.ts';
import { suppressionsFor } from './review/tree-suppressions.ts';
import type { FoundSuppressions } from './review/tree-suppressions.ts';
import { readingFindings, unknownOf } from './review/editor-problems.ts';
import { folderOf, hasEntries, isAssembler, isC, isHeader, isLeftOut, join, linkUnit, mayHaveEntries, programFor, refusalOf, scenariosOf, unitFor, unitOfFolder } from './review/unit.ts';
import type { LinkedUnit } from './review/unit.ts';
import type { Finding, RunReport } from './rules/finding.ts';
import { RULES } from './rules/index.ts';
import { markdownOf } from './rules/page.ts';
import type { Inspection } from './rules/rule.ts';
import { allowsOf, suppress, unusedSuppressions } from './rules/suppressions.ts';
import { placeOf } from './rules/vocabulary.ts';
import { builtInScenarios } from './scenarios/built-in.ts';
import type { Scenario } from './scenarios/scenario.ts';
import { isScenarioFile } from './scenarios/scenario-file.ts';
import { isSidecarFile } from './syntax/annotation-sidecar.ts';
import { createCParser } from './syntax/c.ts';
import { createParsers } from './syntax/parser.ts';
import { createDefinitionIndex } from './syntax/definition-index.ts';

/** The three WASM files that the parsers need, as bytes. */
export interface GrammarBytes {
  readonly core: Uint8Array;
  readonly gas: Uint8Array;
  readonly c: Uint8Array;
}

/** States of one run while nobody asked for it by name. */
const IDLE_STATES = 300_000;
/** Steps of entry paths that a hover may wait for. */
const KERNEL_STEPS_AT_ONCE = 10_000;
/** Open files that symbols of the workspace are looked for in. */
const OPEN_SCOPES = 12;

interface Held {
  readonly linked: LinkedUnit;
  readonly configuration: Configuration;
  readonly programs: Map<string, Program>;
  contexts: Contexts | null;
  stubs: KernelReview | null;
}

/**
 * Creates the review. Without a configuration each file is read with that of its tree, or with the one that `configure`
 * names. Loading the grammars is the only asynchronous part of the core.
 */
export async function createReview(grammars: GrammarBytes, workspace: Workspace, configuration: Configuration | null): Promise<Review> {
  const parsers = await createParsers(grammars);
  const parseC = createCParser(parsers);
  const documents = createDocuments(parsers, workspace);
  const definitions = createDefinitionIndex();
  const looked = new Map<string, { readonly text: string; readonly refused: boolean }>();
  const usable: FileSource = {
    read: (file) => {
      const text = documents.read(file);
      if (text === null) return null;
      const before = looked.get(file);
      if (before?.text === text) return before.refused ? null : text;
      const refused = refusalOf(text) !== null;
      looked.set(file, { text, refused });
      return refused ? null : text;
    },
  };
  const streams = createStreams(usable, configuration, parseC, documents.isOpen);
  const held = new Map<string, Held>();
  /** Scopes of the texts as they are now: whoever changes one says so. */
  const scopes = new Map<string, Scope>();
  /** The same of texts that had the same code as they have now. */
  const scopesOfCode = new Map<string, Scope>();
  const unitsOfCode = new Map<string, Held>();
  /** Folders of kernel trees that are known to have entries. */
  const wholes = new Set<string>();
  const trees = createKernelTrees(streams, (other) => createStreams(usable, other, parseC, documents.isOpen));
  const kernels = createKernels(trees, documents.read);

  /** The entry code of the tree that a file or folder belongs to, null where it belongs to none. */
  function kernelOf(path: string): KernelReview | null {
    const root = entryRootOf(path, streams);
    return root === null ? null : kernels.of(root);
  }

  /** The stubs that a unit has of its own, run by their paths. */
  function stubsOf(unit: Held): KernelReview | null {
    if (unit.linked.root !== null || !hasStubs(unit.linked.program)) return null;
    unit.stubs ??= createKernelReview([{ program: unit.linked.program, configuration: unit.linked.unit.name, variants: unitVariants(unit.linked.program), beside: false }], RULES, inspectionOf(unit), null);
    return unit.stubs;
  }
  const treeFindings = createTreeFindings(workspace, usable, streams, parseC);

  const outline = createOutline({ read: documents.read, items: documents.items, defines: (file) => streams.chosen(file).configuration.defines, parse: parseC });

  /** What accepts findings in files of a tree, or of a design. */
  function acceptedIn(files: Iterable<string>, root: string | null): FoundSuppressions {
    return suppressionsFor(files, root, { read: documents.read, workspace, outline });
  }

  const inKernel = (path: string): boolean => belongsToKernel(path, streams, usable.read);

  /** What runs the entry paths of a file: those of its tree, or of the stubs of its unit. */
  function pathsOf(file: string): KernelReview | null {
    const kernel = kernelOf(file);
    if (kernel !== null) return kernel;
    const unit = fileUnit(file);
    return unit === null ? null : stubsOf(unit);
  }

  /** The same with all that a place needs explored. */
  function exploredAt(file: string, offset: number | null, vectors: readonly number[]): KernelReview | null {
    const paths = pathsOf(file);
    while (paths !== null && !paths.advanceAt(file, offset, vectors, KERNEL_STEPS_AT_ONCE));
    return paths;
  }

  const hierarchy = createHierarchyReview({
    trees: treeFindings.trees,
    root: (file) => streams.chosen(file).root,
    paths: pathsOf,
    unit: (file) => fileUnit(file)?.linked ?? null,
    word: (file, offset) => nameAt(file, usable.read(file) ?? '', offset)?.word ?? null,
  });

  function current(unit: Unit): Held {
    const before = held.get(unit.folder);
    if (before !== undefined && isCurrent(before, unit)) return before;
    const linked = linkUnit(unit, usable, streams);
    const made: Held = { linked, configuration: streams.chosen(unit.folder).configuration, programs: new Map(), contexts: null, stubs: null };
    held.set(unit.folder, made);
    return made;
  }

  function hasParts(before: Held, unit: Unit): boolean {
    return before.configuration === streams.chosen(unit.folder).configuration && before.linked.unit.files.join('\n') === unit.files.join('\n');
  }

  function isCurrent(before: Held, unit: Unit): boolean {
    if (!hasParts(before, unit)) return false;
    for (const [path, text] of before.linked.reads) if (usable.read(path) !== text) return false;
    return true;
  }

  function folderUnit(folder: string): Held | null {
    const unit = unitOfFolder(folder, workspace);
    return unit === null ? null : current(unit);
  }

  function fileUnit(file: string): Held | null {
    const unit = unitFor(file, workspace);
    return unit === null ? null : current(unit);
  }

  /** What an editor is told of a file of a kernel tree rests on that file alone unless its unit has entries. */
  function editedUnit(file: string): Held | null {
    const unit = unitFor(file, workspace);
    if (unit === null) return null;
    const alone = !isHeader(file) && streams.chosen(file).root !== null && !wholes.has(unit.folder) && !unit.files.some((one) => mayHaveEntries(one, usable.read(one)));
    return current(alone ? { folder: file, name: file.slice(folderOf(file).length + 1), files: [file] } : unit);
  }

  function scopeOfFile(file: string): Scope | null {
    const text = usable.read(file);
    if (text === null || isScenarioFile(file) || isSidecarFile(file)) return null;
    const known = scopes.get(file);
    if (known !== undefined && known.text === text) return known;
    const made = scopeOf(file, text, unitFor(file, workspace), { streams, read: usable.read, items: documents.items, opened: documents.opened });
    scopes.set(file, made);
    // Read now: later the text may be another.
    if (made.own.length > 0) scopesOfCode.set(file, made);
    return made;
  }

  function changed(): void {
    scopes.clear();
    scopesOfCode.clear();
  }

  function hoverAt(file: string, offset: number): HoverText | null {
    const text = usable.read(file);
    if (text === null) return null;
    const { root } = streams.chosen(file);
    const known = root === null ? null : acceptedAt(file, file.slice(root.length), text, offset, outline);
    const word = hoverOfCode(file, text, offset) ?? hoverNow(file, offset);
    return known === null || word === null ? (known ?? word) : { markdown: `${known.markdown}\n\n---\n\n${word.markdown}`, span: word.span };
  }

  function hoverNow(file: string, offset: number): HoverText | null {
    const scope = scopeOfFile(file);
    return scope === null ? null : hoverOf(editedUnit(file)?.linked ?? null, scope, offset);
  }

  /** Where nothing but comments was edited since a file was read, the rest means what it meant and is not read again. */
  function hoverOfCode(file: string, text: string, offset: number): HoverText | null {
    const scope = scopesOfCode.get(file);
    if (scope === undefined || scope.text === text) return null;
    if (scope.root !== null) return text.includes('xctx:') ? null : hoverAsBefore(scope, null, text, offset);
    const linked = unitOfCode(file)?.linked;
    return linked?.reads.get(file) === scope.text ? hoverAsBefore(scope, linked, text, offset) : null;
  }

  /** The unit of a design as it was linked for texts of the same code. */
  function unitOfCode(file: string): Held | null {
    const unit = unitFor(file, workspace);
    if (unit === null) return null;
    const before = unitsOfCode.get(unit.folder);
    if (before !== undefined && hasParts(before, unit) && sameCodeAs(before.linked.reads, usable.read)) return before;
    const made = current(unit);
    unitsOfCode.set(unit.folder, made);
    return made;
  }

  /** Contexts in a design. */
  function contextInUnit(file: string, offset: number): ContextInfo | null {
    const at = (unit: Held): ((offset: number) => ContextInfo | null) => (unit.contexts ??= createContexts(unit.linked.program)).at.bind(null, file);
    const before = unitOfCode(file);
    if (before === null || !hasEntries(before.linked)) return null;
    const info = contextAsBefore(before.linked.reads, usable.read, file, offset, at(before));
    if (info !== undefined) return info;
    const now = fileUnit(file);
    return now === null ? null : at(now)(offset);
  }

  function programOf(unit: Held, scenario: Scenario): Program {
    if (scenario.handlers.every((handler) => handler.from !== null)) return unit.linked.program;
    const known = unit.programs.get(scenario.name);
    if (known !== undefined) return known;
    const made = programFor(unit.linked, scenario);
    unit.programs.set(scenario.name, made);
    return made;
  }

  function inspectionOf(unit: Held): Inspection {
    return {
      program: unit.linked.program,
      text: documents.read,
      annotations: [...unit.linked.annotations.values()].flatMap((set) => set.annotations),
    };
  }

  function explorationOf(unit: Held, scenarios: readonly Scenario[], most: number): Exploration {
    return runsOf(scenarios.map((scenario) => ({ scenario, program: programOf(unit, scenario) })), unit.linked.unit.name, most);
  }

  function refusedFinding(file: string, text: string): readonly Finding[] | null {
    const refusal = refusalOf(text);
    return refusal === null ? null : [plainFinding('not-analysed', 'warning', { file, span: { start: 0, end: 0 } }, refusal)];
  }

  function quickFindings(file: string): readonly Finding[] {
    const text = documents.read(file);
    if (text === null) return [];
    const refused = refusedFinding(file, text);
    if (refused !== null) return refused;
    const { root, configuration: own } = streams.chosen(file);
    if (isLeftOut(file, root, own)) return [];
    const out: Finding[] = [];
    const assembler = isAssembler(file) ? documents.assembler(file) : null;
    for (const problem of assembler?.problems ?? []) out.push(plainFinding('syntax', 'warning', { file, span: problem.span }, problem.message));
    const unit = editedUnit(file);
    if (unit === null) return out;
    const { linked } = unit;
    const covered = createCovered();
    for (const { place } of out) covered.add(place.span);
    for (const finding of readingFindings(linked, file, streams.chosen(file))) {
      if (covered.touches(finding.place.span)) continue;
      covered.add(finding.place.span);
      out.push(finding);
    }
    for (const problem of linked.scenarioFiles.get(file)?.problems ?? []) {
      out.push({ ...plainFinding('malformed-scenario', 'error', problem.place, problem.message), fix: problem.suggestion === null ? null : { title: `Replace by '${problem.suggestion}'`, edits: [{ place: problem.place, newText: problem.suggestion }] } });
    }
    for (const problem of linked.annotations.get(file)?.problems ?? []) {
      out.push({ ...plainFinding('malformed-annotation', 'warning', problem.place, problem.message), fix: problem.suggestion === null ? null : { title: `Replace by '${problem.suggestion}'`, edits: [{ place: problem.place, newText: problem.suggestion }] } });
    }
    if (isSidecarFile(file)) for (const { place, message } of acceptedIn([join(folderOf(file), 'x')], root).lost) if (place.file === file) out.push(plainFinding('malformed-annotation', 'warning', place, message));
    const examined = treeFindings.inDesign(file);
    if (!hasEntries(linked)) return [...out, ...examined];
    const accepted = acceptedIn([file], root).suppressions;
    const inspected = [...inspect(RULES, inspectionOf(unit), { file, span: { start: 0, end: 0 } }).filter((finding) => finding.place.file === file), ...examined];
    return [...out, ...suppress(inspected, [...accepted, ...allowsOf(linked.program, documents.read)]).kept];
  }

  function findingsOf(folder: string, reports: readonly RunReport[]): readonly Finding[] {
    const unit = folderUnit(folder);
    if (unit === null) return inKernel(folder) ? merge(reports) : [];
    const ofTree = treeFindings.inTree(unit.linked.unit.files);
    if (unit.linked.root !== null && (inKernel(folder) || !hasEntries(unit.linked))) return acceptedOfTree(unit.linked, unit.linked.root, [...merge(reports), ...ofTree]);
    const inspection = inspectionOf(unit);
    const explored = merge(reports).map((finding): Finding => {
      const rule = RULES.find((one) => one.name === finding.rule);
      if (rule === undefined) return finding;
      const fix = rule.fix === null ? null : rule.fix(finding.place, inspection);
      const assumed = finding.premises.some((premise) => premise.assumed);
      return { ...finding, fix, severity: assumed && finding.severity === 'error' ? 'warning' : finding.severity };
    });
    const inspected = inspect(RULES, inspection, { file: folder, span: { start: 0, end: 0 } });
    const examined = unit.linked.unit.files.flatMap(treeFindings.inDesign);
    const accepted = [...allowsOf(unit.linked.program, documents.read), ...acceptedIn(unit.linked.unit.files, unit.linked.root).suppressions];
    const { unused } = suppress([...inspected, ...explored, ...examined, ...ofTree], accepted);
    return [...suppress([...explored, ...ofTree], accepted).kept, ...unusedSuppressions(unused, documents.read)];
  }

  /** In a kernel tree: findings without the accepted ones, and the suppressions for files of the unit that take out nothing. */
  function acceptedOfTree(linked: LinkedUnit, root: string, findings: readonly Finding[]): readonly Finding[] {
    const files = new Set(linked.unit.files);
    const { suppressions } = acceptedIn([...files, ...findings.map(({ place }) => place.file)], root);
    const { kept, unused } = suppress(findings, suppressions);
    return [...kept, ...unusedSuppressions(unused.filter((one) => files.has(one.file)), documents.read)];
  }

  return {
    setFile: (file, text) => {
      changed();
      documents.set(file, text);
    },
    editFile: (file, edits) => {
      const before = documents.read(file) ?? '';
      documents.edit(file, edits);
      if (sameCode(file, before, documents.read(file) ?? '')) scopes.clear();
      else changed();
    },
    closeFile: (file) => {
      changed();
      documents.close(file);
    },
    fileChanged: changed,
    text: documents.read,
    unitOf: (file) => {
      const unit = unitFor(file, workspace);
      return unit;
    },
    scenarios: (folder) => {
      const unit = folderUnit(folder);
      return unit === null ? builtInScenarios : scenariosOf(unit.linked);
    },
    quickFindings,
    explore: (folder) => {
      const ofTree = treeFindings.exploration(unitOfFolder(folder, workspace)?.files ?? []) ?? nothing;
      const own = (): Exploration | null => {
        const unit = folderUnit(folder);
        return unit === null || !hasEntries(unit.linked) ? null : both(stubsOf(unit)?.exploration() ?? nothing, explorationOf(unit, scenariosOf(unit.linked), IDLE_STATES));
      };
      const root = inKernel(folder) ? entryRootOf(folder, streams) : null;
      if (root !== null) return kernels.exploration(root, ofTree, () => own() ?? nothing);
      const alone = own();
      return alone === null ? ofTree : both(ofTree, alone);
    },
    shares: (folder) => {
      const root = inKernel(folder) ? entryRootOf(folder, streams) : null;
      return root === null ? null : { tree: root, count: trees.sharesOf(root) };
    },
    exploreShare: (folder, share) => {
      const root = entryRootOf(folder, streams);
      const programs = root === null ? [] : trees.shareOf(root, share);
      if (programs.length === 0) return { ...nothing, coverage: () => [] };
      const review = createKernelReview(programs, RULES, { text: documents.read, annotations: [] }, null);
      return { ...review.exploration(), coverage: () => pathCoverage(review) };
    },
    exploreRest: (folder) => {
      const unit = folderUnit(folder);
      return (unit === null ? null : treeFindings.exploration(unit.linked.unit.files)) ?? nothing;
    },
    run: (folder, name) => {
      const unit = folderUnit(folder);
      const scenario = unit === null ? undefined : scenariosOf(unit.linked).find((one) => one.name === name);
      return unit === null || scenario === undefined ? null : explorationOf(unit, [scenario], scenario.maxStates);
    },
    findings: findingsOf,
    verifiedFix: (folder, finding) => {
      const unit = folderUnit(folder);
      // Taking out a comment changes nothing that is judged.
      if (finding.rule === 'unused-suppression') return finding.fix;
      if (unit === null || finding.fix === null) return null;
      return mends(finding.fix, finding, unit.linked, usable, unit.configuration, parseC, RULES) ? finding.fix : null;
    },
    replay: (folder, name, start, choices) => {
      const unit = folderUnit(folder);
      const scenario = unit === null ? undefined : scenariosOf(unit.linked).find((one) => one.name === name);
      const known = scenario?.start.find((one) => one === start);
      if (unit === null || scenario === undefined || known === undefined) return null;
      return replayTrace(programOf(unit, scenario), scenario, known, false, choices);
    },
    contextAt: (file, offset) => {
      const kernel = kernelOf(file);
      if (kernel !== null) {
        const finished = kernel.advanceAt(file, offset, [], KERNEL_STEPS_AT_ONCE);
        const info = kernel.contextAt(file, offset);
        if (info === null || finished) return info;
        return { ...info, unknown: ['more contexts are still being explored'], silence: info.rows.length > 0 ? null : 'not reached so far: the exploration is still running' };
      }
      return contextInUnit(file, offset);
    },
    knownContext: (file, offset) => {
      const root = entryRootOf(file, streams);
      return root === null ? null : (kernels.soFar(root)?.knownAt(file, offset) ?? null);
    },
    sameCode,
    prepareContexts: (file, states) => {
      const kernel = kernelOf(file);
      if (kernel !== null) return kernel.advanceAt(file, null, [], states * 10);
      const unit = unitOfCode(file);
      if (unit === null || !hasEntries(unit.linked)) return true;
      unit.contexts ??= createContexts(unit.linked.program);
      return unit.contexts.advance(states);
    },
    prepareAt: (file, offset, events, steps) => pathsOf(file)?.advanceAt(file, offset, vectorsOf(events), steps) ?? true,
    raise: (file, offset, events) => exploredAt(file, offset, vectorsOf(events))?.raise(file, offset, vectorsOf(events)) ?? null,
    survey: (file, events) => exploredAt(file, null, [])?.survey(file, events.map(vectorsOf)) ?? null,
    eventsAt: (file, offset) => pathsOf(file)?.eventsAt(file, offset) ?? null,
    entryIn: (file, span) => pathsOf(file)?.entryIn(file, span) ?? null,
    ...hierarchy,
    eventNamed: (name) => {
      const vector = eventNamed(name);
      return { name: vector === null ? null : eventTitle(vector), names: EVENT_NAMES };
    },
    inKernelTree: inKernel,
    stands: (folder, finding) => {
      const { file, span } = finding.place;
      if (finding.rule === 'unused-suppression') return span.start < span.end;
      if (suppress([finding], acceptedIn([file], streams.chosen(file).root).suppressions).kept.length === 0) return false;
      if (inKernel(folder)) return true;
      const unit = folderUnit(folder);
      if (unit === null) return false;
      return unit.linked.program.code.nodes.some((node) => {
        const place = placeOf(node);
        return place.file === file && place.span.start < span.end && span.start < place.span.end;
      });
    },
    hover: hoverAt,
    complete: (file, offset) => {
      const scope = scopeOfFile(file);
      return scope === null ? [] : completionsOf(editedUnit(file)?.linked ?? null, scope, offset);
    },
    symbols: (file) => {
      const text = usable.read(file);
      return text === null ? [] : symbolsOf(editedUnit(file)?.linked ?? null, file, documents.items(file), text);
    },
    folds: (file) => (usable.read(file) === null ? [] : foldsOf(documents.items(file))),
    definition: (file, offset) => {
      const scope = scopeOfFile(file);
      return scope === null ? [] : definitionsAt(scope, offset);
    },
    references: (file, offset) => {
      const scope = scopeOfFile(file);
      return scope === null ? [] : referencesAt(scope, offset);
    },
    rename: (file, offset, newName) => {
      const scope = scopeOfFile(file);
      return scope === null ? { kind: 'refused', reason: 'this file is not analysed' } : renamingAt(scope, offset, newName, documents.parse);
    },
    links: (file) => {
      const scope = scopeOfFile(file);
      return scope === null ? [] : linksOf(scope);
    },
    semanticTokens: (file) => {
      const scope = scopeOfFile(file);
      return scope === null ? [] : tokensOf(scope);
    },
    inactive: (file) => {
      const text = usable.read(file);
      return text === null ? [] : inactiveOf(file, text, streams);
    },
    workspaceSymbols: (query) => workspaceSymbolsOf(documents.opened().slice(0, OPEN_SCOPES).flatMap((file) => scopeOfFile(file) ?? []), definitions, query),
    indexDefinitions: (file, text) => (text === null ? definitions.remove(file) : definitions.update(file, text)),
    expansion: (file, symbol) => {
      const scope = scopeOfFile(file);
      return scope === null ? null : expansionOfSymbol(scope, symbol);
    },
    expansions: (file) => {
      const stream = scopeOfFile(file)?.own[0]?.stream ?? null;
      return stream === null ? [] : codeSymbols(stream);
    },
    expansionAt: (file, offset) => {
      const scope = scopeOfFile(file);
      return scope === null ? null : symbolAt(scope, file, offset, nameAt(file, scope.text, offset)?.word ?? null);
    },
    rules: () => RULES.map((rule) => ({ name: rule.name, id: rule.id, group: rule.group, severity: rule.severity, summary: rule.summary, markdown: markdownOf(rule) })),
    coverage: (folder, shared) => {
      const unit = folderUnit(folder);
      if (unit === null) return null;
      const { root } = unit.linked;
      const first = unit.linked.unit.files.find((file) => treeFindings.coverage(file).length > 0);
      // A design that is run is judged by no rule that examines C: what was read of it counts.
      const read = root === null ? unit.linked.unit.files.filter((file) => isC(file)).slice(0, 1).flatMap(treeFindings.trees) : [];
      const c = first === undefined ? read.map((one) => one.coverage) : treeFindings.coverage(first);
      const explored = shared === null ? (kernelOf(folder) ?? stubsOf(unit)) : null;
      const paths = shared ?? (explored === null ? [] : pathCoverage(explored));
      return c.length === 0 && shared === null && explored === null ? null : { subject: root === null ? folder : root.replace(/\/$/, ''), c, paths };
    },
    symbolAt: (file, offset) => outline.at(file, offset)?.name ?? null,
    sidecarFolder: (file) => {
      const { root } = streams.chosen(file);
      return root === null ? folderOf(file) : root.replace(/\/$/, '');
    },
    hasEntries: (folder) => {
      const unit = folderUnit(folder);
      return unit !== null && hasEntries(unit.linked);
    },
    readWhole: (folder) => void wholes.add(folder),
    unknown: (folder) => {
      const unit = folderUnit(folder);
      return unit === null ? [] : unknownOf(unit.linked, documents.read);
    },
    configure: (choice) => {
      streams.configure(choice);
      changed();
      held.clear();
    },
    configurationOf: (file) => streams.chosen(file).configuration.name,
    release: documents.release,
  };
}

/** Names were checked by `eventNamed`; what is none of them is left out. */
function vectorsOf(events: readonly string[]): readonly number[] {
  return events.flatMap((name) => eventNamed(name) ?? []);
}
