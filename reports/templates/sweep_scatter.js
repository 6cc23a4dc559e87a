/* two figures against each other: density, points, the front with whiskers; a drag keeps a range of both */
(function (sweep) {
  "use strict";
  var box = sweep.byId("scatter");
  if (!box || sweep.known.length < 2) { return; }
  var canvas = box.querySelector("canvas"), pen = canvas.getContext("2d"), tip = sweep.element("div", undefined, "tip");
  var edge = { left: 76, right: 26, top: 26, bottom: 44 }, drag = null, asked = sweep.asked;
  tip.hidden = true;
  box.appendChild(tip);
  box.hidden = false;
  sweep.byId("scatter-static").hidden = true;

  /* what may be chosen */
  function options(id, pairs, chosen) {
    var select = sweep.byId(id);
    pairs.forEach(function (pair) { var option = sweep.element("option", pair[1]); option.value = pair[0]; select.appendChild(option); });
    select.value = chosen;
    select.addEventListener("change", function () { asked[id] = select.value; sweep.changed(); });
  }
  var figures = sweep.known.map(function (name) { return [name, sweep.heads[name]]; });
  function first(wanted) { return [wanted].concat(sweep.known).filter(function (name) { return sweep.known.indexOf(name) >= 0; }); }
  asked.y = first(box.dataset.y)[0];
  asked.x = first(box.dataset.x).filter(function (name) { return name !== asked.y; })[0];
  options("x", figures, asked.x);
  options("y", figures, asked.y);
  options("c", [["verdict", "verdict"]].concat(sweep.axes.map(function (axis) { return ["axis " + axis.name, axis.name]; })), "verdict");

  /* scales */
  function along(name, from, to) {
    var scale = sweep.scaleOf(name), turn = scale.is_log ? Math.log : Number, back = scale.is_log ? Math.exp : Number;
    var wide = withFront(name, scale), lo = turn(wide[0]), hi = turn(wide[1]), one = hi - lo <= 1e-9 * Math.abs(hi), room = one ? Math.abs(hi) * 0.05 || 1 : (hi - lo) * 0.04, middle = back((lo + hi) / 2);
    lo -= room; hi += room;
    return {
      at: function (value) { return from + (to - from) * (turn(value) - lo) / (hi - lo); },
      value: function (place) { return back(lo + (hi - lo) * (place - from) / (to - from)); },
      ticks: function (count) { return one ? [middle] : ticks(back(lo), back(hi), scale.is_log, count, name.slice(-6) === "_bytes" ? 1024 : 1); }
    };
  }
  function withFront(name, scale) {
    var f = sweep.figures[name], lo = scale.lo, hi = scale.hi, i;
    for (i = 0; i < sweep.count; i++) {
      if (sweep.front[i] && f.lo[i] < lo && (f.lo[i] > 0 || !scale.is_log)) { lo = f.lo[i]; }
      if (sweep.front[i] && f.hi[i] > hi) { hi = f.hi[i]; }
    }
    return [lo, hi];
  }
  function ticks(lo, hi, isLog, count, unit) {
    var made = [], power, value;
    if (unit > 1) { return ticks(lo / unit, hi / unit, isLog, count, 1).map(function (v) { return v * unit; }); }
    if (isLog) {
      [[1, 2, 5], [1, 3], [1]].some(function (steps) {
        made = [];
        for (power = Math.floor(Math.log10(lo)); power <= Math.ceil(Math.log10(hi)); power++) {
          steps.forEach(function (step) { value = step * Math.pow(10, power); if (value >= lo && value <= hi) { made.push(value); } });
        }
        return made.length <= count;
      });
      return made;
    }
    var step = Math.pow(10, Math.floor(Math.log10((hi - lo) / count)));
    step *= [1, 2, 5, 10].filter(function (k) { return (hi - lo) / (step * k) <= count; })[0] || 10;
    for (value = Math.ceil(lo / step) * step; value <= hi; value += step) { made.push(value); }
    return made;
  }

  /* each value with as many digits as tell it from the others; what still repeats is left out */
  function told(name, values) {
    var digits, texts = values.map(function (v) { return sweep.amount(name, v); }), seen;
    function repeats() { seen = {}; return texts.some(function (text) { var again = seen[text]; seen[text] = true; return again; }); }
    for (digits = 2; digits < 8 && repeats(); digits++) { texts = values.map(function (v) { return sweep.precise(name, v, digits); }); }
    seen = {};
    return values.map(function (v, k) { var again = seen[texts[k]]; seen[texts[k]] = true; return [v, again ? "" : texts[k]]; }).filter(function (pair) { return pair[1]; });
  }
  function frame(width, height, x, y) {
    pen.fillStyle = sweep.colour("--track");
    pen.fillRect(edge.left, edge.top, width - edge.left - edge.right, height - edge.top - edge.bottom);
    pen.strokeStyle = sweep.colour("--line");
    pen.fillStyle = sweep.colour("--soft");
    pen.font = "12px system-ui, sans-serif";
    pen.lineWidth = 1;
    pen.textAlign = "center";
    told(asked.x, x.ticks(Math.floor(width / 110))).forEach(function (pair) {
      var at = Math.round(x.at(pair[0])) + 0.5;
      pen.beginPath(); pen.moveTo(at, edge.top); pen.lineTo(at, height - edge.bottom); pen.stroke();
      pen.fillText(pair[1], at, height - edge.bottom + 16);
    });
    pen.fillText(sweep.heads[asked.x], (width + edge.left) / 2, height - 8);
    pen.textAlign = "right";
    told(asked.y, y.ticks(7)).forEach(function (pair) {
      var at = Math.round(y.at(pair[0])) + 0.5;
      pen.beginPath(); pen.moveTo(edge.left, at); pen.lineTo(width - edge.right, at); pen.stroke();
      pen.fillText(pair[1], edge.left - 8, at + 4);
    });
    pen.textAlign = "left";
    pen.fillText("↑ " + sweep.heads[asked.y], edge.left, edge.top - 9);
  }
  function drawDensity(x, y) {
    var grid = sweep.result.densities.filter(function (d) { return (d.x === asked.x && d.y === asked.y) || (d.x === asked.y && d.y === asked.x); })[0];
    if (!grid || asked.x === asked.y) { return; }
    var n = Array.isArray(grid.column) ? grid.column.length : Array.isArray(grid.points) ? grid.points.length : 1;
    var column = sweep.numbers(grid.column, n), row = sweep.numbers(grid.row, n), points = sweep.numbers(grid.points, n), fitting = sweep.numbers(grid.fitting, n);
    var across = grid.x === asked.x ? column : row, up = grid.x === asked.x ? row : column, top = 1, k;
    for (k = 0; k < n; k++) { top = Math.max(top, points[k]); }
    function bound(name, cell) {
      var s = sweep.scaleOf(name), part = cell / grid.cells;
      return s.is_log ? s.lo * Math.pow(s.hi / s.lo, part) : s.lo + (s.hi - s.lo) * part;
    }
    for (k = 0; k < n; k++) {
      var x0 = x.at(bound(asked.x, across[k])), x1 = x.at(bound(asked.x, across[k] + 1)), y0 = y.at(bound(asked.y, up[k])), y1 = y.at(bound(asked.y, up[k] + 1));
      pen.globalAlpha = 0.12 + 0.6 * Math.log(1 + points[k]) / Math.log(1 + top);
      pen.fillStyle = fitting[k] > 0 ? sweep.colour("--good") : sweep.colour("--soft");
      pen.fillRect(x0, y1, Math.max(1, x1 - x0 - 0.5), Math.max(1, y0 - y1 - 0.5));
    }
    pen.globalAlpha = 1;
  }
  /* whether any point, given one by one or counted in a grid, has both figures */
  function hasBoth() {
    var fx = sweep.figures[asked.x].value, fy = sweep.figures[asked.y].value, i;
    for (i = 0; i < sweep.count; i++) { if (!isNaN(fx[i]) && !isNaN(fy[i])) { return true; } }
    return sweep.result.densities.some(function (d) { return (d.x === asked.x && d.y === asked.y || d.x === asked.y && d.y === asked.x) && (!Array.isArray(d.column) || d.column.length > 0); });
  }
  function drawPoints(x, y) {
    var fx = sweep.figures[asked.x].value, fy = sweep.figures[asked.y].value, colouring = sweep.colouring(), chosen = sweep.isChosen(), i;
    var many = sweep.count > 4000, size = many ? 2.5 : sweep.count > 300 ? 4 : 6, soft = sweep.colour("--s6");
    function dots(test, alpha, colourOf) {
      pen.globalAlpha = alpha;
      for (i = 0; i < sweep.count; i++) {
        if (!test(i) || isNaN(fx[i]) || isNaN(fy[i])) { continue; }
        pen.fillStyle = colourOf(i);
        pen.fillRect(x.at(fx[i]) - size / 2, y.at(fy[i]) - size / 2, size, size);
      }
      pen.globalAlpha = 1;
    }
    var own = function (i) { return colouring.colours[colouring.of[i]]; };
    if (chosen) { dots(function (i) { return !sweep.mask[i]; }, 0.25, function () { return soft; }); }
    dots(function (i) { return sweep.mask[i] && sweep.word[i] > 1; }, chosen ? 0.6 : many ? 0.2 : 0.35, own);
    dots(function (i) { return sweep.mask[i] && sweep.word[i] <= 1 && sweep.worse[i]; }, chosen ? 0.8 : many ? 0.3 : 0.4, own);
    dots(function (i) { return sweep.mask[i] && sweep.word[i] <= 1 && !sweep.worse[i]; }, 0.95, own);
    for (i = 0; i < sweep.count; i++) { if (sweep.front[i] && !isNaN(fx[i]) && !isNaN(fy[i])) { drawFront(i, x, y, own(i), chosen && !sweep.mask[i]); } }
    if (asked.point >= 0 && !isNaN(fx[asked.point]) && !isNaN(fy[asked.point])) {
      pen.strokeStyle = sweep.colour("--mark"); pen.lineWidth = 3;
      pen.beginPath(); pen.arc(x.at(fx[asked.point]), y.at(fy[asked.point]), 9, 0, 7); pen.stroke();
    }
  }
  function drawFront(i, x, y, colour, isOut) {
    var fx = sweep.figures[asked.x], fy = sweep.figures[asked.y], px = x.at(fx.value[i]), py = y.at(fy.value[i]);
    pen.globalAlpha = isOut ? 0.25 : 1;
    pen.strokeStyle = sweep.colour("--ink"); pen.lineWidth = 1;
    pen.beginPath();
    if (sweep.frontCount > 200) { fx = fy = { lo: [], hi: [], value: [] }; }
    if (fx.lo[i] < fx.hi[i]) { pen.moveTo(x.at(Math.max(fx.lo[i], 1e-300)), py); pen.lineTo(x.at(fx.hi[i]), py); }
    if (fy.lo[i] < fy.hi[i]) { pen.moveTo(px, y.at(Math.max(fy.lo[i], 1e-300))); pen.lineTo(px, y.at(fy.hi[i])); }
    pen.stroke();
    pen.fillStyle = colour; pen.lineWidth = 1.5;
    pen.beginPath(); pen.arc(px, py, 5, 0, 7); pen.fill(); pen.stroke();
    pen.globalAlpha = 1;
  }

  function drawAsked(now) {
    pen.strokeStyle = sweep.colour("--mark"); pen.lineWidth = 1.5;
    var lasso = asked.lasso, places = null;
    if (drag && drag.path) { places = drag.path.map(function (p) { return [p.x, p.y]; }); }
    else if (lasso && lasso.x === asked.x && lasso.y === asked.y) { places = lasso.at.map(function (p) { return [now.x.at(p[0]), now.y.at(p[1])]; }); }
    if (places) { pen.beginPath(); places.forEach(function (p) { pen.lineTo(p[0], p[1]); }); pen.closePath(); pen.stroke(); }
    if (drag && !drag.path) { pen.strokeRect(drag.x0, drag.y0, drag.x1 - drag.x0, drag.y1 - drag.y0); }
    var bx = asked.brush[asked.x], by = asked.brush[asked.y];
    if (!drag && bx && by) { pen.strokeRect(now.x.at(bx[0]), now.y.at(by[1]), now.x.at(bx[1]) - now.x.at(bx[0]), now.y.at(by[0]) - now.y.at(by[1])); }
  }

  function axesNow() {
    var width = box.clientWidth, height = canvas.clientHeight;
    return { width: width, height: height, x: along(asked.x, edge.left, width - edge.right), y: along(asked.y, height - edge.bottom, edge.top) };
  }
  function draw() {
    sweep.byId("x").value = asked.x; sweep.byId("y").value = asked.y; sweep.byId("c").value = asked.c;
    sweep.fit(canvas, 440);
    var now = axesNow();
    frame(now.width, now.height, now.x, now.y);
    pen.save();
    pen.beginPath(); pen.rect(edge.left, edge.top, now.width - edge.left - edge.right, now.height - edge.top - edge.bottom); pen.clip();
    drawDensity(now.x, now.y);
    drawPoints(now.x, now.y);
    drawAsked(now);
    if (!hasBoth()) { pen.fillStyle = sweep.colour("--ink"); pen.textAlign = "center"; pen.fillText("no point has both figures", (now.width + edge.left) / 2, now.height / 2); }
    pen.restore();
    canvas.setAttribute("aria-label", sweep.heads[asked.y] + " against " + sweep.heads[asked.x] + (hasBoth() ? "" : ": no point has both"));
    canvas.dataset.up = told(asked.y, now.y.ticks(7)).map(function (pair) { return pair[1]; }).join("|");
    var legend = sweep.byId("colours"), colouring = sweep.colouring();
    legend.textContent = "";
    colouring.names.forEach(function (name, k) {
      var item = sweep.element("li"), swatch = sweep.element("span", undefined, "swatch");
      swatch.style.background = colouring.colours[k];
      item.appendChild(swatch); item.appendChild(document.createTextNode(name));
      legend.appendChild(item);
    });
    legend.appendChild(sweep.element("li", "ringed: the front, with p10–p90; faint: worse beyond the error" + (sweep.isWhole ? "" : " · squares: all points, green where one fits")));
  }

  /* nearest point, tip, drag */
  function place(event) { var r = canvas.getBoundingClientRect(); return { x: event.clientX - r.left, y: event.clientY - r.top }; }
  function nearest(at) {
    var now = axesNow(), fx = sweep.figures[asked.x].value, fy = sweep.figures[asked.y].value, best = -1, least = 144, i, dx, dy, d;
    for (i = 0; i < sweep.count; i++) {
      dx = now.x.at(fx[i]) - at.x; dy = now.y.at(fy[i]) - at.y; d = dx * dx + dy * dy - (sweep.front[i] ? 20 : 0) + (sweep.mask[i] ? 0 : 60);
      if (d < least) { least = d; best = i; }
    }
    return best;
  }
  canvas.addEventListener("pointerdown", function (event) { var at = place(event); drag = { x0: at.x, y0: at.y, x1: at.x, y1: at.y, path: sweep.byId("lasso").checked ? [at] : null }; if (event.pointerId) { try { canvas.setPointerCapture(event.pointerId); } catch (gone) { /* no such pointer */ } } });
  canvas.addEventListener("touchstart", function (event) { if (sweep.byId("lasso").checked) { event.preventDefault(); } }, { passive: false });
  canvas.addEventListener("pointermove", function (event) {
    var at = place(event), i;
    if (drag) { drag.x1 = at.x; drag.y1 = at.y; if (drag.path) { drag.path.push(at); } sweep.changed(true); return; }
    i = nearest(at);
    tip.hidden = i < 0;
    if (i >= 0) {
      tip.textContent = sweep.variantLabel[sweep.variant[i]] + " on " + sweep.targetLabel[sweep.target[i]] + ": " + sweep.heads[asked.x] + " " + sweep.amount(asked.x, sweep.figures[asked.x].value[i]) + ", " + sweep.heads[asked.y] + " " + sweep.amount(asked.y, sweep.figures[asked.y].value[i]);
      tip.style.left = Math.min(at.x + 12, box.clientWidth - 310) + "px"; tip.style.top = at.y + 14 + "px";
    }
  });
  canvas.addEventListener("pointerleave", function () { tip.hidden = true; });
  canvas.addEventListener("pointercancel", function () { drag = null; sweep.changed(true); });
  canvas.addEventListener("pointerup", function () {
    if (!drag) { return; }
    var d = drag, now = axesNow(), xs = [d.x0, d.x1].sort(function (a, b) { return a - b; }), ys = [d.y0, d.y1].sort(function (a, b) { return a - b; });
    drag = null;
    if ((d.path ? d.path.length < 4 : true) && xs[1] - xs[0] < 5 && ys[1] - ys[0] < 5) { var i = nearest({ x: d.x0, y: d.y0 }); if (i >= 0) { sweep.pick(i); } else { sweep.changed(); } return; }
    if (d.path) {
      var step = Math.max(1, Math.ceil(d.path.length / 40));
      asked.lasso = { x: asked.x, y: asked.y, at: d.path.filter(function (p, k) { return k % step === 0; }).map(function (p) { return [now.x.value(p.x), now.y.value(p.y)]; }) };
      sweep.changed();
      return;
    }
    asked.brush[asked.x] = [now.x.value(xs[0]), now.x.value(xs[1])];
    asked.brush[asked.y] = [now.y.value(ys[1]), now.y.value(ys[0])];
    sweep.changed();
  });
  sweep.onChange(draw);
})(preflashSweep);
