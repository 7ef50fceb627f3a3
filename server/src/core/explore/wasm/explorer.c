// Exact breadth-first exploration of states made of components, each component a number that the model gave to one of
// its values. It knows no model: what a rule does to a component is asked of the model once per operands and then looked
// up. component-explorer-js.ts is the same algorithm in plain JavaScript; a test holds the two together.
//
// States stand in the order in which they were found, which is the order in which they are expanded: no queue, no stored
// depth. Parents come in that order too: one of many is kept, and a state's own is found again from there on, as the first
// state whose expansion gives it. A state is one or two packed words otherwise, the last one cut to whole bytes; the hash table holds 4 bytes a slot, an index
// with some bits of the hash above it. Nothing is ever copied to grow but the hash table, and that in slices and segment by
// segment, so that the old one and the new one never stand side by side.

typedef unsigned char u8;
typedef unsigned int u32;
typedef unsigned long long u64;

#define EXPORT(name) __attribute__((export_name(#name)))
#define INLINE static inline __attribute__((always_inline))

/** The model's answer for a slot and its operands. It may add ids, by `added`. */
extern u32 resolve(u32 slot, u32 x, u32 y) __attribute__((import_module("model"), import_name("resolve")));

enum {
  PAGE = 65536,
  MOST_COMPONENTS = 16,
  MOST_WORDS = 2,
  MOST_RULES = 1024,
  MOST_STEPS = 8192,
  MASK_WORDS = MOST_RULES / 32,
  CHUNK_BITS = 14,
  CHUNK = 1 << CHUNK_BITS,
  MOST_CHUNKS = 1 << 14,
  BATCH = 96,
  /** A state expanded costs about as much as this many states moved to a larger table. */
  MOVES_PER_UNIT = 2,
  FIRST_TABLE = 1 << 12,
  /** From here on the table grows by a half and a third in turn, not by doubling. */
  LARGE_TABLE = 1 << 22,
  /** States, and parents, behind which the next parent is kept. */
  MARK_STATES = 256,
  MARK_PARENTS = 1024,
};

enum { MORE = 0, DONE = 1, NO_MEMORY = 2 };

/** Registers of a rule: the ids of the state's components, then values looked up; the last is always 0. */
enum { REGISTERS = 64, ZERO = 63 };

struct step {
  u32 slot;
  u8 x, y, out, guard;
};

struct write {
  u8 component, value;
};

struct rule {
  u32 firstStep, steps, firstWrite, writes, observation;
};

// ---- what the model says, written by its owner before the first run ----

static u32 componentCount, ruleCount, maskWords;
static struct rule rules[MOST_RULES];
static struct step steps[MOST_STEPS];
static struct write writes[MOST_STEPS];
static u32 firstSeen[MOST_RULES];
static u32 maxStates;

EXPORT(ruleTable) struct rule *ruleTable(void) { return rules; }
EXPORT(stepTable) struct step *stepTable(void) { return steps; }
EXPORT(writeTable) struct write *writeTable(void) { return writes; }
EXPORT(firstSeenTable) u32 *firstSeenTable(void) { return firstSeen; }

// ---- memory: taken from the end of what there is, or from what was given back ----

enum { LINE = 64, FREE_RUNS = 4096 };

extern u8 __heap_base;
static u32 nextFree;
static struct run { u32 address, bytes; } freed[FREE_RUNS];
static u32 freedRuns;
static double usedBytes;
static u32 outOfMemory;

static u32 lines(u32 bytes) { return (bytes + LINE - 1) & ~(LINE - 1u); }

/** Bytes whose content may be anything. */
static void *takeUsed(u32 bytes) {
  for (u32 at = 0; at < freedRuns; at++) {
    if (freed[at].bytes < bytes) continue;
    u32 address = freed[at].address;
    freed[at].address += bytes;
    freed[at].bytes -= bytes;
    if (freed[at].bytes == 0) freed[at] = freed[--freedRuns];
    usedBytes += bytes;
    return (void *)address;
  }
  return 0;
}

