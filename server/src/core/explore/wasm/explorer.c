// Exact breadth-first exploration of states made of components, each component a number that the model gave to one of
// its values. It knows no model: what a rule does to a component is asked of the model once per operands and then looked
// up. component-explorer-js.ts is the same algorithm in plain JavaScript; a test holds the two together.
//
// States stand in the order in which they were found, which is the order in which they are expanded: no queue, no stored
// depth. A state is one to four packed words and its parent's index; the hash table holds 4 bytes a slot, an index with
// some bits of the hash above it. Nothing is ever copied to grow but the hash table, and that in slices.

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
  MOST_WORDS = 4,
  MOST_RULES = 1024,
  MOST_STEPS = 8192,
  MASK_WORDS = MOST_RULES / 32,
  CHUNK_BITS = 15,
  CHUNK = 1 << CHUNK_BITS,
  MOST_CHUNKS = 1 << 13,
  BATCH = 96,
  /** A state expanded costs about as much as this many states moved to a larger table. */
  MOVES_PER_UNIT = 2,
  FIRST_TABLE_BITS = 12,
  FREE_RUNS = 64,
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

// ---- pages ----

extern u8 __heap_base;
static u32 nextPage;
static struct run { u32 page, pages; } freed[FREE_RUNS];
static u32 freedRuns;
static u32 usedPages;
static u32 outOfMemory;

/** Pages whose content may be anything. */
static u32 takePages(u32 pages, u32 zeroed) {
  usedPages += pages;
  for (u32 at = 0; !zeroed && at < freedRuns; at++) {
    if (freed[at].pages < pages) continue;
    u32 page = freed[at].page;
    freed[at].page += pages;
    freed[at].pages -= pages;
    if (freed[at].pages == 0) freed[at] = freed[--freedRuns];
    return page * PAGE;
  }
  u32 have = __builtin_wasm_memory_size(0);
  if (nextPage + pages > have) {
    u32 more = nextPage + pages - have, ahead = have / 8;
    if (__builtin_wasm_memory_grow(0, more > ahead ? more : ahead) == (u32)-1 && __builtin_wasm_memory_grow(0, more) == (u32)-1) {
      outOfMemory = 1;
      usedPages -= pages;
      return 0;
    }
  }
  u32 page = nextPage;
  nextPage += pages;
  return page * PAGE;
}

static void givePages(u32 address, u32 pages) {
  usedPages -= pages;
  if (freedRuns < FREE_RUNS) freed[freedRuns++] = (struct run){address / PAGE, pages};
}

static u32 pagesFor(u32 bytes) { return (bytes + PAGE - 1) / PAGE; }

// ---- components: how many ids, which rules each allows, where its bits lie in a packed state ----

static u32 ids[MOST_COMPONENTS], idRoom[MOST_COMPONENTS];
static u32 *masks[MOST_COMPONENTS];
static u32 wordOf[MOST_COMPONENTS], shiftOf[MOST_COMPONENTS], widthOf[MOST_COMPONENTS];
static u32 words;
static u32 tooWide;

/** Makes room for one more id of a component; the caller writes its mask: bit r says that rule r may run. */
EXPORT(added) u32 *added(u32 component) {
  u32 id = ids[component]++;
  if (ids[component] > idRoom[component]) {
    u32 room = idRoom[component] == 0 ? PAGE / (4 * maskWords) : idRoom[component] * 2;
    u32 *more = (u32 *)takePages(pagesFor(room * maskWords * 4), 0);
    if (outOfMemory) return 0;
    if (id > 0) {
      __builtin_memcpy(more, masks[component], id * maskWords * 4);
      givePages((u32)masks[component], pagesFor(idRoom[component] * maskWords * 4));
    }
    masks[component] = more;
    idRoom[component] = room;
  }
  if (widthOf[component] < 32 && id >> widthOf[component] != 0) tooWide = 1;
  return masks[component] + id * maskWords;
}

static u32 bitsFor(u32 count) {
  u32 bits = 1;
  while (bits < 32 && (count - 1) >> bits != 0) bits++;
  return bits;
}

