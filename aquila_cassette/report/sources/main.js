// Everything begins here.

function toggleSide() {
  document.getElementById("app").classList.toggle("listing");
}

let shownLink = null;

function show() {
  document.getElementById("app").classList.remove("listing");
  if (shownLink === location.hash) return;
  shownLink = location.hash;
  const here = route();
  if (here.tape) showCassette(here);
  else showOverview(here.missing);
  showHere(here);
  highlight();
}

startTheme();
startRows();
startFacets();
startKeys();
startPrint();
followLinks();
addEventListener("hashchange", show);
if (tapes.length === 1 && !location.hash) history.replaceState(null, "", linkTo(tapes[0]));
findAgain();
show();