/** Bytes at the end of what there is: they were never used, and so are 0. */
static void *takeFresh(u32 bytes) {
  u32 have = __builtin_wasm_memory_size(0), need = (u32)(((u64)nextFree + bytes + PAGE - 1) / PAGE);
  if (need > have) {
    u32 more = need - have, ahead = have / 8;
    if ((more >= ahead || __builtin_wasm_memory_grow(0, ahead) == (u32)-1) && __builtin_wasm_memory_grow(0, more) == (u32)-1) {
      outOfMemory = 1;
      return 0;
    }
  }
  void *address = (void *)nextFree;
  nextFree += bytes;
  usedBytes += bytes;
  return address;
}

static void *take(u32 bytes) {
  void *used = takeUsed(lines(bytes));
  return used != 0 ? used : takeFresh(lines(bytes));
}

static void *takeZeroed(u32 bytes) {
  void *used = takeUsed(lines(bytes));
  return used != 0 ? __builtin_memset(used, 0, bytes) : takeFresh(lines(bytes));
}

static void give(void *address, u32 bytes) {
  usedBytes -= lines(bytes);
  if (freedRuns < FREE_RUNS) freed[freedRuns++] = (struct run){(u32)address, lines(bytes)};
}

/** Room for twice as many entries, the old ones copied; 0 where there is no memory. */
static void *twice(void *old, u32 entries, u32 bytes) {
  void *more = take(entries * 2 * bytes);
  if (more == 0) return 0;
  __builtin_memcpy(more, old, entries * bytes);
  give(old, entries * bytes);
  return more;
}

// ---- components: how many ids, which rules each allows, where its bits lie in a packed state ----

/** Where the bits of each component lie: in which of at most two words of 64 bits, of which the last is cut to bytes. */
struct layout {
  u32 words, stride;
  u64 lastMask;
  u8 word[MOST_COMPONENTS], shift[MOST_COMPONENTS];
  u32 mask[MOST_COMPONENTS];
};

static u32 ids[MOST_COMPONENTS], idRoom[MOST_COMPONENTS];
static u32 *masks[MOST_COMPONENTS];
static struct layout layout;
static u32 count;
static u32 tooWide;

enum { FIRST_IDS = 64 };

/** Makes room for one more id of a component; the caller writes its mask: bit r says that rule r may run. */
EXPORT(added) u32 *added(u32 component) {
  u32 id = ids[component];
  if (id == idRoom[component]) {
    u32 *more = id == 0 ? take(FIRST_IDS * maskWords * 4) : twice(masks[component], id, maskWords * 4);
    if (more == 0) return 0;
    masks[component] = more;
    idRoom[component] = id == 0 ? FIRST_IDS : id * 2;
  }
  ids[component]++;
  if (layout.words != 0 && (id & ~layout.mask[component]) != 0) tooWide = 1;
  return masks[component] + id * maskWords;
}

static u32 bitsOf(u32 number) { return number == 0 ? 1 : 32 - __builtin_clz(number); }

INLINE u32 lowBits(u32 bits) { return bits >= 32 ? ~0u : (1u << bits) - 1; }

/** Bits that a component gets: wide ones while most ids are still to come, then little more than it needs. */
static u32 widthFor(u32 component) {
  u32 most = ids[component] + ids[component] / 8 + 1, bits = bitsOf(most) + (count < 1u << 16 ? 2 : 0);
  return bits > 32 ? 32 : bits;
}

/** A layout in the fewest words, the fullest first. False where two do not suffice. */
static u32 layOut(struct layout *into) {
  u32 width[MOST_COMPONENTS], order[MOST_COMPONENTS], left[MOST_WORDS], sharing[MOST_WORDS] = {0}, used[MOST_WORDS] = {0};
  into->words = 0;
  for (u32 at = 0; at < componentCount; at++) {
    u32 to = at;
    width[at] = widthFor(at);
    while (to > 0 && width[order[to - 1]] < width[at]) order[to] = order[to - 1], to--;
    order[to] = at;
  }
  for (u32 at = 0; at < componentCount; at++) {
    u32 component = order[at], word = 0;
    while (word < into->words && left[word] < width[component]) word++;
    if (word == MOST_WORDS) return 0;
    if (word == into->words) left[into->words++] = 64;
    into->word[component] = word;
    left[word] -= width[component];
    sharing[word]++;
  }
  u32 last = into->words - 1;
  left[last] &= 7;
  for (u32 at = 0; at < componentCount; at++) {
    u32 word = into->word[at], share = left[word] / sharing[word];
    if (share > 32 - width[at]) share = 32 - width[at];
    left[word] -= share;
    sharing[word]--;
    into->shift[at] = used[word];
    into->mask[at] = lowBits(width[at] + share);
    used[word] += width[at] + share;
  }
  u32 bytes = (used[last] + 7) / 8;
  into->stride = last * 8 + bytes;
  into->lastMask = bytes == 8 ? ~0ull : (1ull << bytes * 8) - 1;
  return 1;
}

