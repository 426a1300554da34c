"use strict";
// Lanes: series over one time axis, worked out as paths that both the page (SVG) and an image (canvas) draw. Not Vega: its
// bundle takes longer to start than the first lane may take (docs/decisions/015-the-capture-in-the-page.md).
(() => {
  const LEFT = 50; // px for the scale of a lane's first unit, and as much at the right where one has a second
  const RIGHT = 14;
  const HEIGHT = 112;
  const TOP = 8;
  const BOTTOM = 6;
  const AXIS = 22;
  const MINUTE = 60;
  const HOUR = 3600;
  const STEPS = [1, 2, 5, 10, 15, 30, ...[1, 2, 5, 10, 15, 30].map((n) => n * MINUTE), ...[1, 2, 3, 6, 12, 24, 48, 168].map((n) => n * HOUR)];
  const TICK_PX = 84;
  const LETTER_PX = 7; // of a text on the axis, at most
  const MOST_DIGITS = 4;
  const SHORT_BELOW = 1e5;

  const plain = (value) => {
    if (!Number.isFinite(value)) return "no value";
    const rounded = Math.abs(value) < 10 ** MOST_DIGITS ? Number(value.toPrecision(MOST_DIGITS)) : Math.round(value);
    return rounded.toLocaleString("en", { maximumFractionDigits: 9 });
  };
  // On a scale, where there is little room; all of its texts have one form.
  const brief = (value, largest) => (largest < SHORT_BELOW ? plain(value) : value.toLocaleString("en", { notation: "compact", maximumSignificantDigits: MOST_DIGITS }));
  const clock = (seconds) => new Date(seconds * 1000).toISOString().slice(11, 19);
  const day = (seconds) => new Date(seconds * 1000).toISOString().slice(0, 10);

  // First and behind-the-last sample of a window, one more at each side, so that lines leave it.
  const samplesIn = (times, from, to) => {
    let first = 0;
    while (first < times.length - 1 && times[first + 1] < from) first += 1;
    let behind = times.length;
    while (behind > 1 && times[behind - 2] > to) behind -= 1;
    return [first, behind];
  };

  const nearest = (times, time) => {
    let low = 0;
    let high = times.length - 1;
    while (high - low > 1) {
      const middle = (low + high) >> 1;
      if (times[middle] < time) low = middle;
      else high = middle;
    }
    return Math.abs(times[high] - time) < Math.abs(times[low] - time) ? high : low;
  };

  // Round marks from a lowest to a highest value, 0 among them unless all values are far from it.
  const scaleOf = (lowest, highest) => {
    if (!(highest >= lowest)) return { low: 0, high: 1, ticks: [0, 1] };
    const far = lowest > 0 && highest - lowest < lowest / 4;
    let [low, high] = far ? [lowest, highest] : [Math.min(0, lowest), Math.max(0, highest)];
    if (high === low) high = low + (Math.abs(low) || 1);
    const raw = (high - low) / 3;
    const power = 10 ** Math.floor(Math.log10(raw));
    const step = power * [1, 2, 5, 10].find((each) => each * power >= raw);
    low = Math.floor(low / step + 1e-9) * step;
    high = Math.ceil(high / step - 1e-9) * step;
    const ticks = [];
    for (let n = 0; low + n * step <= high + step / 2; n += 1) ticks.push(Number((low + n * step).toPrecision(12)));
    return { low, high, ticks };
  };

  // Times below which the axis has a text, and these; one that would end beyond the picture is left out.
  const timeTicks = ({ from, to, inner, width }) => {
    const least = ((to - from) * TICK_PX) / Math.max(1, inner);
    const step = STEPS.find((each) => each >= least) ?? STEPS.at(-1);
    const ticks = [];
    for (let time = Math.ceil(from / step) * step; time <= to; time += step) {
      const text = step >= 24 * HOUR ? day(time) : step < MINUTE ? clock(time) : clock(time).slice(0, 5);
      const room = width - LEFT - ((time - from) / Math.max(1e-3, to - from)) * inner;
      if (room >= (text.length * LETTER_PX) / 2) ticks.push([time, text]);
    }
    return ticks;
  };

  // A line through values, broken where there is none and where the capture has a hole; of many in one pixel the ends.
  const pathOf = (values, view, y) => {
    const { times, first, behind, x, hole } = view;
    const dense = behind - first > 2 * (x(view.to) - x(view.from));
    const parts = [];
    let pen = "M";
    let n = first;
    while (n < behind) {
      if (Number.isNaN(values[n])) { pen = "M"; n += 1; continue; }
      if (n > first && times[n] - times[n - 1] > hole) pen = "M";
      const at = x(times[n]).toFixed(1);
      if (!dense) {
        parts.push(`${pen}${at} ${y(values[n]).toFixed(1)}`);
        if (pen === "M" && (n + 1 >= behind || Number.isNaN(values[n + 1]))) parts.push("h.5"); // a value by itself
        n += 1;
      } else {
        let [low, high] = [values[n], values[n]];
        const pixel = Math.floor(x(times[n]));
        while (n < behind && Math.floor(x(times[n])) === pixel) {
          if (values[n] < low) low = values[n];
          if (values[n] > high) high = values[n];
          n += 1;
        }
        parts.push(`${pen}${at} ${y(high).toFixed(1)}L${at} ${(y(low) + 0.4).toFixed(1)}`);
      }
      pen = "L";
    }
    return parts.join("");
  };

  // The view that all lanes share.
  const viewOf = (times, from, to, width, twoUnits) => {
    const [first, behind] = samplesIn(times, from, to);
    const span = Math.max(1e-9, to - from);
    const inner = Math.max(40, width - LEFT - (twoUnits ? LEFT : RIGHT));
    const steps = Array.from(times.subarray(1), (time, n) => time - times[n]).sort((a, b) => a - b);
    const hole = 1.5 * (steps[steps.length >> 1] ?? Infinity) + 1e-6;
    return { times, from, to, width, inner, first, behind, hole, x: (time) => LEFT + ((time - from) / span) * inner };
  };

  // What a lane looks like: lines, scales, thresholds.
  const drawn = (lane, view, withThresholds) => {
    const units = [...new Set(lane.items.map(({ unit }) => unit))];
    const scales = units.map((unit) => {
      let [lowest, highest] = [Infinity, -Infinity];
      for (const { values } of lane.items.filter((item) => item.unit === unit)) {
        for (let n = view.first; n < view.behind; n += 1) {
          if (values[n] < lowest) lowest = values[n];
          if (values[n] > highest) highest = values[n];
        }
      }
      const limits = withThresholds ? lane.items.filter((item) => item.unit === unit).flatMap(({ thresholds, label }) => thresholds.map((limit) => ({ ...limit, label }))) : [];
      for (const { value } of limits) if (value > highest && value < 3 * Math.max(highest, 0)) highest = value;
      const made = scaleOf(lowest, highest);
      const y = (value) => TOP + (1 - (value - made.low) / (made.high - made.low)) * (HEIGHT - TOP - BOTTOM);
      const inside = new Map(); // by value: of several counters one line, and all their labels
      for (const limit of limits.filter(({ value }) => value <= made.high && value > made.low)) {
        const labels = inside.get(limit.value)?.labels ?? new Set();
        inside.set(limit.value, { ...limit, labels: labels.add(limit.label) });
      }
      return { unit, y, ticks: made.ticks.map((value) => [y(value), brief(value, Math.max(...made.ticks.map(Math.abs)))]), limits: [...inside.values()].map((limit) => ({ ...limit, y: y(limit.value) })) };
    });
    const lines = lane.items.map(({ values, unit, color }) => ({ color, d: pathOf(values, view, scales[units.indexOf(unit)].y) }));
    return { scales, lines };
  };

  window.esxprobe.lanes = { LEFT, HEIGHT, AXIS, TOP, BOTTOM, plain, clock, day, nearest, timeTicks, viewOf, drawn };
})();
