// Reads sidecar files, `.xctx.yaml`: the same directives as in comments, keyed by `path#symbol`, so that sources need no
// change, and what is known about the tree. Says nothing of whether path or symbol exist.
import type { Place } from '../base/span.ts';
import { quoted } from '../base/quoted.ts';
import { headOf, readList, readMap, readOpenMap, readPattern, readText, readTree, reportUnknown } from '../base/yaml-tree.ts';
import type { TreeEntry, TreeNode, TreeReport } from '../base/yaml-tree.ts';
import type { Annotation, AnnotationProblem, Directive } from './annotation-types.ts';
import { bareLine } from './annotation-lines.ts';
import { judgeLine } from './annotations.ts';

/** Directives of one `path#symbol`; the symbol is null for the whole file, written `path#*`. */
export interface SidecarSubject {
  readonly path: string;
  readonly symbol: string | null;
  readonly place: Place;
  readonly annotations: readonly Annotation[];
  readonly directives: readonly Directive[];
}

/** A Kconfig set to analyse. */
export interface SidecarConfig {
  readonly name: string;
  readonly options: ReadonlyMap<string, string>;
  readonly place: Place;
}

/** A finding that is accepted, with why, and until when. */
export interface KnownFinding {
  readonly rule: string;
  readonly path: string;
  readonly symbol: string | null;
  readonly reason: string;
  readonly until: string | null;
  readonly place: Place;
}

/** Effects of a function that is not in view; null where nothing is said. */
export interface HelperEffects {
  readonly name: string;
  readonly maySleep: boolean | null;
  readonly nmiSafe: boolean | null;
  readonly enablesIrq: boolean | null;
  readonly raises: readonly string[] | null;
  readonly place: Place;
}

export interface Sidecar {
  readonly subjects: readonly SidecarSubject[];
  readonly configs: readonly SidecarConfig[];
  readonly known: readonly KnownFinding[];
  readonly helpers: readonly HelperEffects[];
  readonly problems: readonly AnnotationProblem[];
}

