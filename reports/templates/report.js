(function () {
  "use strict";
  var root = document.documentElement;
  var all = function (selector, within) { return Array.prototype.slice.call((within || document).querySelectorAll(selector)); };
  var byId = function (id) { return document.getElementById(id); };

  /* theme */
  function isDark() {
    return root.dataset.theme ? root.dataset.theme === "dark" : matchMedia("(prefers-color-scheme: dark)").matches;
  }
  byId("theme").addEventListener("click", function () {
    root.dataset.theme = isDark() ? "light" : "dark";
    try { localStorage.setItem("preflash-theme", root.dataset.theme); } catch (refused) { /* not remembered */ }
  });

  /* copy the command, save the JSON twin */
  byId("save").addEventListener("click", function () {
    var link = document.createElement("a");
    link.href = URL.createObjectURL(new Blob([byId("preflash-result").textContent], { type: "application/json" }));
    link.download = "preflash-result.json";
    link.click();
    setTimeout(function () { URL.revokeObjectURL(link.href); }, 1000);
  });
  byId("copy").addEventListener("click", function () {
    var button = this, text = byId("command").textContent;
    var done = function () { button.textContent = "copied"; setTimeout(function () { button.textContent = "copy command"; }, 1500); };
    if (navigator.clipboard) { navigator.clipboard.writeText(text).then(done, function () {}); return; }
    var range = document.createRange();
    range.selectNodeContents(byId("command"));
    getSelection().removeAllRanges();
    getSelection().addRange(range);
    document.execCommand("copy");
    done();
  });

  /* one selection: an op chosen anywhere is marked everywhere and stands in the address */
  var selected = null;
  function select(op, scroll) {
    selected = op === selected ? null : op;
    all(".selected").forEach(function (mark) { mark.classList.remove("selected"); });
    root.classList.toggle("has-selection", selected !== null);
    if (selected !== null) {
      all("[data-op]").forEach(function (mark) {
        if (mark.getAttribute("data-op").split(" ").indexOf(selected) >= 0) { mark.classList.add("selected"); }
      });
      var row = byId("op-" + selected);
      if (scroll && row) { row.scrollIntoView({ block: "center" }); }
    }
    try { history.replaceState(null, "", selected === null ? location.pathname + location.search : "#op=" + selected); }
    catch (refused) { /* a sandboxed page keeps its address */ }
  }
  document.addEventListener("click", function (event) {
    var link = event.target.closest("a[data-go]");
    if (link) { event.preventDefault(); selected = null; select(link.getAttribute("data-go"), true); return; }
    var mark = event.target.closest("[data-op]");
    if (mark && !event.target.closest("a, button, input, summary")) { select(mark.getAttribute("data-op").split(" ")[0], false); }
  });
  document.addEventListener("keydown", function (event) {
    if (selected === null || (event.target.closest && event.target.closest("input, textarea"))) { return; }
    var step = { ArrowRight: 1, ArrowLeft: -1 }[event.key];
    if (event.key === "Escape") { select(selected, false); }
    if (step && byId("op-" + (Number(selected) + step))) { event.preventDefault(); select(String(Number(selected) + step), false); }
  });
  var wanted = /^#op[=-](\d+)$/.exec(location.hash);
  if (wanted) { select(wanted[1], true); }

  /* tables that sort */
  all("table.sortable").forEach(function (table) {
    var body = table.tBodies[0];
    all("thead th", table).forEach(function (head, column) {
      var button = document.createElement("button");
      button.type = "button";
      while (head.firstChild) { button.appendChild(head.firstChild); }
      head.appendChild(button);
      button.addEventListener("click", function () {
        var falling = head.getAttribute("aria-sort") !== "descending";
        all("thead th", table).forEach(function (other) { other.removeAttribute("aria-sort"); });
        head.setAttribute("aria-sort", falling ? "descending" : "ascending");
        var key = function (row) { var cell = row.cells[column], v = cell.getAttribute("data-v"); return v === null ? cell.textContent.trim() : v === "" ? -1 : Number(v); };
        all("tr", body).sort(function (a, b) {
          var x = key(a), y = key(b), order = typeof x === "number" ? x - y : String(x).localeCompare(String(y));
          return falling ? -order : order;
        }).forEach(function (row) { body.appendChild(row); });
      });
    });
  });

  /* a filter, with the totals of what is left */
  var filter = byId("filter");
  if (filter) {
    filter.addEventListener("input", function () {
      var words = filter.value.toLowerCase().split(/\s+/), seen = 0, time = 0, macs = 0;
      all("#ops tbody tr").forEach(function (row) {
        var text = row.textContent.toLowerCase();
        row.hidden = !words.every(function (word) { return text.indexOf(word) >= 0; });
        if (!row.hidden) { seen += 1; time += Number(row.getAttribute("data-s") || 0); macs += Number(row.getAttribute("data-macs") || 0); }
      });
      byId("shown").textContent = seen + " ops, " + (time * 1000).toPrecision(3) + " ms, " + macs.toLocaleString("en") + " MAC";
    });
  }
})();
