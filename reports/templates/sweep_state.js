/* one selection: what is asked of the points, which they are, and the same in the address */
(function (sweep) {
  "use strict";
  var asked = { x: "", y: "", c: "verdict", brush: {}, cell: "", words: "", point: -1, lasso: null };
  var mask = new Uint8Array(sweep.count), selected = sweep.count, listeners = [], waiting = false;
  mask.fill(1);

  function columnOf(name) {
    if (sweep.figures[name]) { return sweep.figures[name].value; }
    for (var k = 0; k < sweep.axes.length; k++) { if ("axis " + sweep.axes[k].name === name) { return sweep.axes[k].code; } }
    return null;
  }
  function keep(test) { for (var i = 0; i < mask.length; i++) { if (mask[i] && !test(i)) { mask[i] = 0; } } }
  function holds(labels, word) { return labels.map(function (label) { return label.toLowerCase().indexOf(word) >= 0; }); }

  function inLasso(lasso) {
    function turned(name) { var s = sweep.scaleOf(name); return s && s.is_log ? Math.log : Number; }
    var tx = turned(lasso.x), ty = turned(lasso.y), fx = columnOf(lasso.x), fy = columnOf(lasso.y);
    var corners = lasso.at.map(function (p) { return [tx(p[0]), ty(p[1])]; });
    keep(function (i) {
      var x = tx(fx[i]), y = ty(fy[i]), inside = false;
      for (var k = 0, j = corners.length - 1; k < corners.length; j = k++) {
        var a = corners[k], b = corners[j];
        if ((a[1] > y) !== (b[1] > y) && x < (b[0] - a[0]) * (y - a[1]) / (b[1] - a[1]) + a[0]) { inside = !inside; }
      }
      return inside;
    });
  }

  function choose() {
    mask.fill(1);
    Object.keys(asked.brush).forEach(function (name) {
      var column = columnOf(name), range = asked.brush[name];
      if (column) { keep(function (i) { return column[i] >= range[0] && column[i] <= range[1]; }); }
    });
    if (asked.lasso) { inLasso(asked.lasso); }
    if (asked.cell) {
      var at = asked.cell.split(".").map(Number);
      keep(function (i) { return sweep.row[sweep.variant[i]] === at[0] && sweep.column[sweep.target[i]] === at[1]; });
    }
    asked.words.toLowerCase().split(/\s+/).filter(Boolean).forEach(function (word) {
      var verdict = sweep.result.words.indexOf(word.toUpperCase());
      if (verdict >= 0) { keep(function (i) { return sweep.word[i] === verdict; }); return; }
      var variants = holds(sweep.variantLabel, word), targets = holds(sweep.targetLabel, word);
      keep(function (i) {
        return variants[sweep.variant[i]] || targets[sweep.target[i]] || sweep.limiting(i).toLowerCase().indexOf(word) >= 0 ||
          sweep.reason[i].toLowerCase().indexOf(word) >= 0;
      });
    });
    selected = 0;
    for (var i = 0; i < mask.length; i++) { selected += mask[i]; }
  }

  function toAddress() {
    var said = new URLSearchParams();
    ["x", "y", "c", "cell", "words"].forEach(function (key) { if (asked[key]) { said.set(key, asked[key]); } });
    Object.keys(asked.brush).forEach(function (name) { said.set("b." + name, asked.brush[name].map(function (v) { return Number(v.toPrecision(5)); }).join(":")); });
    if (asked.lasso) { said.set("lasso", [asked.lasso.x, asked.lasso.y].concat(asked.lasso.at.map(function (p) { return p.map(function (v) { return Number(v.toPrecision(5)); }).join(":"); })).join(",")); }
    if (asked.point >= 0) { said.set("point", sweep.number(asked.point)); }
    try { history.replaceState(null, "", "#" + said.toString()); } catch (refused) { /* a sandboxed page keeps its address */ }
  }
  function lassoOf(parts) {
    var at = parts.slice(2).map(function (p) { return p.split(":").map(Number); });
    var good = sweep.known.indexOf(parts[0]) >= 0 && sweep.known.indexOf(parts[1]) >= 0 && at.every(function (p) { return p.length === 2 && p.every(isFinite); });
    return good ? { x: parts[0], y: parts[1], at: at } : null;
  }
  function fromAddress() {
    var said = new URLSearchParams(location.hash.slice(1));
    asked.brush = {}; asked.cell = ""; asked.words = ""; asked.point = -1; asked.lasso = null;
    said.forEach(function (value, key) {
      if (key.slice(0, 2) === "b.") {
        var range = value.split(":").map(Number);
        if (range.length === 2 && range.every(isFinite)) { asked.brush[key.slice(2)] = range; }
      } else if (key === "point") { asked.point = /^\d+$/.test(value) ? sweep.placeOf(Number(value)) : -1; }
      else if (key === "cell") { asked.cell = /^\d+\.\d+$/.test(value) ? value : ""; }
      else if (key === "lasso") { asked.lasso = lassoOf(value.split(",")); }
      else if (key === "words") { asked.words = value; }
      else if ((key === "x" || key === "y") && sweep.known.indexOf(value) >= 0) { asked[key] = value; }
      else if (key === "c") { asked.c = value; }
    });
  }
  function changed(quiet) {
    choose();
    if (!quiet) { toAddress(); }
    if (waiting) { return; }
    waiting = true;
    requestAnimationFrame(function () { waiting = false; listeners.forEach(function (draw) { draw(); }); });
  }

  sweep.scaleOf = function (name) { return sweep.result.scales.filter(function (s) { return s.figure === name; })[0]; };
  sweep.asked = asked;
  sweep.mask = mask;
  sweep.columnOf = columnOf;
  sweep.selected = function () { return selected; };
  sweep.isChosen = function () { return Boolean(asked.cell || asked.lasso || asked.words || Object.keys(asked.brush).length); };
  sweep.onChange = function (draw) { listeners.push(draw); };
  sweep.changed = changed;
  sweep.clear = function () { asked.brush = {}; asked.cell = ""; asked.words = ""; asked.point = -1; asked.lasso = null; changed(); };
  sweep.pick = function (i) { asked.point = asked.point === i ? -1 : i; changed(); };
  sweep.start = function () { fromAddress(); changed(true); };
  window.addEventListener("hashchange", sweep.start);
  new MutationObserver(function () { changed(true); }).observe(document.documentElement, { attributes: true, attributeFilter: ["data-theme"] });
  matchMedia("(prefers-color-scheme: dark)").addEventListener("change", function () { changed(true); });
  window.addEventListener("resize", function () { changed(true); });

  sweep.fit = function (target, height) {
    var ratio = window.devicePixelRatio || 1, width = target.parentNode.clientWidth;
    target.width = Math.round(width * ratio); target.height = Math.round(height * ratio);
    target.style.height = height + "px";
    target.getContext("2d").setTransform(ratio, 0, 0, ratio, 0, 0);
    return width;
  };

  /* colours: of a verdict, or of the levels of an axis */
  sweep.colour = function (name) { return getComputedStyle(document.documentElement).getPropertyValue(name).trim(); };
  sweep.colouring = function () {
    var axis = sweep.axes.filter(function (a) { return "axis " + a.name === asked.c; })[0], k;
    if (!axis) {
      var verdicts = ["--good", null, "--warn", "--odd", "--bad", "--error"].map(function (n) { return n ? sweep.colour(n) : "#8fae2c"; });
      return { of: sweep.word, colours: verdicts, names: sweep.result.words };
    }
    var colours = [], names = axis.levels.slice(0, 6);
    var seven = [0, 1, 2, 3, 4, 5, 6].map(function (n) { return sweep.colour("--s" + n); });
    for (k = 0; k < axis.levels.length; k++) { colours.push(seven[Math.min(k, 6)]); }
    return { of: axis.code, colours: colours, names: axis.levels.length > 6 ? names.concat([(axis.levels.length - 6) + " more"]) : names };
  };
})(preflashSweep);
