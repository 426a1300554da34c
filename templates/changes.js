"use strict";
// What changed in a window of time: all series ranked by how much they differ from a reference. The same statistic as
// `esxprobe/changes` (docs/changes.md has its formulas and sources); a test holds the two against each other.
//
// rankChanges(set, window, reference):
//   set        {times: Float64Array of seconds since 1970, rising; series: [{values: Float64Array, NaN for none}]}
//   window     [from, to] in seconds since 1970, both included
//   reference  "before" (the default), "rest", or another [from, to]; samples of the window are not part of it
// Returns one record a series, what changed most first and what could not be tested last:
//   {index, statistic, logP, q, sure, kind, before, within, direction, constantBefore, samples}
//   sure: whether chance would hardly make it among so many series (q below 1 %); kind: "level" or "spread", of which
//   before and within are means or standard deviations; direction: "up" or "down"; samples: [reference, window].
(() => {
  const TIMES = 4, FEWEST = 120, FEWEST_BEFORE = 8, FEWEST_STEPS = 4, FEWEST_BLOCKS = 8;
  const SURE = 0.01, MOST_PHI = 0.98, MOST_TIES = 0.25, WORTH_COUNTING = Math.log(0.05), NEGLIGIBLE = 1e-15;

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

  const ofAr1 = (phi, count) =>
    (1 + phi) / (1 - phi) - 2 * phi * (1 - phi ** count) / (count * (1 - phi) ** 2);

  const rankChanges = (set, window, reference = "before") => {
    const { times, series } = set;
    const [inside, others] = samplesOf(times, window, reference);
    const most = Math.max(1, inside.length + others.length), count = series.length;
    needFactorials(most);
    const before = new Float64Array(most), within = new Float64Array(most), off = new Float64Array(most);
    const beforeSteps = new Float64Array(most), withinSteps = new Float64Array(most);
    const logPs = new Float64Array(count).fill(NaN), spreads = new Uint8Array(count), falls = new Uint8Array(count);
    const stills = new Uint8Array(count), ns = new Int32Array(count), ms = new Int32Array(count);
    const means = new Float64Array(count).fill(NaN), meansWithin = new Float64Array(count).fill(NaN);

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
      let phi = lagged / ss;
      phi = Math.min(Math.max(phi + (1 + 3 * phi) / n, 0), MOST_PHI);
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
      const deviate = (8 * freedom + 1) / (8 * freedom + 3) * Math.sqrt(freedom * Math.log1p(squared / freedom));
      const logP = logPOf(deviate);
      if (logP >= WORTH_COUNTING) return logP;
      return Math.max(logP, logPOfCounts(one, n, other, m, mean, Math.sqrt(ss / n), rise > 0 ? 1 : -1));
    };

    for (let index = 0; index < count; index++) {
      const { values } = series[index];
      // One pass: known values, their fourth roots and the square roots of the steps between these, with all sums.
      // Values that repeat, as many do, need no root of their own.
      let n = 0, sum = 0, low = Infinity, high = -Infinity, last = 0, latest = NaN, roots = 0, steps = 0, ties = 0;
      for (let i = 0; i < others.length; i++) {
        const value = values[others[i]];
        if (value - value !== 0) continue; // NaN or infinite
        sum += value;
        if (value === latest) {
          beforeSteps[n - 1] = 0;
          ties++;
          roots += before[n++] = last;
          continue;
        }
        latest = value;
        if (value < low) low = value;
        if (value > high) high = value;
        const root = value >= 0 ? Math.sqrt(Math.sqrt(value)) : -Math.sqrt(Math.sqrt(-value));
        if (n) {
          const step = beforeSteps[n - 1] = Math.sqrt(Math.abs(root - last));
          steps += step;
          if (step === 0) ties++;
        }
        roots += before[n++] = last = root;
      }
      let m = 0, sumWithin = 0, rootsWithin = 0, stepsWithin = 0, other = 0;
      for (let i = 0; i < inside.length; i++) {
        const value = values[inside[i]];
        if (value - value !== 0) continue;
        sumWithin += value;
        if (value !== low) other++;
        if (value === latest && m) {
          withinSteps[m - 1] = 0;
          rootsWithin += within[m++] = last;
          continue;
        }
        latest = value;
        const root = value >= 0 ? Math.sqrt(Math.sqrt(value)) : -Math.sqrt(Math.sqrt(-value));
        if (m) stepsWithin += withinSteps[m - 1] = Math.sqrt(Math.abs(root - last));
        rootsWithin += within[m++] = last = root;
      }
      ns[index] = n;
      ms[index] = m;
      means[index] = sum / n;
      meansWithin[index] = sumWithin / m;
      stills[index] = n && low === high ? 1 : 0;
      if (n < FEWEST_BEFORE || !m) continue;
      if (low === high) {
        logPs[index] = Math.min(logTail(0, n, other, m) + Math.LN2, 0);
        falls[index] = meansWithin[index] < low ? 1 : 0;
        continue;
      }
      let logP = tested(before, n, roots, within, m, rootsWithin);
      let rises = rise > 0;
      if (m > FEWEST_STEPS) {
        const spreadP = ties / (n - 1) > MOST_TIES
          ? 0
          : tested(beforeSteps, n - 1, steps, withinSteps, m - 1, stepsWithin);
        if (spreadP < logP) {
          spreads[index] = 1;
          rises = rise > 0;
          logP = spreadP;
        }
        logP += Math.LN2;
      }
      logPs[index] = Math.min(logP, 0);
      falls[index] = rises ? 0 : 1;
    }

    const order = new Uint32Array(count).map((_, index) => index);
    const key = logPs.map((each) => (each === each ? each : 1));
    order.sort((a, b) => key[a] - key[b] || a - b);
    const qs = falseDiscovery(logPs, order);

    const deviation = (index, samples) => {
      const { values } = series[index];
      const known = Array.from(samples, (sample) => values[sample]).filter(Number.isFinite);
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
    return Array.from(order, (index) => new Change(index));
  };

  // Benjamini and Hochberg 1995, over what could be tested.
  const falseDiscovery = (logPs, order) => {
    const qs = new Float64Array(logPs.length).fill(NaN);
    let tests = order.length;
    while (tests && logPs[order[tests - 1]] !== logPs[order[tests - 1]]) tests--;
    let least = 1;
    for (let place = tests; place > 0; place--) {
      least = Math.min(least, Math.exp(logPs[order[place - 1]]) * tests / place);
      qs[order[place - 1]] = least;
    }
    return qs;
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

  globalThis.esxprobe = Object.assign(globalThis.esxprobe ?? {}, { rankChanges });
})();