/** Gives every component bits for four times its ids, and what is left over in its word. False where they do not fit. */
static u32 placeIn(u32 wordCount) {
  u32 left[MOST_WORDS], sharing[MOST_WORDS], order[MOST_COMPONENTS];
  for (u32 at = 0; at < wordCount; at++) left[at] = 32, sharing[at] = 0;
  for (u32 at = 0; at < componentCount; at++) {
    u32 need = bitsFor(ids[at] == 0 ? 1 : ids[at]) + 2;
    widthOf[at] = need > 32 ? 32 : need;
    u32 to = at;
    while (to > 0 && widthOf[order[to - 1]] < widthOf[at]) order[to] = order[to - 1], to--;
    order[to] = at;
  }
  for (u32 at = 0; at < componentCount; at++) {
    u32 component = order[at], best = MOST_WORDS;
    for (u32 word = 0; word < wordCount; word++)
      if (left[word] >= widthOf[component] && (best == MOST_WORDS || left[word] > left[best])) best = word;
    if (best == MOST_WORDS) return 0;
    wordOf[component] = best;
    left[best] -= widthOf[component];
    sharing[best]++;
  }
  u32 used[MOST_WORDS] = {0};
  for (u32 at = 0; at < componentCount; at++) {
    u32 word = wordOf[at], share = left[word] / sharing[word];
    widthOf[at] += share;
    left[word] -= share;
    sharing[word]--;
    shiftOf[at] = used[word];
    used[word] += widthOf[at];
  }
  return 1;
}

static u32 lay(void) {
  for (u32 count = words == 0 ? (componentCount > 1 ? 2 : 1) : words; count <= MOST_WORDS; count++)
    if (placeIn(count)) {
      words = count;
      return 1;
    }
  return 0;
}

INLINE u32 maskOf(u32 component) { return widthOf[component] >= 32 ? ~0u : (1u << widthOf[component]) - 1; }

INLINE u32 idIn(const u32 *state, u32 component) { return state[wordOf[component]] >> shiftOf[component] & maskOf(component); }

INLINE void putId(u32 *state, u32 component, u32 id) {
  u32 word = wordOf[component];
  state[word] = (state[word] & ~(maskOf(component) << shiftOf[component])) | id << shiftOf[component];
}

// ---- states, in chunks that never move ----

static u32 *chunkWords[MOST_CHUNKS];
static u32 *chunkParents[MOST_CHUNKS];
static u32 chunks, count;

INLINE u32 *stateAt(u32 index, u32 width) { return chunkWords[index >> CHUNK_BITS] + (index & (CHUNK - 1)) * width; }

INLINE u32 *parentAt(u32 index) { return chunkParents[index >> CHUNK_BITS] + (index & (CHUNK - 1)); }

static u32 roomForChunk(void) {
  if (chunks << CHUNK_BITS >= count + BATCH + MOST_RULES) return 1;
  if (chunks == MOST_CHUNKS) {
    outOfMemory = 1;
    return 0;
  }
  u32 *some = (u32 *)takePages(pagesFor(CHUNK * words * 4), 0);
  u32 *parents = (u32 *)takePages(pagesFor(CHUNK * 4), 0);
  if (outOfMemory) return 0;
  chunkWords[chunks] = some;
  chunkParents[chunks] = parents;
  chunks++;
  return 1;
}

// ---- the hash table of states ----

static u32 *table;
static u32 tableBits;

INLINE u64 hashOf(const u32 *state, u32 width) {
  u64 value = state[0];
  if (width > 1) value |= (u64)state[1] << 32;
  value *= 0x9e3779b97f4a7c15ull;
  if (width > 2) {
    u64 more = state[2];
    if (width > 3) more |= (u64)state[3] << 32;
    value = (value ^ value >> 29 ^ more) * 0xbf58476d1ce4e5b9ull;
  }
  value ^= value >> 32;
  return value * 0x94d049bb133111ebull;
}

