"use strict";
// The series of the capture that the page carries: an index in #series, and chunks of bytes in #series-0, #series-1, ...
// that are unpacked when somebody asks for one of theirs. docs/python.md tells what is in them; the cells come back as
// they were printed, to the digit.
(() => {
  const { unpacked } = window.esxprobe;
  if (!document.getElementById("series")) return;
  const BYTE = 256;
  const SHORT_PLANES = 3; // numbers of so many bytes are worked out as 32-bit integers

  const bytesOf = async (id) => {
    const letters = atob(document.getElementById(id).textContent);
    const packed = new Uint8Array(letters.length);
    for (let n = 0; n < letters.length; n += 1) packed[n] = letters.charCodeAt(n);
    const stream = new Blob([packed]).stream().pipeThrough(new DecompressionStream("deflate"));
    return new Uint8Array(await new Response(stream).arrayBuffer());
  };

  // A whole number with its point where it was.
  const printed = (whole, decimals, shortest) => {
    const sign = whole < 0 ? "-" : "";
    const digits = String(Math.abs(whole)).padStart(decimals + 1, "0");
    if (!decimals) return sign + digits;
    const text = `${sign}${digits.slice(0, -decimals)}.${digits.slice(-decimals)}`;
    return shortest ? text.replace(/\.?0+$/, "") : text;
  };

  class Capture {
    constructor(index) {
      Object.assign(this, { index, host: index.host, count: index.meaning.length });
      let time = 0;
      this.times = Float64Array.from(index.times, (step) => { time += step; return time / 1000; }); // [s]
      this.setAside = new Uint8Array(this.times.length);
      for (const sample of index.set_aside) this.setAside[sample] = 1;
      this.shortest = new Set(index.shortest);
      this.texts = new Map(index.texts.map(([series, samples, said]) => [series, new Map(samples.map((at, n) => [at, said[n]]))]));
      this.bytes = [];
      this.coming = [];
      this.firsts = [];
      this.moving = 0;
      for (const [count] of index.chunks) {
        this.firsts.push(this.moving);
        this.moving += count;
      }
    }

    // What is known of a series.
    about(series) {
      const { meanings, objects, things, vms } = this.index;
      const [object, counter, label, unit, meaning] = meanings[this.index.meaning[series]];
      const [, instance, vm] = things[this.index.thing[series]];
      return { object: objects[object], counter, label, unit, meaning, instance, vm: vm < 0 ? "" : vms[vm][0], gid: vm < 0 ? "" : vms[vm][1] };
    }

    path(series) {
      const { object, instance, counter } = this.about(series);
      if (!object) return counter;
      return `\\\\${this.host}\\${object}${instance ? `(${instance})` : ""}\\${counter.replace(/#\d+$/, "")}`;
    }

    isConstant(series) { return series >= this.moving; }

    chunkOf(series) {
      let low = 0;
      let high = this.firsts.length - 1;
      while (low < high) {
        const middle = (low + high + 1) >> 1;
        if (this.firsts[middle] <= series) low = middle;
        else high = middle - 1;
      }
      return low;
    }

    // Unpacks what some series need; afterwards their values and cells can be asked for.
    async need(series) {
      const chunks = new Set([...series].filter((each) => !this.isConstant(each)).map((each) => this.chunkOf(each)));
      await Promise.all([...chunks].map((chunk) => {
        this.coming[chunk] ??= bytesOf(`series-${chunk}`).then((bytes) => { this.bytes[chunk] = bytes; });
        return this.coming[chunk];
      }));
    }

    // Unpacks all series that vary.
    needAll() { return this.need(this.firsts); }

    // Numbers without their points, NaN where there is none; into an array that is given, or a new one; of series that
    // are asked for by the thousand only the samples before `until`.
    whole(series, made = new Float64Array(this.times.length), until = this.times.length) {
      const { length } = this.times;
      if (this.isConstant(series)) {
        const given = this.index.constants[series - this.moving];
        return made.fill(typeof given === "number" ? given : NaN);
      }
      const chunk = this.chunkOf(series);
      const bytes = this.bytes[chunk];
      const [, planes, masked] = this.index.chunks[chunk];
      const row = series - this.firsts[chunk];
      let wide = 0;
      while (wide < planes.length && planes[wide] > row) wide += 1;
      let start = row * length;
      if (wide <= SHORT_PLANES) {
        const second = start + planes[0] * length;
        const third = second + (planes[1] ?? 0) * length;
        let value = 0;
        // A loop for each width: tens of thousands of series are worked out at once.
        if (wide === 0) made.fill(0);
        else if (wide === 1) {
          for (let n = 0; n < until; n += 1) {
            const zigzag = bytes[start + n];
            value += (zigzag >>> 1) ^ -(zigzag & 1);
            made[n] = value;
          }
        } else if (wide === 2) {
          for (let n = 0; n < until; n += 1) {
            const zigzag = bytes[start + n] | (bytes[second + n] << 8);
            value += (zigzag >>> 1) ^ -(zigzag & 1);
            made[n] = value;
          }
        } else {
          for (let n = 0; n < until; n += 1) {
            const zigzag = bytes[start + n] | (bytes[second + n] << 8) | (bytes[third + n] << 16);
            value += (zigzag >>> 1) ^ -(zigzag & 1);
            made[n] = value;
          }
        }
      } else {
        made.fill(0);
        let scale = 1;
        for (let plane = 0; plane < wide; plane += 1) {
          for (let n = 0; n < length; n += 1) made[n] += bytes[start + n] * scale;
          start += planes[plane] * length;
          scale *= BYTE;
        }
        let value = 0;
        for (let n = 0; n < length; n += 1) {
          value += made[n] % 2 ? -(made[n] + 1) / 2 : made[n] / 2;
          made[n] = value;
        }
      }
      const mask = masked.indexOf(row);
      if (mask >= 0) {
        const stride = Math.ceil(length / 8);
        const bits = planes.reduce((sum, rows) => sum + rows, 0) * length + mask * stride;
        for (let n = 0; n < length; n += 1) if ((bytes[bits + (n >> 3)] >> (n & 7)) & 1) made[n] = NaN;
      }
      return made;
    }

    // Values [unit of the series]; NaN where there is none, and in samples that are not judged.
    values(series, into) {
      const made = this.whole(series, into);
      const scale = 10 ** this.index.decimals[series];
      if (scale !== 1) for (let n = 0; n < made.length; n += 1) made[n] /= scale;
      for (const sample of this.index.set_aside) made[sample] = NaN;
      for (const [at, text] of this.texts.get(series) ?? []) {
        if (!this.setAside[at] && text.trim()) made[at] = Number(text);
      }
      return made;
    }

    // All cells of a series as they were printed; empty where there is none.
    cells(series) {
      const given = this.isConstant(series) ? this.index.constants[series - this.moving] : null;
      if (typeof given === "string") return Array(this.times.length).fill(given);
      const decimals = this.index.decimals[series];
      const shortest = this.shortest.has(series);
      const made = Array.from(this.whole(series), (whole) => (Number.isNaN(whole) ? "" : printed(whole, decimals, shortest)));
      for (const [at, text] of this.texts.get(series) ?? []) made[at] = text;
      return made;
    }

    // The first series as the ranking of changes takes them: see changes.js. All of them are unpacked.
    set(count) {
      const read = (series, into, until) => {
        if (this.texts.has(series)) {
          this.values(series, into);
          return 1;
        }
        this.whole(series, into, until);
        for (const sample of this.index.set_aside) into[sample] = NaN;
        return 10 ** this.index.decimals[series];
      };
      return { times: this.times, count, read, sums: this.sums };
    }
  }

  let coming = null;
  window.esxprobe.capture = () => {
    coming ??= unpacked("series").then((text) => new Capture(JSON.parse(text)));
    return coming;
  };
})();
