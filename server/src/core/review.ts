// The one API of the language server, the command line, the worker and the tests: files in, findings, contexts and
// verdicts out. Knows nothing of protocols, disks or clocks.
import type { Configuration } from './preprocess/stream.ts';
import type { Review, Workspace } from './review-types.ts';
import { createContextReview } from './review/context-review.ts';
import { coverageOf, pathCoverage } from './review/coverage.ts';
import { sameCode } from './review/edit-effect.ts';
import { createEditorReview } from './review/editor-review.ts';
import { nameAt } from './review/editor-words.ts';
import { createEntryCode } from './review/entry-code.ts';
import { createEventReview } from './review/event-review.ts';
import { createExplorationReview } from './review/exploration-review.ts';
import { createFindingReview } from './review/finding-review.ts';
import { createFrontEnd } from './review/front-end.ts';
import { createHierarchyReview } from './review/hierarchy-review.ts';
import { createScopes } from './review/scopes.ts';
import { createTreeFindings } from './review/tree-findings.ts';
import { folderOf, hasEntries, scenariosOf, unitFor } from './review/unit.ts';
import { createUnits } from './review/units.ts';
import { RULES } from './rules/index.ts';
import { markdownOf } from './rules/page.ts';
import { builtInScenarios } from './scenarios/built-in.ts';
import { createParsers } from './syntax/parser.ts';

/** The three WASM files that the parsers need, as bytes. */
export interface GrammarBytes {
  readonly core: Uint8Array;
  readonly gas: Uint8Array;
  readonly c: Uint8Array;
}

/**
 * Creates the review. Without a configuration each file is read with that of its tree, or with the one that `configure`
 * names. Loading the grammars is the only asynchronous part of the core.
 */
export async function createReview(grammars: GrammarBytes, workspace: Workspace, configuration: Configuration | null): Promise<Review> {
  const frontEnd = createFrontEnd(await createParsers(grammars), workspace, configuration);
  const { documents, texts, streams } = frontEnd;
  const whole = frontEnd.workspace;
  const units = createUnits(frontEnd);
  const scopes = createScopes(frontEnd);
  const entryCode = createEntryCode(frontEnd, units);
  const treeFindings = createTreeFindings(whole, texts, streams, frontEnd.parseC);
  return {
    ...createExplorationReview(frontEnd, units, entryCode, treeFindings),
    ...createFindingReview(frontEnd, units, entryCode, treeFindings),
    ...createContextReview(frontEnd, units, entryCode),
    ...createEventReview(entryCode),
    ...createHierarchyReview({
      trees: treeFindings.trees,
      root: (file) => streams.chosen(file).root,
      paths: entryCode.ofFile,
      unit: (file) => units.ofFile(file)?.linked ?? null,
      word: (file, offset) => nameAt(file, texts.read(file) ?? '', offset)?.word ?? null,
    }),
    ...createEditorReview(frontEnd, units, scopes),
    setFile: (file, text) => {
      scopes.changed();
      documents.set(file, text);
    },
    editFile: (file, edits) => {
      const before = documents.read(file) ?? '';
      documents.edit(file, edits);
      if (sameCode(file, before, documents.read(file) ?? '')) scopes.commentsChanged();
      else scopes.changed();
    },
    closeFile: (file) => {
      scopes.changed();
      documents.close(file);
    },
    fileChanged: scopes.changed,
    text: documents.read,
    sameCode,
    configure: (choice) => {
      streams.configure(choice);
      scopes.changed();
      units.forget();
    },
    configurationOf: (file) => streams.chosen(file).configuration.name,
    release: documents.release,
    unitOf: (file) => unitFor(file, whole),
    scenarios: (folder) => {
      const unit = units.ofFolder(folder);
      return unit === null ? builtInScenarios : scenariosOf(unit.linked);
    },
    hasEntries: (folder) => {
      const unit = units.ofFolder(folder);
      return unit !== null && hasEntries(unit.linked);
    },
    readWhole: units.readWhole,
    coverage: (folder, shared) => {
      const unit = units.ofFolder(folder);
      if (unit === null) return null;
      const explored = shared === null ? (entryCode.ofKernel(folder) ?? entryCode.ofStubs(unit)) : null;
      return coverageOf(folder, unit.linked, treeFindings, shared ?? (explored === null ? null : pathCoverage(explored)));
    },
    sidecarFolder: (file) => {
      const { root } = streams.chosen(file);
      return root === null ? folderOf(file) : root.replace(/\/$/, '');
    },
    rules: () => RULES.map((rule) => ({ name: rule.name, id: rule.id, group: rule.group, severity: rule.severity, summary: rule.summary, markdown: markdownOf(rule) })),
  };
}
