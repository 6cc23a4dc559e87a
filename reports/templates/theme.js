(function () {
  "use strict";
  try {
    var theme = localStorage.getItem("preflash-theme");
    if (theme === "dark" || theme === "light") { document.documentElement.dataset.theme = theme; }
  } catch (refused) { /* a page opened from a file may have no storage */ }
  document.documentElement.classList.add("js");
})();