INLINE u32 idIn(const u64 *state, const struct layout *by, u32 component) { return (u32)(state[by->word[component]] >> by->shift[component]) & by->mask[component]; }

INLINE void putId(u64 *state, u32 component, u32 id) {
  u32 word = layout.word[component], shift = layout.shift[component];
  state[word] = (state[word] & ~((u64)layout.mask[component] << shift)) | (u64)id << shift;
}

// ---- states, in chunks that never move ----

/** A word that need not be aligned. */
typedef u64 __attribute__((aligned(1))) loose;

static u8 *chunkStates[MOST_CHUNKS];
static u32 chunks;

/** The last state is written as whole words. */
static u32 chunkBytes(const struct layout *by) { return CHUNK * by->stride + 8; }

INLINE const loose *stateAt(u32 index) { return (const loose *)(chunkStates[index >> CHUNK_BITS] + (index & (CHUNK - 1)) * layout.stride); }

INLINE void readState(u64 *into, u32 index, u32 width) {
  const loose *from = stateAt(index);
  for (u32 at = 0; at < width; at++) into[at] = from[at];
  into[width - 1] &= layout.lastMask;
}

/** What stands behind it is overwritten, up to a word: states are written in their order. */
INLINE void writeState(u8 *to, const u64 *state, u32 width) {
  for (u32 at = 0; at < width; at++) ((loose *)to)[at] = state[at];
}

INLINE u32 isState(u32 index, const u64 *state, u32 width) {
  const loose *there = stateAt(index);
  u64 differs = 0;
  for (u32 at = 0; at + 1 < width; at++) differs |= there[at] ^ state[at];
  return (differs | ((there[width - 1] & layout.lastMask) ^ state[width - 1])) == 0;
}

/** Parents that are kept, by the index of the state; a root has its number's complement. */
static struct mark { u32 index, parent; } *marks;
static u32 markCount, markRoom;

enum { FIRST_MARKS = 64 };

static __attribute__((noinline)) void keepMark(u32 index, u32 parent) {
  if (markCount == markRoom) {
    struct mark *more = markRoom == 0 ? take(FIRST_MARKS * sizeof(struct mark)) : twice(marks, markRoom, sizeof(struct mark));
    if (more == 0) return;
    marks = more;
    markRoom = markRoom == 0 ? FIRST_MARKS : markRoom * 2;
  }
  marks[markCount++] = (struct mark){index, parent};
}

INLINE void keepParent(u32 index, u32 parent) {
  if (markCount > 0) {
    struct mark last = marks[markCount - 1];
    if ((int)last.parent >= 0 && index - last.index < MARK_STATES && parent - last.parent < MARK_PARENTS) return;
  }
  keepMark(index, parent);
}

static u32 roomForChunk(void) {
  if (chunks << CHUNK_BITS >= count + BATCH + MOST_RULES) return 1;
  if (chunks == MOST_CHUNKS) outOfMemory = 1;
  if (outOfMemory) return 0;
  u8 *some = take(chunkBytes(&layout));
  if (outOfMemory) return 0;
  chunkStates[chunks++] = some;
  return 1;
}

// ---- the hash table of states ----

enum { SEGMENT_BITS = 16, SEGMENT = 1 << SEGMENT_BITS, MOST_SEGMENTS = 1 << 14 };

static u32 *table[MOST_SEGMENTS];
static u32 tableSize, tableBits;

INLINE u32 *slotAt(u32 **of, u32 slot) { return &of[slot >> SEGMENT_BITS][slot & (SEGMENT - 1)]; }