INLINE u32 slotOf(u64 hash) { return (u32)(hash >> (64 - tableBits)); }

/** The bits of the hash above an index. An entry is never 0: indices are stored one higher. */
INLINE u32 tagOf(u64 hash) { return (u32)hash & ~0u << tableBits; }

static u32 *newTable(u32 bits) { return (u32 *)takePages(pagesFor(4u << bits), 1); }

// ---- answers of the model, by slot and operands ----

struct answer {
  u64 key;
  u32 value, used;
};

static struct answer *answers;
static u32 answerBits, answerCount;

INLINE u64 keyOf(u32 slot, u32 x, u32 y) { return (u64)slot << 52 | (u64)x << 26 | y; }

INLINE u32 answerSlot(u64 key) { return (u32)((key ^ key >> 23) * 0x9e3779b97f4a7c15ull >> (64 - answerBits)); }

static u32 growAnswers(void) {
  struct answer *old = answers;
  u32 oldSize = answers == 0 ? 0 : 1u << answerBits, oldPages = pagesFor(oldSize * sizeof(struct answer));
  answerBits = answers == 0 ? 12 : answerBits + 1;
  answers = (struct answer *)takePages(pagesFor(sizeof(struct answer) << answerBits), 1);
  if (outOfMemory) return 0;
  u32 wrap = (1u << answerBits) - 1;
  for (u32 at = 0; at < oldSize; at++) {
    if (!old[at].used) continue;
    u32 to = answerSlot(old[at].key);
    while (answers[to].used) to = (to + 1) & wrap;
    answers[to] = old[at];
  }
  if (oldSize > 0) givePages((u32)old, oldPages);
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
static u32 pendingWords[(BATCH + MOST_RULES) * MOST_WORDS];
static u32 pendingParent[BATCH + MOST_RULES];
static u32 pendingRule[BATCH + MOST_RULES];
static u32 pendingEntry[BATCH + MOST_RULES];
static u64 pendingHash[BATCH + MOST_RULES];
static volatile u32 touched;

/** Puts the successors of a state behind those that wait, in the order of the rules. */
INLINE void expand(u32 index, u32 width) {
  u32 state[MOST_WORDS], registers[REGISTERS], enabled[MASK_WORDS];
  const u32 *from = stateAt(index, width);
  for (u32 at = 0; at < width; at++) state[at] = from[at];
  registers[ZERO] = 0;
  for (u32 at = 0; at < maskWords; at++) enabled[at] = ~0u;
  for (u32 component = 0; component < componentCount; component++) {
    u32 id = registers[component] = idIn(state, component);
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
      u32 *to = &pendingWords[pending * width];
      for (u32 word = 0; word < width; word++) to[word] = state[word];
      const struct write *write = &writes[rule->firstWrite];
      for (u32 left = rule->writes; left > 0; left--, write++) putId(to, write->component, registers[write->value]);
      pendingParent[pending] = index;
      pendingRule[pending] = number;
      pending++;
    }
  }
}

INLINE u32 same(const u32 *left, const u32 *right, u32 width) {
  u32 differs = 0;
  for (u32 at = 0; at < width; at++) differs |= left[at] ^ right[at];
  return differs == 0;
}

/** Adds what waits to the set. The first two loops only bring memory near, many lines at once. */
INLINE void flush(u32 width) {
  u32 wrap = (1u << tableBits) - 1, low = wrap, near = 0;
  for (u32 at = 0; at < pending; at++) {
    u64 hash = pendingHash[at] = hashOf(&pendingWords[at * width], width);
    pendingEntry[at] = table[slotOf(hash)];
  }
  for (u32 at = 0; at < pending; at++) {
    u32 entry = pendingEntry[at];
    if (entry != 0 && (entry & ~low) == tagOf(pendingHash[at])) near += *stateAt((entry & low) - 1, width);
  }
  touched = near;
  for (u32 at = 0; at < pending; at++) {
    u64 hash = pendingHash[at];
    u32 tag = tagOf(hash), slot = slotOf(hash);
    const u32 *state = &pendingWords[at * width];
    for (;;) {
      u32 entry = table[slot];
      if (entry == 0) {
        if (count >= maxStates) {
          bounded = 1;
          break;
        }
        u32 *to = stateAt(count, width);
        for (u32 word = 0; word < width; word++) to[word] = state[word];
        *parentAt(count) = pendingParent[at];
        count++;
        table[slot] = tag | count;
        break;
      }
      if ((entry & ~low) == tag && same(stateAt((entry & low) - 1, width), state, width)) break;
      slot = (slot + 1) & wrap;
    }
  }
  transitions += pending;
  pending = 0;
}

