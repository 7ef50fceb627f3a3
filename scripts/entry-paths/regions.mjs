// Where a maintainer may be pointed to for an edit: the function, macro or table row that was edited, and what control
// goes to from it or comes from, since that is where a wrong state shows first.

/** Opens a region of an assembler file or header: a symbol, a macro of the assembler, or one of the preprocessor. */
const OPENS = [/^\s*(?:SYM_(?:CODE|FUNC)_START\w*|SYM_TYPED_FUNC_START)\((\\?[\w.]+)/, /^\s*\.macro\s+([\w.]+)/, /^\s*#\s*define\s+(\w+)/];
const CLOSES = /^\s*(?:SYM_(?:CODE|FUNC)_END\(|\.endm\b)/;

/** Names of the regions that a line lies in: the innermost, then those around it; a line outside all is its own. */
function regionsOf(text) {
  const lines = text.split('\n');
  const regions = [];
  let open = [];
  let defining = false;
  lines.forEach((line, index) => {
    if (defining) {
      regions[index] = open.at(-1);
      defining = line.endsWith('\\');
      if (!defining) open = open.slice(0, -1);
      return;
    }
    const name = OPENS.map((pattern) => pattern.exec(line)?.[1]).find((one) => one !== undefined);
    if (name !== undefined) open = [...open, name];
    regions[index] = open.find((one) => /\\/.test(one)) !== undefined ? open[0] : (open.at(-1) ?? `line ${index + 1}`);
    if (/^\s*#\s*define/.test(line)) {
      defining = line.endsWith('\\');
      if (!defining) open = open.slice(0, -1);
    } else if (CLOSES.test(line)) open = open.slice(0, -1);
  });
  return regions;
}

export function createRegions(tree) {
  const known = new Map();
  return (file, line) => {
    if (!known.has(file)) known.set(file, regionsOf(tree.read(tree.root + file) ?? ''));
    return `${file}: ${known.get(file)[line - 1] ?? `line ${line}`}`;
  };
}

/** Lines of the new text that an edit changed: from the first line that differs to the last. */
export function changedLines(before, after) {
  const [old, now] = [before.split('\n'), after.split('\n')];
  let first = 0;
  while (first < Math.min(old.length, now.length) && old[first] === now[first]) first += 1;
  let tail = 0;
  while (tail < Math.min(old.length, now.length) - first && old.at(-1 - tail) === now.at(-1 - tail)) tail += 1;
  return { first: first + 1, last: Math.max(first + 1, now.length - tail) };
}

/**
 * Regions by how near they are to the edited lines: 0 edited themselves, or made by an edited macro; 1 control goes there
 * from such a one or comes from there; 2 the same of those, since a path goes from an entry through its caller to an exit.
 */
export function nearEdits(tree, program, pathPlace, edits) {
  const regionAt = createRegions(tree);
  const line = (place) => tree.lineOf(place.file, place.span.start);
  const below = (file) => (file.startsWith(tree.root) ? file.slice(tree.root.length) : file);
  const near = new Map();
  for (const { file, first, last } of edits) for (let at = first; at <= last; at += 1) near.set(regionAt(file, at), 0);
  for (const name of [...near.keys()].map((region) => region.split(': ')[1])) {
    // A macro that an edit left empty makes no instruction: its uses count by their text.
    for (const { file } of edits) (tree.read(tree.root + file) ?? '').split('\n').forEach((text, index) => {
      if (text.trim() === name) near.set(regionAt(file, index + 1), 0);
    });
  }
  const edited = new Set(near.keys());
  const regions = program.code.nodes.map((node) => {
    if (node.kind !== 'instruction') return null;
    const all = [node.origin, ...node.origin.uses].map((place) => regionAt(below(place.file), line(place)));
    const place = pathPlace(node);
    const own = regionAt(below(place.file), line(place));
    if (all.some((one) => edited.has(one))) near.set(own, 0);
    return own;
  });
  const follow = (from, to, distance) => {
    const [a, b] = [regions[from], regions[to]];
    if (a === null || b === null || a === undefined || b === undefined) return;
    if (near.get(a) === distance && !near.has(b)) near.set(b, distance + 1);
    if (near.get(b) === distance && !near.has(a)) near.set(a, distance + 1);
  };
  const through = (from, at, distance, seen = new Set()) => {
    if (at === null || seen.has(at)) return;
    seen.add(at);
    const node = program.code.nodes[at];
    if (node?.kind !== 'feature') return follow(from, at, distance);
    through(from, node.present, distance, seen);
    through(from, node.absent, distance, seen);
  };
  for (const distance of [0, 1]) {
    for (const node of program.code.nodes) {
      if (node.kind !== 'instruction') continue;
      through(node.id, node.next, distance);
      through(node.id, node.target, distance);
    }
  }
  return (file, at) => near.get(regionAt(file, at)) ?? null;
}