/** A small table is less than a segment; a large one is whole segments. */
INLINE u32 segmentBytes(u32 size) { return 4 * (size < SEGMENT ? size : SEGMENT); }

INLINE u32 segmentsOf(u32 size) { return (size + SEGMENT - 1) >> SEGMENT_BITS; }

INLINE u64 hashOf(const u64 *state, u32 width) {
  u64 value = state[0] * 0x9e3779b97f4a7c15ull;
  if (width > 1) value = (value ^ value >> 29 ^ state[1]) * 0xbf58476d1ce4e5b9ull;
  value ^= value >> 32;
  return value * 0x94d049bb133111ebull;
}

INLINE u32 slotOf(u64 hash, u32 size) { return (u32)((hash >> 32) * size >> 32); }

/** The bits of the hash above an index. An entry is never 0: indices are stored one higher. */
INLINE u32 tagOf(u64 hash, u32 bits) { return (u32)hash & ~0u << bits; }

INLINE u32 nextSlot(u32 slot, u32 size) { return slot + 1 == size ? 0 : slot + 1; }


// ---- answers of the model, by slot and operands ----

struct answer {
  u64 key;
  u32 value, used;
};

static struct answer *answers;
static u32 answerBits, answerCount;

enum { FIRST_ANSWER_BITS = 10 };

INLINE u64 keyOf(u32 slot, u32 x, u32 y) { return (u64)slot << 52 | (u64)x << 26 | y; }

INLINE u32 answerSlot(u64 key) { return (u32)((key ^ key >> 23) * 0x9e3779b97f4a7c15ull >> (64 - answerBits)); }

static u32 growAnswers(void) {
  struct answer *old = answers;
  u32 oldSize = old == 0 ? 0 : 1u << answerBits, bits = old == 0 ? FIRST_ANSWER_BITS : answerBits + 1;
  struct answer *more = takeZeroed(sizeof(struct answer) << bits);
  if (more == 0) return 0;
  answers = more;
  answerBits = bits;
  u32 wrap = (1u << bits) - 1;
  for (u32 at = 0; at < oldSize; at++) {
    if (!old[at].used) continue;
    u32 to = answerSlot(old[at].key);
    while (more[to].used) to = (to + 1) & wrap;
    more[to] = old[at];
  }
  if (oldSize > 0) give(old, oldSize * sizeof(struct answer));
  return 1;
}

static __attribute__((noinline)) u32 ask(u32 slot, u32 x, u32 y) {
  u32 value = resolve(slot, x, y);
  if (answerCount * 2 >= 1u << answerBits && !growAnswers()) return value;
  u64 key = keyOf(slot, x, y);
  u32 wrap = (1u << answerBits) - 1, to = answerSlot(key);
  while (answers[to].used) to = (to + 1) & wrap;
  answers[to] = (struct answer){key, value, 1};
  answerCount++;
  return value;
}

INLINE u32 answer(u32 slot, u32 x, u32 y) {
  u64 key = keyOf(slot, x, y);
  u32 wrap = (1u << answerBits) - 1;
  for (u32 at = answerSlot(key); answers[at].used; at = (at + 1) & wrap)
    if (answers[at].key == key) return answers[at].value;
  return ask(slot, x, y);
}

// ---- expansion ----

static u32 head, layerEnd, depth, bounded, status;
static u64 transitions;
static u32 pending;
static u64 pendingWords[(BATCH + MOST_RULES) * MOST_WORDS];
static u32 pendingParent[BATCH + MOST_RULES];
static u32 pendingRule[BATCH + MOST_RULES];
static u32 pendingEntry[BATCH + MOST_RULES];
static u64 pendingHash[BATCH + MOST_RULES];
static volatile u64 touched;

