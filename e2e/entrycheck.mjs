// What the end-to-end tests know of the extension and of the designs: names, titles, messages, the trace panel's
// elements. The one place to adjust when one of them changes.
import { launch } from './vscode.mjs';

export const bad = {
  file: 'clear-on-ist-early/design.c',
  /** What is found on the line of the store, and the word to point at. */
  store: 'WRITE_ONCE(ve->busy, 0)',
  word: 'WRITE_ONCE',
  message: 'reentrancy word cleared on IST stack',
  rule: 'guard-cleared-on-rewinding-stack',
};

/** What the hover at the store says of the exception context. */
export const context = [/stack/, /\bIST/, /\bIF\b/, /\bNMI\b/, /live frames/, /can interrupt here/i];

export const commands = {
  runScenario: 'Entrycheck: Run scenario',
  runAllScenarios: 'Entrycheck: Run all scenarios',
  newSketch: 'Entrycheck: New design sketch',
  showExpansion: 'Entrycheck: Show macro expansion',
  callHierarchy: 'Calls: Show Call Hierarchy',
  runTests: 'Test: Run All Tests',
  outgoingCalls: 'Calls: Show Outgoing Calls',
};

/** The mail's corner case, by a part of its row in the pick list. */
export const cornerCase = /perf-nmi-user-copy-fails-twice/;

export const quickFix = /defer|irq_work/i;

export const trace = {
  verdict: /violated/,
  step: '[data-step]',
  /** The place that a step's text names. */
  place: /([\w./-]+\.[chS]):(\d+)/,
};

let vscode = null;
let workspace = null;

export async function start(options) {
  vscode = await launch(options);
  workspace = options.workspace;
  return vscode;
}

/** A page on a folder as it lies on the disk; nothing may be saved there. */
export async function openTree(folder) {
  return await vscode.openInPlace(folder);
}

/** The same with the extension in the browser, where it has no Node and no disk. */
export async function openTreeInBrowser(folder) {
  return await vscode.openInBrowser(folder);
}

/** A page on a fresh copy of a design, with the extension in the browser. */
export async function openDesignsInBrowser(name = null) {
  return await vscode.open(workspace, name === null ? 'designs' : `designs/${name}`, true);
}

/** A page on a fresh copy of the designs, or of one of them. */
export async function openDesigns(name = null) {
  return await vscode.open(workspace, name === null ? 'designs' : `designs/${name}`);
}

/** A new sketch that is on no disk: its finding, and its counterexample in the panel. */
export async function sketchWithTrace(workbench, screenshot) {
  await workbench.runCommand(commands.newSketch);
  await workbench.waitForTab('sketch.xctx-scenario.yaml');
  await workbench.waitForSquiggle(5);
  await workbench.runCommand(commands.runAllScenarios);
  const panel = await workbench.webview(trace.verdict);
  await panel.locator(trace.step).first().waitFor();
  await workbench.screenshot(screenshot);
}
