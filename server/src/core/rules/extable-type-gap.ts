// XR-VE12: the re-arm is hooked into the handler of one exception-table type, and accesses in view have other types.
import { EXTABLE_HANDLERS } from '../kernel/primitives.ts';
import type { Guard, Program } from '../program/program.ts';
import { clears, isExtableHandler, nodesOf, reachedFrom } from './call-tree.ts';
import { guardedWord } from './example-text.ts';
import type { Inspection, Judgement, Rule } from './rule.ts';
import { placeOf } from './vocabulary.ts';

function rearms(program: Program, symbol: string, guard: Guard): boolean {
  return [...reachedFrom(program, symbol)].some((one) => nodesOf(program, one).some((node) => clears(node, guard)));
}

function inspect({ program }: Inspection): readonly Judgement[] {
  const out: Judgement[] = [];
  const handlers = [...program.functions.values()].filter((info) => info.language === 'c' && isExtableHandler(info.name));
  for (const guard of program.guards) {
    const hooked = handlers.filter((info) => rearms(program, info.name, guard));
    const first = hooked[0];
    if (first === undefined) continue;
    const names = new Set(hooked.map((info) => info.name));
    const missed = program.code.extable.filter((entry) => {
      const own = EXTABLE_HANDLERS.get(entry.type)?.[0];
      return own !== undefined && !names.has(own) && !(own === 'ex_handler_ucopy_len' && names.has('ex_handler_uaccess'));
    });
    const types = [...new Set(missed.map((entry) => entry.type))].sort();
    const node = missed[0] === undefined ? undefined : program.code.nodes[missed[0].fault];
    if (types.length === 0) continue;
    out.push({
      place: first.place,
      message: `${first.name}() re-arms ${guard.name}, but accesses in view have the type ${types.join(', ')}, which does not come here; re-arm in fixup_exception() by vector, or in the handlers of all types`,
      premises: [],
      related: node === undefined ? [] : [{ place: placeOf(node), message: `an access of type ${types[0] ?? ''}` }],
    });
  }
  return out;
}

function design(accessor: string, mark: string): string {
  return `${guardedWord('immediate', 'info')}
bool ex_handler_uaccess(const struct exception_table_entry *entry, struct pt_regs *regs, int trapnr, unsigned long address)${mark}
{
	this_cpu_write(ve_page.busy, 0);
	return ex_handler_default(entry, regs);
}

/*
 * xctx: handler vector=VE ist=none
 * xctx: never-in gap vectors=VE -- the host never takes entry text or stacks away
 * xctx: fallback-ok vmexit -- the host stops the virtual CPU until the page is back
 */
void demo_ve(struct pt_regs *regs)
{
	if (user_mode(regs) || !fixup_exception(regs, 20, 0, 0))
		this_cpu_write(ve_page.busy, 0);
}

void demo_read(struct pt_regs *regs)
{
	u64 value;

	${accessor}(value, (u64 __user *)regs->bp);
}
`;
}

export const extableTypeGap: Rule = {
  name: 'extable-type-gap',
  id: 'XR-VE12',
  group: 'Re-entrancy and #VE',
  severity: 'warning',
  summary: 'a re-arm in one exception-table handler misses accesses of other types',
  why: 'Which handler fixup_exception() calls depends on the type of the entry, and the type on how the accessor was built: the same __get_user() is EX_TYPE_UACCESS with asm goto outputs and EX_TYPE_EFAULT_REG without. A hook in one handler works with one compiler and leaves the word set with another.',
  instead: 'Act in fixup_exception() after the dispatch, keyed by the vector, or in the handler of every type that can be reached.',
  falsePositives: ['Types that no access in view has are not reported.'],
  references: ['semantics VE-25, EXT-01'],
  bad: [{ title: 'Only user accesses of one type', files: { 'design.c': design('__get_user', ' //~ extable-type-gap') } }],
  good: [{ title: 'All accesses in view have that type', files: { 'design.c': design('get_user', '') } }],
  judge: null,
  inspect,
  fix: null,
};