/** Puts the successors of a state behind those that wait, in the order of the rules. */
INLINE void expand(u32 index, u32 width) {
  u64 state[MOST_WORDS];
  u32 registers[REGISTERS], enabled[MASK_WORDS];
  readState(state, index, width);
  registers[ZERO] = 0;
  for (u32 at = 0; at < maskWords; at++) enabled[at] = ~0u;
  for (u32 component = 0; component < componentCount; component++) {
    u32 id = registers[component] = idIn(state, &layout, component);
    const u32 *mask = masks[component] + id * maskWords;
    for (u32 at = 0; at < maskWords; at++) enabled[at] &= mask[at];
  }
  for (u32 at = 0; at < maskWords; at++) {
    for (u32 bits = enabled[at]; bits != 0; bits &= bits - 1) {
      u32 number = at * 32 + __builtin_ctz(bits);
      const struct rule *rule = &rules[number];
      const struct step *step = &steps[rule->firstStep];
      u32 runs = 1;
      for (u32 left = rule->steps; left > 0; left--, step++) {
        u32 value = answer(step->slot, registers[step->x], registers[step->y]);
        if (tooWide) return;
        registers[step->out] = value;
        if (step->guard && value == 0) {
          runs = 0;
          break;
        }
      }
      if (!runs) continue;
      if (rule->observation) {
        if (firstSeen[number] == ~0u) firstSeen[number] = index;
        continue;
      }
      u64 *to = &pendingWords[pending * width];
      for (u32 word = 0; word < width; word++) to[word] = state[word];
      const struct write *write = &writes[rule->firstWrite];
      for (u32 left = rule->writes; left > 0; left--, write++) putId(to, write->component, registers[write->value]);
      pendingParent[pending] = index;
      pendingRule[pending] = number;
      pending++;
    }
  }
}

/** Adds what waits to the set. The first two loops only bring memory near, many lines at once. */
INLINE void flush(u32 width) {
  u32 low = (1u << tableBits) - 1;
  u64 near = 0;
  for (u32 at = 0; at < pending; at++) {
    u64 hash = pendingHash[at] = hashOf(&pendingWords[at * width], width);
    pendingEntry[at] = *slotAt(table, slotOf(hash, tableSize));
  }
  for (u32 at = 0; at < pending; at++) {
    u32 entry = pendingEntry[at];
    if (entry != 0 && (entry & ~low) == tagOf(pendingHash[at], tableBits)) near += *stateAt((entry & low) - 1);
  }
  touched = near;
  for (u32 at = 0; at < pending; at++) {
    u64 hash = pendingHash[at];
    u32 tag = tagOf(hash, tableBits), slot = slotOf(hash, tableSize);
    const u64 *state = &pendingWords[at * width];
    for (;;) {
      u32 *there = slotAt(table, slot), entry = *there;
      if (entry == 0) {
        if (count >= maxStates) {
          bounded = 1;
          break;
        }
        writeState((u8 *)stateAt(count), state, width);
        keepParent(count, pendingParent[at]);
        count++;
        *there = tag | count;
        break;
      }
      if ((entry & ~low) == tag && isState((entry & low) - 1, state, width)) break;
      slot = nextSlot(slot, tableSize);
    }
  }
  transitions += pending;
  pending = 0;
}

// ---- growth, in slices ----

/** Slots of the new table, 0 where none is made; its segments are taken when the first state moves there. */
static u32 growing;
static u32 *larger[MOST_SEGMENTS];
static u32 moved, rewriting;
static struct layout oldLayout;

/** Three quarters of the slots may be taken. */
INLINE u32 tableRoom(void) { return tableSize / 4 * 3; }

static u32 largerTable(void) {
  if (tableSize < LARGE_TABLE) return tableSize * 2;
  return (tableSize & (tableSize - 1)) == 0 ? tableSize / 2 * 3 : tableSize / 3 * 4;
}

/** A new table, and before it a new layout where ids do not fit in the old one or a smaller one will do. */
static void beginGrowing(u32 size) {
  struct layout next;
  if (!layOut(&next)) {
    outOfMemory = 1;
    return;
  }
  if (segmentsOf(size) > MOST_SEGMENTS) {
    outOfMemory = 1;
    return;
  }
  growing = size;
  moved = 0;
  if (!tooWide && next.stride >= layout.stride) return;
  oldLayout = layout;
  layout = next;
  rewriting = 1;
  tooWide = 0;
}

