// XR-ANN01: code that returns from an event, and nothing in view says which event enters it.
import type { Place } from '../base/span.ts';
import type { CodeNode } from '../machine/code.ts';
import type { Program } from '../program/program.ts';
import { reachedFrom } from './call-tree.ts';
import type { Fix } from './finding.ts';
import type { Inspection, Judgement, Rule } from './rule.ts';
import { linesAround } from './text-edits.ts';
import { labelPlace } from './vocabulary.ts';

const ENTRIES = /^entry_(SYSCALL|SYSENTER|INT80)/;

/** Symbols that some known entry point or C function reaches. */
function entered(program: Program): ReadonlySet<string> {
  const roots = new Set<string>();
  const add = (id: number | null | undefined): void => {
    const symbol = id === null || id === undefined ? undefined : program.code.nodes[id]?.symbol;
    if (symbol !== undefined) roots.add(symbol);
  };
  for (const handler of program.handlers) add(handler.stub);
  add(program.fred?.user);
  add(program.fred?.kernel);
  for (const name of program.functions.keys()) if (ENTRIES.test(name)) roots.add(name);
  for (const info of program.functions.values()) if (info.language === 'c') roots.add(info.name);
  return new Set([...roots].flatMap((symbol) => [...reachedFrom(program, symbol)]));
}

/** Stubs that no known entry reaches; of those that share code the first stands for all. */
function inspect({ program }: Inspection): readonly Judgement[] {
  // A folder of stubs whose tables are elsewhere would get one for each.
  if (program.handlers.length === 0) return [];
  const known = entered(program);
  const said = new Set<string>();
  const out: Judgement[] = [];
  const returning = new Set(program.code.nodes.filter(returns).map((node) => node.symbol));
  for (const info of program.functions.values()) {
    if (info.language !== 'asm' || known.has(info.name) || said.has(info.name)) continue;
    const tree = reachedFrom(program, info.name);
    // What one that does not return reaches does not either.
    for (const symbol of tree) said.add(symbol);
    if (![...tree].some((symbol) => returning.has(symbol))) continue;
    out.push({
      place: labelPlace(info.place),
      message: `${info.name} returns from an event, and no IDT row and no annotation says which: nothing is judged here; add a handler annotation or the row`,
      premises: [],
    });
  }
  // A file of a kernel by itself, where names stand in for its tables, has many labels that nothing in view leads to.
  return program.handlers.every(({ byName }) => byName) && out.length > MOST_BY_NAME ? [] : out;
}

const MOST_BY_NAME = 3;

function returns(node: CodeNode): boolean {
  return node.kind === 'instruction' && /^(iretq|erets|eretu)$/.test(node.mnemonic);
}

function fix(place: Place, inspection: Inspection): Fix | null {
  const text = inspection.text(place.file);
  const info = [...inspection.program.functions.values()].find((one) => labelPlace(one.place).file === place.file && labelPlace(one.place).span.start === place.span.start);
  if (text === null || info === undefined) return null;
  const { start } = linesAround(text, place.span);
  const vector = /(?:^|_)(nmi|ve|vc|mc|db|df|pf|gp|bp)(?:_|$)/.exec(info.name)?.[1]?.toUpperCase() ?? 'VE';
  return { title: 'Say which event enters here', edits: [{ place: { file: place.file, span: { start, end: start } }, newText: `/* xctx: handler vector=${vector} ist=none */\n` }] };
}

function stub(annotation: string, mark: string): string {
  return `/* xctx: handler vector=DE ist=none */
.globl asm_demo_de
asm_demo_de:
	iretq

${annotation}.globl asm_demo_gp
asm_demo_gp:${mark}
	pushq	%rax
	popq	%rax
	addq	$8, %rsp
	iretq
`;
}

export const undeclaredHandler: Rule = {
  name: 'undeclared-handler',
  id: 'XR-ANN01',
  group: 'Annotations',
  severity: 'info',
  summary: 'a stub ends with an event return, and nothing says which event enters it',
  why: 'Everything that is judged starts at a gate: the vector, its stack, its stub. A stub that no table and no annotation ties to a vector is code that the tool never enters, and silence about it means nothing.',
  instead: 'Put the IDT row in view, or write a handler annotation above the stub.',
  falsePositives: ['Files of a folder in which no gate at all is in view.', 'Labels that other stubs jump to.', 'The entries of SYSCALL and SYSENTER.'],
  references: ['docs/annotations.md, "handler"'],
  bad: [{ title: 'A stub of its own', files: { 'entry.S': stub('', ' #~ undeclared-handler') } }],
  good: [{ title: 'Declared', files: { 'entry.S': stub('/* xctx: handler vector=GP ist=none err=yes */\n', '') } }],
  judge: null,
  inspect,
  fix,
};