const sections = ['configs', 'known', 'helpers'];
const subjectForm = /^([^#\s]+)#(\*|[A-Za-z_.$][\w.$]*)$/;
const ruleForm = /^(?:XR-[A-Z]+[0-9]+[a-z]?|[a-z][a-z0-9]*(?:-[a-z0-9]+)+)$/;

export function isSidecarFile(path: string): boolean {
  return /\.xctx\.ya?ml$/.test(path);
}

export function parseSidecar(file: string, text: string): Sidecar {
  const problems: AnnotationProblem[] = [];
  const tree = readTree(text);
  const report: TreeReport = (span, message, suggestion = null) => problems.push({ place: { file, span }, message, suggestion });
  for (const { span, message, suggestion } of tree.problems) report(span, message, suggestion);
  const subjects: SidecarSubject[] = [];
  const configs: SidecarConfig[] = [];
  const known: KnownFinding[] = [];
  const helpers: HelperEffects[] = [];
  for (const document of tree.documents) {
    for (const entry of readOpenMap(document, 'a sidecar file', report) ?? []) {
      if (entry.key === 'configs') configs.push(...readConfigs(file, entry.value, report));
      else if (entry.key === 'known') known.push(...readKnown(file, entry.value, report));
      else if (entry.key === 'helpers') helpers.push(...readHelpers(file, entry.value, report));
      else if (!entry.key.includes('#')) reportUnknown(entry, 'a sidecar file', [...sections, 'path#symbol'], report);
      else {
        const subject = readSubject(file, text, entry, report, problems);
        if (subject !== null) subjects.push(subject);
      }
    }
  }
  return { subjects, configs, known, helpers, problems };
}

function readSubject(file: string, text: string, entry: TreeEntry, report: TreeReport, problems: AnnotationProblem[]): SidecarSubject | null {
  const match = subjectForm.exec(entry.key);
  if (match === null) {
    report(entry.keySpan, `${quoted(entry.key)} names no symbol, write path#symbol, or path#* for the whole file`);
    return null;
  }
  const annotations: Annotation[] = [];
  const directives: Directive[] = [];
  for (const item of readList(entry.value, quoted(entry.key), report)) {
    const written = readText(item, 'a directive', report);
    if (written === null) continue;
    if (text.slice(item.span.start, item.span.end) !== written) {
      report(headOf(item), 'a directive stands on one line, without escapes');
      continue;
    }
    if (written.startsWith('xctx:')) {
      report(item.span, 'a directive in a sidecar file has no marker, remove `xctx:`', written.slice('xctx:'.length).trimStart());
      continue;
    }
    const judged = judgeLine(file, bareLine(written, item.span.start));
    problems.push(...judged.problems);
    if (judged.annotation !== null) annotations.push(judged.annotation);
    if (judged.directive !== null) directives.push(judged.directive);
  }
  return { path: match[1] ?? '', symbol: match[2] === '*' ? null : (match[2] ?? null), place: { file, span: entry.keySpan }, annotations, directives };
}

function readConfigs(file: string, node: TreeNode, report: TreeReport): readonly SidecarConfig[] {
  return (readOpenMap(node, '`configs`', report) ?? []).map((entry) => {
    const options = new Map<string, string>();
    for (const item of readList(entry.value, `configuration ${quoted(entry.key)}`, report)) {
      const option = readPattern(item, 'an option', /^CONFIG_[A-Z0-9_]+=[ymn]$/, 'CONFIG_NAME=y, m or n', report)?.split('=') ?? [];
      if (option[0] !== undefined && option[1] !== undefined) options.set(option[0], option[1]);
    }
    return { name: entry.key, options, place: { file, span: entry.keySpan } };
  });
}

function readKnown(file: string, node: TreeNode, report: TreeReport): readonly KnownFinding[] {
  return readList(node, '`known`', report).flatMap((item) => {
    const map = readMap(item, 'a known finding', ['rule', 'at', 'reason', 'until'], ['rule', 'at', 'reason'], report);
    const rule = map?.get('rule');
    const at = map?.get('at');
    const reason = map?.get('reason');
    const until = map?.get('until');
    const name = rule === undefined ? null : readPattern(rule.value, '`rule`', ruleForm, 'a rule such as XR-MC01', report);
    const subject = at === undefined ? null : readPattern(at.value, '`at`', subjectForm, 'path#symbol', report);
    const sentence = reason === undefined ? null : readText(reason.value, '`reason`', report);
    const end = until === undefined ? null : readText(until.value, '`until`', report);
    const match = subject === null ? null : subjectForm.exec(subject);
    if (name === null || match === null || sentence === null) return [];
    return [{ rule: name, path: match[1] ?? '', symbol: match[2] === '*' ? null : (match[2] ?? null), reason: sentence, until: end, place: { file, span: item.span } }];
  });
}

function readHelpers(file: string, node: TreeNode, report: TreeReport): readonly HelperEffects[] {
  return (readOpenMap(node, '`helpers`', report) ?? []).map((entry) => {
    const map = readMap(entry.value, `helper ${quoted(entry.key)}`, ['may-sleep', 'nmi-safe', 'enables-irq', 'raises'], [], report);
    const flag = (key: string): boolean | null => {
      const found = map?.get(key)?.value;
      if (found === undefined) return null;
      if (found.kind === 'scalar' && typeof found.value === 'boolean') return found.value;
      report(headOf(found), `${quoted(key)} is true or false`);
      return null;
    };
    const raises = map?.get('raises');
    return {
      name: entry.key,
      maySleep: flag('may-sleep'),
      nmiSafe: flag('nmi-safe'),
      enablesIrq: flag('enables-irq'),
      raises: raises === undefined ? null : readList(raises.value, '`raises`', report).flatMap((item) => readPattern(item, 'a vector', /^[A-Z]+$/, 'a name such as VE', report) ?? []),
      place: { file, span: entry.keySpan },
    };
  });
}