/** Writes the states of one chunk in the new layout. */
static void rewriteChunk(u32 chunk) {
  u8 *from = chunkStates[chunk], *to = take(chunkBytes(&layout));
  if (to == 0) return;
  u32 first = chunk << CHUNK_BITS, end = count <= first ? 0 : count - first < CHUNK ? count - first : CHUNK;
  for (u32 at = 0; at < end; at++) {
    u64 old[MOST_WORDS], state[MOST_WORDS] = {0};
    const loose *read = (const loose *)(from + at * oldLayout.stride);
    for (u32 word = 0; word < oldLayout.words; word++) old[word] = read[word];
    for (u32 component = 0; component < componentCount; component++) putId(state, component, idIn(old, &oldLayout, component));
    writeState(to + at * layout.stride, state, layout.words);
  }
  chunkStates[chunk] = to;
  give(from, chunkBytes(&oldLayout));
}

/** The slot in the larger table; takes the segment that it lies in. */
INLINE u32 *largerAt(u32 slot) {
  u32 **segment = &larger[slot >> SEGMENT_BITS];
  if (*segment == 0) *segment = takeZeroed(segmentBytes(growing));
  return *segment == 0 ? 0 : &(*segment)[slot & (SEGMENT - 1)];
}

/** Reads the states of the next slots only to bring their memory near, many lines at once; the slot behind them. */
INLINE u32 bringNear(u32 from, u32 end, u32 low) {
  u64 near = 0;
  u32 to = end - from > BATCH ? from + BATCH : end;
  for (u32 slot = from; slot < to; slot++) {
    u32 entry = *slotAt(table, slot);
    if (entry != 0) near += *stateAt((entry & low) - 1);
  }
  touched = near;
  return to;
}

/** Moves the states of the slots up to `end`, in the order of their hashes, and gives back each segment behind its last slot. */
INLINE void moveStates(u32 end, u32 width) {
  u32 bits = bitsOf(growing), low = (1u << tableBits) - 1;
  for (u32 near = moved; moved < end; moved++) {
    if (moved == near) near = bringNear(moved, end, low);
    u32 entry = *slotAt(table, moved);
    if (entry != 0) {
      u64 state[MOST_WORDS];
      readState(state, (entry & low) - 1, width);
      u64 hash = hashOf(state, width);
      u32 slot = slotOf(hash, growing), *to = largerAt(slot);
      while (to != 0 && *to != 0) to = largerAt(slot = nextSlot(slot, growing));
      if (to == 0) return;
      *to = tagOf(hash, bits) | (entry & low);
    }
    if (((moved + 1) & (SEGMENT - 1)) == 0 || moved + 1 == tableSize) give(table[moved >> SEGMENT_BITS], segmentBytes(tableSize));
  }
}

/** Goes on with what is under way for about `units`; returns the units left. */
static u32 maintain(u32 units) {
  for (; rewriting && units > 0 && !outOfMemory; units = units > CHUNK / MOVES_PER_UNIT ? units - CHUNK / MOVES_PER_UNIT : 0) {
    rewriteChunk(moved);
    if (++moved < chunks) continue;
    rewriting = 0;
    moved = 0;
  }
  if (outOfMemory || rewriting || growing == 0) return units;
  u32 end = tableSize - moved > units * MOVES_PER_UNIT ? moved + units * MOVES_PER_UNIT : tableSize;
  units -= (end - moved) / MOVES_PER_UNIT;
  if (layout.words == 1) moveStates(end, 1);
  else moveStates(end, 2);
  if (moved < tableSize || outOfMemory) return 0;
  for (u32 at = 0; at < segmentsOf(growing); at++) {
    table[at] = larger[at] != 0 ? larger[at] : takeZeroed(segmentBytes(growing));
    larger[at] = 0;
  }
  tableSize = growing;
  tableBits = bitsOf(tableSize);
  growing = 0;
  return units;
}

/** States are read in one layout: what is under way of a new one is brought to its end. */
static void settle(void) {
  while (rewriting && !outOfMemory) maintain(CHUNK / MOVES_PER_UNIT);
}

// ---- the owner's calls ----

EXPORT(begin) u32 begin(u32 components, u32 ruleTotal, u32 most) {
  componentCount = components;
  ruleCount = ruleTotal;
  maskWords = (ruleTotal + 31) / 32;
  if (maskWords == 0) maskWords = 1;
  maxStates = most;
  nextFree = lines((u32)&__heap_base);
  for (u32 at = 0; at < ruleTotal; at++) firstSeen[at] = ~0u;
  return growAnswers();
}

