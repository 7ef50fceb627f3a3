// XR-REG01: a value that user space chose is still in a general register when C code starts.
import type { PathStep } from '../contexts/entry-paths.ts';
import { CLEARED, stubFiles } from './path-examples.ts';
import { cFunctionCalled, entered, isInstruction, knowledgeOf, pathPlace, pathPremises } from './path-vocabulary.ts';
import { entryCall } from '../kernel/entry-calls.ts';
import { REGISTER_NAMES } from '../machine/registers.ts';
import type { Judgement, Rule } from './rule.ts';

/** RAX holds the system call number, RSP is a stack. */
const EXPECTED: ReadonlySet<string> = new Set(['rax', 'rsp']);

function judge(step: PathStep): readonly Judgement[] {
  const { node, before, start } = step;
  if (!isInstruction(node) || !start.user || !knowledgeOf(step.program).clears) return [];
  const name = cFunctionCalled(step);
  if (name === null || entryCall(name).takesRegisters) return [];
  const live = REGISTER_NAMES.filter((register, index) => !EXPECTED.has(register) && before.registers[index]?.name === `user ${register.toUpperCase()}`);
  if (live.length === 0) return [];
  return [{ place: pathPlace(node), message: `${name}() is entered with ${live.map((register) => `%${register}`).join(', ')} as user space set ${live.length === 1 ? 'it' : 'them'} (${entered(start)}); clear saved registers right behind the push`, premises: pathPremises(step) }];
}

export const userRegisterLiveInC: Rule = {
  name: 'user-register-live-in-c',
  id: 'XR-REG01',
  group: 'Registers',
  severity: 'warning',
  summary: 'a register still holds what user space put there when C code is entered',
  why: 'C code does not expect a user-chosen value in a register that it did not load. Speculatively it may use one as an index or a pointer before it loads its own.',
  instead: 'Clear every general register that is saved, right behind the push.',
  falsePositives: ['Registers that carry the arguments of the call, and RAX with the system call number.', 'Stubs of a unit that clears none: a sketch about something else.'],
  references: ['Linux commits 8e1eb3fa009a, 3ac6d8c787b8', 'Linux, arch/x86/entry/calling.h'],
  bad: [{ title: 'RBX is forgotten', files: stubFiles({ clear: CLEARED.replace('\txorl\t%ebx, %ebx\n', ''), call: '\tcall\tdemo_gp #~ user-register-live-in-c\n' }) }],
  good: [{ title: 'All are cleared', files: stubFiles() }],
  judge: null,
  path: { at: ['call'], monitor: null, judge },
  inspect: null,
  fix: null,
};
