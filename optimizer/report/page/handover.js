"use strict";
/* From what was tried to where it counts: the text of layers.toml, a link, and, where the page is served, the file. */
const Handover = (() => {
  const { el, bytes } = Dom;
  const MOST = 8;
  let pins = "moved";
  let text = null;
  let said = "";
  let asked = null;

  const options = () => ({ everything: pins === "everything" });

  /* A page from a file may be kept from the clipboard: then the text is there, selected. */
  const copy = async (content, words, context) => {
    try {
      await navigator.clipboard.writeText(content);
      [text, said] = [null, `${words} is on the clipboard.`];
      context.again();
    } catch {
      [text, said] = [content, "The browser keeps the clipboard from this page. The text is selected: copy it with Ctrl-C."];
      context.again();
      const area = document.getElementById("what-if-text");
      area.focus();
      area.select();
    }
    context.actions.tell(said);
  };

  const post = async (place, base, state, given) => {
    const body = JSON.stringify({ revision: base.document.served.revision, layers: Model.tables(base, state, given) });
    const answer = await fetch(place, { method: "POST", headers: { "Content-Type": "application/json" }, body });
    const found = await answer.json();
    if (!answer.ok) throw new Error(`${found.error.message}\n${found.error.mend}`);
    return found;
  };

  /* One at a time: the planner takes a while. */
  const busily = async (words, run, context) => {
    if (said === words) return;
    said = words;
    context.again();
    context.actions.tell(words);
    try {
      said = await run();
    } catch (error) {
      said = error instanceof TypeError ? "tune does not answer any more: start it again in the terminal." : error.message;
    }
    context.again();
    context.actions.tell(said);
  };

  const write = (base, state, context) => busily("The planner looks at it…", async () => {
    await post("write", base, state, options());
    window.history.replaceState(null, "", window.location.pathname);
    window.location.reload();
    return `Written to ${base.document.configuration.path}.`;
  }, context);

  const ask = (base, state, context) => busily("The planner splits the rest anew…", async () => {
    const found = await post("plan", base, state, { everything: false });
    const planned = Model.arrange(base, state, found.layers.map((layer) => layer.name), found.assignment);
    const others = base.list.filter(({ name }) => planned.homes[name] !== state.homes[name]).map(({ name }) => name);
    asked = others.length ? planned : null;
    const year = found.plan.objective.republished_bytes_per_year;
    const cost = year === null ? "" : ` It would send ${bytes(year)} a year.`;
    if (!others.length) return `The planner leaves the rest where it is.${cost}`;
    const named = others.length > MOST ? [...others.slice(0, MOST), `${others.length - MOST} more`] : others;
    return `With what you moved where it is, the planner would put ${named.join(", ")} elsewhere.${cost}`;
  }, context);

  const button = (id, words, click) => el("button", { type: "button", id: `what-if-${id}`, onclick: click }, words);

  const served = (base, state, context) => [
    button("ask", "Ask the planner", () => ask(base, state, context)),
    asked ? button("take", "Take the planner's split", () => {
      const planned = asked;
      [asked, said] = [null, ""];
      context.actions.set(planned);
    }) : null,
    button("write", `Write to ${base.document.configuration.path}`, () => write(base, state, context)),
  ];

  /** Something else is shown: what was said of the last state does not hold. */
  const forget = () => {
    [text, said, asked] = [null, "", null];
  };

  /** The controls; `context` is {actions, again}, `again` draws the panel once more. */
  const parts = (base, state, context) => el("div", { class: "handover" },
    Dom.choice("What the file pins", [["moved", "Pin what moved"], ["everything", "Pin everything"]], pins, (value) => {
      pins = value;
      text = null;
      context.again();
    }),
    el("p", { class: "quiet-text" }, pins === "moved"
      ? "The planner may then place the rest anew, where that costs less."
      : "Planned with it, each distribution is where it is shown."),
    el("div", { class: "buttons" },
      button("copy", "Copy as layers.toml", () => copy(Model.toml(base, state, options()), "layers.toml", context)),
      button("link", "Copy link", () => copy(window.location.href, "The link", context)),
      base.document.served ? served(base, state, context) : null),
    said ? el("p", { class: "said", id: "what-if-said" }, said) : null,
    text === null ? null : el("textarea", { id: "what-if-text", readonly: true, rows: "12", spellcheck: "false", "aria-label": "Text to copy" }, text));

  return { parts, forget };
})();