static u32 root[MOST_COMPONENTS];
EXPORT(rootIds) u32 *rootIds(void) { return root; }

/** Before the first run, once the ids of all roots were added: adds the root that stands in `rootIds`. */
EXPORT(addRoot) u32 addRoot(u32 number) {
  if (layout.words == 0) {
    if (!layOut(&layout)) return 0;
    tableSize = FIRST_TABLE;
    tableBits = bitsOf(tableSize);
    table[0] = takeZeroed(4 * tableSize);
  }
  if (outOfMemory || !roomForChunk()) return 0;
  for (u32 word = 0; word < layout.words; word++) pendingWords[word] = 0;
  for (u32 at = 0; at < componentCount; at++) putId(pendingWords, at, root[at]);
  pendingParent[0] = ~number;
  pending = 1;
  flush(layout.words);
  transitions--;
  layerEnd = count;
  return 1;
}

INLINE void runWith(u32 units, u32 width) {
  while (units > 0 && head < count && !tooWide && !outOfMemory && growing == 0) {
    if (head == layerEnd) {
      depth++;
      layerEnd = count;
    }
    while (units > 0 && head < layerEnd && pending < BATCH) {
      u32 before = pending;
      expand(head, width);
      if (tooWide || outOfMemory) {
        pending = before;
        break;
      }
      head++;
      units--;
    }
    if (count + pending <= tableRoom() && roomForChunk()) {
      flush(width);
      continue;
    }
    // The batch is expanded again once there is room.
    if (pending > 0) head = pendingParent[0];
    pending = 0;
    if (!outOfMemory) beginGrowing(largerTable());
  }
}

/** Expands up to `units` states, or does as much other work as that takes. */
EXPORT(run) u32 run(u32 units) {
  if (status != MORE) return status;
  units = maintain(units);
  if (!outOfMemory && growing == 0) {
    if (layout.words == 1) runWith(units, 1);
    else runWith(units, 2);
    if (tooWide && !outOfMemory && growing == 0) beginGrowing(tableSize);
  }
  if (outOfMemory) status = NO_MEMORY;
  else if (head == count && growing == 0) status = DONE;
  return status;
}

EXPORT(stateCount) u32 stateCount(void) { return count; }
EXPORT(expandedCount) u32 expandedCount(void) { return head; }
EXPORT(transitionCount) double transitionCount(void) { return (double)transitions; }
EXPORT(layers) u32 layers(void) { return depth; }
EXPORT(wasBounded) u32 wasBounded(void) { return bounded; }
EXPORT(bytesUsed) double bytesUsed(void) { return usedBytes; }
EXPORT(bytesOfState) u32 bytesOfState(void) { return layout.stride; }
EXPORT(answersKept) u32 answersKept(void) { return answerCount; }

/** The ids of a state, in `rootIds`. */
EXPORT(idsOf) void idsOf(u32 index) {
  u64 state[MOST_WORDS];
  settle();
  readState(state, index, layout.words);
  for (u32 at = 0; at < componentCount; at++) root[at] = idIn(state, &layout, at);
}

/** The first rule that leads from one state to another, or all ones. Between runs. */
EXPORT(ruleBetween) u32 ruleBetween(u32 from, u32 to) {
  settle();
  expand(from, layout.words);
  u32 found = ~0u;
  for (u32 at = 0; at < pending && found == ~0u; at++)
    if (isState(to, &pendingWords[at * layout.words], layout.words)) found = pendingRule[at];
  pending = 0;
  return found;
}

/** The state that this one was found from, or the complement of a root's number. Between runs. */
EXPORT(parentOf) u32 parentOf(u32 index) {
  u32 low = 0, high = markCount;
  while (high - low > 1) {
    u32 middle = (low + high) / 2;
    if (marks[middle].index <= index) low = middle;
    else high = middle;
  }
  u32 parent = marks[low].parent;
  if (marks[low].index != index) while (parent < head && ruleBetween(parent, index) == ~0u) parent++;
  return parent;
}
