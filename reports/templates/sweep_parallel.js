/* parallel coordinates: what was varied on the left, figures on the right; a drag along an axis keeps a range */
(function (sweep) {
  "use strict";
  var box = sweep.byId("parallel");
  if (!box || !sweep.known.length) { var gone = sweep.byId("parallel-section"); if (gone) { gone.hidden = true; } return; }
  var canvas = box.querySelector("canvas"), pen = canvas.getContext("2d"), asked = sweep.asked, drag = null;
  var height = 380, top = 40, bottom = 24, most = 4000, mostOut = 1500, mostAxes = 9;

  var rails = sweep.axes.slice(0, mostAxes).map(function (axis) {
    var last = axis.levels.length - 1;
    return { name: "axis " + axis.name, title: axis.name, column: axis.code, share: function (v) { return last ? v / last : 0.5; }, value: function (s) { return s * last; }, levels: axis.levels };
  }).concat(sweep.known.map(function (name) {
    var scale = sweep.scaleOf(name), turn = scale.is_log ? Math.log : Number, back = scale.is_log ? Math.exp : Number, lo = turn(scale.lo), wide = turn(scale.hi) - lo;
    return { name: name, title: sweep.heads[name], column: sweep.figures[name].value, isOne: !wide, share: function (v) { return wide ? (turn(v) - lo) / wide : 0.5; }, value: function (s) { return back(lo + s * wide); }, levels: null };
  }));
  box.style.minWidth = Math.max(520, rails.length * 72) + "px";
  function at(k) { return 56 + k * (box.clientWidth - 112) / Math.max(1, rails.length - 1); }
  function up(share) { return height - bottom - share * (height - top - bottom); }

  function line(i) {
    var begun = false, previous = null;
    for (var k = 0; k < rails.length; k++) {
      var value = rails[k].column[i];
      if (isNaN(value)) { begun = false; previous = null; continue; }
      var x = at(k), y = up(rails[k].share(value));
      if (begun) { pen.bezierCurveTo((previous[0] + x) / 2, previous[1], (previous[0] + x) / 2, y, x, y); } else { pen.moveTo(x, y); begun = true; }
      previous = [x, y];
    }
  }
  function lines(test, limit, alpha, colourOf) {
    var found = [], i, groups = {};
    for (i = 0; i < sweep.count; i++) { if (test(i)) { found.push(i); } }
    var step = Math.max(1, found.length / limit);
    for (var f = 0; f < found.length; f += step) { i = found[Math.floor(f)]; var colour = colourOf(i); (groups[colour] = groups[colour] || []).push(i); }
    pen.globalAlpha = alpha;
    Object.keys(groups).forEach(function (colour) {
      pen.strokeStyle = colour;
      for (var from = 0; from < groups[colour].length; from += 60) { pen.beginPath(); groups[colour].slice(from, from + 60).forEach(line); pen.stroke(); }
    });
    pen.globalAlpha = 1;
    return [Math.min(found.length, Math.ceil(found.length / step)), found.length];
  }
  function drawRails() {
    pen.font = "12px system-ui, sans-serif";
    rails.forEach(function (rail, k) {
      var x = at(k), range = asked.brush[rail.name];
      pen.strokeStyle = sweep.colour("--soft"); pen.lineWidth = 1;
      pen.beginPath(); pen.moveTo(x, up(0)); pen.lineTo(x, up(1)); pen.stroke();
      pen.textAlign = "center"; pen.fillStyle = sweep.colour("--ink"); pen.font = "600 12px system-ui, sans-serif";
      pen.fillText(rail.title.slice(0, 14), x, 14);
      pen.font = "11px system-ui, sans-serif"; pen.fillStyle = sweep.colour("--ink");
      pen.lineWidth = 3; pen.strokeStyle = sweep.colour("--card");
      function label(text, y) { pen.strokeText(text, x, y); pen.fillText(text, x, y); }
      if (rail.levels && rail.levels.length <= 9) { rail.levels.forEach(function (level, n) { label(level.length > 12 ? level.slice(0, 11) + "…" : level, up(rail.share(n)) + 4); }); }
      else if (rail.levels) { label(rail.levels.length + " levels", up(1) - 8); }
      else if (rail.isOne) { label(sweep.amount(rail.name, rail.value(0.5)), up(0.5) + 4); }
      else { label(sweep.amount(rail.name, rail.value(1)), up(1) - 8); label(sweep.amount(rail.name, rail.value(0)), up(0) + 16); }
      if (range) {
        var y0 = up(inside(rail.share(range[0]))), y1 = up(inside(rail.share(range[1])));
        pen.strokeStyle = sweep.colour("--mark"); pen.lineWidth = 2; pen.strokeRect(x - 7, Math.min(y0, y1) - 2, 14, Math.abs(y1 - y0) + 4);
      }
    });
  }
  function draw() {
    sweep.fit(canvas, height);
    pen.clearRect(0, 0, box.clientWidth, height);
    var colouring = sweep.colouring(), chosen = sweep.isChosen(), own = function (i) { return colouring.colours[colouring.of[i]]; };
    pen.lineWidth = 1;
    if (chosen) { lines(function (i) { return !sweep.mask[i]; }, mostOut, 0.08, function () { return sweep.colour("--s6"); }); }
    var selected = sweep.selected(), thin = selected > 2000 ? 0.08 : selected > 200 ? 0.25 : 0.7, limit = (drag ? 800 : most) / 2;
    var poor = lines(function (i) { return sweep.mask[i] && sweep.word[i] > 1; }, limit, thin, own), good = lines(function (i) { return sweep.mask[i] && sweep.word[i] <= 1; }, limit, thin, own);
    var drawn = [poor[0] + good[0], poor[1] + good[1]];
    pen.lineWidth = 1.5;
    lines(function (i) { return sweep.mask[i] && sweep.front[i]; }, 400, 0.9, function () { return sweep.colour("--ink"); });
    if (asked.point >= 0) { pen.lineWidth = 3; lines(function (i) { return i === asked.point; }, 1, 1, function () { return sweep.colour("--mark"); }); }
    drawRails();
    sweep.byId("drawn").textContent = (drawn[0] < drawn[1] ? drawn[0].toLocaleString("en") + " of " + drawn[1].toLocaleString("en") + " lines are drawn. " : "") + (sweep.isWhole ? "" : "Only the points that the page carries, the best of the sweep. ") + "Dark: the front.";
  }

  function place(event) { var r = canvas.getBoundingClientRect(); return { x: event.clientX - r.left, y: event.clientY - r.top }; }
  function inside(share) { return share >= 0 ? Math.min(share, 1) : 0; }
  function share(y) { return Math.min(1, Math.max(0, (height - bottom - y) / (height - top - bottom))); }
  canvas.addEventListener("pointerdown", function (event) {
    var p = place(event), k = railAt(p);
    if (k >= 0) { drag = { rail: rails[k], from: p.y, moved: false }; try { canvas.setPointerCapture(event.pointerId); } catch (gone) { /* no such pointer */ } }
  });
  function railAt(p) { return rails.findIndex(function (rail, n) { return Math.abs(at(n) - p.x) < 26; }); }
  canvas.addEventListener("touchstart", function (event) { if (railAt(place(event.touches[0])) >= 0) { event.preventDefault(); } }, { passive: false });
  canvas.addEventListener("pointermove", function (event) {
    if (!drag) { return; }
    var p = place(event), ends = [share(drag.from), share(p.y)].sort(function (a, b) { return a - b; });
    if (Math.abs(p.y - drag.from) < 4) { return; }
    drag.moved = true;
    var reach = drag.rail.levels ? 0.3 : 0;
    asked.brush[drag.rail.name] = [drag.rail.value(ends[0]) - reach, drag.rail.value(ends[1]) + reach];
    sweep.changed();
  });
  canvas.addEventListener("pointerup", function () {
    if (drag && !drag.moved) { delete asked.brush[drag.rail.name]; }
    drag = null;
    sweep.changed();
  });
  canvas.addEventListener("pointercancel", function () { drag = null; });
  sweep.onChange(draw);
})(preflashSweep);