// ---- growth, in slices ----

static u32 *growing;
static u32 growingBits, moved, rewriting;
static u32 oldWords, oldWordOf[MOST_COMPONENTS], oldShiftOf[MOST_COMPONENTS], oldMaskOf[MOST_COMPONENTS];

/** Three quarters of the slots may be taken. */
INLINE u32 tableRoom(u32 bits) { return (1u << bits) / 4 * 3; }

/** A new layout: all states are written again, then hashed again, into a table of `bits`. */
static u32 beginRewriting(void) {
  oldWords = words;
  for (u32 at = 0; at < componentCount; at++) oldWordOf[at] = wordOf[at], oldShiftOf[at] = shiftOf[at], oldMaskOf[at] = maskOf(at);
  if (!lay()) {
    outOfMemory = 1;
    return 0;
  }
  tooWide = 0;
  rewriting = 1;
  moved = 0;
  return 1;
}

/** Writes the states of one chunk in the new layout. */
static u32 rewriteChunk(u32 chunk) {
  u32 *from = chunkWords[chunk], *to = from;
  if (words != oldWords) to = (u32 *)takePages(pagesFor(CHUNK * words * 4), 0);
  if (outOfMemory) return 0;
  u32 first = chunk << CHUNK_BITS, end = count <= first ? 0 : count - first < CHUNK ? count - first : CHUNK;
  for (u32 at = 0; at < end; at++) {
    u32 old[MOST_WORDS];
    for (u32 word = 0; word < oldWords; word++) old[word] = from[at * oldWords + word];
    u32 *state = to + at * words;
    for (u32 word = 0; word < words; word++) state[word] = 0;
    for (u32 component = 0; component < componentCount; component++)
      putId(state, component, old[oldWordOf[component]] >> oldShiftOf[component] & oldMaskOf[component]);
  }
  if (to != from) {
    chunkWords[chunk] = to;
    givePages((u32)from, pagesFor(CHUNK * oldWords * 4));
  }
  return 1;
}

static u32 beginGrowing(u32 bits) {
  growingBits = bits;
  growing = newTable(bits);
  moved = 0;
  return !outOfMemory;
}

INLINE void moveStates(u32 end, u32 width) {
  u32 wrap = (1u << growingBits) - 1;
  for (; moved < end; moved++) {
    u64 hash = hashOf(stateAt(moved, width), width);
    u32 slot = (u32)(hash >> (64 - growingBits));
    while (growing[slot] != 0) slot = (slot + 1) & wrap;
    growing[slot] = ((u32)hash & ~0u << growingBits) | (moved + 1);
  }
}

/** Goes on with what is under way for about `units`; returns the units left. */
static u32 maintain(u32 units) {
  if (rewriting) {
    while (units > 0 && moved < chunks) {
      if (!rewriteChunk(moved)) return 0;
      moved++;
      units = units > CHUNK / MOVES_PER_UNIT ? units - CHUNK / MOVES_PER_UNIT : 0;
    }
    if (moved < chunks) return 0;
    rewriting = 0;
    if (!beginGrowing(tableBits)) return 0;
  }
  if (growing != 0) {
    u32 end = count - moved > units * MOVES_PER_UNIT ? moved + units * MOVES_PER_UNIT : count;
    u32 spent = (end - moved) / MOVES_PER_UNIT;
    switch (words) {
      case 1: moveStates(end, 1); break;
      case 2: moveStates(end, 2); break;
      case 3: moveStates(end, 3); break;
      default: moveStates(end, 4);
    }
    units -= spent < units ? spent : units;
    if (moved < count) return 0;
    givePages((u32)table, pagesFor(4u << tableBits));
    table = growing;
    tableBits = growingBits;
    growing = 0;
  }
  return units;
}

