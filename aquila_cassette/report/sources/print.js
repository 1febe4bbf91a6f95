// On paper: the whole cassette, one interaction after the other, each with its time line.

function forPaper() {
  const { tape, number } = route();
  const main = document.getElementById("main");
  for (const details of main.querySelectorAll("details.earlier")) details.open = true;
  if (!tape || !tape.interactions.length) return;
  deck.player?.pause();
  deck.player?.seek(Infinity);
  const printed = onTape(tape).map((one, place) => {
    const take = new Take(one);
    return make(
      "section",
      { class: "paper" },
      place !== number && interactionNode(tape, place, wholeAnswer(one, take)),
      take.length > 0 && timelineNode(take),
      take.count > 0 && factsNode(timeFacts(take)),
    );
  });
  const place = main.querySelector(".interaction");
  place.before(...printed.slice(0, number));
  place.after(...printed.slice(number));
}

function afterPaper() {
  for (const printed of document.querySelectorAll(".paper")) printed.remove();
}

function startPrint() {
  addEventListener("beforeprint", forPaper);
  addEventListener("afterprint", afterPaper);
}
