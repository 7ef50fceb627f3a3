// A run of `check` as a SARIF log: what of it lies where on this disk, and what the run says of itself.
import { posix } from 'node:path';
import { pathToFileURL } from 'node:url';
import type { Locate } from '../core/render/places.ts';
import { sarifLog } from '../core/render/sarif.ts';
import type { SarifBase, SarifNote, SarifRun } from '../core/render/sarif.ts';
import { unknownText } from '../core/render/unknown.ts';
import { fingerprintOf } from './baseline.ts';
import type { Io } from './io.ts';
import type { Shown } from './print-check.ts';
import { baselineTexts, patchTexts } from './print-notes.ts';
import type { Session } from './session.ts';
import { version } from './version.ts';

export function printSarif({ findings, accepted, unknown, baseline, patches }: Shown, { review, locate }: Session, io: Io): void {
  const notes: readonly SarifNote[] = [
    ...unknown.map((one): SarifNote => ({ id: one.kind, level: one.kind === 'unfinished' ? 'warning' : 'note', text: unknownText(one, locate) })),
    ...baselineTexts(baseline).map((text): SarifNote => ({ id: 'baseline', level: 'note', text })),
    ...patchTexts(patches).map((text): SarifNote => ({ id: 'patches', level: 'note', text })),
  ];
  print({ rules: review.rules(), findings, accepted, fingerprint: (finding) => fingerprintOf(finding, io.cwd, review), symbolAt: ({ file, span }) => review.symbolAt(file, span.start), compared: baseline !== null, notes }, locate, io);
}

/** A log without results: of a run that could not be made, with the reason, or that had nothing to review. */
export function printSarifRefusal(message: string | null, io: Io): void {
  const notes: readonly SarifNote[] = message === null ? [] : [{ id: 'not-run', level: 'error', text: message }];
  print({ rules: [], findings: [], accepted: [], fingerprint: () => '', symbolAt: () => null, compared: false, notes }, ({ file }) => ({ file, line: 1, column: 1, endLine: 1, endColumn: 1 }), io);
}

function print(run: Omit<SarifRun, 'version'>, locate: Locate, io: Io): void {
  io.out(`${JSON.stringify(sarifLog({ ...run, version: version(io.home) }, baseOf(io.cwd), locate), null, 2)}\n`);
}

/** Paths count from the current folder; what is not below it has its whole path. */
function baseOf(cwd: string): SarifBase {
  return {
    folder: `${pathToFileURL(cwd).href.replace(/\/$/, '')}/`,
    uriOf: (file) => {
      const path = posix.normalize(file.replaceAll('\\', '/'));
      if (path.startsWith('../') || posix.isAbsolute(path) || /^[A-Za-z]:\//.test(path)) return { uri: pathToFileURL(posix.resolve(cwd.replaceAll('\\', '/'), path)).href, relative: false };
      return { uri: path.split('/').map(encodeURIComponent).join('/'), relative: true };
    },
  };
}
