/* the table of points: the selected ones, sorted, a page at a time */
(function (sweep) {
  "use strict";
  var byId = sweep.byId, box = byId("points-box"), table = box.querySelector("table"), perPage = 50, mostCommands = 20;
  var order = { key: "#", falling: false }, page = 0, rows = [], said = "";
  var words = sweep.result.words;
  var columns = [
    ["#", sweep.number, sweep.number],
    ["variant", function (i) { return sweep.variantLabel[sweep.variant[i]]; }],
    ["target", function (i) { return sweep.targetLabel[sweep.target[i]]; }],
    ["verdict", function (i) { return words[sweep.word[i]]; }, function (i) { return sweep.word[i]; }],
    ["decided by", sweep.limiting]
  ].concat(sweep.known.map(function (name) {
    return [sweep.heads[name], function (i) { return sweep.amount(name, sweep.figures[name].value[i]); }, function (i) { return sweep.figures[name].value[i]; }];
  }), [["why", function (i) { return sweep.reason[i]; }]]);

  var head = sweep.element("tr");
  columns.forEach(function (column) {
    var cell = sweep.element("th", undefined, column[2] && column[0] !== "verdict" ? "num" : ""), button = sweep.element("button", column[0]);
    button.type = "button";
    button.addEventListener("click", function () {
      order = { key: column[0], falling: order.key === column[0] && !order.falling };
      page = 0;
      draw();
    });
    cell.appendChild(button);
    head.appendChild(cell);
  });
  table.tHead.appendChild(head);
  box.hidden = false;
  byId("points-static").hidden = true;

  /* both ends of a long name: at its end it may say that it is untrained */
  function middle(text) { return text.length > 48 ? text.slice(0, 23) + "…" + text.slice(-24) : text; }
  function sorted() {
    var column = columns.filter(function (c) { return c[0] === order.key; })[0], key = column[2], made = [], i;
    for (i = 0; i < sweep.count; i++) { if (sweep.mask[i]) { made.push(i); } }
    var sign = order.falling ? -1 : 1;
    if (key) { made.sort(function (a, b) { var x = key(a), y = key(b); return isNaN(x) ? (isNaN(y) ? 0 : 1) : isNaN(y) ? -1 : sign * (x - y); }); }
    else {
      var texts = column[1];
      made.sort(function (a, b) { var x = texts(a), y = texts(b); return x < y ? -sign : x > y ? sign : 0; });
    }
    return made;
  }
  function draw() {
    rows = sorted();
    var pages = Math.max(1, Math.ceil(rows.length / perPage)), body = table.tBodies[0];
    page = Math.min(page, pages - 1);
    body.textContent = "";
    rows.slice(page * perPage, (page + 1) * perPage).forEach(function (i) {
      var row = sweep.element("tr", undefined, i === sweep.asked.point ? "chosen" : "");
      columns.forEach(function (column, k) {
        var text = String(column[1](i)), cell = sweep.element("td", k === 1 ? middle(text) : text, column[0] === "verdict" ? "mini " + text : column[2] ? "num" : "");
        if (k === 1 || k === 2 || column[0] === "why") { cell.title = text; }
        row.appendChild(cell);
      });
      row.tabIndex = 0;
      row.addEventListener("click", function () { sweep.pick(i); });
      row.addEventListener("keydown", function (event) { if (event.key === "Enter") { sweep.pick(i); } });
      body.appendChild(row);
    });
    Array.prototype.forEach.call(head.cells, function (cell, k) {
      if (columns[k][0] === order.key) { cell.setAttribute("aria-sort", order.falling ? "descending" : "ascending"); } else { cell.removeAttribute("aria-sort"); }
    });
    byId("shown").textContent = rows.length.toLocaleString("en") + " of " + sweep.count.toLocaleString("en") + (sweep.isWhole ? "" : " given here") + " points";
    byId("page").textContent = "page " + (page + 1) + " of " + pages.toLocaleString("en");
    byId("before").disabled = page === 0;
    byId("after").disabled = page >= pages - 1;
    var now = sweep.asked.words;
    if (now !== said) { said = now; byId("words").value = now; }
  }
  byId("before").addEventListener("click", function () { page -= 1; draw(); });
  byId("after").addEventListener("click", function () { page += 1; draw(); });
  byId("words").addEventListener("input", function () { said = sweep.asked.words = byId("words").value; page = 0; sweep.changed(); });
  byId("commands").addEventListener("click", function () {
    sweep.copy(this, rows.slice(page * perPage, page * perPage + mostCommands).map(sweep.command).join("\n"));
  });
  sweep.onChange(draw);
  sweep.start();
})(preflashSweep);
