// Reviews a small unit given as files by name, as the examples of the rules are, and reads the marks in them.
import { readFileSync } from 'node:fs';
import type { Review, Unknown, Workspace } from '../review-types.ts';
import { createReview } from '../review.ts';
import type { Finding } from './finding.ts';

const FOLDER = 'unit';

export type Files = Readonly<Record<string, string>>;

function grammars(): Parameters<typeof createReview>[0] {
  return {
    core: readFileSync('node_modules/web-tree-sitter/web-tree-sitter.wasm'),
    gas: readFileSync('grammars/tree-sitter-gas.wasm'),
    c: readFileSync('node_modules/tree-sitter-c/tree-sitter-c.wasm'),
  };
}

export interface ReviewedUnit {
  readonly findings: readonly Finding[];
  readonly unknown: readonly Unknown[];
  /** Explored findings of which an editor would be told that their code is gone. */
  readonly lost: readonly Finding[];
}

/** Everything that the review says of a unit: at typing speed and after all scenarios that apply. */
export async function reviewFiles(files: Files): Promise<ReviewedUnit> {
  const under = Object.fromEntries(Object.entries(files).map(([name, text]) => [`${FOLDER}/${name}`, text]));
  const workspace: Workspace = { read: (path) => under[path] ?? null, list: (folder) => (folder === FOLDER ? Object.keys(files) : []) };
  const review = await createReview(grammars(), workspace, { name: 'example', defines: new Map(), includePaths: [] });
  const found = reviewFolder(review, FOLDER, Object.keys(under));
  review.release();
  const short = (path: string): string => path.replace(`${FOLDER}/`, '');
  return { findings: found.findings.map((finding) => ({ ...finding, place: { ...finding.place, file: short(finding.place.file) }, fix: finding.fix === null ? null : { ...finding.fix, edits: finding.fix.edits.map((edit) => ({ ...edit, place: { ...edit.place, file: short(edit.place.file) } })) } })), unknown: found.unknown, lost: found.lost };
}

/** With names, only these scenarios run: for units whose whole review takes long. */
export function reviewFolder(review: Review, folder: string, files: readonly string[], names: readonly string[] | null = null): ReviewedUnit {
  const explorations = names === null ? [review.explore(folder)] : names.flatMap((name) => review.run(folder, name) ?? []);
  for (const exploration of explorations) while (!exploration.run(50_000).done) continue;
  const quick = files.flatMap((file) => review.quickFindings(file));
  const explored = review.findings(folder, explorations.flatMap((one) => one.reports()));
  return { findings: [...quick, ...explored], unknown: review.unknown(folder), lost: explored.filter((finding) => !review.stands(folder, finding)) };
}

export function lineOf(text: string, offset: number): number {
  return text.slice(0, offset).split('\n').length;
}

/** `file:line rule` for each mark; several names on one line are separated by blanks. */
export function marksOf(files: Files): readonly string[] {
  return Object.entries(files)
    .flatMap(([file, text]) =>
      text.split('\n').flatMap((line, index) => {
        const names = /(?:\/\/|#)~ ([a-z0-9-]+(?: [a-z0-9-]+)*)/.exec(line)?.[1] ?? '';
        return names === '' ? [] : names.split(' ').map((name) => `${file}:${index + 1} ${name}`);
      }),
    )
    .sort();
}

export function spokenOf(findings: readonly Finding[], files: Files): readonly string[] {
  return [...new Set(findings.map(({ rule, place }) => `${place.file}:${lineOf(files[place.file] ?? '', place.span.start)} ${rule}`))].sort();
}

/** The files after the edits of a fix, which are in any order and do not overlap. */
export function fixed(files: Files, fix: NonNullable<Finding['fix']>): Files {
  const out = { ...files };
  for (const edit of [...fix.edits].sort((a, b) => b.place.span.start - a.place.span.start)) {
    const text = out[edit.place.file] ?? '';
    out[edit.place.file] = text.slice(0, edit.place.span.start) + edit.newText + text.slice(edit.place.span.end);
  }
  return out;
}
