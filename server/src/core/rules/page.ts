// A rule's page as Markdown: what the editor shows, `explain` prints and docs/rules/ holds.
import type { Rule, RuleExample } from './rule.ts';

const LANGUAGE: Readonly<Record<string, string>> = { c: 'c', S: 'asm', yaml: 'yaml' };

export function markdownOf(rule: Rule): string {
  return [
    `# ${rule.name}`,
    `${rule.id}, ${rule.severity}, ${rule.group}: ${rule.summary}.`,
    `## Why\n\n${rule.why}`,
    `## Instead\n\n${rule.instead}`,
    ...(rule.fix === null ? [] : ['There is a quick fix.']),
    ...(rule.falsePositives.length === 0 ? [] : [`## Silent on\n\n${rule.falsePositives.map((line) => `- ${line}`).join('\n')}`]),
    ...section('## Speaks on', rule.bad),
    ...section('## Accepts', rule.good),
    `## References\n\n${rule.references.map((line) => `- ${line}`).join('\n')}`,
    '',
  ].join('\n\n').trimEnd() + '\n';
}

function section(title: string, examples: readonly RuleExample[]): readonly string[] {
  return examples.length === 0 ? [] : [title, ...examples.flatMap(exampleOf)];
}

function exampleOf(example: RuleExample): readonly string[] {
  const files = Object.entries(example.files);
  return [
    `${example.title}:`,
    ...files.map(([name, text]) => {
      const language = LANGUAGE[name.slice(name.lastIndexOf('.') + 1)] ?? '';
      return `${files.length === 1 ? '' : `\`${name}\`\n\n`}\`\`\`${language}\n${withoutMarks(text).trimEnd()}\n\`\`\``;
    }),
  ];
}

/** The marks become words that a reader understands. */
function withoutMarks(text: string): string {
  return text.replace(/[ \t]*(\/\/|#)~ ([a-z0-9 -]+)$/gm, (_, lead: string, names: string) => `  ${lead} <- ${names.trim()}`);
}
