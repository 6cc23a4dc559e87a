/* what the selection is, the point that was picked, the matrix and the marks of the drawn charts */
(function (sweep) {
  "use strict";
  var byId = function (id) { return document.getElementById(id); };
  var all = function (selector) { return Array.prototype.slice.call(document.querySelectorAll(selector)); };
  function element(tag, text, kind) { var made = document.createElement(tag); if (text !== undefined) { made.textContent = text; } if (kind) { made.className = kind; } return made; }
  sweep.byId = byId;
  sweep.element = element;
  sweep.copy = function (button, text) {
    var said = button.textContent, done = function () { button.textContent = "copied"; setTimeout(function () { button.textContent = said; }, 1500); };
    if (navigator.clipboard) { navigator.clipboard.writeText(text).then(done, function () {}); }
  };

  /* matrix: a cell keeps its points */
  var matrix = byId("matrix"), cells = matrix ? Array.prototype.map.call(matrix.tBodies[0].rows, function (row) { return Array.prototype.slice.call(row.cells, 1); }) : [];
  if (matrix) {
    matrix.addEventListener("click", function (event) {
      var cell = event.target.closest("td");
      if (!cell) { return; }
      var at = cell.parentNode.rowIndex - 1 + "." + (cell.cellIndex - 1);
      sweep.asked.cell = sweep.asked.cell === at ? "" : at;
      sweep.changed();
    });
  }
  function drawMatrix() {
    var seen = {}, chosen = sweep.isChosen(), i, r;
    if (chosen) { for (i = 0; i < sweep.count; i++) { if (sweep.mask[i]) { seen[sweep.row[sweep.variant[i]] + "." + sweep.column[sweep.target[i]]] = true; } } }
    for (r = 0; r < cells.length; r++) {
      cells[r].forEach(function (cell, c) { cell.classList.toggle("out", chosen && !seen[r + "." + c]); });
    }
  }

  /* marks that stand for a point */
  var marks = all("[data-p]").map(function (mark) { return [mark, sweep.placeOf(Number(mark.getAttribute("data-p")))]; });
  marks.forEach(function (pair) { if (pair[1] >= 0) { pair[0].addEventListener("click", function () { sweep.pick(pair[1]); }); } });
  function drawMarks() {
    marks.forEach(function (pair) {
      pair[0].classList.toggle("out", sweep.isChosen() && pair[1] >= 0 && !sweep.mask[pair[1]]);
      pair[0].classList.toggle("chosen", pair[1] >= 0 && pair[1] === sweep.asked.point);
    });
  }

  /* the dock: what is selected, and the point that was picked */
  function chip(text, undo) {
    var made = element("button", text + " ×", "chip");
    made.type = "button";
    made.addEventListener("click", function () { undo(); sweep.changed(); });
    return made;
  }
  function rangeText(name, range) {
    var axis = sweep.axes.filter(function (a) { return "axis " + a.name === name; })[0];
    if (!axis) { return (sweep.heads[name] || name) + " " + sweep.amount(name, range[0]) + " to " + sweep.amount(name, range[1]); }
    var kept = axis.levels.filter(function (level, k) { return k >= range[0] && k <= range[1]; });
    return axis.name + " " + (kept.length > 3 ? kept[0] + " … " + kept[kept.length - 1] : kept.join(", "));
  }
  function drawDock() {
    var asked = sweep.asked, chips = byId("chips");
    byId("picked").hidden = !sweep.isChosen() && asked.point < 0;
    byId("how-many").textContent = sweep.selected().toLocaleString("en") + " of " + sweep.count.toLocaleString("en") + (sweep.isWhole ? "" : " given") + " points";
    chips.textContent = "";
    Object.keys(asked.brush).forEach(function (name) { chips.appendChild(chip(rangeText(name, asked.brush[name]), function () { delete asked.brush[name]; })); });
    if (asked.cell) {
      var at = asked.cell.split("."), found = sweep.result.feasibility;
      chips.appendChild(chip((found.rows[at[0]] || "?") + " on " + (found.columns[at[1]] || "?"), function () { asked.cell = ""; }));
    }
    if (asked.lasso) { chips.appendChild(chip("lasso on " + sweep.heads[asked.lasso.x] + " and " + sweep.heads[asked.lasso.y], function () { asked.lasso = null; })); }
    if (asked.words) { chips.appendChild(chip("“" + asked.words + "”", function () { asked.words = ""; })); }
    drawDetail(asked.point);
  }
  function drawDetail(i) {
    var detail = byId("detail");
    detail.hidden = i < 0;
    detail.textContent = "";
    if (i < 0) { return; }
    var words = sweep.result.words;
    detail.appendChild(element("div", "#" + sweep.number(i) + "  " + sweep.variantLabel[sweep.variant[i]] + "  on  " + sweep.targetLabel[sweep.target[i]]));
    var facts = element("div", undefined, "facts"), verdict = element("b", words[sweep.word[i]], words[sweep.word[i]]);
    facts.appendChild(verdict);
    facts.appendChild(element("span", "decided by " + (sweep.limiting(i) || "–")));
    sweep.known.forEach(function (name) {
      var f = sweep.figures[name], fact = element("span", sweep.heads[name] + " ");
      fact.appendChild(element("b", sweep.amount(name, f.value[i])));
      if (f.lo[i] < f.hi[i]) { fact.appendChild(document.createTextNode(" (" + sweep.amount(name, f.lo[i]) + " to " + sweep.amount(name, f.hi[i]) + ")")); }
      fact.appendChild(document.createTextNode(" " + (sweep.result.bases[f.grade[i]] || "")));
      facts.appendChild(fact);
    });
    if (sweep.reason[i]) { facts.appendChild(element("span", sweep.reason[i])); }
    detail.appendChild(facts);
    var line = element("pre", sweep.command(i)), button = element("button", "copy");
    button.type = "button";
    button.addEventListener("click", function () { sweep.copy(button, sweep.command(i)); });
    line.id = "again";
    detail.appendChild(line);
    detail.appendChild(button);
  }
  byId("clear").addEventListener("click", sweep.clear);
  document.addEventListener("keydown", function (event) { if (event.key === "Escape") { sweep.clear(); } });
  sweep.onChange(drawMatrix);
  sweep.onChange(drawMarks);
  sweep.onChange(drawDock);
})(preflashSweep);
