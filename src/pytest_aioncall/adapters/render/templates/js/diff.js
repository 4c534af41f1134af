// Word-level difference of two answers, made when a case is opened: it costs a run nothing.

const MOST_EDITS = 2000; // beyond that the search would take more memory than a mark is worth
const REWRITTEN = 0.3; // less than this share of the words in common, and marks only confuse

// Scripts that write words without spaces: there the browser's dictionary tells where a word ends.
const UNSPACED = /[\p{Script=Han}\p{Script=Hiragana}\p{Script=Katakana}\p{Script=Thai}\p{Script=Lao}\p{Script=Khmer}\p{Script=Myanmar}]/u;
const WORDS = /[\p{L}\p{N}\p{M}_]+|\s+|[^\p{L}\p{N}\p{M}_\s]/gu;
const SIGNS = /[\p{Script=Han}\p{Script=Hiragana}\p{Script=Katakana}\p{Script=Thai}\p{Script=Lao}\p{Script=Khmer}\p{Script=Myanmar}]\p{M}*|[\p{L}\p{N}\p{M}_]+|\s+|[^\p{L}\p{N}\p{M}_\s]/gu;

const wordsOf = (text, unspaced) => {
  if (!unspaced) return text.match(WORDS) || [];
  if (typeof Intl.Segmenter !== "function") return text.match(SIGNS) || [];
  return Array.from(new Intl.Segmenter(undefined, { granularity: "word" }).segment(text), (one) => one.segment);
};
const linesOf = (text) => text.match(/[^\n]*\n|[^\n]+/g) || [];

// Myers' greedy search for the shortest edit script (Algorithmica 1, 1986). Takes numbers for words; returns
// the pairs of places that both sides keep, in order, or null where more than MOST_EDITS edits are needed.
const keptPairs = (a, b) => {
  const most = Math.min(a.length + b.length, MOST_EDITS);
  const mid = most + 1;
  const far = new Int32Array(2 * most + 3);
  const trail = [];
  for (let d = 0; d <= most; d += 1) {
    trail.push(far.slice(mid - d, mid + d + 1));
    for (let k = -d; k <= d; k += 2) {
      const down = k === -d || (k !== d && far[mid + k - 1] < far[mid + k + 1]);
      let x = down ? far[mid + k + 1] : far[mid + k - 1] + 1;
      while (x < a.length && x - k < b.length && a[x] === b[x - k]) x += 1;
      far[mid + k] = x;
      if (x >= a.length && x - k >= b.length) return walkBack(trail, a.length, b.length);
    }
  }
  return null;
};
const walkBack = (trail, n, m) => {
  const pairs = [];
  let x = n;
  let y = m;
  for (let d = trail.length - 1; d > 0; d -= 1) {
    const far = trail[d];
    const k = x - y;
    const down = k === -d || (k !== d && far[d + k - 1] < far[d + k + 1]);
    const before = down ? k + 1 : k - 1;
    const fromX = far[d + before];
    const fromY = fromX - before;
    while (x > fromX && y > fromY) {
      x -= 1;
      y -= 1;
      pairs.push([x, y]);
    }
    x = fromX;
    y = fromY;
  }
  while (x > 0 && y > 0) {
    x -= 1;
    y -= 1;
    pairs.push([x, y]);
  }
  return pairs.reverse();
};

const numbered = (a, b) => {
  const numbers = new Map();
  const number = (word) => {
    if (!numbers.has(word)) numbers.set(word, numbers.size);
    return numbers.get(word);
  };
  return [Int32Array.from(a, number), Int32Array.from(b, number)];
};

// Runs of one side: [changed, text], neighbours of a kind joined.
const sideRuns = (tokens, kept) => {
  const runs = [];
  tokens.forEach((token, i) => {
    const changed = !kept[i];
    if (runs.length && runs[runs.length - 1][0] === changed) runs[runs.length - 1][1] += token;
    else runs.push([changed, token]);
  });
  return runs;
};

const compared = (a, b, few) => {
  let head = 0;
  while (head < a.length && head < b.length && a[head] === b[head]) head += 1;
  let tail = 0;
  while (tail < a.length - head && tail < b.length - head && a[a.length - 1 - tail] === b[b.length - 1 - tail]) tail += 1;
  const pairs = keptPairs(...numbered(a.slice(head, a.length - tail), b.slice(head, b.length - tail)));
  if (!pairs) return null;
  const keptA = new Uint8Array(a.length).fill(1, 0, head).fill(1, a.length - tail);
  const keptB = new Uint8Array(b.length).fill(1, 0, head).fill(1, b.length - tail);
  for (const [i, j] of pairs) { keptA[head + i] = 1; keptB[head + j] = 1; }
  // A lone space or comma between two changed words belongs to the change: fewer, longer marks read better.
  for (const [i, j] of pairs) {
    const x = head + i;
    const y = head + j;
    const weak = !/[\p{L}\p{N}]/u.test(a[x]) && !a[x].includes("\n");
    if (weak && keptA[x - 1] === 0 && keptA[x + 1] === 0 && keptB[y - 1] === 0 && keptB[y + 1] === 0) keptA[x] = keptB[y] = 0;
  }
  const words = (tokens, kept) => tokens.reduce((n, token, i) => n + (/[\p{L}\p{N}]/u.test(token) && (!kept || kept[i]) ? 1 : 0), 0);
  const least = Math.min(words(a), words(b));
  const rewritten = least > few && words(a, keptA) < REWRITTEN * least;
  return { was: rewritten ? [[false, a.join("")]] : sideRuns(a, keptA), now: rewritten ? [[false, b.join("")]] : sideRuns(b, keptB), rewritten };
};

// Both sides always spell their whole text: the joined runs of `was` are `was`, those of `now` are `now`.
const difference = (was, now) => {
  if (was === now) return { was: [[false, was]], now: [[false, now]], same: true };
  const unspaced = UNSPACED.test(was) || UNSPACED.test(now);
  return compared(wordsOf(was, unspaced), wordsOf(now, unspaced), 3)
    || compared(linesOf(was), linesOf(now), 0)
    || { was: [[false, was]], now: [[false, now]], rewritten: true };
};
