// XR-SYS02, its C half: a function that tells the stub to leave by SYSRET or SYSEXIT without having checked the frame.
import type { Tree, TreeFunction } from '../tree/tree.ts';
import { watch } from '../tree/watch.ts';
import type { Judgement, Rule } from './rule.ts';
import { badExits, goodExits, sysretPath } from './sysret-path.ts';
import { findings, isCall } from './tree-entries.ts';

interface Check {
  readonly key: string;
  readonly what: string;
  /** What a test proves, by its text and outcome. */
  readonly proves: (text: string, holds: boolean) => boolean;
}

const flagsClear = (...names: readonly string[]) => (text: string, holds: boolean): boolean => holds === text.endsWith(' == 0') && /->flags &/.test(text) && names.every((name) => text.includes(`X86_EFLAGS_${name}`));
const equal = (left: string, right: string) => (text: string, holds: boolean): boolean => holds && (text === `regs->${left} == ${right}` || text === `${right} == regs->${left}`);

const segments: readonly Check[] = [
  { key: 'c', what: 'CS is the one that the instruction loads', proves: (text, holds) => holds && /^regs->cs == __USER(?:32)?_CS$/.test(text) },
  { key: 's', what: 'SS is the one that the instruction loads', proves: equal('ss', '__USER_DS') },
  { key: 'f', what: 'RF is clear', proves: flagsClear('RF') },
  { key: 't', what: 'TF is clear', proves: flagsClear('TF') },
];

const checks64: readonly Check[] = [
  { key: 'x', what: 'RCX equals the saved RIP', proves: equal('cx', 'regs->ip') },
  { key: 'r', what: 'R11 equals the saved RFLAGS', proves: equal('r11', 'regs->flags') },
  ...segments,
  { key: 'i', what: 'the return address is below TASK_SIZE_MAX', proves: (text, holds) => (holds ? /^regs->ip < \(?TASK_SIZE_MAX(?: - \w+)?\)?$/.test(text) : /^regs->ip > \(?TASK_SIZE_MAX - \w+\)?$/.test(text)) },
];

const checks32: readonly Check[] = [{ key: 'l', what: 'the return address is the landing pad of the vDSO', proves: (text, holds) => holds && /^regs->ip == \w*landing_pad$/.test(text) }, ...segments];

/** The checks that a function owes: by the exit that its result chooses. */
function checksOf(one: TreeFunction): readonly Check[] | null {
  if (!one.parameters.includes('regs')) return null;
  if (one.name === 'do_syscall_64') return /\bbool\b/.test(one.returns) ? checks64 : null;
  // Up to Linux 6.6 a long.
  return /^do_(?:fast_syscall|SYSENTER)_32$/.test(one.name) && /\b(?:bool|long|int)\b/.test(one.returns) ? checks32 : null;
}

/** A predicate about the frame that the answer may be taken from. */
function answersFor(one: TreeFunction): boolean {
  return /\bbool\b/.test(one.returns) && one.parameters.includes('regs') && !/^do_|_work$/.test(one.name);
}

function examine(tree: Tree): readonly Judgement[] {
  const found = findings(tree);
  for (const one of tree.functions) {
    const checks = checksOf(one);
    if (checks === null) continue;
    watch<string>(tree, one, '', {
      follow: (callee) => checksOf(callee) !== null || answersFor(callee),
      // What ran before the exit work proves nothing: signals and ptrace change the frame there.
      step: (step, state, where) => {
        if (isCall(step, /exit_to_user_mode/) || (step.kind === 'store' && /^regs->(?:ip|cx|r11|flags|cs|ss)$/.test(step.target))) return '';
        if (step.kind !== 'return' || where.function !== one || (step.value !== 'true' && step.value !== '1')) return state;
        const missing = checks.filter(({ key }) => !state.includes(key)).map(({ what }) => what);
        if (missing.length > 0) {
          found.at(step, where, `the fast return is chosen without a check that ${missing.join(', and that ').replace('RF is clear, and that TF is clear', 'RF and TF are clear')}; return false there, so that the exit is by IRET`);
        }
        return state;
      },
      branch: (test, holds, state) => checks.reduce((proved, check) => (check.proves(test.text, holds) && !proved.includes(check.key) ? [...proved, check.key].sort().join('') : proved), state),
    });
  }
  return found.all();
}

const predicate = (checks: string, mark: string): string => `__visible noinstr bool do_syscall_64(struct pt_regs *regs, int nr)
{
	nr = syscall_enter_from_user_mode(regs, nr);
	dispatch(regs, nr);
	syscall_exit_to_user_mode(regs);
${checks}
	return true;${mark}
}
`;
const cs = '\n\tif (regs->cs != __USER_CS || regs->ss != __USER_DS)\n\t\treturn false;\n\tif (regs->flags & (X86_EFLAGS_RF | X86_EFLAGS_TF))\n\t\treturn false;';
const saved = '\n\tif (regs->cx != regs->ip || regs->r11 != regs->flags)\n\t\treturn false;';
const canonical = '\n\tif (regs->ip >= TASK_SIZE_MAX)\n\t\treturn false;';

export const sysretUnchecked: Rule = {
  name: 'sysret-unchecked',
  id: 'XR-SYS02',
  group: 'SYSCALL, SYSRET, IRET',
  severity: 'error',
  summary: 'the return by SYSRET or SYSEXIT is chosen for a frame that the instruction cannot restore',
  why: 'SYSRET takes RIP from RCX and RFLAGS from R11. On Intel a non-canonical RCX raises #GP in kernel mode when the user stack pointer is already loaded: the user writes kernel memory. ptrace and signals change every field of the frame.',
  instead: 'Return true only behind checks, made after the exit work, of RCX and RIP, R11 and RFLAGS, CS and SS, TASK_SIZE_MAX, RF and TF.',
  falsePositives: ['A kernel whose stub makes the checks in assembler: its C function returns nothing.'],
  references: ['SDM vol. 2B, "SYSRET"', 'semantics SYS-05, SYS-07', 'CVE-2012-0217, CVE-2014-4699'],
  bad: [
    ...badExits,
    { title: 'Non-canonical addresses', files: { 'common.c': predicate(saved + cs, ' //~ sysret-unchecked') } },
    { title: 'A changed frame', files: { 'common.c': predicate(canonical + cs, ' //~ sysret-unchecked') } },
  ],
  good: [
    ...goodExits,{ title: 'All checks', files: { 'common.c': predicate(saved + cs + canonical, '') } }],
  judge: null,
  path: sysretPath,
  inspect: null,
  examine,
  fix: null,
};
