// Functions that what code queues runs: irq_work and task_work, by the macros and calls that give them their function.
import type { DeferredWork } from './c-source.ts';
import type { FileText } from './c-texts.ts';

const QUEUED: readonly (readonly ['irq-work' | 'task-work', RegExp])[] = [
  ['irq-work', /\b(?:IRQ_WORK_INIT(?:_HARD|_LAZY)?\(|init_irq_work\([^,;]{1,200},|DEFINE_IRQ_WORK\(\s*\w+\s*,)\s*(\w+)\s*\)/g],
  ['task-work', /\binit_task_work\([^,;]{1,200},\s*(\w+)\s*\)/g],
];

export function deferredWork({ file, active }: Pick<FileText, 'file' | 'active'>): readonly DeferredWork[] {
  if (!active.includes('_work') && !active.includes('IRQ_WORK')) return [];
  return QUEUED.flatMap(([via, pattern]) =>
    [...active.matchAll(pattern)].map((match) => {
      const name = match[1] ?? '';
      const start = match.index + match[0].lastIndexOf(name);
      return { function: name, via, place: { file, span: { start, end: start + name.length } } };
    }),
  );
}
