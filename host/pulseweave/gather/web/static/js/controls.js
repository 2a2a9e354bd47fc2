// The quiet controls: what the room can be asked to do. They appear while somebody moves and leave again.
// In: meta. Out: commands; what the room refuses is said in words.

const SPEEDS = [0.25, 0.5, 1, 2, 4, 8, 16, "fast"];
const AWAKE_MS = 5000;
const $ = (id) => document.getElementById(id);

export class Controls {
  constructor(send, say) {
    this.send = async (command) => {
      const answer = await send(command);
      if (!answer.ok) say(answer.text || "the room cannot do that");
      else if (answer.text) say(answer.text);
      if (this.meta) this.show(this.meta); // a refused choice springs back
      return answer;
    };
    this.meta = null;
    $("controls").addEventListener("submit", (e) => e.preventDefault());
    $("pause").addEventListener("click", () => this.pause());
    $("upset").addEventListener("click", () => this.upset());
    $("damping").addEventListener("click", () => this.damping());
    $("speed").addEventListener("change", (e) => this.send({ do: "speed", to: e.target.value === "fast" ? "fast" : Number(e.target.value) }));
    $("scenario").addEventListener("change", (e) => this.send({ do: "scenario", name: e.target.value }));
    $("scene").addEventListener("change", (e) => this.send({ do: "scene", name: e.target.value }));
    for (const kind of ["pointermove", "pointerdown", "keydown", "focusin", "wheel"]) addEventListener(kind, () => this.wake(), { passive: true });
    this.wake();
  }

  pause() { return this.send({ do: this.meta?.paused ? "resume" : "pause" }); }
  upset() { return this.send({ do: "upset", fraction: 0.5 }); }
  damping() { return this.send({ do: "damping", on: !this.meta?.damping }); }

  wake() {
    document.body.classList.add("awake");
    clearTimeout(this.sleep);
    this.sleep = setTimeout(() => document.body.classList.remove("awake"), AWAKE_MS);
  }

  show(meta) {
    this.meta = meta;
    $("pause").textContent = meta.paused ? "go on" : "pause";
    $("pause").setAttribute("aria-pressed", String(Boolean(meta.paused)));
    $("damping").setAttribute("aria-checked", String(Boolean(meta.damping)));
    options($("speed"), SPEEDS, meta.speed, (v) => (v === "fast" ? "fast" : `× ${v}`));
    options($("scenario"), meta.scenarios || [], meta.scenario);
    $("scene-label").hidden = !meta.scenes?.length;
    options($("scene"), meta.scenes || [], meta.scene);
    const simulated = (meta.scenarios || []).length > 0;
    for (const id of ["pause", "upset"]) $(id).hidden = !simulated; // a real room has no pause
    $("speed").parentElement.hidden = $("scenario").parentElement.hidden = !simulated;
  }
}

function options(select, values, chosen, word = String) {
  const all = values.map(String).includes(String(chosen)) || chosen === undefined ? values : [...values, chosen];
  const key = all.join("\n");
  if (select.dataset.key !== key) {
    select.dataset.key = key;
    select.replaceChildren(...all.map((v) => new Option(word(v), v)));
  }
  if (document.activeElement !== select || select.value !== String(chosen)) select.value = String(chosen ?? "");
}
