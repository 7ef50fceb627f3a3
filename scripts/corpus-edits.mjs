// The edits of a corpus of planted bugs on a tree: on the one that they were written for, and on a newer one wherever the
// text still stands, in its file or in the one that the code has moved to, as written or with a newer release's names.

/** Where code of Linux 6.12 has gone since. */
const moved = new Map([
  ['arch/x86/entry/common.c', ['arch/x86/entry/syscall_64.c', 'arch/x86/entry/syscall_32.c']],
  ['arch/x86/coco/sev/core.c', ['arch/x86/coco/sev/noinstr.c', 'arch/x86/coco/sev/vc-handle.c', 'arch/x86/coco/sev/vc-shared.c']],
  ['arch/x86/kvm/vmx/vmenter.S', ['arch/x86/entry/entry.S']],
  ['kernel/entry/common.c', ['include/linux/irq-entry-common.h', 'include/linux/entry-common.h']],
]);

/** What is written in another way since. */
const renamed = [
  [/ : __FORCE_ORDER\b/g, ''],
  [/^\tadd_random_kstack_offset\(\);\n/gm, ''],
  [/^\tALTERNATIVE "", "verw ([^"]+)", \\feature$/gm, '#define VERW\tverw $1'],
  [/\bVMX_(DO_EVENT_IRQOFF)\b/g, 'IDT_$1'],
];
const inNewWords = (text) => renamed.reduce((now, [pattern, by]) => now.replace(pattern, by), text);

const number = (release) => release.split('.').reduce((sum, part, at) => sum + Number(part) / 1000 ** at, 0);

/** Whether a bug may be tried on a tree of a release: it is of that one, or of an older one than a tree of 7.x. */
export const isTried = (bug, release) => bug.tree === release || (number(release) >= 7 && bug.tree === '6.12');

/** Texts by file with the bug in them, and each edit as it was made; null where an edit has nothing to stand on. */
export function plant(bug, read) {
  const edited = new Map();
  const edits = [];
  for (const edit of bug.edits) {
    const made = [edit.file, ...(moved.get(edit.file) ?? [])].flatMap((file) => [
      { ...edit, file },
      { ...edit, file, old: inNewWords(edit.old), new: inNewWords(edit.new) },
    ]).find((one) => ((edited.get(one.file) ?? read(one.file) ?? '').split(one.old).length - 1) === one.count);
    if (made === undefined) return null;
    const before = edited.get(made.file) ?? read(made.file) ?? '';
    edits.push({ ...made, before });
    edited.set(made.file, before.split(made.old).join(made.new));
  }
  return { edited, edits };
}