// ---- the owner's calls ----

EXPORT(begin) u32 begin(u32 components, u32 ruleTotal, u32 most) {
  componentCount = components;
  ruleCount = ruleTotal;
  maskWords = (ruleTotal + 31) / 32;
  if (maskWords == 0) maskWords = 1;
  maxStates = most;
  nextPage = ((u32)&__heap_base + PAGE - 1) / PAGE;
  for (u32 at = 0; at < ruleTotal; at++) firstSeen[at] = ~0u;
  for (u32 at = 0; at < components; at++) widthOf[at] = 32;
  if (!growAnswers()) return 0;
  return 1;
}

static u32 root[MOST_COMPONENTS];
EXPORT(rootIds) u32 *rootIds(void) { return root; }

/** Before the first run, once the ids of all roots were added: adds the root that stands in `rootIds`. */
EXPORT(addRoot) u32 addRoot(u32 number) {
  if (words == 0) {
    if (!lay()) return 0;
    tooWide = 0;
    tableBits = FIRST_TABLE_BITS;
    table = newTable(tableBits);
  }
  if (outOfMemory || !roomForChunk()) return 0;
  for (u32 word = 0; word < words; word++) pendingWords[word] = 0;
  for (u32 at = 0; at < componentCount; at++) putId(pendingWords, at, root[at]);
  pendingParent[0] = ~number;
  pending = 1;
  flush(words);
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
    if (count + pending <= tableRoom(tableBits) && roomForChunk()) {
      flush(width);
      continue;
    }
    // The batch is expanded again once there is room.
    if (pending > 0) head = pendingParent[0];
    pending = 0;
    if (!outOfMemory) beginGrowing(tableBits + 1);
  }
}

/** Expands up to `units` states, or does as much other work as that takes. */
EXPORT(run) u32 run(u32 units) {
  if (status != MORE) return status;
  units = maintain(units);
  if (!outOfMemory && !rewriting && growing == 0) {
    switch (words) {
      case 1: runWith(units, 1); break;
      case 2: runWith(units, 2); break;
      case 3: runWith(units, 3); break;
      default: runWith(units, 4);
    }
    if (tooWide && !outOfMemory && growing == 0) beginRewriting();
  }
  if (outOfMemory) status = NO_MEMORY;
  else if (head == count && !rewriting && growing == 0) status = DONE;
  return status;
}

EXPORT(stateCount) u32 stateCount(void) { return count; }
EXPORT(expandedCount) u32 expandedCount(void) { return head; }
EXPORT(transitionCount) double transitionCount(void) { return (double)transitions; }
EXPORT(layers) u32 layers(void) { return depth; }
EXPORT(wasBounded) u32 wasBounded(void) { return bounded; }
EXPORT(bytesUsed) double bytesUsed(void) { return (double)usedPages * PAGE; }
EXPORT(wordsUsed) u32 wordsUsed(void) { return words; }
EXPORT(answersKept) u32 answersKept(void) { return answerCount; }
EXPORT(parentOf) u32 parentOf(u32 index) { return *parentAt(index); }

/** The ids of a state, in `rootIds`. */
EXPORT(idsOf) void idsOf(u32 index) {
  for (u32 at = 0; at < componentCount; at++) root[at] = idIn(stateAt(index, words), at);
}

/** The first rule that leads from one state to another, or all ones. Between runs only. */
EXPORT(ruleBetween) u32 ruleBetween(u32 from, u32 to) {
  expand(from, words);
  u32 found = ~0u;
  for (u32 at = 0; at < pending && found == ~0u; at++)
    if (same(&pendingWords[at * words], stateAt(to, words), words)) found = pendingRule[at];
  pending = 0;
  return found;
}
