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
    $("when").addEventListener("input", (e) => this.seek(Number(e.target.value)));
    for (const kind of ["pointermove", "pointerdown", "keydown", "focusin", "wheel"]) addEventListener(kind, () => this.wake(), { passive: true });
    this.wake();
  }

  pause() { return this.may("pause") && this.send({ do: this.meta?.paused ? "resume" : "pause" }); }
  upset() { return this.may("upset") && this.send({ do: "upset", fraction: 0.5 }); }
  damping() { return this.may("damping") && this.send({ do: "damping", on: !this.meta?.damping }); }

  /** Whether this room takes such an order; one that does not say takes all. */
  may(order) { return this.meta?.orders?.includes(order) ?? true; }

  /** To another moment of a stored gathering; while the room goes there, only the last wish counts. */
  async seek(to) {
    this.wish = to;
    this.moment(to);
    if (this.seeking) return;
    this.seeking = true;
    while (this.wish !== undefined) {
      const next = this.wish;
      delete this.wish;
      await this.send({ do: "seek", to: next });
    }
    this.seeking = false;
  }

  /** The room's time on the slider, unless a hand is on it. */
  now(t) {
    if (!this.meta?.replay || this.seeking) return;
    $("when").value = t;
    this.moment(t);
  }

  moment(t) {
    const s = Math.floor(t), two = (v) => String(v).padStart(2, "0");
    const text = `${Math.floor(s / 3600)}:${two(Math.floor(s / 60) % 60)}:${two(s % 60)}`;
    if ($("when-text").textContent !== text) $("when-text").textContent = text;
    const said = `${Math.floor(s / 60)} minutes ${s % 60} seconds`;
    if ($("when").getAttribute("aria-valuetext") !== said) $("when").setAttribute("aria-valuetext", said);
  }

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
    $("pause").hidden = !(simulated || meta.replay); // a real room has no pause
    $("upset").hidden = !simulated;
    $("damping").hidden = !this.may("damping");
    $("finger").hidden = !this.may("touch");
    $("speed").parentElement.hidden = !(simulated || meta.replay);
    $("scenario").parentElement.hidden = !simulated;
    $("when-label").hidden = !meta.replay;
    if (meta.replay) $("when").max = meta.replay.seconds;
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
