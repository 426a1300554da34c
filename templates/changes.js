"use strict";
// What changed in a window of time: all series ranked by how much they differ from a reference. The same statistic as
// `esxprobe/changes` (docs/changes.md has its formulas and sources); a test holds the two against each other.
//
// rankChanges(set, window, reference, sureOnly):
//   set        {times: Float64Array of seconds since 1970, rising; count: how many series; read(series, into, until):
//              writes the samples before the one numbered `until` to a Float64Array, NaN for none, and returns what they
//              are to be divided by, so that whole numbers need no division before it is known what changed;
//              sums: what `sumsOf(set)` gave, or nothing: a comparison with the rest takes less time with it}
//   window     [from, to] in seconds since 1970, both included
//   reference  "before" (the default), "rest", or another [from, to]; samples of the window are not part of it
//   sureOnly   only what chance would hardly make; the same as what is sure of all, in less time
// Returns one record a series, what changed most first and what could not be tested last:
//   {index, statistic, logP, q, sure, kind, before, within, direction, constantBefore, samples}
//   sure: whether chance would hardly make it among so many series (q below 1 %); kind: "level" or "spread", of which
//   before and within are means or standard deviations; direction: "up" or "down"; samples: [reference, window].
(() => {
  const TIMES = 4, FEWEST = 120, FEWEST_BEFORE = 8, FEWEST_STEPS = 4, FEWEST_BLOCKS = 8;
  const SURE = 0.01, MOST_PHI = 0.98, MOST_TIES = 0.25, WORTH_COUNTING = Math.log(0.05), NEGLIGIBLE = 1e-15;
  const CANCELED = 1e-9; // a sum of squares below this share of what it was taken from is rounding
  const EXACT = 1e-6, ROUNDING = 1e-6; // above this share it is right to 1e-7, also where sums are taken from sums

  const ODD = Float64Array.from({ length: 200 }, (_, n) => 1 / (2 * n + 1)); // one over odd numbers
  // ln erfc(x), x >= 0: a series with positive terms, and from 2 on a continued fraction.
  const logErfc = (x) => {
    if (x < 2) {
      const square = 2 * x * x;
      let term = x, sum = x;
      for (let n = 1; term > 1e-17 * sum; n++) sum += term *= square * ODD[n];
      return Math.log1p(-2 / Math.sqrt(Math.PI) * Math.exp(-x * x) * sum);
    }
    const step = 1 / (2 * x * x);
    let fraction = 1;
    for (let n = 60; n > 0; n--) fraction = 1 + n * step / fraction;
    return -x * x - Math.log(x * Math.sqrt(Math.PI) * fraction);
  };
  const logPOf = (deviate) => logErfc(deviate / Math.SQRT2);
  // Newton's method from above: the logarithm is concave, so no step passes the root.
  const deviateOf = (logP) => {
    if (!(logP < 0)) return 0;
    let deviate = Math.sqrt(-2 * logP);
    for (let n = 0; n < 60; n++) {
      const here = logPOf(deviate);
      const step = (here - logP) / (Math.sqrt(2 / Math.PI) * Math.exp(-deviate * deviate / 2 - here));
      deviate = Math.max(0, deviate + step);
      if (Math.abs(step) <= 1e-13 * deviate) break;
    }
    return deviate;
  };

  const LOG_SURE = Math.log(SURE), UNSURE = (deviateOf(LOG_SURE) - 1e-6) ** 2;

  let logFactorials = new Float64Array(1);
  const needFactorials = (most) => {
    if (logFactorials.length > most) return;
    logFactorials = new Float64Array(most + 1);
    for (let n = 1; n <= most; n++) logFactorials[n] = logFactorials[n - 1] + Math.log(n);
  };
  const logChoose = (of, some) => logFactorials[of] - logFactorials[some] - logFactorials[of - some];
  // The chance of so many or more of the samples that count in the window, all samples being alike.
  const logTail = (before, n, inside, m) => {
    const all = before + inside, most = Math.min(m, all);
    const first = logChoose(all, inside) + logChoose(n + m - all, m - inside) - logChoose(n + m, m);
    let total = 1, term = 1;
    for (let count = inside; count < most && term > NEGLIGIBLE * total; count++) {
      term *= (all - count) * (m - count) / ((count + 1) * (n - all + count + 1));
      total += term;
    }
    return Math.min(first + Math.log(total), 0);
  };

  const majority = (values, n) => { // NaN where no value is that of more than half of them
    let candidate = NaN, lead = 0;
    for (let i = 0; i < n; i++) {
      if (!lead) candidate = values[i];
      lead += values[i] === candidate ? 1 : -1;
    }
    let many = 0;
    for (let i = 0; i < n; i++) many += values[i] === candidate ? 1 : 0;
    return 2 * many > n ? candidate : NaN;
  };
  const logPOfCounts = (before, n, inside, m, mean, deviation, sign) => {
    let extreme = -Infinity;
    for (let i = 0; i < n; i++) if (sign * before[i] > extreme) extreme = sign * before[i];
    const usual = majority(before, n);
    const first = sign * (usual === usual ? usual : mean), second = sign * mean + deviation;
    let there = 0, thereFurther = 0, here = 0, hereFurther = 0, hereBeyond = 0;
    for (let i = 0; i < n; i++) {
      const value = sign * before[i];
      if (value > first) there++;
      if (value > second) thereFurther++;
    }
    for (let i = 0; i < m; i++) {
      const value = sign * inside[i];
      if (value > first) here++;
      if (value > second) hereFurther++;
      if (value > extreme) hereBeyond++;
    }
    const least = Math.min(
      logTail(there, n, here, m), logTail(thereFurther, n, hereFurther, m), logTail(0, n, hereBeyond, m));
    return Math.min(least + Math.LN2, 0);
  };

  const phiOf = (lag, n) => Math.min(Math.max(lag + (1 + 3 * lag) / n, 0), MOST_PHI); // Kendall's correction
  const ofAr1 = (phi, count) =>
    (1 + phi) / (1 - phi) - 2 * phi * (1 - phi ** count) / (count * (1 - phi) ** 2);

  const ROOTS = new Float64Array(65536).map((_, whole) => Math.sqrt(Math.sqrt(whole)));
  // Some samples of one series after the other: what is known of them, their fourth roots and the square roots of the
  // steps between these, with all sums and those of products of neighbors, in one pass.
  class Samples {
    constructor(places, roots = new Float64Array(places.length), steps = new Float64Array(places.length)) {
      Object.assign(this, { places, intoRoots: roots, intoSteps: steps });
      Object.assign(this, { n: 0, ties: 0, constant: 0.5, sum: 0.5, roots: 0.5, squares: 0.5, steps: 0.5, ways: 0.5 });
      Object.assign(this, { rootPairs: 0.5, stepPairs: 0.5 });
    }

    take(values) {
      const { places, intoRoots, intoSteps } = this;
      let first = NaN, unlike = 0;
      let n = 0, sum = 0, last = 0, roots = 0, squares = 0, steps = 0, ways = 0, ties = 0;
      let rootPairs = 0, stepPairs = 0, lastStep = 0;
      for (let i = 0; i < places.length; i++) {
        const value = values[places[i]];
        if (value - value !== 0) continue; // NaN or infinite
        sum += value;
        const whole = value & 0xffff;
        const root = whole === value ? ROOTS[whole] : value >= 0 ? Math.sqrt(Math.sqrt(value)) : -Math.sqrt(Math.sqrt(-value));
        if (n) {
          const way = Math.abs(root - last);
          ways += way;
          const step = intoSteps[n - 1] = Math.sqrt(way);
          steps += step;
          stepPairs += step * lastStep;
          rootPairs += root * last;
          lastStep = step;
          ties += way === 0 ? 1 : 0;
          if (value !== first) unlike = 1;
        } else first = value;
        squares += root * root;
        roots += root;
        intoRoots[n++] = last = root;
      }
      this.n = n; this.ties = ties; this.constant = unlike ? NaN : first;
      this.sum = sum; this.roots = roots; this.squares = squares; this.steps = steps; this.ways = ways;
      this.rootPairs = rootPairs; this.stepPairs = stepPairs;
    }

    // The first and the last together, of n - 1 steps and of n roots.
    get rootEnds() { return this.intoRoots[0] + this.intoRoots[this.n - 1]; }
    get stepEnds() { return this.intoSteps[0] + this.intoSteps[this.n - 2]; }

    // How many differ from a value.
    unlike(values, constant) {
      let many = 0;
      for (const place of this.places) if (Number.isFinite(values[place]) && values[place] !== constant) many++;
      return many;
    }
  }

  const SUMMED = ["n", "ties", "roots", "squares", "rootPairs", "steps", "ways", "stepPairs"];
  const ENDS = ["firstRoot", "lastRoot", "firstStep", "lastStep"];
  // Sums over all samples of each series, made for some series at a time.
  class Sums {
    constructor(set) {
      const { count, times } = set, { length } = times;
      Object.assign(this, { set, done: 0, room: new Float64Array(length) });
      this.all = new Samples(Uint32Array.from(times, (_, n) => n));
      for (const name of [...SUMMED, ...ENDS]) this[name] = new Float64Array(count);
    }

    // Takes some more series; tells whether others are left.
    more(many = 1000) {
      const { all, room, set } = this, until = Math.min(set.count, this.done + many);
      for (let index = this.done; index < until; index++) {
        set.read(index, room, room.length);
        all.take(room);
        for (const name of SUMMED) this[name][index] = all[name];
        this.firstRoot[index] = all.intoRoots[0];
        this.lastRoot[index] = all.intoRoots[all.n - 1];
        this.firstStep[index] = all.intoSteps[0];
        this.lastStep[index] = all.intoSteps[all.n - 2];
      }
      this.done = until;
      return until < set.count;
    }
  }
  const sumsOf = (set) => new Sums(set);

  // What a window leaves of all samples. Of the sums over all, those over the window and two samples on each side of it
  // are taken away, and those over these four alone are added: then they have each step and each pair once. `inside` has
  // the sums of the window.
  class Rest {
    constructor(sums, inside, length) {
      const first = inside[0], next = inside[inside.length - 1] + 1;
      const from = Math.max(0, first - 2), to = Math.min(length, next + 2);
      const all = Uint32Array.from({ length: to - from }, (_, n) => from + n);
      Object.assign(this, { sums, until: to, before: first - from, after: to - next });
      this.around = new Samples(all);
      this.sides = new Samples(all.filter((place) => place < first || place >= next));
      for (const name of SUMMED) this[name] = 0.5;
      this.rootEnds = this.stepEnds = 0.5;
      this.inside = { n: 0, roots: 0.5, steps: 0.5 };
    }

    // Whether there are sums of this series, samples in the window, and no gap beside it.
    take(values, index) {
      const { sums, sides, around, before, after, inside } = this;
      if (index >= sums.done) return false;
      sides.take(values);
      if (sides.n < sides.places.length) return false;
      around.take(values);
      inside.n = around.n - sides.n;
      if (!inside.n) return false;
      inside.roots = around.roots - sides.roots;
      inside.steps = around.steps;
      for (let n = 0; n < before; n++) inside.steps -= around.intoSteps[n];
      for (let n = around.n - 1 - after; n < around.n - 1; n++) inside.steps -= around.intoSteps[n];
      this.n = sums.n[index] - around.n + sides.n;
      this.ties = sums.ties[index] - around.ties + sides.ties;
      this.roots = sums.roots[index] - around.roots + sides.roots;
      this.squares = sums.squares[index] - around.squares + sides.squares;
      this.rootPairs = sums.rootPairs[index] - around.rootPairs + sides.rootPairs;
      this.steps = sums.steps[index] - around.steps + sides.steps;
      this.ways = sums.ways[index] - around.ways + sides.ways;
      this.stepPairs = sums.stepPairs[index] - around.stepPairs + sides.stepPairs;
      const { intoRoots, intoSteps, n } = sides;
      this.rootEnds = (before > 0 ? sums.firstRoot[index] : intoRoots[0])
        + (after > 0 ? sums.lastRoot[index] : intoRoots[n - 1]);
      this.stepEnds = (before > 1 ? sums.firstStep[index] : intoSteps[0])
        + (after > 1 ? sums.lastStep[index] : intoSteps[n - 2]);
      return true;
    }
  }

  const rankChanges = (set, window, reference = "before", sureOnly = false) => {
    const { times, count } = set;
    const [inside, others] = samplesOf(times, window, reference);
    const most = Math.max(1, inside.length + others.length);
    needFactorials(most);
    const before = new Float64Array(most), within = new Float64Array(most), off = new Float64Array(most);
    const beforeSteps = new Float64Array(most), withinSteps = new Float64Array(most);
    const logPs = new Float64Array(count).fill(NaN), spreads = new Uint8Array(count), falls = new Uint8Array(count);
    const stills = new Uint8Array(count), ns = new Int32Array(count), ms = new Int32Array(count);
    const means = new Float64Array(count).fill(NaN), meansWithin = new Float64Array(count).fill(NaN);

    const deviateFrom = (squared, freedom) =>
      (8 * freedom + 1) / (8 * freedom + 3) * Math.sqrt(freedom * Math.log1p(squared / freedom));

    let rise = 0; // of the last test: told beside what it returns
    const tested = (one, n, sum, other, m, sumWithin) => {
      const mean = sum / n, meanWithin = sumWithin / m;
      let ss = 0, lagged = 0, last = 0;
      for (let i = 0; i < n; i++) {
        const each = off[i] = one[i] - mean;
        ss += each * each;
        lagged += each * last;
        last = each;
      }
      rise = meanWithin - mean;
      if (!(ss > 0)) return logPOf(0);
      const phi = phiOf(lagged / ss, n);
      let short = Math.max(1, ofAr1(phi, m)), long = Math.max(1, ofAr1(phi, n));
      for (let size = 2, blocks = n >> 1; blocks >= FEWEST_BLOCKS; size *= 2, blocks >>= 1) {
        let squares = 0;
        for (let i = 0; i < blocks; i++) {
          const each = off[i] = off[2 * i] + off[2 * i + 1];
          squares += each * each;
        }
        const grown = squares / (blocks - 1) / size * n / ss;
        long = Math.max(long, grown);
        if (size <= m) short = Math.max(short, grown);
      }
      short = Math.min(short, m);
      long = Math.min(long, n / 2);
      const sample = ss / (n - long);
      let burst = sample;
      if (m >= FEWEST_STEPS) {
        let squares = 0;
        for (let i = 0; i < m; i++) squares += (other[i] - meanWithin) ** 2;
        burst = Math.max(sample, squares / (m - Math.min(short, m / 2)));
      }
      const squared = rise * rise / (burst * short / m + sample * long / n);
      const freedom = Math.max(1, n / long - 1);
      const logP = logPOf(deviateFrom(squared, freedom));
      if (logP >= WORTH_COUNTING) return logP;
      return Math.max(logP, logPOfCounts(one, n, other, m, mean, Math.sqrt(ss / n), rise > 0 ? 1 : -1));
    };

    // Whether a test cannot be sure: its deviate stays below that of a chance of 1 % even at its most favorable. That
    // is with independent samples and a normal distribution; and then with the dependence of neighbors alone, which the
    // sums tell. What `tested` finds besides makes a deviate smaller. `squares` are those of which others were taken.
    const unsure = (n, sum, squares, pairs, ends, m, sumWithin, given = squares, least = CANCELED) => {
      const mean = sum / n, ss = squares - sum * mean, rise = sumWithin / m - mean;
      if (!(ss > least * given)) return false;
      if (rise * rise < UNSURE * ss / (n - 1) * (1 / m + 1 / n)) return true;
      if (!(ss > EXACT * given)) return false;
      const lagged = pairs - mean * (2 * sum - ends) + (n - 1) * mean * mean;
      const phi = phiOf(lagged / ss - ROUNDING, n);
      const short = Math.min(Math.max(1, ofAr1(phi, m)), m), long = Math.min(Math.max(1, ofAr1(phi, n)), n / 2);
      const squared = rise * rise / (ss / (n - long) * (short / m + long / n));
      return deviateFrom(squared, Math.max(1, n / long - 1)) ** 2 < UNSURE;
    };
    const unsureLevel = (one, other, given, least) =>
      unsure(one.n, one.roots, one.squares, one.rootPairs, one.rootEnds, other.n, other.roots, given, least);
    const unsureSpread = (one, other, given, least) =>
      unsure(one.n - 1, one.steps, one.ways, one.stepPairs, one.stepEnds, other.n - 1, other.steps, given, least);
    const hasSpread = (one, m) => m > FEWEST_STEPS && one.ties / (one.n - 1) <= MOST_TIES;

    const ofReference = new Samples(others, before, beforeSteps), ofWindow = new Samples(inside, within, withinSteps);
    const room = new Float64Array(times.length), until = Math.max(0, ...inside.slice(-1), ...others.slice(-1)) + 1;
    const isRest = inside.length > 0 && inside.length + others.length === times.length;
    const rest = sureOnly && set.sums && isRest ? new Rest(set.sums, inside, times.length) : null;
    for (let index = 0; index < count; index++) {
      if (rest) {
        set.read(index, room, rest.until);
        const { sums, inside: those } = rest;
        if (rest.take(room, index) && rest.n >= FEWEST_BEFORE
          && unsureLevel(rest, those, sums.squares[index], EXACT)
          && (!hasSpread(rest, those.n) || unsureSpread(rest, those, sums.ways[index], EXACT))) {
          logPs[index] = 0;
          continue;
        }
      }
      const scale = set.read(index, room, until);
      ofReference.take(room);
      ofWindow.take(room);
      const { n, constant } = ofReference, m = ofWindow.n;
      ns[index] = n;
      ms[index] = m;
      means[index] = ofReference.sum / n / scale;
      meansWithin[index] = ofWindow.sum / m / scale;
      stills[index] = constant === constant ? 1 : 0;
      if (n < FEWEST_BEFORE || !m) continue;
      if (stills[index]) {
        logPs[index] = Math.min(logTail(0, n, ofWindow.unlike(room, constant), m) + Math.LN2, 0);
        falls[index] = ofWindow.sum / m < constant ? 1 : 0;
        continue;
      }
      // The logarithm of one is that of a test that was not made.
      let logP = 0, rises = false;
      if (!(sureOnly && unsureLevel(ofReference, ofWindow))) {
        logP = tested(before, n, ofReference.roots, within, m, ofWindow.roots);
        rises = rise > 0;
      }
      if (m > FEWEST_STEPS) {
        if (hasSpread(ofReference, m) && !(sureOnly && unsureSpread(ofReference, ofWindow))) {
          const spreadP = tested(beforeSteps, n - 1, ofReference.steps, withinSteps, m - 1, ofWindow.steps);
          if (spreadP < logP) {
            spreads[index] = 1;
            rises = rise > 0;
            logP = spreadP;
          }
        }
        logP += Math.LN2;
      }
      logPs[index] = Math.min(logP, 0);
      falls[index] = rises ? 0 : 1;
    }

    const [order, qs] = falseDiscovery(logPs, sureOnly ? LOG_SURE : Infinity);

    const deviation = (index, samples) => {
      const scale = set.read(index, room, until);
      const known = Array.from(samples, (sample) => room[sample] / scale).filter(Number.isFinite);
      const mean = known.reduce((total, each) => total + each, 0) / known.length;
      return Math.sqrt(known.reduce((total, each) => total + (each - mean) ** 2, 0) / known.length);
    };
    // What costs time and is asked of the first few alone is worked out when it is asked for.
    class Change {
      constructor(index) {
        this.index = index;
        this.logP = logPs[index];
        this.q = qs[index];
        this.sure = this.q < SURE;
        this.kind = spreads[index] ? "spread" : "level";
        this.direction = falls[index] ? "down" : "up";
        this.constantBefore = Boolean(stills[index]);
        this.samples = [ns[index], ms[index]];
      }
      get statistic() { return (falls[this.index] ? -1 : 1) * deviateOf(this.logP); }
      get before() { return spreads[this.index] ? deviation(this.index, others) : means[this.index]; }
      get within() { return spreads[this.index] ? deviation(this.index, inside) : meansWithin[this.index]; }
    }
    const ranked = Array.from(order, (index) => new Change(index));
    return sureOnly ? ranked.filter(({ sure }) => sure) : ranked;
  };

  // Series whose chance is below one, the least likely first, and their rates of false discoveries (Benjamini and
  // Hochberg 1995, over all that could be tested). A chance above a rate makes no rate below it.
  const falseDiscovery = (logPs, below) => {
    const places = [], unknown = [];
    let tests = 0;
    for (let index = 0; index < logPs.length; index++) {
      if (logPs[index] === logPs[index]) tests++;
      else if (below === Infinity) unknown.push(index);
      if (logPs[index] < below) places.push(index);
    }
    const order = Uint32Array.from(places).sort((a, b) => logPs[a] - logPs[b] || a - b);
    const qs = new Float64Array(logPs.length).fill(NaN);
    let least = 1;
    for (let place = order.length; place > 0; place--) {
      least = Math.min(least, Math.exp(logPs[order[place - 1]]) * tests / place);
      qs[order[place - 1]] = least;
    }
    return [[...order, ...unknown], qs];
  };

  // Which samples are in the window, and which are the reference.
  const samplesOf = (times, [from, to], reference) => {
    const inside = [], others = [];
    for (let i = 0; i < times.length; i++) if (times[i] >= from && times[i] <= to) inside.push(i);
    if (Array.isArray(reference)) {
      for (let i = 0; i < times.length; i++) {
        if (times[i] >= reference[0] && times[i] <= reference[1] && !(times[i] >= from && times[i] <= to)) others.push(i);
      }
    } else {
      const first = inside.length ? inside[0] : 0;
      const start = Math.max(0, first - Math.max(TIMES * inside.length, FEWEST));
      // Where next to nothing is before the window, it is compared with the rest.
      const rest = reference === "rest" || first - start < FEWEST_BEFORE;
      for (let i = rest ? 0 : start; i < (rest ? times.length : first); i++) {
        if (!(times[i] >= from && times[i] <= to)) others.push(i);
      }
    }
    return [Uint32Array.from(inside), Uint32Array.from(others)];
  };

  globalThis.esxprobe = Object.assign(globalThis.esxprobe ?? {}, { rankChanges, sumsOf });
})();
