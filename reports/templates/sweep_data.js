/* what the page carries, unpacked: one object that the views share */
var preflashSweep = (function () {
  "use strict";
  var result = JSON.parse(document.getElementById("preflash-result").textContent);
  var points = result.points, count = points.count;

  function numbers(packed, length) {
    var made = new Float64Array(length), i, v;
    if (Array.isArray(packed)) { for (i = 0; i < length; i++) { v = packed[i]; made[i] = v === null ? NaN : v; } }
    else { made.fill(packed.all === null ? NaN : packed.all); }
    return made;
  }
  function texts(coded, length) {
    var at = numbers(coded.at, length), made = new Array(length);
    for (var i = 0; i < length; i++) { made[i] = coded.texts[at[i]]; }
    return made;
  }
  function rowCount(coded) { return Array.isArray(coded.at) ? coded.at.length : 1; }
  function most(column) { var top = -1; for (var i = 0; i < column.length; i++) { if (column[i] > top) { top = column[i]; } } return top + 1; }

  var variant = numbers(points.variant, count), target = numbers(points.target, count);
  var variantCount = Math.max(rowCount(result.variants.label), most(variant));
  var targetCount = Math.max(rowCount(result.targets.label), most(target));
  var word = numbers(points.word, count), limiting = numbers(points.limiting, count);
  var figures = {}, known = [];
  Object.keys(points.figures).forEach(function (name) {
    var one = points.figures[name], value = numbers(one.value, count);
    figures[name] = {
      value: value, lo: one.lo ? numbers(one.lo, count) : value, hi: one.hi ? numbers(one.hi, count) : value,
      grade: numbers(one.grade, count)
    };
    if (result.scales.some(function (s) { return s.figure === name; })) { known.push(name); }
  });
  if (known.indexOf("ram_bytes") >= 0) { known = known.filter(function (name) { return name !== "arena_bytes"; }); }

  /* numbers in the store's order -> places here */
  var places = null;
  if (points.point) { places = new Map(); points.point.forEach(function (number, i) { places.set(number, i); }); }
  var front = new Uint8Array(count), frontCount = 0;
  function placeOf(number) { return places ? (places.has(number) ? places.get(number) : -1) : number < count ? number : -1; }
  ((result.front || {}).points || []).forEach(function (number) { var at = placeOf(number); if (at >= 0) { front[at] = 1; frontCount += 1; } });

  var heads = { arena_bytes: "arena", ram_bytes: "RAM", flash_bytes: "flash", latency_s: "latency", energy_j: "energy", accuracy: "accuracy" };
  function three(value) { return Math.abs(value) >= 99.95 ? Math.round(value).toLocaleString("en") : Math.abs(value) >= 9.995 ? value.toFixed(1) : value.toFixed(2); }
  function scaled(value, units) {
    if (value === 0) { return "0 " + units[0]; }
    var power = 0;
    while (power < units.length - 1 && Math.abs(value) * 1.0005 < 1) { value *= 1000; power++; }
    return three(value) + " " + units[power];
  }
  function amount(name, value) {
    if (isNaN(value)) { return "unknown"; }
    if (name === "accuracy") { return (value * 100).toFixed(1) + " %"; }
    if (name === "latency_s") { return scaled(value, ["s", "ms", "us", "ns"]); }
    if (name === "energy_j") { return scaled(value, ["J", "mJ", "uJ", "nJ"]); }
    if (value < 1024) { return Math.round(value) + " B"; }
    if (value >= 10 * 1048576) { return (value / 1048576).toFixed(1) + " MiB"; }
    var kib = value / 1024;
    return (kib >= 1000 ? Math.round(kib).toLocaleString("en") : kib.toFixed(1)) + " KiB";
  }

  /* the same with so many more digits, where amounts read alike */
  function precise(name, value, digits) {
    if (name === "accuracy") { return (value * 100).toFixed(digits) + " %"; }
    if (name.slice(-6) === "_bytes") { return Math.round(value).toLocaleString("en") + " B"; }
    return Number(value.toPrecision(digits + 2)) + (name === "energy_j" ? " J" : " s");
  }

  /* the command that checks a point again; a recipe's model is made first */
  function quoted(word) { return /^[A-Za-z0-9_@%+=:,./-]+$/.test(word) ? word : "'" + word.replace(/'/g, "'\"'\"'") + "'"; }
  var models = texts(result.variants.source, variantCount), steps = texts(result.variants.text, variantCount);
  var making = texts(result.variants.making, variantCount);
  function command(i) {
    var v = variant[i], words = result.targets.words[target[i]], model = quoted(models[v]);
    if (steps[v] === "as it is") { return "preflash check " + model + " " + words; }
    var stem = steps[v].replace(/[^A-Za-z0-9._-]+/g, "-").replace(/^[-.]+|[-.]+$/g, "").slice(0, 60) || "variant";
    return "preflash variants " + model + " --recipe " + quoted(steps[v]) + " " + making[v] +
      " -o variants && preflash check variants/" + stem + ".tflite " + words;
  }

  return {
    result: result, count: count, variant: variant, target: target, figures: figures, known: known, heads: heads,
    word: word, worse: numbers(points.worse, count), frontCount: frontCount, limiting: function (i) { return result.words[word[i]] === "ERROR" ? "" : result.limiting[limiting[i]] || ""; }, reason: texts(points.reason, count),
    front: front, placeOf: placeOf, number: function (i) { return points.point ? points.point[i] : i; },
    variantLabel: texts(result.variants.label, variantCount), targetLabel: texts(result.targets.label, targetCount),
    row: numbers(result.variants.row, variantCount), column: numbers(result.targets.column, targetCount),
    axes: result.axes.map(function (axis) { return { name: axis.name, side: axis.side, levels: axis.levels, code: numbers(axis.code, count) }; }),
    numbers: numbers, amount: amount, precise: precise, command: command, isWhole: !points.point
  };
})();
