// One player at a time; another one of the same song continues at the same place.
document.addEventListener(
  "play",
  ({ target }) => {
    for (const player of document.querySelectorAll("audio")) {
      if (player === target || player.paused) continue;
      player.pause();
      if (player.closest(".listen") === target.closest(".listen")) target.currentTime = player.currentTime;
    }
  },
  true,
);
