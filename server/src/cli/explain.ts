// `entrycheck explain`: a rule's page, offline; without a rule the list of all rules.
import { coloured, plain } from '../core/render/paint.ts';
import { ruleList, rulePageText } from '../core/render/rule-page.ts';
import { createNodeWorkspace } from '../shell/workspace.ts';
import { parseArguments } from './arguments.ts';
import { clean, refuse } from './io.ts';
import type { Command } from './io.ts';
import { didYouMean } from './nearest.ts';
import { openSession } from './session.ts';

export const usage = `usage: entrycheck explain [RULE]

The page of a rule, by name or id: what it judges, why, what to do instead, with
a bad and a good example. Without RULE the rules are listed.

exit status: 0, or 2 no such rule
`;

const widestText = 80;

export const explain: Command = async (argv, io) => {
  const parsed = parseArguments('explain', argv, []);
  if (parsed.kind === 'wrong') return refuse(io, parsed.message);
  const { positionals, flag } = parsed.arguments;
  if (flag('help')) {
    io.out(usage);
    return clean;
  }
  const pages = (await openSession(io, createNodeWorkspace(io.cwd))).review.rules();
  const [asked, ...others] = positionals;
  if (asked === undefined) {
    io.out(`${ruleList(pages).join('\n')}\n`);
    return clean;
  }
  if (others.length > 0) return refuse(io, 'explain: one rule at a time');
  const id = asked.toUpperCase().replace(/^XR-/, '');
  const page = pages.find((candidate) => candidate.name === asked || candidate.id.replace(/^XR-/, '') === id);
  if (page === undefined) {
    return refuse(io, `explain: no rule '${asked}'${didYouMean(asked, pages.flatMap(({ name, id: ruleId }) => [name, ruleId]))} (entrycheck explain lists them)`);
  }
  io.out(`${rulePageText(page, Math.min(widestText, io.columns), io.color ? coloured : plain).join('\n')}\n`);
  return clean;
};
