// A rule's page as Markdown: what the editor shows, `explain` prints and docs/rules/ holds.
import type { Rule } from './rule.ts';

export function markdownOf(rule: Rule): string {
  return `# ${rule.name}\n\n${rule.id}, ${rule.severity}: ${rule.summary}.\n\n## Why\n\n${rule.why}\n\n## Instead\n\n${rule.instead}\n`;
}
